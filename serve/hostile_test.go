package serve

import (
	"bufio"
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// exchange writes to a server as it is, and returns the status line and body of the answer.
func exchange(t *testing.T, address, text string) (string, string) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return "", err.Error()
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	return r.Status, strings.TrimSpace(string(body))
}

// TestHostile sends what no client would, over connections of its own.
func TestHostile(t *testing.T) {
	s := newServer(t, Options{Threads: 1, BodyTimeout: 50 * time.Millisecond, Batch: BatchOff})
	load(t, s, "m", newGate().model(t, 2))
	web := httptest.NewServer(s.Handler())
	defer web.Close()
	address := web.Listener.Addr().String()
	post := func(headers, body string) string {
		return "POST /v2/models/m/infer HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n" + body
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, c := range []struct{ name, text, status, body string }{
		{"claims 64 GiB", post("Content-Length: 68719476736\r\n", "{"), "413 Request Entity Too Large", errorBody("a body of 68719476736 bytes, at most 67108864 are read")},
		{"a slow body", post("Content-Length: 1000\r\n", "{"), "408 Request Timeout", ""},
		{"a slow chunk", post("Transfer-Encoding: chunked\r\n", "5\r\n{"), "408 Request Timeout", ""},
		{"a tensor of 64 MB in 2 bytes", post("Content-Length: 140\r\nInference-Header-Content-Length: 120\r\n", fmt.Sprintf("%-120s", `{"inputs":[{"name":"x","datatype":"FP32","shape":[8000000,2],"parameters":{"binary_data_size":64000000}}]}`)+strings.Repeat("x", 20)),
			"400 Bad Request", errorBody("20 bytes behind the JSON where the tensors' binary_data_size add up to 64000000")},
		{"the same in chunks", post("Transfer-Encoding: chunked\r\nInference-Header-Content-Length: 120\r\n", "78\r\n"+fmt.Sprintf("%-120s", `{"inputs":[{"name":"x","datatype":"FP32","shape":[8000000,2],"parameters":{"binary_data_size":64000000}}]}`)+"\r\n0\r\n\r\n"),
			"400 Bad Request", errorBody(`the body ends in tensor "x", after 0 of 64000000 bytes`)},
		{"no HTTP", "hello\r\n\r\n", "400 Bad Request", "400 Bad Request"},
		{"two lengths", post("Content-Length: 1\r\nContent-Length: 2\r\n", "{}"), "400 Bad Request", "400 Bad Request"},
	} {
		status, body := exchange(t, address, c.text)
		if status != c.status || c.body != "" && body != c.body {
			t.Errorf("%s: got %s %s, want %s %s", c.name, status, body, c.status, c.body)
		}
	}
	runtime.ReadMemStats(&after)
	if taken := after.TotalAlloc - before.TotalAlloc; taken > 16<<20 {
		t.Errorf("%d bytes were taken for messages of some hundred", taken)
	}
	until(t, func() bool { g := s.Gauges(); return g.InflightBytes == 0 && g.Models[0].Admitted == 0 })
	if status, text, _ := ask(t, s.Handler(), "POST", "/v2/models/m/infer", strings.NewReader(`{"inputs":[`+xOf2+`]}`)); status != 200 {
		t.Errorf("afterwards: %d %s", status, text)
	}
}

// pictureModel gives pictures back: x [n, 3, 2, 4].
func pictureModel(t *testing.T, dtype tensor.DType) *graph.Graph {
	g := graph.New()
	x := g.Input("x", dtype, 1, 3, 2, 4)
	x.Guard = &graph.Guard{Shape: []int{-1, 3, 2, 4}}
	y, err := g.Add1(graph.Scope{}, ops.Reshape{Shape: []int{-1, 24}}, x)
	if err != nil {
		t.Fatal(err)
	}
	g.SetOutputs(y)
	return g
}

func picture(t *testing.T, width, height int, encode func(io.Writer, image.Image) error) []byte {
	p := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			p.SetRGBA(x, y, color.RGBA{uint8(10 * x), uint8(100 * y), 255, 255})
		}
	}
	var b bytes.Buffer
	if err := encode(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestPage shows the page, and runs JSON and pictures by its form.
func TestPage(t *testing.T) {
	s := newServer(t, Options{Batch: BatchOff})
	load(t, s, "floats", pictureModel(t, tensor.Float32))
	load(t, s, "bytes", pictureModel(t, tensor.Uint8))
	load(t, s, "<i>", newGate().model(t, 2))
	h := s.Handler()
	status, page, header := ask(t, h, "GET", "/", nil)
	if status != 200 || !strings.Contains(page, "&lt;i&gt;") || strings.Contains(page, "<i>") || !strings.Contains(header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("got %d, policy %q, page\n%s", status, header.Get("Content-Security-Policy"), page)
	}
	if run := regexp.MustCompile(`one run<td><code>([^<]*)`).FindStringSubmatch(page); run == nil || regexp.MustCompile(`\.\d*µs|ns`).MatchString(run[1]) {
		t.Errorf("the time of a run is not in whole microseconds: %q", run)
	}
	form := func(fields map[string]string) (int, string) {
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		for name, value := range fields {
			if err := w.WriteField(name, value); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		status, page, _ := ask(t, h, "POST", "/", &b, "Content-Type", w.FormDataContentType())
		_, result, _ := strings.Cut(page, "<pre id=result>")
		result, _, _ = strings.Cut(result, "</pre>")
		return status, result
	}
	toPNG := func(w io.Writer, p image.Image) error { return png.Encode(w, p) }
	toJPEG := func(w io.Writer, p image.Image) error { return jpeg.Encode(w, p, nil) }
	for _, c := range []struct {
		fields map[string]string
		status int
		want   string
	}{
		{map[string]string{"model": "<i>", "json": `{"inputs":[` + xOf2 + `]}`}, 200, `{&#34;model_name&#34;:&#34;\u003ci\u003e&#34;,&#34;outputs&#34;:[{&#34;name&#34;:&#34;output0&#34;,&#34;shape&#34;:[1,2],&#34;datatype&#34;:&#34;FP32&#34;,&#34;data&#34;:[1,2]}]}`},
		{map[string]string{"model": "<i>", "json": `{`}, 400, `error: invalid JSON at byte 1: the end where &#39;&#34;&#39; is needed`},
		{map[string]string{"model": "bytes", "picture": string(picture(t, 4, 2, toPNG))}, 200, `[0,10,20,30,0,10,20,30,0,0,0,0,100,100,100,100,255,255,255,255,255,255,255,255]}]}`},
		{map[string]string{"model": "bytes", "picture": string(picture(t, 4, 2, toJPEG))}, 200, `}]}`},
		{map[string]string{"model": "floats", "picture": string(picture(t, 4, 2, toPNG))}, 200, `[0,0.039215688,`},
		{map[string]string{"model": "floats", "picture": string(picture(t, 2, 4, toPNG))}, 400, `error: input &#34;x&#34;: element 0 is a png of 2 x 4 pixels where 4 x 2 is needed`},
		{map[string]string{"model": "floats", "picture": "GIF"}, 400, `error: input &#34;x&#34;: element 0 is no PNG or JPEG: image: unknown format`},
		{map[string]string{"model": "<i>", "picture": "GIF"}, 400, `error: input &#34;x&#34;: it is BYTES, which this model does not take`},
		{map[string]string{"model": "none"}, 404, ``},
	} {
		status, result := form(c.fields)
		if status != c.status || !strings.Contains(result, c.want) {
			t.Errorf("%v: got %d %s, want %d %s", c.fields["model"], status, result, c.status, c.want)
		}
	}
	if status, text, _ := ask(t, h, "POST", "/", strings.NewReader("x"), "Content-Type", "text/plain"); status != 400 {
		t.Errorf("no form: got %d %s", status, text)
	}
}
