package oip

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/octet-ml/octet/tensor"
)

// echo is a server with one model, which answers with its inputs.
func echo(t *testing.T) *httptest.Server {
	mux := http.NewServeMux()
	document := func(w http.ResponseWriter, status int, v any) {
		w.WriteHeader(status)
		if err := json.NewEncoder(w).Encode(v); err != nil {
			t.Error(err)
		}
	}
	mux.HandleFunc("GET /v2", func(w http.ResponseWriter, _ *http.Request) {
		document(w, http.StatusOK, ServerMetadata{Name: "echo", Version: "1", Extensions: []string{"binary_tensor_data"}})
	})
	mux.HandleFunc("GET /v2/health/live", func(w http.ResponseWriter, _ *http.Request) { document(w, http.StatusOK, ServerLive{true}) })
	mux.HandleFunc("GET /v2/health/ready", func(w http.ResponseWriter, _ *http.Request) {
		document(w, http.StatusServiceUnavailable, ServerReady{Live: true, Reason: "draining"})
	})
	mux.HandleFunc("GET /v2/models/{model}", func(w http.ResponseWriter, r *http.Request) {
		document(w, http.StatusOK, ModelMetadata{Name: r.PathValue("model"), Inputs: []TensorMetadata{{"x", FP32, []int64{-1}}}})
	})
	mux.HandleFunc("POST /v2/models/{model}/versions/{version}/infer", func(w http.ResponseWriter, r *http.Request) {
		body := Body{Size: r.ContentLength, HeaderLength: -1}
		if text := r.Header.Get(HeaderLength); text != "" {
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				t.Error(err)
			}
			body.HeaderLength = n
		}
		request, err := ReadInferRequest(r.Body, body, nil)
		if err != nil || r.Header.Get("Authorization") != "Bearer secret" {
			document(w, http.StatusBadRequest, ErrorResponse{"refused: " + r.Header.Get("Authorization")})
			return
		}
		response := InferResponse{ModelName: r.PathValue("model"), ModelVersion: r.PathValue("version"), ID: request.ID, Outputs: request.Inputs}
		for _, o := range response.Outputs {
			o.Binary = request.WantsBinary(o.Name)
		}
		answer, headerLength, err := response.Append(nil)
		if err != nil {
			t.Error(err)
		}
		if headerLength >= 0 {
			w.Header().Set(HeaderLength, strconv.Itoa(headerLength))
		}
		if _, err := w.Write(answer); err != nil {
			t.Error(err)
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

func TestClientInfer(t *testing.T) {
	server := echo(t)
	client := &Client{URL: server.URL + "/", Token: "secret"}
	x, err := tensor.FromSlice([]float32{1, 2.5, -3}, 3)
	if err != nil {
		t.Fatal(err)
	}
	for _, binary := range []bool{false, true} {
		in := NewTensor("x", x)
		in.Binary = binary
		request := &InferRequest{ID: "7", Inputs: []*Tensor{in, NewBytes("text", []byte("a"))}, Parameters: Parameters{BinaryDataOutput: binary}}
		got, err := client.Infer(context.Background(), "my model", "2", request)
		if err != nil {
			t.Fatal(err)
		}
		if got.ModelName != "my model" || got.ModelVersion != "2" || got.ID != "7" || got.Outputs[0].Binary != binary {
			t.Errorf("got %+v", got)
		}
		if !cmp.Equal(got.Outputs[0].Value.Float32s(), x.Float32s()) || string(got.Outputs[1].Elements[0]) != "a" {
			t.Errorf("got %+v %+v", got.Outputs[0], got.Outputs[1])
		}
	}
	client.MaxAnswer = 10
	var large *http.MaxBytesError
	if _, err := client.Infer(context.Background(), "m", "2", &InferRequest{Inputs: []*Tensor{NewTensor("x", x)}}); !errors.As(err, &large) {
		t.Errorf("an answer above the bound: %v", err)
	}
	client.Token = ""
	var status *StatusError
	if _, err := client.Infer(context.Background(), "m", "2", &InferRequest{Inputs: []*Tensor{}}); !errors.As(err, &status) || status.Status != 400 || !strings.Contains(err.Error(), "refused") {
		t.Errorf("without a token: %v", err)
	}
}

func TestClientDocuments(t *testing.T) {
	server := echo(t)
	client := &Client{URL: server.URL}
	ctx := context.Background()
	if got, err := client.ServerMetadata(ctx); err != nil || got.Name != "echo" {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := client.ModelMetadata(ctx, "a/b", ""); err != nil || got.Name != "a/b" || got.Inputs[0].Shape[0] != -1 {
		t.Errorf("got %v, %v", got, err)
	}
	if live, err := client.Live(ctx); !live || err != nil {
		t.Errorf("live: %v, %v", live, err)
	}
	if ready, err := client.Ready(ctx); ready || err != nil {
		t.Errorf("ready: %v, %v", ready, err)
	}
	var status *StatusError
	if _, err := client.ModelReady(ctx, "m", ""); !errors.As(err, &status) || status.Status != 404 {
		t.Errorf("a path that is not there: %v", err)
	}
}

// ExampleClient_Infer classifies on a server.
func ExampleClient_Infer() {
	client := &Client{URL: "http://127.0.0.1:8080"}
	image, err := tensor.New(tensor.Float32, 1, 3, 32, 32)
	if err != nil {
		panic(err)
	}
	in := NewTensor("x", image)
	in.Binary = true
	_, _ = client.Infer(context.Background(), "resnet20", "", &InferRequest{Inputs: []*Tensor{in}, Parameters: Parameters{BinaryDataOutput: true}})
}

// TestInferEncoded sends one encoded request from several goroutines: the bytes are those of Append each time.
func TestInferEncoded(t *testing.T) {
	x, err := tensor.FromSlice([]float32{1, -2.5}, 2)
	if err != nil {
		t.Fatal(err)
	}
	input := NewTensor("x", x)
	input.Binary = true
	request := &InferRequest{Inputs: []*Tensor{input}}
	want, length, err := request.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, err := io.ReadAll(r.Body)
		if err != nil || !bytes.Equal(got, want) || r.Header.Get(HeaderLength) != strconv.Itoa(length) {
			t.Errorf("got %q with a header of %s, error %v", got, r.Header.Get(HeaderLength), err)
		}
		_, _ = w.Write([]byte(`{"model_name":"m","outputs":[]}`))
	}))
	defer web.Close()
	encoded, err := request.Encode()
	if err != nil || encoded.Size() != len(want) {
		t.Fatal(encoded, err)
	}
	input.Binary = false // does not matter any more
	client := &Client{URL: web.URL, HTTP: web.Client()}
	var requests sync.WaitGroup
	for range 8 {
		requests.Go(func() {
			if _, err := client.InferEncoded(t.Context(), "m", "", encoded); err != nil {
				t.Error(err)
			}
		})
	}
	requests.Wait()
}
