package serve

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/octet-ml/octet/serve/oip"
)

// ask sends a request to a handler and returns status and body.
func ask(t testing.TB, h http.Handler, method, path string, body io.Reader, headers ...string) (int, string, http.Header) {
	t.Helper()
	r := httptest.NewRequest(method, path, body)
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
			continue
		}
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, strings.TrimSuffix(w.Body.String(), "\n"), w.Header()
}

// answerOf returns what an error looks like.
func errorBody(text string) string {
	b, err := json.Marshal(oip.ErrorResponse{Error: text})
	if err != nil {
		panic(err)
	}
	return string(b)
}

const xOf2 = `{"name":"x","datatype":"FP32","shape":[1,2],"data":[1,2]}`

// TestProtocol holds answers to whole texts.
func TestProtocol(t *testing.T) {
	s := newServer(t, Options{MaxBody: 1000, Threads: 1, Batch: BatchOff})
	load(t, s, "m", newGate().model(t, 2))
	if err := s.Configure(Configured{Name: "later", Source: File("missing")}); err != nil {
		t.Fatal(err)
	}
	h := s.Handler()
	const infer = "/v2/models/m/infer"
	for _, c := range []struct {
		method, path, body string
		status             int
		want               string // of an error its text
		headers            []string
	}{
		{"POST", infer, `{"inputs":[` + xOf2 + `]}`, 200, `{"model_name":"m","outputs":[{"name":"output0","shape":[1,2],"datatype":"FP32","data":[1,2]}]}`, nil},
		{"POST", infer, `{"id":"a\"b","inputs":[{"data":[[1,2],[3,4]],"name":"x","datatype":"FP32","shape":[2,2]}],"outputs":[{"name":"output0"}]}`, 200,
			`{"model_name":"m","id":"a\"b","outputs":[{"name":"output0","shape":[2,2],"datatype":"FP32","data":[1,2,3,4]}]}`, nil},
		{"POST", infer, `{"inputs":[{"name":"x","datatype":"FP32","shape":[0,2],"data":[]}]}`, 200, `{"model_name":"m","outputs":[{"name":"output0","shape":[0,2],"datatype":"FP32","data":[]}]}`, nil},
		{"POST", infer, ``, 400, `invalid JSON at byte 0: the end where '{' is needed`, nil},
		{"POST", infer, `{`, 400, `invalid JSON at byte 1: the end where '"' is needed`, nil},
		{"POST", infer, `{"inputs":[]}`, 400, `input "x" is missing: the model takes x FP32[-1,-1]`, nil},
		{"POST", infer, `{}`, 400, `inputs: missing: a request has a list of tensors`, nil},
		{"POST", infer, `{"id":null,"parameters":null,"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","parameters":{"content_type":"np","headers":null},"data":[1,2]}],"outputs":null}`, 200,
			`{"model_name":"m","outputs":[{"name":"output0","shape":[1,2],"datatype":"FP32","data":[1,2]}]}`, nil},
		{"POST", infer, `{"inputs":null}`, 400, `inputs: missing: a request has a list of tensors`, nil},
		{"POST", infer, `{"inputs":[{"name":"x","datatype":"FP32","shape":null,"data":[1,2]}]}`, 400, `inputs[0].shape: tensor "x" has none`, nil},
		{"POST", infer, `{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":null}]}`, 400, `inputs[0].data: tensor "x" has neither data nor the parameter binary_data_size`, nil},
		{"POST", infer, `{"inputs":[{"name":"x","datatype":"FP32","shape":[0,2],"parameters":{"binary_data_size":0}}]}`, 400, `tensors with binary_data_size in a body without the header Inference-Header-Content-Length`, nil},
		{"POST", infer, `{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"parameters":{"binary_data_size":8}}]}` + "\x00\x01", 400, `tensors with binary_data_size in a body without the header Inference-Header-Content-Length`, nil},
		{"POST", infer, `{"inputs":[` + xOf2 + `],"parameters":{"binary_data_output":"true"}}`, 400, `parameter binary_data_output: it is "true" where true or false is needed`, nil},
		{"POST", infer, `{"inputs":[` + xOf2 + `],"outputs":[{"name":"output0","parameters":{"binary_data":1}}]}`, 400, `parameter binary_data: it is 1 where true or false is needed`, nil},
		{"POST", infer, `{"inputs":[` + xOf2 + `],"outputs":[{"name":"output0","parameters":{"classification":1}}]}`, 400,
			`output "output0": the parameter classification is not supported: this server has no such extension`, nil},
		{"POST", infer, `{"inputs":[` + xOf2 + `],"parameters":{"a":1e999}}`, 400, `parameters: "a": 1e999 does not fit FP64`, nil},
		{"POST", infer, `{"inputs":[` + xOf2 + `],"parameters":{"a":[1]}}`, 400, `parameters: "a": an array or object where a bool, number or string is needed`, nil},
		{"POST", infer, `{"inputs":[` + xOf2 + `],"parameters":{"timeout":1}}`, 504, `the time for the request is over: that of the server, or its own`, nil},
		{"POST", infer, `{"inputs":[` + xOf2 + `,` + xOf2 + `]}`, 400, `inputs[1]: a second tensor "x"`, nil},
		{"POST", infer, `{"inputs":[{"name":"y","datatype":"FP32","shape":[1,2],"data":[1,2]}]}`, 400, `there is no input "y": the model takes x FP32[-1,-1]`, nil},
		{"POST", infer, `{"inputs":[{"name":"x","datatype":"INT64","shape":[1,2],"data":[1,2]}]}`, 400, `input "x": it is INT64 where the model takes x FP32[-1,-1]`, nil},
		{"POST", infer, `{"inputs":[{"name":"x","datatype":"FP32","shape":[2],"data":[1,2]}]}`, 400, `input "x": its shape is [2] where the model takes x FP32[-1,-1]`, nil},
		{"POST", infer, `{"inputs":[{"name":"x","datatype":"FP32","shape":[1,-2],"data":[1,2]}]}`, 400, `inputs[0].shape: extent -2`, nil},
		{"POST", infer, `{"inputs":[{"name":"x","datatype":"FP32","shape":[4294967296,4294967296],"data":[1,2]}]}`, 400,
			`inputs[0].shape: tensor: shape [4294967296, 4294967296] has too many elements: at most 17592186044415 can be addressed`, nil},
		{"POST", infer, `{"inputs":[{"name":"x","datatype":"FP32","shape":[1,1000000000],"data":[1,2]}]}`, 400,
			`inputs[0].data: the data ends too early: shape [1, 1000000000] needs 1000000000 elements`, nil},
		{"POST", infer, `{"inputs":[` + xOf2 + `],"outputs":[{"name":"z"}]}`, 400, `there is no output "z": the model gives output0 FP32[-1,-1]`, nil},
		{"POST", infer, `{"inputs":[` + xOf2 + `],"outputs":[{"name":"output0"},{"name":"output0"}]}`, 400, `outputs[1]: a second output "output0"`, nil},
		{"POST", infer, `{"inputs":[` + xOf2 + `],"parameters":{"timeout":"x"}}`, 400, `parameter timeout: it is "x" where microseconds are needed`, nil},
		{"POST", infer, `{"inputs":[` + xOf2 + `],"parameters":{"priority":-1}}`, 400, `parameter priority: it is -1 where a number is needed`, nil},
		{"POST", infer, `{"inputs":[` + xOf2 + `],"parameters":{"sequence_id":true}}`, 400, `parameter sequence_id: it is true where a number or a text is needed`, nil},
		{"POST", infer, `{"inputs":[{"name":"x","datatype":"BYTES","shape":[1],"data":["a"]}]}`, 400, `input "x": it is BYTES, which this model does not take`, nil},
		{"POST", infer, "{\"inputs\":[{\"name\":\"\xff\"}]}", 400, `inputs[0]: invalid JSON at byte 22: a string that is not UTF-8`, nil},
		{"POST", infer, strings.Repeat(`[`, 500), 400, `invalid JSON at byte 0: "[" where '{' is needed`, nil},
		{"POST", infer, `{"a":` + strings.Repeat(`[`, 500), 400, `invalid JSON at byte 21: values are nested too deep`, nil},
		{"POST", infer, strings.Repeat(` `, 1001), 413, `a body of 1001 bytes, at most 1000 are read`, nil},
		{"POST", infer, `{}`, 400, `the header Inference-Header-Content-Length is "x" where a number of bytes is needed`, []string{oip.HeaderLength, "x"}},
		{"POST", infer, `{}`, 400, `the header Inference-Header-Content-Length is "-1" where a number of bytes is needed`, []string{oip.HeaderLength, "-1"}},
		{"POST", infer, `{}`, 400, `the header Inference-Header-Content-Length stands 2 times`, []string{oip.HeaderLength, "2", oip.HeaderLength, "2"}},
		{"POST", infer, `{}`, 400, `Inference-Header-Content-Length of 3 in a body of 2 bytes`, []string{oip.HeaderLength, "3"}},
		{"POST", infer, "\x00\x00\x80?\x00", 400, `5 bytes of raw data do not fill input "x", FP32[-1,-1]`, []string{oip.HeaderLength, "0"}},
		{"POST", infer, `{}`, 415, `the body is compressed ("gzip"), which is not read: send it as it is`, []string{"Content-Encoding", "gzip"}},
		{"GET", infer, ``, 405, `the method "GET" is not possible here, but POST`, nil},
		{"POST", "/v2/models/none/infer", `{}`, 404, `there is no model "none"`, nil},
		{"POST", "/v2/models/m/versions/3/infer", `{}`, 404, `model m has no version "3"`, nil},
		{"POST", "/v2/models/later/infer", `{}`, 503, `model later is not ready: UNAVAILABLE: it was not loaded yet`, nil},
		{"GET", "/v2/nothing", ``, 404, `there is nothing at this path: the protocol's begin with /v2`, nil},
		{"GET", "/v2/health/live", ``, 200, `{"live":true}`, nil},
		{"GET", "/v2/health/ready", ``, 503, `{"live":true,"ready":false,"reason":"model later: UNAVAILABLE: it was not loaded yet"}`, nil},
		{"GET", "/v2/models/m/ready", ``, 200, `{"name":"m","ready":true}`, nil},
		{"GET", "/v2/models/later/ready", ``, 503, `{"name":"later","ready":false}`, nil},
		{"GET", "/v2/models/none/ready", ``, 404, `there is no model "none"`, nil},
		{"POST", "/v2/repository/index", ``, 200, `[{"name":"later","state":"UNAVAILABLE","reason":"it was not loaded yet"},{"name":"m","state":"READY","reason":""}]`, nil},
		{"POST", "/v2/repository/index", `{"ready":true}`, 200, `[{"name":"m","state":"READY","reason":""}]`, nil},
		{"POST", "/v2/repository/models/m/unload", ``, 403, `the models of this server are not controlled by clients`, nil},
		{"GET", "/v2", ``, 200, `{"name":"octet","version":"","extensions":["binary_tensor_data","model_repository","statistics","sequence","schedule_policy"]}`, nil},
		{"GET", "/v2/models/m", ``, 200, `{"name":"m","platform":"octet","inputs":[{"name":"x","datatype":"FP32","shape":[-1,-1]}],"outputs":[{"name":"output0","datatype":"FP32","shape":[-1,-1]}],"parameters":{"batching":"off","stateful":false}}`, nil},
	} {
		status, body, _ := ask(t, h, c.method, c.path, strings.NewReader(c.body), c.headers...)
		want := c.want
		if c.status >= 400 && !strings.HasPrefix(want, "{") {
			want = errorBody(c.want)
		}
		if status != c.status || body != want {
			t.Errorf("%s %s %.80s\ngot  %d %s\nwant %d %s", c.method, c.path, c.body, status, body, c.status, want)
		}
	}
}

// TestNotFinite asks for values that JSON does not have.
func TestNotFinite(t *testing.T) {
	s := newServer(t, Options{})
	load(t, s, "m", newGate().model(t, 2))
	h := s.Handler()
	data := binary.LittleEndian.AppendUint32(nil, math.Float32bits(1))
	data = binary.LittleEndian.AppendUint32(data, math.Float32bits(float32(math.NaN())))
	header := `{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"parameters":{"binary_data_size":8}}]%s}`
	for _, c := range []struct {
		parameters string
		status     int
		text       string
	}{
		{``, 500, errorBody(`output "output0": element 1 is NaN, which JSON does not have: ask for binary data (binary_data_output)`)},
		{`,"parameters":{"binary_data_output":true}`, 200, `{"model_name":"m","outputs":[{"name":"output0","shape":[1,2],"datatype":"FP32","parameters":{"binary_data_size":8}}]}` + string(data)},
	} {
		text := fmt.Sprintf(header, c.parameters)
		status, body, _ := ask(t, h, "POST", "/v2/models/m/infer", strings.NewReader(text+string(data)), oip.HeaderLength, strconv.Itoa(len(text)))
		if status != c.status || body != c.text {
			t.Errorf("got %d %q, want %d %q", status, body, c.status, c.text)
		}
	}
}

// TestGuard looks at what is refused by headers alone.
func TestGuard(t *testing.T) {
	s := newServer(t, Options{Token: "secret", LocalHost: true, Origin: "https://friend.example"})
	load(t, s, "m", newGate().model(t, 2))
	h := s.Handler()
	token := []string{"Authorization", "Bearer secret"}
	for _, c := range []struct {
		method, path string
		headers      []string
		want         int
	}{
		{"GET", "/v2", nil, 403}, // the recorder's host is example.com
		{"GET", "/v2", []string{"Host", "localhost:8080"}, 401},
		{"GET", "/v2", append([]string{"Host", "localhost:8080"}, token...), 200},
		{"GET", "/v2", append([]string{"Host", "127.0.0.1"}, token...), 200},
		{"GET", "/v2", append([]string{"Host", "[::1]:80"}, token...), 200},
		{"GET", "/v2", append([]string{"Host", "localhost.evil.example"}, token...), 403},
		{"GET", "/v2", append([]string{"Host", "10.0.0.1"}, token...), 403},
		{"GET", "/v2", []string{"Host", "localhost", "Authorization", "Bearer secre"}, 401},
		{"GET", "/v2", []string{"Host", "localhost", "Authorization", "Basic b2N0ZXQ6c2VjcmV0"}, 200},
		{"GET", "/v2/health/live", []string{"Host", "localhost"}, 200},
		{"GET", "/v2/health/ready", []string{"Host", ""}, 200},
		{"GET", "/v2/health/ready", []string{"Host", "evil.example"}, 403},
		{"GET", "/v2/health/ready", []string{"Host", "localhost"}, 200},
		{"GET", "/", []string{"Host", "localhost"}, 401},
		{"POST", "/v2/models/m/infer", append([]string{"Host", "localhost", "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}, token...), 403},
		{"POST", "/v2/models/m/infer", append([]string{"Host", "localhost", "Origin", "https://friend.example", "Sec-Fetch-Site", "cross-site"}, token...), 200},
		{"OPTIONS", "/v2/models/m/infer", []string{"Host", "localhost", "Origin", "https://friend.example", "Access-Control-Request-Method", "POST"}, 204},
		{"OPTIONS", "/v2/models/m/infer", []string{"Host", "localhost", "Origin", "https://evil.example", "Access-Control-Request-Method", "POST"}, 401},
	} {
		status, body, header := ask(t, h, c.method, c.path, strings.NewReader(`{"inputs":[`+xOf2+`]}`), c.headers...)
		if status != c.want {
			t.Errorf("%s %s %q: got %d %s, want %d", c.method, c.path, c.headers, status, body, c.want)
		}
		if allowed := header.Get("Access-Control-Allow-Origin"); strings.Contains(fmt.Sprint(c.headers), "evil") && allowed != "" {
			t.Errorf("%q: allowed origin %s", c.headers, allowed)
		}
	}
}

// TestPanic lets a run panic: the request fails, the server goes on.
func TestPanic(t *testing.T) {
	g := newGate()
	s := newServer(t, Options{Threads: 1})
	load(t, s, "m", g.model(t, 2))
	h := s.Handler()
	g.panics.Store(true)
	body := `{"inputs":[` + xOf2 + `]}`
	if status, text, header := ask(t, h, "POST", "/v2/models/m/infer", strings.NewReader(body)); status != 500 || text != errorBody("internal error in request "+header.Get("X-Request-Id")) {
		t.Errorf("got %d %s", status, text)
	}
	g.panics.Store(false)
	if status, text, _ := ask(t, h, "POST", "/v2/models/m/infer", strings.NewReader(body)); status != 200 {
		t.Errorf("after a panic: %d %s", status, text)
	}
}

// TestClient speaks to the server with the package's own client, over a connection.
func TestClient(t *testing.T) {
	s := newServer(t, Options{Token: "secret"})
	load(t, s, "m", newGate().model(t, 2))
	web := httptest.NewServer(s.Handler())
	defer web.Close()
	c := &oip.Client{URL: web.URL, Token: "secret", HTTP: web.Client()}
	for _, inBinary := range []bool{false, true} {
		x := oip.NewTensor("x", fromSlice(t, []float32{1, 2}, 1, 2))
		x.Binary = inBinary
		answer, err := c.Infer(t.Context(), "m", "", &oip.InferRequest{Inputs: []*oip.Tensor{x}, Parameters: oip.Parameters{oip.BinaryDataOutput: inBinary}})
		if err != nil || !bytes.Equal(answer.Outputs[0].Value.Bytes(), x.Value.Bytes()) || answer.Outputs[0].Binary != inBinary {
			t.Errorf("binary %v: answer %+v, error %v", inBinary, answer, err)
		}
	}
	if ready, err := c.Ready(t.Context()); !ready || err != nil {
		t.Errorf("ready %v, error %v", ready, err)
	}
	s.Drain()
	if ready, err := c.Ready(t.Context()); ready || err != nil {
		t.Errorf("draining: ready %v, error %v", ready, err)
	}
}
