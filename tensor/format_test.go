package tensor_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/octet-ml/octet/tensor"
)

// TestPrint compares what %+v prints below the first line with PyTorch.
func TestPrint(t *testing.T) {
	text, err := os.ReadFile("testdata/print.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		DType  tensor.DType
		Shape  []int
		Values []string
		Text   string
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 30 {
		t.Fatalf("%d cases", len(cases))
	}
	for _, c := range cases {
		values := make([]float64, len(c.Values))
		for i, v := range c.Values {
			if values[i], err = strconv.ParseFloat(v, 64); err != nil {
				t.Fatal(err)
			}
		}
		x, err := tensor.FromSlice(values, c.Shape...)
		if err != nil {
			t.Fatal(err)
		}
		if x, err = x.To(c.DType); err != nil {
			t.Fatal(err)
		}
		want := x.String() + "\n" + c.Text
		if d := cmp.Diff(want, fmt.Sprintf("%+v", x)); d != "" {
			t.Errorf("%v (-PyTorch +octet):\n%s", x, d)
		}
	}
}

// TestFormatVerbs checks that all else prints in one line, and that views, quantized tensors and those without memory print their elements.
func TestFormatVerbs(t *testing.T) {
	x, err := tensor.FromSlice([]float32{1, 2, 3, 4}, 2, 2)
	if err != nil {
		t.Fatal(err)
	}
	column, err := x.Permute(1, 0)
	if err != nil {
		t.Fatal(err)
	}
	q, err := x.Quantize(tensor.PerTensor(tensor.Uint8, 0.5, 3))
	if err != nil {
		t.Fatal(err)
	}
	none, err := tensor.Unbound(tensor.Int8, 3)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ format, want string }{
		{"%v", "float32[2, 2]"}, {"%s", "float32[2, 2]"}, {"%q", `"float32[2, 2]"`}, {"%15v|", "  float32[2, 2]|"}, {"%-15s|", "float32[2, 2]  |"},
	} {
		if have := fmt.Sprintf(c.format, x); have != c.want {
			t.Errorf("%s prints %q, want %q", c.format, have, c.want)
		}
	}
	for _, c := range []struct {
		x    *tensor.Tensor
		want string
	}{
		{column, "float32[2, 2]\n[[1., 3.],\n [2., 4.]]"},
		{q, "uint8[2, 2] u8(scale=0.5, zero=3)\n[[1., 2.],\n [3., 4.]]"},
		{none, "int8[3]"},
		{nil, "nil"},
	} {
		if have := fmt.Sprintf("%+v", c.x); have != c.want {
			t.Errorf("%%+v prints %q, want %q", have, c.want)
		}
	}
}
