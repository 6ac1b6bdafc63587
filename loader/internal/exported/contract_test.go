package exported

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/internal/shareddata"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// openFixture opens an archive that PyTorch wrote.
func openFixture(t *testing.T, path string) *Archive {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	a, err := Open(bytes.NewReader(raw), int64(len(raw)), 1<<40, noOpen)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return a
}

func fixtureContract(t *testing.T, name string) *Contract {
	t.Helper()
	a := openFixture(t, shareddata.Path(t, "pt2", name+".pt2"))
	p, err := a.Program(a.Names()[0])
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	c, err := p.Contract()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return c
}

// TestFixtures reads every program that PyTorch wrote, and takes the inputs recorded with it.
func TestFixtures(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(filepath.Dir(shareddata.Path(t, "pt2", "mlp_26.pt2")), "*.pt2"))
	if err != nil || len(files) == 0 {
		t.Fatal(err, len(files))
	}
	for _, file := range files {
		a := openFixture(t, file)
		text, err := os.ReadFile(strings.TrimSuffix(file, ".pt2") + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var record struct {
			Schema [2]int
			Torch  string
			Cases  []struct {
				Inputs []struct {
					Kind, DType string
					Shape       []int
				}
			}
		}
		if err := json.Unmarshal(text, &record); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, name := range a.Names() {
			p, err := a.Program(name)
			if err != nil {
				t.Errorf("%s: %v", file, err)
				continue
			}
			if len(a.Names()) == 1 && (p.Schema != Version{record.Schema[0], record.Schema[1]} || !strings.HasPrefix(p.Torch, record.Torch)) {
				t.Errorf("%s: schema %v of PyTorch %s", file, p.Schema, p.Torch)
			}
			c, err := p.Contract()
			if err != nil {
				t.Errorf("%s: %v", file, err)
				continue
			}
			if p.Out == nil || p.Out.Leaves() == 0 {
				t.Errorf("%s: nothing is said of the outputs", file)
			}
			for i, k := range record.Cases {
				var types []ops.Type
				for _, in := range k.Inputs {
					if in.Kind != "tensor" {
						continue
					}
					d, err := tensor.ParseDType(in.DType)
					if err != nil {
						t.Fatal(err)
					}
					types = append(types, ops.Type{DType: d, Shape: in.Shape})
				}
				if len(types) != len(c.Inputs) {
					continue // with numbers
				}
				if _, err := c.Check(types); err != nil {
					t.Errorf("%s, case %d: %v", file, i, err)
				}
			}
		}
	}
}

func float(shape ...int) ops.Type   { return ops.Type{DType: tensor.Float32, Shape: shape} }
func integer(shape ...int) ops.Type { return ops.Type{DType: tensor.Int64, Shape: shape} }

// TestContract refuses what PyTorch refuses.
func TestContract(t *testing.T) {
	for _, c := range []struct {
		name   string
		types  []ops.Type
		reason string // "" of inputs that are taken
	}{
		{"hf_bert_214", []ops.Type{integer(3, 9), integer(3, 9)}, ""},
		{"hf_bert_214", []ops.Type{integer(3, 9), integer(3, 8)}, "its extent 1 is 8 where the model takes the same as input_ids's extent 1, which is 9"},
		{"hf_bert_214", []ops.Type{integer(3, 33), integer(3, 33)}, "input_ids's extent 1 is 33 where the model takes 2 to 32"},
		{"hf_bert_214", []ops.Type{integer(3, 9)}, "1 given where the model takes [input_ids attention_mask]"},
		{"hf_bert_214", []ops.Type{float(3, 9), integer(3, 9)}, "where the model takes int64"},
		{"hf_bert_214", []ops.Type{integer(9), integer(9)}, "it has the shape [9] where the model takes [s"},
		{"cnn_214", []ops.Type{float(17, 1, 28, 28)}, ""},
		{"assertion_214", []ops.Type{float(4, 3)}, ""},
		{"assertion_214", []ops.Type{float(5, 3)}, "guard failed: (L['x'].size()[0] % 2) == 0 (L['x'].size()[0] is 5)"},
		{"assertion_214", []ops.Type{float(2, 3)}, "guard failed"},
		{"assertion_214", []ops.Type{float(4, 2)}, "its extent 1 is 2 where the model takes 3"},
		{"bfloat16_214", []ops.Type{{DType: tensor.BFloat16, Shape: []int{2, 4}}}, ""},
		{"bfloat16_214", []ops.Type{float(2, 4)}, ""},
		{"pytree_io_214", []ops.Type{float(3), float(3), float(2), float(1), float(2), float(2)}, ""},
		{"pytree_io_214", []ops.Type{float(3), float(3), float(2), float(2), float(2), float(2)}, "input 3 (t_0): its extent 0 is 2"},
	} {
		contract := fixtureContract(t, c.name)
		if c.name == "cnn_214" {
			c.types[0].Shape = contract.Inputs[0].Meta.Fixed()
			c.types[0].Shape[0] = 17
			c.reason = "x's extent 0 is 17 where the model takes 1 to 16"
		}
		if c.name == "bfloat16_214" {
			c.types[0].Shape = contract.Inputs[0].Meta.Fixed()
		}
		_, err := contract.Check(c.types)
		var in *graph.InputError
		if c.reason == "" && err != nil || c.reason != "" && (!errors.As(err, &in) || !strings.Contains(err.Error(), c.reason)) {
			t.Errorf("%s %v: got %v, want %q", c.name, c.types, err, c.reason)
		}
	}
}

// TestSymbols finds symbols in expressions, and checks what follows of them.
func TestSymbols(t *testing.T) {
	dim := func(text string) Extent {
		e, err := ParseExpr(text)
		if err != nil {
			t.Fatal(err)
		}
		return Extent{Expr: e}
	}
	meta := func(sizes ...Extent) *TensorMeta {
		return &TensorMeta{DType: tensor.Float32, Type: "float32", Sizes: sizes}
	}
	cond, err := ParseGuard("L['a'].size()[-1] + L['a'].stride()[0] - L['n'] > 0 and L['a'].storage_offset() == 0")
	if err != nil {
		t.Fatal(err)
	}
	const s0 = "Symbol('s0', positive=True, integer=True)"
	c := &Contract{
		Inputs: []ContractInput{
			{Name: "a", Arg: Tensor("a"), Meta: meta(dim("Add(Mul(Integer(2), "+s0+"), Integer(1))"), Extent{Fixed: 3})},
			{Name: "b", Arg: Tensor("b"), Meta: meta(dim("Mul("+s0+", Symbol('s1'))"), dim("Symbol('s1')"))},
			{Name: "n", Arg: Symbol("n"), Expr: dim("Symbol('s2')").Expr},
		},
		ranges: map[string]Range{"s2": {3, 9}, "s1": {2, 1 << 62}},
		guards: []Guard{{"the guard", cond}},
		places: map[string]int{"L['a']": 0, "L['n']": 2},
	}
	number := func(n int64) ops.Type { return ops.Type{DType: tensor.Int64, Known: tensor.Scalar(n)} }
	for _, k := range []struct {
		types  []ops.Type
		reason string
	}{
		{[]ops.Type{float(9, 3), float(20, 5), number(5)}, ""},
		{[]ops.Type{float(9, 3), float(0, 0), number(5)}, ""}, // the least extents are let pass below 2
		{[]ops.Type{float(8, 3), float(20, 5), number(5)}, "its extent 0 is 8, which is not (2*s0) + 1 for any integer"},
		{[]ops.Type{float(9, 3), float(21, 5), number(5)}, "its extent 0 is 21 where the model takes s0*s1, which is 20"},
		{[]ops.Type{float(9, 3), float(20, 5), number(2)}, "n's value is 2 where the model takes 3 to 9"},
		{[]ops.Type{float(9, 3), float(20, 5), number(10)}, "10 where the model takes 3 to 9"},
		{[]ops.Type{float(9, 3), float(20, 5), number(6)}, "guard failed: the guard (L['a'].size()[-1] is 3, L['a'].stride()[0] is 3, L['n'] is 6"},
		{[]ops.Type{float(9, 3), float(20, 5), float()}, "where the model takes a number"},
	} {
		symbols, err := c.Check(k.types)
		if k.reason == "" && (err != nil || symbols["s0"] != 4) || k.reason != "" && (err == nil || !strings.Contains(err.Error(), k.reason)) {
			t.Errorf("%v: got %v, %v, want %q", k.types, symbols, err, k.reason)
		}
	}
}
