package loadtest

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/octet-ml/octet/serve/oip"
	"github.com/octet-ml/octet/tensor"
)

// answers are handlers by what they answer.
var answers = map[string]http.HandlerFunc{
	"whole": func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, `{"model_name":"m","outputs":[]}`)
	},
	"chunked": func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"model_name":`)
		_ = http.NewResponseController(w).Flush()
		_, _ = io.WriteString(w, `"m","outputs":[]}`)
	},
	"refused": func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, `{"error":"full"}`, http.StatusTooManyRequests)
	},
	"nonsense": func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "hello") },
	"last": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		_, _ = io.WriteString(w, `{"model_name":"m","outputs":[]}`)
	},
	"none": func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) },
	"late": func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done() // the client has gone
	},
}

// inference returns an Inference of a server that gives these answers, one after another, and the number of connections that the server has seen.
func inference(t *testing.T, timeout time.Duration, sequence ...string) (*Inference, *atomic.Int64) {
	t.Helper()
	var next, connections atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v2/models/m/infer" || r.Header.Get("Authorization") != "Bearer secret" {
			t.Errorf("%s with %v", r.URL, r.Header)
		}
		answers[sequence[next.Add(1)-1]](w, r)
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	x, err := tensor.New(tensor.Float32, 1, 3000)
	if err != nil {
		t.Fatal(err)
	}
	in := oip.NewTensor("x", x)
	in.Binary = true
	request, err := (&oip.InferRequest{Inputs: []*oip.Tensor{in}}).Encode()
	if err != nil {
		t.Fatal(err)
	}
	dial := func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", server.Listener.Addr().String())
	}
	f, err := NewInference(&oip.Client{URL: server.URL, Token: "secret"}, dial, "m", "", []*oip.EncodedRequest{request}, timeout)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f, &connections
}

// Each answer has its status, and its connection is used again unless the server ends it.
func TestInference(t *testing.T) {
	f, connections := inference(t, time.Minute, "whole", "chunked", "refused", "nonsense", "last", "whole", "none", "whole", "whole")
	var have []string
	for i := range 9 {
		status, err := f.Send(t.Context(), i)
		if (err == nil) != (status == "200") {
			t.Errorf("request %d: status %s, error %v", i, status, err)
		}
		have = append(have, fmt.Sprintf("%s on %d", status, connections.Load()))
	}
	want := strings.Split("200 on 1,200 on 1,429 on 1,connection on 1,200 on 1,200 on 2,connection on 2,200 on 3,200 on 3", ",")
	if !slices.Equal(have, want) {
		t.Errorf("the answers are %q, not %q", have, want)
	}
}

// A request that is not answered ends with its bound, or with its context, and its connection is not used again.
func TestInferenceEnds(t *testing.T) {
	f, _ := inference(t, 20*time.Millisecond, "late")
	if status, err := f.Send(t.Context(), 0); status != StatusTimeout || err == nil || len(f.idle) > 0 {
		t.Errorf("past its bound: %s, %v, %d connections left", status, err, len(f.idle))
	}
	f, _ = inference(t, 0, "late")
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	if status, err := f.Send(ctx, 0); status != StatusConnection || err == nil || len(f.idle) > 0 {
		t.Errorf("past its context: %s, %v, %d connections left", status, err, len(f.idle))
	}
}
