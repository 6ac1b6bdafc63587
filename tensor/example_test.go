package tensor_test

import (
	"bytes"
	"fmt"
	"log"

	"github.com/octet-ml/octet/tensor"
)

// A tensor is made of a slice, and its views share memory with it.
func Example() {
	x, err := tensor.FromSlice([]float32{1, 2, 3, 4, 5, 6}, 2, 3)
	if err != nil {
		log.Fatal(err)
	}
	column, err := x.Slice(1, 1, 2, 1) // x[:, 1:2]
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(x.Shape(), x.DType(), column.Shape(), column.Contiguous().Float32s())
	// Output: [2, 3] float32 [2, 1] [2 5]
}

// Quantized values are integers with a scale and a zero point.
func ExampleTensor_Quantize() {
	x, err := tensor.FromSlice([]float32{-1, 0, 0.25, 1}, 4)
	if err != nil {
		log.Fatal(err)
	}
	q, err := x.Quantize(tensor.PerTensor(tensor.Uint8, 1.0/64, 64))
	if err != nil {
		log.Fatal(err)
	}
	back, err := q.Dequantize()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(q.Uint8s(), back.Float32s())
	// Output: [0 64 80 128] [-1 0 0.25 1]
}

// Arrays of NumPy are read from any reader.
func ExampleReadNPY() {
	x, err := tensor.FromSlice([]int64{7, 8, 9}, 3)
	if err != nil {
		log.Fatal(err)
	}
	var file bytes.Buffer
	if err := tensor.WriteNPY(&file, x); err != nil {
		log.Fatal(err)
	}
	y, err := tensor.ReadNPY(&file, tensor.DefaultBudget)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(y.Int64s())
	// Output: [7 8 9]
}
