//go:build !nopytorch

package loader

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/internal/shareddata"
	"github.com/octet-ml/octet/tensor"
)

// TestTwoShapes runs every model at hand at two shapes: in one session, in both orders,
// the second run gives what a session gives that never saw the other shape.
func TestTwoShapes(t *testing.T) {
	for _, path := range scriptFamilies(t) {
		if filepath.Base(path) == "state.json.gz" {
			continue // the runs of these depend on those before
		}
		t.Run(strings.TrimSuffix(filepath.Base(path), ".json.gz"), func(t *testing.T) {
			t.Parallel()
			compared := 0
			for _, c := range readScriptCases(t, path) {
				if c.Refused || len(c.Runs) == 0 {
					continue
				}
				in := make([]*tensor.Tensor, len(c.Runs[0].In))
				for i, x := range c.Runs[0].In {
					in[i] = x.tensor(t)
				}
				compared += twoShapes(t, c.What, c.archive(t), in)
			}
			if compared == 0 {
				t.Error("no model ran at two shapes")
			}
		})
	}
}

// TestTwoShapesShared is TestTwoShapes of the models that the project does not carry. So many of each kind, at least, are
// loaded and run at another shape: the others hold operators that are not supported, or take one shape only.
func TestTwoShapesShared(t *testing.T) {
	for _, kind := range []struct {
		pattern string
		least   int
	}{{"cases/load/*/model.pt", 43}, {"golden/quantizer/*/model.ts.pt", 8}} {
		files, err := filepath.Glob(filepath.Join(shareddata.Path(t), kind.pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no models: %v", kind.pattern, err)
		}
		var models atomic.Int32
		t.Run(strings.Split(kind.pattern, "/")[0], func(t *testing.T) {
			for _, path := range files {
				t.Run(filepath.Base(filepath.Dir(path)), func(t *testing.T) {
					t.Parallel()
					in := sharedInputs(t, filepath.Dir(path))
					data, err := os.ReadFile(path)
					if err != nil {
						t.Fatal(err)
					}
					if twoShapes(t, path, data, in) > 0 {
						models.Add(1)
					}
				})
			}
		})
		atLeast(t, kind.pattern, int(models.Load()), kind.least)
	}
}

func atLeast(t *testing.T, what string, n, least int) {
	t.Helper()
	t.Logf("%s: %d models compared", what, n)
	if n < least {
		t.Errorf("%s: %d models compared, want %d", what, n, least)
	}
}

// TestTwoShapesExported runs the programs with extents that are free on their recorded inputs of two shapes, and on the first again, in one session:
// all three give the bits of a session that met no other shape.
func TestTwoShapesExported(t *testing.T) {
	models := 0
	for _, file := range exportedFiles(t) {
		c := readExported(t, file)
		g, err := Load(file)
		if err != nil || len(c.Cases) < 2 {
			continue
		}
		var in [2][]*tensor.Tensor
		for i, k := range c.Cases[:2] {
			in[i], _ = exportedInputs(t, g, filepath.Join(filepath.Dir(file), k.File))
		}
		if sameShapes(in[0], in[1]) {
			continue
		}
		want := [2][]*tensor.Tensor{runInOrder(t, g, in[0])[0], runInOrder(t, g, in[1])[0]}
		for i, got := range runInOrder(t, g, in[0], in[1], in[0]) {
			for k, y := range got {
				if !slices.Equal(y.Contiguous().Bytes(), want[i%2][k].Contiguous().Bytes()) {
					t.Errorf("%s: output %d of run %d has other bits than in a session of its own", filepath.Base(file), k, i)
				}
			}
		}
		models++
	}
	atLeast(t, "pt2", models, 18)
}

func sameShapes(a, b []*tensor.Tensor) bool {
	return slices.EqualFunc(a, b, func(x, y *tensor.Tensor) bool { return x.Shape().Equal(y.Shape()) })
}

// runInOrder returns the outputs of runs in one session, each from the state that the file holds.
func runInOrder(t *testing.T, g *graph.Graph, runs ...[]*tensor.Tensor) [][]*tensor.Tensor {
	t.Helper()
	s, err := g.Compile(graph.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var all [][]*tensor.Tensor
	for _, in := range runs {
		s.Reset()
		out, err := s.Run(context.Background(), in...)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, out)
	}
	return all
}

// sharedInputs reads the first inputs of a shared model.
func sharedInputs(t *testing.T, dir string) []*tensor.Tensor {
	t.Helper()
	if data, err := tensor.ReadNPZ(filepath.Join(dir, "tensors.npz"), 0); err == nil {
		return []*tensor.Tensor{data.Get("test")}
	}
	data, err := tensor.ReadNPZ(filepath.Join(dir, "in0.npz"), 0)
	if err != nil {
		t.Skipf("inputs that are not read: %v", err)
	}
	names := slices.Clone(data.Names())
	slices.Sort(names)
	var in []*tensor.Tensor
	for _, name := range names {
		in = append(in, data.Get(name))
	}
	return in
}

// twoShapes compares, for each way to make one extent of the inputs larger, sessions that met
// both shapes with sessions that met one. It returns how many runs it compared.
func twoShapes(t *testing.T, what string, data []byte, first []*tensor.Tensor) (compared int) {
	t.Helper()
	session := func() *graph.Session {
		g, err := LoadFrom(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Skipf("not loaded: %v", err)
		}
		s, err := g.Compile(graph.Options{Threads: 1})
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		return s
	}
	run := func(runs ...[]*tensor.Tensor) (out []*tensor.Tensor, err error) {
		s := session()
		defer s.Close()
		for _, in := range runs {
			s.Reset()
			out, err = s.Run(context.Background(), in...)
		}
		return out, err
	}
	for _, second := range larger(t, first) {
		for _, order := range [][][]*tensor.Tensor{{first, second}, {second, first}} {
			want, err := run(order[1])
			if err != nil {
				continue // PyTorch may refuse such a shape as well
			}
			got, err := run(order...)
			if err != nil {
				t.Errorf("%s: %v after %v: %v", what, order[1], order[0], err)
				continue
			}
			compared++
			for i := range want {
				if why := differ(got[i], want[i], 1e-5, 0); why != "" {
					t.Errorf("%s: %v after %v: output %d: %s", what, order[1], order[0], i, why)
				}
			}
		}
	}
	return compared
}

// larger returns copies of the inputs in which all extents of one size are twice as large,
// for each size in turn.
func larger(t *testing.T, in []*tensor.Tensor) [][]*tensor.Tensor {
	t.Helper()
	var sizes []int
	total := 0
	for _, x := range in {
		if x.DType().Size() == 0 || x.QParams() != nil {
			return nil
		}
		total += x.Numel()
		for _, d := range x.Shape() {
			if d > 0 && !slices.Contains(sizes, d) {
				sizes = append(sizes, d)
			}
		}
	}
	if total > 1<<16 {
		sizes = sizes[:1]
	}
	var out [][]*tensor.Tensor
	for _, size := range sizes {
		var all []*tensor.Tensor
		for _, x := range in {
			all = append(all, repeated(t, x, size))
		}
		out = append(out, all)
	}
	return out
}

// repeated returns x with its elements twice along each axis of the given extent.
func repeated(t *testing.T, x *tensor.Tensor, size int) *tensor.Tensor {
	t.Helper()
	shape := x.Shape().Clone()
	for i, d := range shape {
		if d == size {
			shape[i] = 2 * d
		}
	}
	y, err := tensor.New(x.DType(), shape...)
	if err != nil {
		t.Fatal(err)
	}
	from, to, n := x.Contiguous().Bytes(), y.Bytes(), x.DType().Size()
	for i := range y.Numel() {
		at, rest, stride := 0, i, 1
		for k := len(shape) - 1; k >= 0; k-- {
			at += rest % shape[k] % x.Shape()[k] * stride
			rest, stride = rest/shape[k], stride*x.Shape()[k]
		}
		copy(to[i*n:(i+1)*n], from[at*n:])
	}
	return y
}

// TestTwoShapesOfScale runs attention whose scale is an extent of its input: that of the
// example is none for other inputs.
func TestTwoShapesOfScale(t *testing.T) {
	c := moduleM(`return torch.matmul(torch.softmax(torch.div(torch.matmul(x, torch.transpose(x, 1, 2)), torch.size(x, 1)), -1), x)`)
	x := zeros(t, tensor.Float32, 1, 4, 3)
	for i := range x.Float32s() {
		x.Float32s()[i] = float32(i%5) / 2
	}
	if n := twoShapes(t, "attention", c.archive(t), []*tensor.Tensor{x}); n < 4 {
		t.Errorf("%d comparisons, want those of each extent in both orders", n)
	}
}
