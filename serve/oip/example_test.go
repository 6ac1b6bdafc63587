package oip_test

import (
	"bytes"
	"fmt"
	"log"
	"strings"

	"github.com/octet-ml/octet/serve/oip"
	"github.com/octet-ml/octet/tensor"
)

// A request travels as JSON, or with its tensors in binary behind the JSON.
func ExampleInferRequest_Append() {
	x, err := tensor.FromSlice([]float32{1, 2.5}, 1, 2)
	if err != nil {
		log.Fatal(err)
	}
	r := &oip.InferRequest{Inputs: []*oip.Tensor{oip.NewTensor("x", x)}}
	body, _, err := r.Append(nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(body))
	r.Inputs[0].Binary = true
	body, header, err := r.Append(nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(body[:header]), "and", len(body)-header, "bytes")
	// Output:
	// {"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2.5]}]}
	// {"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","parameters":{"binary_data_size":8}}]} and 8 bytes
}

// What does not follow the protocol is refused with the place.
func ExampleInvalidError() {
	body := []byte(`{"inputs":[{"name":"x","datatype":"FP32","shape":[2],"data":[1]}]}`)
	_, err := oip.ReadInferRequest(bytes.NewReader(body), oip.Body{Size: int64(len(body)), HeaderLength: -1}, nil)
	fmt.Println(err)
	// Output: inputs[0].data: 1 elements where shape [2] needs 2
}

// An answer is read as it was written; a Client bounds how many bytes that may be.
func ExampleReadInferResponse() {
	const body = `{"model_name":"m","outputs":[{"name":"y","datatype":"FP32","shape":[2],"data":[1,2.5]}]}`
	r, err := oip.ReadInferResponse(strings.NewReader(body), oip.Body{Size: int64(len(body)), HeaderLength: -1})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(r.ModelName, r.Outputs[0].Name, int64(len(body)) <= oip.DefaultMaxAnswer)
	// Output: m y true
}
