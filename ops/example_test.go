package ops_test

import (
	"fmt"
	"log"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

func vector(values ...float32) *tensor.Tensor {
	t, err := tensor.FromSlice(values, len(values))
	if err != nil {
		log.Fatal(err)
	}
	return t
}

// One operator runs on tensors without a graph.
func ExampleEval() {
	pool := ops.NewPool(1)
	defer pool.Close()
	y, err := ops.Eval(ops.Binary{Fn: ops.Add}, asm.Best(), pool, vector(1, 2, 3), vector(10, 20, 30))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(y[0].Float32s())
	// Output: [11 22 33]
}

// Infer says what an operator gives, and checks what it is given.
func ExampleOp() {
	out, err := ops.Linear{}.Infer([]ops.Type{ops.F32(2, 3), ops.F32(4, 3)}) // x [N, in], weight [out, in]
	fmt.Println(out[0].Shape, err)
	_, err = ops.Linear{}.Infer([]ops.Type{ops.F32(2, 5), ops.F32(4, 3)})
	fmt.Println(err != nil)
	// Output:
	// [2, 4] <nil>
	// true
}
