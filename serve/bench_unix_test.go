//go:build unix

package serve

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/serve/oip"
	"github.com/octet-ml/octet/tensor"
)

// cpuTime returns the time that the process has computed.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkRequest measures what a request costs beside the run of the model, in all forms, for a picture of CIFAR. The model does
// nothing, so that all of cpu-us/op is the server's and, of HTTP, that of the recorder which stands for a connection.
func BenchmarkRequest(b *testing.B) {
	g := graph.New()
	x := g.Input("input", tensor.Float32, 1, 3, 32, 32)
	y, err := g.Add1(graph.Scope{}, newGate(), x)
	if err != nil {
		b.Fatal(err)
	}
	g.SetOutputs(y)
	s := newServer(b, Options{Threads: 1, Batch: BatchOff})
	load(b, s, "m", g)
	session, err := g.Compile(graph.Options{Threads: 1})
	if err != nil {
		b.Fatal(err)
	}
	defer session.Close()
	picture := fromSlice(b, make([]float32, 3*32*32), 1, 3, 32, 32)
	for i := range picture.Float32s() {
		picture.Float32s()[i] = float32(i%255)/255 - 0.5
	}
	h := s.Handler()
	body := func(binary bool) ([]byte, int) {
		t := oip.NewTensor("input", picture)
		t.Binary = binary
		text, headerLength, err := (&oip.InferRequest{Inputs: []*oip.Tensor{t}, Parameters: oip.Parameters{oip.BinaryDataOutput: true}}).Append(nil)
		if err != nil {
			b.Fatal(err)
		}
		return text, headerLength
	}
	post := func(b *testing.B, text []byte, headerLength int) {
		r := httptest.NewRequest(http.MethodPost, "/v2/models/m/infer", bytes.NewReader(text))
		if headerLength >= 0 {
			r.Header.Set(oip.HeaderLength, strconv.Itoa(headerLength))
		}
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != http.StatusOK {
			b.Fatal(w.Code, w.Body)
		}
	}
	jsonBody, _ := body(false)
	binaryBody, headerLength := body(true)
	for _, c := range []struct {
		name string
		do   func(b *testing.B)
	}{
		{"run", func(b *testing.B) {
			if _, err := session.Run(b.Context(), picture); err != nil {
				b.Fatal(err)
			}
		}},
		{"inprocess", func(b *testing.B) {
			if _, err := s.Infer(b.Context(), "m", picture); err != nil {
				b.Fatal(err)
			}
		}},
		{"binary", func(b *testing.B) { post(b, binaryBody, headerLength) }},
		{"json", func(b *testing.B) { post(b, jsonBody, -1) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			start := cpuTime(b)
			for b.Loop() {
				c.do(b)
			}
			b.ReportMetric(float64((cpuTime(b)-start).Microseconds())/float64(b.N), "cpu-us/op")
		})
	}
}
