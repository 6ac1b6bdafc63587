package loader

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// randomTensor returns a tensor of small values: int8 over the whole range,
// int32 within some thousands.
func randomTensor(r *rand.Rand, dtype tensor.DType, shape ...int) *tensor.Tensor {
	t := must(tensor.New(dtype, shape...))
	for i := range t.Float32s() {
		t.Float32s()[i] = float32(r.NormFloat64())
	}
	if dtype == tensor.Int8 {
		for i := range t.Bytes() {
			t.Bytes()[i] = byte(r.Uint32())
		}
	}
	for i := range t.Int32s() {
		t.Int32s()[i] = int32(r.IntN(4000) - 2000)
	}
	return t
}

// builder adds nodes and stops the test when one is refused.
type netBuilder struct {
	t testing.TB
	g *graph.Graph
	r *rand.Rand
}

func newNet(t testing.TB) *netBuilder {
	return &netBuilder{t, graph.New(), rand.New(rand.NewPCG(1, 2))}
}

func (b *netBuilder) add(path string, op ops.Op, in ...*graph.Value) *graph.Value {
	b.t.Helper()
	v, err := b.g.Add1(graph.Scope{Path: path, Class: "torch.nn." + path}, op, in...)
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

func (b *netBuilder) konst(name string, dtype tensor.DType, shape ...int) *graph.Value {
	return b.g.Const(name, randomTensor(b.r, dtype, shape...))
}

var oneByOne = ops.Conv{Stride: []int{1, 1}, Padding: []int{0, 0}, Dilation: []int{1, 1}, Groups: 1}
var threeByThree = ops.Conv{Stride: []int{1, 1}, Padding: []int{1, 1}, Dilation: []int{1, 1}, Groups: 1, HasBias: true}

// floatNet uses every kind of attribute, a constant twice, one without a name,
// two of the same name, and gives an input and a constant as outputs.
func floatNet(t testing.TB) *graph.Graph {
	b := newNet(t)
	x := b.g.Input("image", tensor.Float32, 1, 3, 8, 8)
	weight := b.konst("conv.weight", tensor.Float32, 4, 3, 3, 3)
	bias := b.konst("", tensor.Float32, 4)
	v := b.add("conv", threeByThree, x, weight, bias)
	w := b.add("again", threeByThree, x, weight, bias)
	variance := b.g.Const("stat", must(tensor.FromSlice([]float32{1, 2, 3, 4}, 4)))
	v = b.add("bn", ops.BatchNorm{Eps: 1e-5}, v, b.konst("stat", tensor.Float32, 4), bias, b.konst("stat", tensor.Float32, 4), variance)
	v = b.add("add", ops.Binary{Fn: ops.Add, Act: ops.ActReLU6}, v, w)
	v = b.add("slice", ops.Slice{Axis: 2, Start: -7, End: math.MaxInt, Step: 2}, v)
	v = b.add("pad", ops.Pad{Before: []int{0, 0, 0, 1}, After: []int{0, 0, 0, 0}, Value: math.Inf(-1)}, v)
	v = b.add("pool", ops.MaxPool{Kernel: []int{2, 2}, Stride: []int{2, 2}, Padding: []int{0, 0}, Dilation: []int{1, 1}, CeilMode: true}, v)
	v = b.add("clamp", ops.Unary{Fn: ops.Clamp, Alpha: math.Inf(-1), Beta: 3.1000000000000001}, v)
	v = b.add("flatten", ops.Flatten{Start: 1, End: -1}, v)
	linear := b.konst("fc.weight", tensor.Float32, 5, v.Type.Shape[1])
	v = b.add("fc", ops.Linear{}, v, linear)
	v.Name = "logits"
	b.g.SetOutputs(v, x, linear, v)
	return b.g
}

// int8Net is a small network on integers, with a projection and a residual.
func int8Net(t testing.TB) *graph.Graph {
	b := newNet(t)
	per := func(name string, dtype tensor.DType, shape ...int) *graph.Value {
		q := &tensor.QParams{DType: dtype, Scheme: tensor.PerChannelSymmetric, Min: -127, Max: 127}
		for range shape[0] {
			q.Scale = append(q.Scale, b.r.Float32()/300+1e-4)
			q.ZeroPoint = append(q.ZeroPoint, 0)
		}
		return b.g.Const(name, randomTensor(b.r, dtype, shape...).WithQParams(q))
	}
	x := b.g.Input("x", tensor.Float32, 1, 4, 6, 6)
	v := b.add("in", int8.Quantize{Q: tensor.PerTensor(tensor.Uint8, 0.023529412, 114)}, x)
	out := tensor.PerTensor(tensor.Uint8, 0.1, 7)
	conv := int8.Conv{ConvAttributes: ops.ConvAttributes(threeByThree), Out: out}
	conv.Act = ops.ActReLU
	v = b.add("conv", conv, v, per("conv.weight", tensor.Int8, 8, 4, 3, 3), per("conv.bias", tensor.Int32, 8))
	side := b.add("side", int8.Conv{ConvAttributes: ops.ConvAttributes(oneByOne), Out: tensor.PerTensor(tensor.Uint8, 0.3, 100)}, v, per("side.weight", tensor.Int8, 8, 8, 1, 1))
	v = b.add("add", int8.Add{Act: ops.ActReLU, Out: tensor.PerTensor(tensor.Uint8, 0.2, 3)}, v, side)
	v = b.add("table", int8.NewTable("square", v.Type.Q, out, func(x float32) float32 { return x * x }), v)
	v = b.add("pool", int8.AdaptiveAvgPool{AdaptiveAvgPoolAttributes: ops.AdaptiveAvgPoolAttributes{Size: []int{1, 1}}, Out: out}, v)
	v = b.add("flatten", ops.Flatten{Start: 1, End: -1}, v)
	y := b.add("fc", int8.Linear{LinearAttributes: ops.LinearAttributes{HasBias: true}}, v, per("fc.weight", tensor.Int8, 10, 8), per("fc.bias", tensor.Int32, 10))
	y.Name = "y"
	b.g.SetOutputs(y, v)
	return b.g
}

func resnet20(t testing.TB) *graph.Graph {
	return must(nn.BuildRandom(nn.ResNet20CIFAR(), 1))
}

func savedModel(t testing.TB, g *graph.Graph) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model.safetensors")
	if err := Save(path, g); err != nil {
		t.Fatal(err)
	}
	return path
}

// checkEqualGraphs compares two graphs in everything, bits of constants included.
func checkEqualGraphs(t *testing.T, got, want *graph.Graph) {
	t.Helper()
	if got.String() != want.String() {
		t.Fatalf("the graph is\n%s\nnot\n%s", got, want)
	}
	same := make(map[*graph.Value]*graph.Value)
	check := func(got, want *graph.Value) {
		t.Helper()
		if known, ok := same[want]; ok {
			if known != got {
				t.Errorf("%q: one value has become two", want.Name)
			}
			return
		}
		same[want] = got
		if got.Name != want.Name || !got.Type.Q.Equal(want.Type.Q) || got.Type.DType != want.Type.DType || !got.Type.Shape.Equal(want.Type.Shape) {
			t.Errorf("value %q %v is not %q %v", got.Name, got.Type, want.Name, want.Type)
		}
		if (got.Const == nil) != (want.Const == nil) {
			t.Fatalf("value %q: constant %v, not %v", want.Name, got.Const, want.Const)
		}
		if want.Const != nil && (!bytes.Equal(got.Const.Bytes(), want.Const.Contiguous().Bytes()) || !got.Const.QParams().Equal(want.Const.QParams())) {
			t.Errorf("constant %q has other bits or parameters", want.Name)
		}
	}
	each := func(got, want []*graph.Value) {
		t.Helper()
		if len(got) != len(want) {
			t.Fatalf("%d values, not %d", len(got), len(want))
		}
		for i := range want {
			check(got[i], want[i])
		}
	}
	each(got.Inputs, want.Inputs)
	each(got.Outputs, want.Outputs)
	if len(got.Nodes) != len(want.Nodes) {
		t.Fatalf("%d nodes, not %d", len(got.Nodes), len(want.Nodes))
	}
	for i, n := range want.Nodes {
		if m := got.Nodes[i]; !reflect.DeepEqual(m.Op, n.Op) || m.Scope != n.Scope {
			t.Errorf("node %d is %#v in %v, not %#v in %v", i, m.Op, m.Scope, n.Op, n.Scope)
		}
		each(got.Nodes[i].Inputs, n.Inputs)
		each(got.Nodes[i].Outputs, n.Outputs)
	}
}

// outputsOf runs a graph on seeded inputs of its example shapes.
func outputsOf(t testing.TB, g *graph.Graph) []*tensor.Tensor {
	t.Helper()
	s := must(g.Compile(graph.Options{Threads: 1}))
	defer s.Close()
	r := rand.New(rand.NewPCG(3, 4))
	var in []*tensor.Tensor
	for _, v := range g.Inputs {
		in = append(in, randomTensor(r, v.Type.DType, v.Type.Shape...))
	}
	return must(s.Run(context.Background(), in...))
}

func TestModelRoundTrip(t *testing.T) {
	for name, build := range map[string]func(testing.TB) *graph.Graph{"float": floatNet, "int8": int8Net, "resnet20": resnet20} {
		t.Run(name, func(t *testing.T) {
			want := build(t)
			path := savedModel(t, want)
			raw := must(os.ReadFile(path))
			outputs := outputsOf(t, want)
			var mapping Mapping
			for how, load := range map[string]func() (*graph.Graph, error){
				"copied": func() (*graph.Graph, error) { return Load(path) },
				"mapped": func() (*graph.Graph, error) { return Load(path, Mapped(&mapping)) },
				"reader": func() (*graph.Graph, error) { return LoadFrom(bytes.NewReader(raw), int64(len(raw))) },
			} {
				got, err := load()
				if err != nil {
					t.Fatalf("%s: %v", how, err)
				}
				checkEqualGraphs(t, got, want)
				for i, y := range outputsOf(t, got) {
					if !bytes.Equal(y.Bytes(), outputs[i].Bytes()) || !y.QParams().Equal(outputs[i].QParams()) {
						t.Errorf("%s: output %d has other bits", how, i)
					}
				}
				if again := must(os.ReadFile(savedModel(t, got))); !bytes.Equal(again, raw) {
					t.Errorf("%s: saved again, the file is another", how)
				}
			}
			if err := mapping.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestGuards checks that what a graph demands of its inputs is saved with it.
func TestGuards(t *testing.T) {
	b := newNet(t)
	x := b.g.Input("x", tensor.Float32, 2, 3)
	x.Guard = &graph.Guard{Shape: []int{-1, 3}, Bounds: []graph.Bound{{Min: 1, Max: 4}, {}}}
	n := b.g.Input("n", tensor.Int64)
	n.Guard = &graph.Guard{Value: tensor.Scalar(int64(7))}
	b.g.SetOutputs(b.add("relu", ops.Unary{Fn: ops.ReLU}, x), n)
	path := savedModel(t, b.g)
	g := must(Load(path))
	if !reflect.DeepEqual(g.Inputs[0].Guard, x.Guard) || g.Inputs[1].Guard.Value.Int64s()[0] != 7 || g.Inputs[1].Guard.Shape != nil {
		t.Errorf("guards %v and %v", g.Inputs[0].Guard, g.Inputs[1].Guard)
	}
	for _, change := range [][2]string{
		{`"shape":[-1,3]`, `"shape":[-1,3,3]`}, {`"shape":[-1,3]`, `"shape":[-1,4]`}, {`"shape":[-1,3]`, `"shape":[-2,3]`}, {`"shape":[-1,3]`, `"shape":[2147483647,3]`},
		{`"bounds":[[1,4],[0,0]]`, `"bounds":[[3,4],[0,0]]`}, {`,[0,0]]`, `]`},
		{`"value":"n.value"`, `"value":"m.value"`}, {`"dtype":"int64"`, `"dtype":"int32"`}, {`"dtype":"int64"`, `"dtype":"int64","shape":[1]`},
	} {
		raw := editModel(t, path, change[0], change[1])
		if _, err := LoadFrom(bytes.NewReader(raw), int64(len(raw))); !isFileError(err, "") {
			t.Errorf("%s gives %v", change[1], err)
		}
	}
	s, err := g.Compile(graph.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for rows, want := range map[int]string{4: "", 5: "its extent 0 is 5 where the graph takes 1 to 4"} {
		_, err := s.Run(context.Background(), zeros(t, tensor.Float32, rows, 3), tensor.Scalar(int64(7)))
		if got := fmt.Sprint(err); want == "" && err != nil || !strings.Contains(got, want) {
			t.Errorf("%d rows: %v, want %q", rows, err, want)
		}
	}
	if err := Save(path, graph.NewOpen([]string{"x"}, nil)); !errors.Is(err, graph.ErrOpen) {
		t.Errorf("an open graph gives %v", err)
	}
}

func TestMapping(t *testing.T) {
	path := savedModel(t, int8Net(t))
	var m Mapping
	if _, err := LoadFrom(bytes.NewReader(nil), 0, Mapped(&m)); err == nil {
		t.Error("a reader was mapped")
	}
	must(Load(path, Mapped(&m)))
	if _, err := Load(path, Mapped(&m)); err == nil {
		t.Error("a mapping took a second model")
	}
	for range 2 {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
	must(Load(path, Mapped(&m)))
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	bad := filepath.Join(t.TempDir(), "bad")
	raw := editModel(t, path, `"ZeroPoint":[7]`, `"ZeroPoint":[]`)
	if err := os.WriteFile(bad, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(bad, Mapped(&m)); err == nil || m.file != nil {
		t.Errorf("a rejected file stays mapped: %v", err)
	}
}

// TestSavedOnce checks what is in the file: each constant once, and of an int8
// model no float weights.
func TestSavedOnce(t *testing.T) {
	tensors, _, err := ReadSafetensors(savedModel(t, floatNet(t)))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, n := range tensors {
		names = append(names, n.Name)
	}
	if want := []string{"conv.weight", "constant.1", "stat", "constant.3", "constant.4", "fc.weight"}; !slices.Equal(names, want) {
		t.Errorf("tensors %q, not %q", names, want)
	}
	tensors, _, err = ReadSafetensors(savedModel(t, int8Net(t)))
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range tensors {
		if d := n.Tensor.DType(); d != tensor.Int8 && d != tensor.Int32 && !(d == tensor.Float32 && strings.HasSuffix(n.Name, ".scale")) {
			t.Errorf("%s is %v", n.Name, d)
		}
	}
	b := newNet(t)
	x := b.g.Input("x", tensor.Float32, 1, 4)
	shared := randomTensor(b.r, tensor.Float32, 4, 4)
	v := b.add("a", ops.Linear{}, x, b.g.Const("a.weight", shared))
	v = b.add("b", ops.Linear{}, v, b.g.Const("b.weight", must(shared.Reshape(4, 4))))
	v = b.add("c", ops.Linear{}, v, b.g.Const("c.weight", must(shared.Permute(1, 0))))
	b.g.SetOutputs(v)
	path := savedModel(t, b.g)
	if tensors, _, err = ReadSafetensors(path); err != nil || len(tensors) != 2 {
		t.Errorf("%d tensors (%v) where two constants share their memory and one is a transposed view", len(tensors), err)
	}
	got := must(Load(path))
	if got.Nodes[0].Inputs[1].Const != got.Nodes[1].Inputs[1].Const {
		t.Error("the shared constant was read twice")
	}
	checkEqualGraphs(t, got, b.g)
}

type privateOp struct{ ops.Flatten }

func TestSaveRefuses(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "model")
	for name, change := range map[string]func(*graph.Graph){
		"operator":  func(g *graph.Graph) { g.Nodes[len(g.Nodes)-2].Op = privateOp{ops.Flatten{Start: 1, End: -1}} },
		"name":      func(g *graph.Graph) { g.Inputs[0].Name = "\xff" },
		"scope":     func(g *graph.Graph) { g.Nodes[0].Scope.Path = "\xff" },
		"no output": func(g *graph.Graph) { g.SetOutputs() },
		"type":      func(g *graph.Graph) { g.Nodes[0].Outputs[0].Type.DType = tensor.Int8 },
		"constant":  func(g *graph.Graph) { g.Nodes[0].Inputs[1].Const = must(tensor.New(tensor.Float32, 4, 3, 3, 4)) },
	} {
		g := floatNet(t)
		change(g)
		err := Save(path, g)
		if err == nil {
			t.Errorf("%s: saved", name)
		}
		var ne *graph.NodeError
		if name == "operator" && (!errors.As(err, &ne) || ne.Node != g.Nodes[len(g.Nodes)-2]) {
			t.Errorf("%s: %v does not name the node", name, err)
		}
	}
	if files := must(os.ReadDir(dir)); len(files) != 0 {
		t.Errorf("files stay behind: %v", files)
	}
}

func TestLoadDetects(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	if err := WriteSafetensors(plain, nil, []Named{{Name: "w", Tensor: tensor.Scalar(float32(1))}}); err != nil {
		t.Fatal(err)
	}
	zip := filepath.Join(dir, "zip")
	if err := os.WriteFile(zip, torchZip(".", nil), 0o600); err != nil {
		t.Fatal(err)
	}
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for path, reason := range map[string]string{
		plain:                              "nn.Build",
		zip:                                "nn.Build",
		"testdata/plain.legacy.pth":        "nn.Build",
		write("pickle", "\x80\x02}."):      "a plain pickle",
		write("page", "<html>"):            "a web page",
		write("empty", ""):                 "empty",
		write("else", "something\x00else"): "not a format that is read",
		dir:                                "a folder",
	} {
		_, err := Load(path)
		var fe *FileError
		if !errors.As(err, &fe) || fe.File != path || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: %v, want %q", path, err, reason)
		}
	}
	if _, err := Load(filepath.Join(dir, "absent")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an absent file gives %v", err)
	}
	if _, err := LoadFrom(bytes.NewReader([]byte("abc")), 5); err == nil || isFileError(err, "") {
		t.Errorf("a short reader gives %v, which is not about the file", err)
	}
}

// TestLoadOnce checks that 46 MB of weights are read into memory once.
func TestLoadOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 46 MB")
	}
	path := savedModel(t, must(nn.BuildRandom(must(nn.ByName("resnet18")), 1)))
	size := must(os.Stat(path)).Size()
	before := heapAllocs()
	must(Load(path))
	if grown := int64(heapAllocs() - before); grown > size+size/4 {
		t.Errorf("reading %d bytes took %d", size, grown)
	}
}

func BenchmarkLoad(b *testing.B) {
	path := savedModel(b, must(nn.BuildRandom(must(nn.ByName("resnet18")), 1)))
	b.Run("resnet18/copied", func(b *testing.B) {
		for b.Loop() {
			must(Load(path))
		}
	})
	b.Run("resnet18/mapped", func(b *testing.B) {
		for b.Loop() {
			var m Mapping
			must(Load(path, Mapped(&m)))
			if err := m.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
