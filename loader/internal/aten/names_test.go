package aten

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/tensor"
)

// schema is an overload of PyTorch, as testdata/schemas.txt lists it.
type schema struct {
	overload string
	params   []parameterSpec
}

// readSchemas returns the overloads by operator. Those with a default have a fallback, whatever it is.
func readSchemas(t *testing.T) map[string][]schema {
	t.Helper()
	text, err := os.ReadFile("testdata/schemas.txt")
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string][]schema)
	for line := range strings.Lines(string(text)) {
		overload, params, _ := strings.Cut(strings.TrimSpace(line), " ")
		s := schema{overload: overload}
		if s.params, err = parseParams(strings.ReplaceAll(params+" ", "= ", "=None ")); err != nil {
			t.Fatalf("%s: %v", overload, err)
		}
		space, name, _ := strings.Cut(overload, "::")
		name, _, _ = strings.Cut(name, ".")
		out[space+"::"+name] = append(out[space+"::"+name], s)
	}
	return out
}

// sample returns an argument of a kind.
func sample(kind byte, x *build.Tensor) Value {
	return map[byte]Value{
		'T': x, 'n': 1.0, 'i': int64(1), 'f': 1.0, 'b': true, 's': "mean", 'P': &Packed{}, 'v': Device("cpu"),
		'L': &List{Items: []Value{x}}, 'I': &List{Items: []Value{int64(1)}}, 'F': &List{Items: []Value{1.0}},
	}[kind]
}

// calls returns the arguments of a call of an overload: those behind the first few by name. Without all, those with a
// default are left out.
func (s schema) call(x *build.Tensor, positional int, all bool) ([]Value, map[string]Value) {
	var args []Value
	keywords := make(map[string]Value)
	for i, p := range s.params {
		switch {
		case !all && p.fallback != nil:
		case i < positional && !p.named && len(args) == i:
			args = append(args, sample(p.kind, x))
		default:
			keywords[p.name] = sample(p.kind, x)
		}
	}
	return args, keywords
}

// ownForms are the operators that programs call on a number and a tensor without an overload for these.
var ownForms = []string{"aten::add", "aten::sub", "aten::mul", "aten::div", "aten::floor_divide", "aten::floordiv", "prim::ConstantChunk"}

// withoutSchema are operators of tensors that PyTorch 2.14 does not have under this name: older ones, those of ExecuTorch, what is made of
// fill_diagonal_, and conversions of which TorchScript has no form that gives a tensor.
var withoutSchema = []string{
	"aten::_scaled_dot_product_attention", "aten::cholesky", "aten::fill_diagonal", "aten::qr",
	"aten::bool", "aten::double", "aten::float", "aten::floordiv", "aten::half", "aten::int", "aten::long",
	"quantized_decomposed::embedding_4bit", "quantized_decomposed::embedding_byte",
}

// withSchemas are the name spaces of which schemas.py records all operators that are listed.
var withSchemas = []string{"aten", "quantized", "quantized_decomposed", "torchvision"}

// TestNames calls every operator with the arguments of each overload by position and by the names PyTorch gives them,
// all of them and those without a default: where a row takes the one, one takes the others. Every row has such an overload,
// which loader/testdata/gen/schemas.py records.
func TestNames(t *testing.T) {
	table, err := Operators()
	if err != nil {
		t.Fatal(err)
	}
	one, err := tensor.FromSlice([]float32{1}, 1)
	if err != nil {
		t.Fatal(err)
	}
	x := build.Parameter("x", one)
	schemas := readSchemas(t)
	for name, rows := range table {
		overloads := schemas[name]
		takesTensor := slices.ContainsFunc(rows, func(r row) bool {
			return slices.ContainsFunc(r.specs, func(p parameterSpec) bool { return p.kind == 'T' })
		})
		if overloads == nil {
			space, _, _ := strings.Cut(name, "::")
			if takesTensor && slices.Contains(withSchemas, space) && !slices.Contains(withoutSchema, name) {
				t.Errorf("%s is not in testdata/schemas.txt: loader/testdata/gen/schemas.py records it", name)
			}
			continue
		}
		taken := make([]bool, len(rows))
		takes := func(args []Value, keywords map[string]Value) bool {
			ok := false
			for k, r := range rows {
				if _, bound := bind(r.specs, args, keywords); bound {
					taken[k], ok = true, true
				}
			}
			return ok
		}
		for _, s := range overloads {
			n := len(s.params)
			forms := 0
			for _, all := range []bool{true, false} {
				for _, positional := range []int{n, 1, 0} {
					if takes(s.call(x, positional, all)) {
						forms++
					}
				}
			}
			// PyTorch has forms of operators that octet has not. Without center stft could be the older one, which does not center.
			if forms != 6 && forms != 0 && s.overload != "aten::stft.center" {
				t.Errorf("%s: %d of 6 forms", s.overload, forms)
			}
		}
		for k, r := range rows {
			other := slices.ContainsFunc(r.specs, func(p parameterSpec) bool { return p.kind == 'J' || p.kind == 'H' })
			if !taken[k] && !other && !slices.Contains(ownForms, name) && slices.ContainsFunc(r.specs, func(p parameterSpec) bool { return p.kind == 'T' }) {
				t.Errorf("%s: no overload in testdata/schemas.txt has the parameters of row %d", name, k)
			}
		}
	}
}
