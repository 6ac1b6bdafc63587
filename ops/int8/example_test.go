package int8_test

import (
	"fmt"
	"log"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// Any function of one element is a table of 256 entries.
func ExampleNewTable() {
	in, out := tensor.PerTensor(tensor.Uint8, 0.5, 128), tensor.PerTensor(tensor.Uint8, 0.25, 0)
	square := int8.NewTable("square", in, out, func(x float32) float32 { return x * x })
	x, err := tensor.FromSlice([]float32{-2, 0.5, 3}, 3)
	if err != nil {
		log.Fatal(err)
	}
	q, err := x.Quantize(in)
	if err != nil {
		log.Fatal(err)
	}
	pool := ops.NewPool(1)
	defer pool.Close()
	y, err := ops.Eval(square, asm.Best(), pool, q)
	if err != nil {
		log.Fatal(err)
	}
	f, err := y[0].Dequantize()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(y[0].Uint8s(), f.Float32s())
	// Output: [16 1 36] [4 0.25 9]
}

// An activation narrows the integers that a result may have.
func ExampleBounds() {
	q := tensor.PerTensor(tensor.Uint8, 0.1, 20)
	fmt.Println(int8.Bounds(q, ops.NoActivation))
	fmt.Println(int8.Bounds(q, ops.ActReLU))
	fmt.Println(int8.Bounds(q, ops.ActReLU6))
	// Output:
	// 0 255
	// 20 255
	// 20 80
}

// A sum of products of integers with the scales 0.5 and 0.25 counts eighths; a result whose scale is a sixteenth has twice as many.
func ExampleMultiplier() {
	fmt.Println(int8.Multiplier(0.5, 0.25, 0.0625))
	// Output: 2
}
