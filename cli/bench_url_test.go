//go:build !noserve

package cli

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/octet-ml/octet/serve/oip"
	"github.com/octet-ml/octet/tensor"
)

// echoServer is a server of the protocol with one model, which answers with the sum of its input x, and notes what it is sent.
type echoServer struct {
	refuseEvery int // so many requests, one is answered with 429
	token       string

	mu     sync.Mutex
	n      int
	shapes map[string]int
	firsts []float32 // first element of each x
	binary int
}

func (s *echoServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	document := func(status int, v any) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	switch {
	case s.token != "" && r.Header.Get("Authorization") != "Bearer "+s.token:
		document(http.StatusUnauthorized, oip.ErrorResponse{Error: "no token"})
	case r.URL.Path == "/v2/repository/index":
		document(http.StatusOK, []oip.IndexEntry{{Name: "m", State: "READY"}})
	case r.URL.Path == "/v2/models/m":
		document(http.StatusOK, oip.ModelMetadata{Name: "m", Inputs: []oip.TensorMetadata{{Name: "x", Datatype: oip.FP32, Shape: []int64{-1, 3, -1}}}})
	case r.URL.Path == "/v2/models/texts":
		document(http.StatusOK, oip.ModelMetadata{Name: "texts", Inputs: []oip.TensorMetadata{{Name: "x", Datatype: oip.Bytes, Shape: []int64{-1}}}})
	case r.URL.Path == "/v2/models/m/infer":
		s.infer(w, r, document)
	default:
		document(http.StatusNotFound, oip.ErrorResponse{Error: "no " + r.URL.Path})
	}
}

func (s *echoServer) infer(w http.ResponseWriter, r *http.Request, document func(int, any)) {
	body := oip.Body{Size: r.ContentLength, HeaderLength: -1}
	if text := r.Header.Get(oip.HeaderLength); text != "" {
		body.HeaderLength, _ = strconv.ParseInt(text, 10, 64)
	}
	request, err := oip.ReadInferRequest(r.Body, body, nil)
	if err != nil {
		document(http.StatusBadRequest, oip.ErrorResponse{Error: err.Error()})
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n++
	if s.refuseEvery > 0 && s.n%s.refuseEvery == 0 {
		document(http.StatusTooManyRequests, oip.ErrorResponse{Error: "the queue is full"})
		return
	}
	x := request.Inputs[0]
	s.shapes[x.Shape.String()]++
	s.firsts = append(s.firsts, x.Value.Float32s()[0])
	if x.Binary {
		s.binary++
	}
	x.Binary = request.WantsBinary("x")
	response := oip.InferResponse{ModelName: "m", Outputs: request.Inputs}
	answer, headerLength, err := response.Append(nil)
	if err != nil {
		document(http.StatusInternalServerError, oip.ErrorResponse{Error: err.Error()})
		return
	}
	if headerLength >= 0 {
		w.Header().Set(oip.HeaderLength, strconv.Itoa(headerLength))
	}
	_, _ = w.Write(answer)
}

func newEcho(t *testing.T) (*echoServer, string) {
	t.Helper()
	s := &echoServer{shapes: make(map[string]int)}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return s, server.URL
}

func TestBenchURL(t *testing.T) {
	s, url := newEcho(t)
	s.refuseEvery = 10
	r := octetJSON[serverResult](t, "bench", "--url", url, "--clients", "3", "--requests", "40", "--warmup", "0", "--shape", "2x3x5", "--batch", "2")
	if r.Model != "m" || r.Samples != 2 || r.Sent != 40 || r.Statuses["200"] != 36 || r.Statuses["429"] != 4 || !strings.Contains(r.Errors["429"], "queue is full") {
		t.Errorf("%+v %+v", r, r.Result)
	}
	if s.shapes["[2, 3, 5]"] != 36 || s.binary != 36 || r.Latency.P50 <= 0 || r.Latency.Max < r.Latency.P999 {
		t.Errorf("the server saw %v, %d binary; %+v", s.shapes, s.binary, r.Latency)
	}
	s.refuseEvery = 0
	r = octetJSON[serverResult](t, "bench", "m", "--url", url, "--rate", "2000", "--requests", "50", "--shape", "1x3x5", "--json-tensors")
	if r.Loop != "open" || r.OK != 50 || r.Lag == nil || s.binary != 36 || s.shapes["[1, 3, 5]"] != 50+10 {
		t.Errorf("%+v %+v, the server saw %v", r, r.Result, s.shapes)
	}
	octet(t, exitOK, "bench", "m", "--url", url, "--no-metadata", "--requests", "5", "--warmup", "0", "--shape", "4x3")
	if s.shapes["[4, 3]"] != 5 {
		t.Errorf("without metadata, the server saw %v", s.shapes)
	}
	out, _ := octet(t, exitOK, "bench", "--url", url, "--requests", "5", "--shape", "1x3x5")
	if !strings.Contains(out, "closed loop   1 clients") || !strings.Contains(out, "5 of 5") || !strings.Contains(out, "p99.9") {
		t.Errorf("printed:\n%s", out)
	}
}

// TestBenchURLData sends samples in turn.
func TestBenchURLData(t *testing.T) {
	s, url := newEcho(t)
	data := filepath.Join(t.TempDir(), "d.npz")
	values := make([]float32, 5*3*2)
	for i := range values {
		values[i] = float32(i / 6)
	}
	x, err := tensor.FromSlice(values, 5, 3, 2)
	if err != nil {
		t.Fatal(err)
	}
	writeArrays(t, data, map[string]*tensor.Tensor{"x": x})
	octet(t, exitOK, "bench", "--url", url, "--requests", "7", "--warmup", "0", "--data", data, "--batch", "2")
	if s.shapes["[2, 3, 2]"] != 5 || s.shapes["[1, 3, 2]"] != 2 {
		t.Errorf("the server saw %v", s.shapes)
	}
	for i, first := range s.firsts {
		if want := float32([]int{0, 2, 4}[i%3]); first != want {
			t.Errorf("request %d begins with %v, not %v", i, first, want)
		}
	}
}

// TestBenchURLSocket talks to a Unix socket, with a token.
func TestBenchURLSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	s := &echoServer{shapes: make(map[string]int), token: "secret"}
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: s}}
	server.Start()
	defer server.Close()
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{"unix:" + path, "unix://" + path} {
		octet(t, exitOK, "bench", "m", "--url", url, "--requests", "3", "--shape", "1x3x5", "--token-file", token)
	}
	if _, stderr := octet(t, exitFailed, "bench", "m", "--url", "unix:"+path, "--requests", "3", "--shape", "1x3x5"); !strings.Contains(stderr, "401") {
		t.Errorf("without a token: %q", stderr)
	}
}

func TestBenchURLErrors(t *testing.T) {
	_, url := newEcho(t)
	for _, c := range []struct {
		code int
		says string
		args []string
	}{
		{exitUsage, "give --shape or --data", []string{"--url", url}},
		{exitUsage, "1 inputs", []string{"--url", url, "--shape", "1,2"}},
		{exitUsage, "either clients", []string{"--url", url, "--clients", "2", "--rate", "1"}},
		{exitUsage, "not for --url", []string{"--url", url, "--runs", "2"}},
		{exitUsage, "needs --url", []string{"m", "--rate", "2"}},
		{exitUsage, "needs --shape", []string{"m", "--url", url, "--no-metadata"}},
		{exitUsage, "one MODEL", []string{"a", "b", "--url", url}},
		{exitUsage, "it must be http", []string{"--url", "localhost:80"}},
		{exitFailed, "404", []string{"other", "--url", url}},
		{exitFailed, "BYTES", []string{"texts", "--url", url}},
		{exitFailed, "refused", []string{"m", "--url", "http://127.0.0.1:1", "--shape", "1x3x5"}},
		{exitFile, "", []string{"m", "--url", url, "--data", digitsModel}},
	} {
		if _, stderr := octet(t, c.code, append([]string{"bench"}, c.args...)...); !strings.Contains(stderr, c.says) {
			t.Errorf("%v: %q", c.args, stderr)
		}
	}
}
