package serve_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/octet-ml/octet/digits"
	"github.com/octet-ml/octet/serve"
	"github.com/octet-ml/octet/tensor"
)

// server serves a model by the name digits.
func server() *serve.Server {
	model, err := digits.Load()
	if err != nil {
		log.Fatal(err)
	}
	s, err := serve.New(serve.Options{Threads: 1})
	if err != nil {
		log.Fatal(err)
	}
	if err := s.Load(context.Background(), "digits", serve.Graph(model)); err != nil {
		log.Fatal(err)
	}
	return s
}

// The handler goes into any program with net/http.
func ExampleServer_Handler() {
	s := server()
	defer s.Close()
	web := httptest.NewServer(s.Handler())
	defer web.Close()
	pixels := strings.TrimSuffix(strings.Repeat("0,", 64), ",")
	answer, err := http.Post(web.URL+"/v2/models/digits/infer", "application/json",
		strings.NewReader(`{"inputs":[{"name":"input","datatype":"FP32","shape":[1,1,8,8],"data":[`+pixels+`]}]}`))
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer.Status, strings.Contains(string(text), `"shape":[1,10]`))
	// Output: 200 OK true
}

// In process, a request waits in the same queue and within the same bounds.
func ExampleServer_Infer() {
	s := server()
	defer s.Close()
	x, err := tensor.New(tensor.Float32, 2, 1, 8, 8)
	if err != nil {
		log.Fatal(err)
	}
	y, err := s.Infer(context.Background(), "digits", x)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(y[0].Shape())
	_, err = s.Infer(context.Background(), "letters", x)
	fmt.Println(serve.CodeOf(err).HTTP())
	// Output:
	// [2, 10]
	// 404
}
