package prom

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/serve"
	"github.com/octet-ml/octet/tensor"
)

// model is x [n, 2] times weights.
func model(t *testing.T) *graph.Graph {
	t.Helper()
	g := graph.New()
	x := g.Input("x", tensor.Float32, 1, 2)
	weights, err := tensor.FromSlice([]float32{1, 2, 3, 4}, 2, 2)
	if err != nil {
		t.Fatal(err)
	}
	y, err := g.Add1(graph.Scope{}, ops.Linear{}, x, g.Const("w", weights))
	if err != nil {
		t.Fatal(err)
	}
	g.SetOutputs(y)
	return g
}

// TestMetrics holds counts to the requests that were sent, through the server's own path and with its token.
func TestMetrics(t *testing.T) {
	m := New(Build{Version: "v1", Tier: "generic"})
	s, err := serve.New(serve.Options{Observer: m, Metrics: m.Handler(), Token: "secret", Threads: 1, Batch: serve.BatchOff})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	m.Watch(s)
	if err := s.Load(t.Context(), "m", serve.Graph(model(t))); err != nil {
		t.Fatal(err)
	}
	if err := s.Load(t.Context(), "broken", serve.File("missing")); err == nil {
		t.Fatal("a missing file was loaded")
	}
	x, err := tensor.New(tensor.Float32, 3, 2)
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := tensor.New(tensor.Float32, 3, 5)
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if _, err := s.Infer(t.Context(), "m", x); err != nil {
			t.Fatal(err)
		}
	}
	for range 4 {
		if _, err := s.Infer(t.Context(), "m", wrong); err == nil {
			t.Fatal("a wrong shape was taken")
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Infer(ended, "m", x); err == nil {
		t.Fatal("a request that had ended was answered")
	}
	if _, err := s.Infer(t.Context(), "broken", x); err == nil {
		t.Fatal("a model that is not there answered")
	}
	ask := func(token string) (int, string) {
		r := httptest.NewRequest("GET", "/metrics", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	if status, _ := ask("wrong"); status != 401 {
		t.Errorf("without the token: status %d", status)
	}
	status, text := ask("secret")
	if status != 200 {
		t.Errorf("status %d", status)
	}
	for _, want := range []string{
		`octet_requests_total{model="m",version="",protocol="inprocess",code="ok"} 10`,
		`octet_requests_total{model="m",version="",protocol="inprocess",code="invalid_argument"} 4`,
		`octet_requests_total{model="m",version="",protocol="inprocess",code="canceled"} 1`,
		`octet_requests_total{model="broken",version="",protocol="inprocess",code="unavailable"} 1`,
		`octet_rejected_total{model="broken",version="",reason="unavailable"} 1`,
		`octet_request_duration_seconds_count{model="m",version=""} 15`,
		`octet_queue_duration_seconds_count{model="m",version=""} 10`,
		`octet_samples_total{model="m",version=""} 30`,
		`octet_model_loads_total{model="m",version="",result="success"} 1`,
		`octet_model_loads_total{model="broken",version="",result="failure"} 1`,
		`octet_model_ready{model="m",version=""} 1`,
		`octet_model_ready{model="broken",version=""} 0`,
		`octet_queue_length{model="m",version=""} 0`,
		`octet_inflight_bytes 0`,
		`octet_sequences{model="m",version=""} 0`,
		`octet_model_bytes{model="m",version="",kind="weights"} 16`,
		`octet_build_info{version="v1",tier="generic",goversion="go`,
		`octet_batch_samples_bucket{model="m",version="",le="2"} 0`,
		`octet_batch_samples_bucket{model="m",version="",le="4"} 10`,
		`octet_batch_samples_bucket{model="m",version="",le="+Inf"} 10`,
		`octet_batch_samples_sum{model="m",version=""} 30`,
		`go_goroutines `,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("lint: %v, error %v", problems, err)
	}
}
