//go:build !nopytorch

package loader

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/tensor"
)

// TestWideInputs gives int32 for inputs of int16: all of their values, and no others.
func TestWideInputs(t *testing.T) {
	g, err := Load("testdata/exported/integers.pt2")
	if err != nil {
		t.Fatal(err)
	}
	s, err := g.Compile(graph.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	run := func(values ...int32) error {
		x := must(tensor.FromSlice(values, 4))
		_, err := s.Run(context.Background(), x, x, must(tensor.FromSlice(make([]int64, 4), 4)))
		return err
	}
	if err := run(32767, -32768, 0, 1); err != nil {
		t.Error(err)
	}
	for _, v := range []int32{32768, -32769} {
		if err := run(0, 0, v, 0); err == nil || !strings.Contains(err.Error(), "outside of -32768 to 32767, the range of int16") {
			t.Errorf("%d: %v", v, err)
		}
	}
}

// TestIntegerProducts multiplies matrices of integers whose products no float32 holds.
func TestIntegerProducts(t *testing.T) {
	meta := func(dtype, rows int) string {
		return strings.NewReplacer(`"dtype": 7`, fmt.Sprintf(`"dtype": %d`, dtype), `"as_int": 2}`, fmt.Sprintf(`"as_int": %d}`, rows)).Replace(exportedFloats)
	}
	of := func(name string) string { return `{"as_tensor": {"name": "` + name + `"}}` }
	full := func(name string, rows int) string {
		return strings.ReplaceAll(exportedNode("torch.ops.aten.full.default", name, "size", fmt.Sprintf(`{"as_ints": [%d, 3]}`, rows), "fill_value", `{"as_int": 4097}`, "dtype", `{"as_scalar_type": 4}`),
			`{"as_scalar_type": 4}, "kind": 1`, `{"as_scalar_type": 4}, "kind": 2`)
	}
	nodes := full("a", 2) + "," + full("b", 3) + "," +
		exportedNode("torch.ops.higher_order.out_dtype", "c", "op", `{"as_operator": "torch.ops.aten.mm.default"}`, "dtype", `{"as_scalar_type": 4}`, "a", of("a"), "b", of("b")) + "," +
		exportedNode("torch.ops.aten.remainder.Scalar", "d", "self", of("c"), "other", `{"as_int": 1000}`) + "," +
		exportedNode("torch.ops.aten.add.Tensor", "y", "self", of("x"), "other", of("d"))
	y, err := runProgram(exportedArchive(t, nodes, `"z": `, `"a": `+meta(4, 2)+`, "b": `+meta(4, 3)+`, "c": `+meta(4, 2)+`, "d": `+meta(4, 2)+`, "z": `))
	if err != nil {
		t.Fatal(err)
	}
	if want := float32(3 * 4097 * 4097 % 1000); y[0].Float32s()[5] != want {
		t.Errorf("the last digits are %v, want %v", y[0].Float32s()[5], want)
	}
}
