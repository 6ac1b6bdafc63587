package torchscript_test

import (
	"bytes"
	"fmt"
	"log"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
	"github.com/octet-ml/octet/torchscript"
)

// A model of one operator is written and read again.
func ExampleWriteTo() {
	g := graph.New()
	y, err := g.Add1(graph.Scope{}, ops.Unary{Fn: ops.ReLU}, g.Input("x", tensor.Float32, 1, 3))
	if err != nil {
		log.Fatal(err)
	}
	g.SetOutputs(y)
	var file bytes.Buffer
	if err := torchscript.WriteTo(&file, g); err != nil {
		log.Fatal(err)
	}
	back, err := loader.LoadFrom(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		log.Fatal(err)
	}
	concrete, err := back.Specialize(ops.F32(2, 3))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(concrete)
	// Output:
	// graph(%x: f32[2, 3])
	//   %0: f32[2, 3] = relu(%x)
	//   return %0
}
