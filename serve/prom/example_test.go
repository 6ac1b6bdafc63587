package prom_test

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"net/http/httptest"
	"strings"

	"github.com/octet-ml/octet/digits"
	"github.com/octet-ml/octet/serve"
	"github.com/octet-ml/octet/serve/prom"
	"github.com/octet-ml/octet/tensor"
)

// The metrics of a server stand at GET /metrics of its handler.
func Example() {
	metrics := prom.New(prom.Build{Version: "v1.0.0"})
	s, err := serve.New(serve.Options{Threads: 1, Observer: metrics, Metrics: metrics.Handler()})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	metrics.Watch(s)
	page := httptest.NewRecorder()
	s.Handler().ServeHTTP(page, httptest.NewRequest("GET", "/metrics", nil))
	fmt.Println(page.Code, strings.Contains(page.Body.String(), `octet_build_info{version="v1.0.0"`))
	// Output: 200 true
}

// Requests in process count too.
func ExampleMetrics_Handler() {
	metrics := prom.New(prom.Build{})
	s, err := serve.New(serve.Options{Threads: 1, Observer: metrics})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	metrics.Watch(s)
	model, err := digits.Load()
	if err != nil {
		log.Fatal(err)
	}
	if err := s.Load(context.Background(), "digits", serve.Graph(model)); err != nil {
		log.Fatal(err)
	}
	x, err := tensor.New(tensor.Float32, 1, 1, 8, 8)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := s.Infer(context.Background(), "digits", x); err != nil {
		log.Fatal(err)
	}
	page := httptest.NewRecorder()
	metrics.Handler().ServeHTTP(page, httptest.NewRequest("GET", "/", nil))
	for lines := bufio.NewScanner(page.Body); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "octet_requests_total") {
			fmt.Println(lines.Text())
		}
	}
	// Output: octet_requests_total{model="digits",version="",protocol="inprocess",code="ok"} 1
}
