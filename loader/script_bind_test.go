//go:build !nopytorch

package loader

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// bindable is a model of a dict, a list and two optional tensors.
func bindable(t *testing.T) *graph.Graph {
	t.Helper()
	c := moduleM("return x")
	for name, r := range c.Files {
		text := strings.Replace(string(r), "x: Tensor", "d: Dict[str, Tensor],\n    more: List[Tensor],\n    a: Optional[Tensor]=None,\n    b: Optional[Tensor]=None", 1)
		text = strings.Replace(text, "    return x", "    y = torch.add(d[\"p\"], torch.cat(more))\n    if b is not None:\n      y = torch.mul(y, b)\n    return y", 1)
		c.Files[name] = scriptRecordText(text)
	}
	data := c.archive(t)
	g, err := LoadFrom(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestBind chooses the inputs of a model by name: its signature has them, and it runs on them in that order.
func TestBind(t *testing.T) {
	g := bindable(t)
	if want := []string{"d", "more", "a", "b"}; !slices.Equal(g.Parameters(), want) {
		t.Errorf("parameters %v", g.Parameters())
	}
	b, err := g.Bind("more.0", "d.p", "more.1", "b")
	if err != nil {
		t.Fatal(err)
	}
	sig, err := b.Signature(ops.F32(2), ops.F32(5), ops.F32(3), ops.F32())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"batch false, stateful false", "<- more.0 float32[2]", "<- d.p float32[5]", "<- more.1 float32[3]", "<- b float32[]", "-> output0 float32[5]"}
	if d := cmp.Diff(want, formatSignature(sig)); d != "" {
		t.Errorf("signature (-want +got)\n%s", d)
	}
	s, err := b.Compile(graph.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	vector := func(v ...float32) *tensor.Tensor { return must(tensor.FromSlice(v, len(v))) }
	out, err := s.Run(context.Background(), vector(1, 2), vector(10, 20, 30), vector(3), tensor.Scalar(float32(2)))
	if err != nil {
		t.Fatal(err)
	}
	if got := out[0].Float32s(); !slices.Equal(got, []float32{22, 44, 66}) {
		t.Errorf("got %v", got)
	}
}

// TestBindRefuses names inputs that the model does not have, or not all that it needs.
func TestBindRefuses(t *testing.T) {
	g := bindable(t)
	for _, c := range []struct {
		names []string
		says  string
	}{
		{[]string{"d.p"}, "more is missing"},
		{[]string{"d.p", "more.0", "more.0"}, "named twice"},
		{[]string{"d.p", "more.0", "other"}, "no such parameter"},
		{[]string{"d.p", "more.0", "more.2"}, "its element 1 is missing"},
		{[]string{"d", "more.0"}, "its parts are named"},
		{[]string{"d.p", "more.0.1"}, "which has no parts"},
		{[]string{"d.p", "more.0", strings.Repeat("a.", 1000)}, "too deep"},
	} {
		var in *graph.InputError
		if _, err := g.Bind(c.names...); !errors.As(err, &in) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v: %v, want %q", c.names, err, c.says)
		}
	}
	if _, err := graph.New().Bind("x"); !errors.Is(err, graph.ErrNotBinder) {
		t.Errorf("a graph that is not open: %v", err)
	}
}

// forwardOf is a model whose forward has these parameters and statements.
func forwardOf(t *testing.T, params, body string) *graph.Graph {
	t.Helper()
	c := moduleM("return x")
	for name, r := range c.Files {
		text := strings.Replace(string(r), "x: Tensor", params, 1)
		c.Files[name] = scriptRecordText(strings.Replace(text, "    return x", "    "+strings.ReplaceAll(body, "\n", "\n    "), 1))
	}
	data := c.archive(t)
	g, err := LoadFrom(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestInputsInOrder gives models their inputs without names: parts of tuples in their order, of dicts as forward reads their keys, of a list what is left.
func TestInputsInOrder(t *testing.T) {
	for _, c := range []struct {
		params, body, inputs string
		types                []ops.Type
		says                 string // the error; "" where the output has the extent of the last input
	}{
		{"s: Tuple[Tensor, Tuple[int, Tensor]]", "a, b, = s\nn, d, = b\nreturn d", "s.0 s.1.0 s.1.1", []ops.Type{ops.F32(2), {DType: tensor.Int64, Known: tensor.Scalar(int64(1))}, ops.F32(3)}, ""},
		{"d: Dict[str, Tensor], z: Tensor", "return torch.cat([torch.slice(d[\"q\"], 0, 0, 0), torch.slice(d[\"p\"], 0, 0, 0), z])", "d.q d.p z", []ops.Type{ops.F32(2), ops.F32(3), ops.F32(4)}, ""},
		{"l: List[Tensor], z: Tensor", "return torch.cat([torch.slice(torch.cat(l), 0, 0, 0), z])", "l z", []ops.Type{ops.F32(2), ops.F32(3), ops.F32(4)}, ""},
		{"l: List[Tensor], z: Tensor", "return z", "l z", []ops.Type{ops.F32(2)}, ""},
		{"l: List[Tensor], z: Tensor", "return z", "l z", nil, "0 given where the model takes [l z]"},
		{"x: Tensor, h: Optional[Tuple[Tensor, Tensor]]=None", "if h is not None:\n  a, b, = h\n  y = b\nelse:\n  y = x\nreturn y", "x h.0 h.1", []ops.Type{ops.F32(2), ops.F32(3), ops.F32(4)}, ""},
		{"x: Tensor, h: Optional[Tuple[Tensor, Tensor]]=None", "return x", "x h.0 h.1", []ops.Type{ops.F32(2)}, ""},
		{"x: Tensor, h: Optional[Tuple[Tensor, Tensor]]=None", "return x", "x h.0 h.1", []ops.Type{ops.F32(2), ops.F32(3)}, "its element 1 is missing"},
		{"v: Union[Tensor, float, NoneType], x: Tensor", "if isinstance(v, float):\n  ops.prim.RaiseException(\"a float\")\nreturn x", "v x", []ops.Type{ops.F32(2), ops.F32(3)}, ""},
		{"v: Union[Tensor, float, NoneType], x: Tensor", "if isinstance(v, float):\n  ops.prim.RaiseException(\"a float\")\nreturn x", "v x", []ops.Type{{DType: tensor.Float32, Known: tensor.Scalar(float32(1))}, ops.F32(3)}, "a float"},
		{"d: Dict[str, Tensor]", "return torch.cat(torch.values(d))", "d", []ops.Type{ops.F32(2)}, "name its parts"},
	} {
		g := forwardOf(t, c.params, c.body)
		var names []string
		for _, v := range g.Inputs {
			names = append(names, v.Name)
		}
		if got := strings.Join(names, " "); got != c.inputs {
			t.Errorf("%s: inputs %s, want %s", c.params, got, c.inputs)
		}
		s, err := g.Specialize(c.types...)
		switch {
		case c.says != "":
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s of %d: %v, want %q", c.params, len(c.types), err, c.says)
			}
		case err != nil:
			t.Errorf("%s of %d: %v", c.params, len(c.types), err)
		case s.Outputs[0].Type.Shape[0] != c.types[len(c.types)-1].Shape[0]:
			t.Errorf("%s of %d: the output is %v", c.params, len(c.types), s.Outputs[0].Type)
		}
	}
}

// TestBindHostile names inputs of a list of optional tensors, a tuple, a dict by number and a NamedTuple in ways that do not fit.
func TestBindHostile(t *testing.T) {
	bind := func(types string, names ...string) error {
		t.Helper()
		classes := "class Pair(NamedTuple):\n  a : Tensor\n  b : Optional[Tensor]\nclass Self(NamedTuple):\n  a : Tensor\n  b : __torch__.Self\n"
		for i := range 20 { // each holds the next one a hundred times
			classes += fmt.Sprintf("class Wide%d(NamedTuple):\n", i)
			for k := range 100 {
				classes += fmt.Sprintf("  f%d : __torch__.Wide%d\n", k, i+1)
			}
		}
		c := moduleM("return x", classes+"class Wide20(NamedTuple):\n  a : Tensor\n")
		for name, r := range c.Files {
			c.Files[name] = scriptRecordText(strings.Replace(string(r), "x: Tensor", types+",\n    x: Tensor", 1))
		}
		data := c.archive(t)
		g, err := LoadFrom(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return err
		}
		_, err = g.Bind(append(names, "x")...)
		return err
	}
	const pair = "d: __torch__.Pair"
	const optional, tuple, dict, nested = "d: List[Optional[Tensor]]", "d: Tuple[Tensor, Optional[Tensor]]", "d: Dict[int, Tensor]", "d: Dict[str, List[Tensor]]"
	for _, c := range []struct {
		types, names, says string
	}{
		{optional, "d.0", ""},
		{optional, "d.0 d.2", "numbered from 0 on"},
		{optional, "d.999999999", "numbered from 0 on"},
		{optional, "d.99999999999999999999", "numbered from 0 on"},
		{optional, "d.-1", "numbered from 0 on"},
		{optional, "d.00", "numbered from 0 on"},
		{optional, "d.0 d.0", "named twice"},
		{optional, "d.0 d.0.0", "named twice"},
		{optional, "d.0.0 d.0", "named twice"},
		{optional, "d d.0", "named twice"},
		{optional, "", "d is missing"},
		{tuple, "d.0", ""},
		{tuple, "d.1 d.0", ""},
		{tuple, "d.1", "its element 0 is missing"},
		{tuple, "d.0 d.2", "it has 2 elements"},
		{tuple, "d.0 d.999999999", "it has 2 elements"},
		{tuple, "d", "its parts are named"},
		{dict, "d.-9223372036854775808", ""},
		{dict, "d.9223372036854775808", "its key is no int"},
		{dict, "d.k", "its key is no int"},
		{dict, "d.1 d.+1", "its key stands twice"},
		{dict, "d.1 d.01", "its key stands twice"},
		{dict, "d.1.2", "its key is no int"},
		{nested, "d.a.0 d.b.0", ""},
		{nested, "d.a.0 d.a.2", "its element 1 is missing"},
		{nested, "d.a", "its parts are named"},
		{pair, "d.a d.b", ""},
		{pair, "d.a d.b.0", "which has no parts"},
		{pair, "d.a", ""},
		{pair, "d.b", "its field a is missing"},
		{pair, "d.a d.c", "it is no field of"},
		{pair, "d.0 d.1", "it is no field of"},
		{pair, "d", "its parts are named"},
		{"d: Optional[__torch__.Pair]", "d.a d.b", ""},
		{"d: __torch__.Self", "d.a", "the input d is a __torch__.Self"},
		{"d: __torch__.Wide0", "d.a", "the input d is a __torch__.Wide0"},
		{"d: Optional[__torch__.Other]", "d.a d.b", "which is given no inputs"},
		{"d: __torch__.Other", "d.a", "the input d is a __torch__.Other"},
		{"d: Optional[Tuple[Tensor, __torch__.Other]]", "d.0 d.1.a", "which is given no inputs"},
	} {
		err := bind(c.types, strings.Fields(c.names)...)
		if c.says == "" && err != nil || c.says != "" && (!isTyped(err) || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s, %q: %v, want %q", c.types, c.names, err, c.says)
		}
	}
	// Many names are looked up one by one.
	var many []string
	for i := range 50000 {
		many = append(many, "d."+strconv.Itoa(i))
	}
	for _, types := range []string{optional, dict} {
		if err := bind(types, many...); err != nil {
			t.Errorf("%s of %d: %v", types, len(many), err)
		}
	}
}
