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

// A model's logits become classes and their shares.
func ExampleTopK() {
	logits, err := tensor.FromSlice([]float32{0, 3, -1, 2}, 1, 4)
	if err != nil {
		log.Fatal(err)
	}
	shares, err := tensor.Softmax(logits)
	if err != nil {
		log.Fatal(err)
	}
	values, classes, err := tensor.TopK(shares, 2)
	if err != nil {
		log.Fatal(err)
	}
	for i, class := range classes.Int64s() {
		fmt.Printf("class %d: %.3f\n", class, values.Float32s()[i])
	}
	// Output:
	// class 1: 0.696
	// class 3: 0.256
}

// With %+v a tensor prints its elements, as in PyTorch.
func ExampleTensor_Format() {
	x, err := tensor.FromSlice([]float32{1, -2.5, 3, 4}, 2, 2)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%v\n%+v\n", x, x)
	// Output:
	// float32[2, 2]
	// float32[2, 2]
	// [[ 1.0000, -2.5000],
	//  [ 3.0000,  4.0000]]
}
