package loader

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// layered has a convolution with a batch norm to fold, and a linear layer, of weights that are large enough to be read on demand.
type layered struct{}

func (layered) Class() string { return "layered" }

func (layered) Forward(c *nn.Context, x ...*graph.Value) *graph.Value {
	v := c.Call("conv", nn.Conv2d{In: 16, Out: 128, Kernel: 3, Padding: 1, NoBias: true}, x[0])
	v = c.Call("bn", nn.BatchNorm2d{Features: 128}, v)
	v = c.Call("pool", nn.AdaptiveAvgPool2d{Size: 1}, v)
	v = c.Apply(ops.Flatten{Start: 1, End: -1}, v)
	return c.Call("fc", nn.Linear{In: 128, Out: 64}, v)
}

func writeLayered(t *testing.T) string {
	t.Helper()
	g := must(nn.BuildRandom(nn.Architecture{Name: "layered", Inputs: []nn.Input{{Name: "x", DType: tensor.Float32, Shape: []int{1, 16, 6, 6}}}, Root: layered{}}, 1))
	path := filepath.Join(t.TempDir(), "model.safetensors")
	if err := Save(path, g); err != nil {
		t.Fatal(err)
	}
	return path
}

func runLayered(t *testing.T, s *graph.Session, batch int) ([]float32, error) {
	t.Helper()
	values := make([]float32, batch*16*6*6)
	for i := range values {
		values[i] = float32(i%17) - 8
	}
	y, err := s.Run(context.Background(), must(tensor.FromSlice(values, batch, 16, 6, 6)))
	if err != nil {
		return nil, err
	}
	return y[0].Float32s(), nil
}

// TestOnDemand gives the bits of a model that was read at once, for shapes that come later too, with constants that are not in memory
// once they have been packed.
func TestOnDemand(t *testing.T) {
	path := writeLayered(t)
	want := must(must(Load(path)).Compile(graph.Options{Threads: 1}))
	defer want.Close()
	g := must(Load(path, OnDemand()))
	got := must(g.Compile(graph.Options{Threads: 1}))
	defer got.Close()
	for _, batch := range []int{1, 3} {
		if !slices.Equal(must(runLayered(t, got, batch)), must(runLayered(t, want, batch))) {
			t.Errorf("batch %d differs", batch)
		}
	}
	large := 0
	for _, g := range []*graph.Graph{g, got.Graph()} {
		for _, v := range g.Constants() {
			if v.Const.Numel() < 16<<10 {
				continue
			}
			large++
			if !v.Const.IsEvictable() || v.Const.Evict() != 0 {
				t.Errorf("%s %v is in memory beside its packed form", v.Name, v.Const)
			}
		}
	}
	if large != 2 {
		t.Errorf("%d large constants, not the weight of the convolution and the folded one", large)
	}
}

// TestOnDemandChanged refuses a file that was written to meanwhile, and reads one that was replaced.
func TestOnDemandChanged(t *testing.T) {
	path := writeLayered(t)
	replaced := must(Load(path, OnDemand()))
	content := must(os.ReadFile(path))
	if err := os.WriteFile(path+".new", make([]byte, len(content)), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Skip("an open file cannot be replaced here:", err)
	}
	s := must(replaced.Compile(graph.Options{}))
	s.Close()

	path = writeLayered(t)
	changed := must(Load(path, OnDemand()))
	if err := os.Truncate(path, int64(len(content)/2)); err != nil {
		t.Fatal(err)
	}
	_, err := changed.Compile(graph.Options{})
	if fe, ok := errors.AsType[*FileError](err); !ok || fe.File != path || !errors.Is(err, ErrChanged) {
		t.Errorf("cut after it was opened: %v", err)
	}
	if err := Save(path+".copy", changed); !isA[*FileError](err) {
		t.Errorf("saved though it was cut after it was opened: %v", err)
	}
}
