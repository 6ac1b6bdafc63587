package nn_test

import (
	"context"
	"flag"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/tensor"
)

var update = flag.Bool("update", false, "rewrite the golden dumps")

func randomModel(t testing.TB, name string) *graph.Graph {
	t.Helper()
	arch, err := nn.ByName(name)
	if err != nil {
		t.Fatal(err)
	}
	g, err := nn.BuildRandom(arch, 1)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func image(t testing.TB, shape ...int) *tensor.Tensor {
	t.Helper()
	x, err := tensor.New(tensor.Float32, shape...)
	if err != nil {
		t.Fatal(err)
	}
	v := x.Float32s()
	for i := range v {
		v[i] = float32(math.Sin(float64(i) * 0.7))
	}
	return x
}

func TestRunAllocatesNothing(t *testing.T) {
	for _, threads := range []int{1, 2} {
		s, err := randomModel(t, "resnet20-cifar").Compile(graph.Options{Threads: threads})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		ctx := context.Background()
		in := []*tensor.Tensor{image(t, 1, 3, 32, 32)}
		out, err := s.Run(ctx, in...)
		if err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(5, func() {
			if err := s.RunInto(ctx, out, in); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%d threads: %v allocations per run", threads, n)
		}
	}
}

// TestSameBits checks that neither the number of threads nor the batch changes a result.
func TestSameBits(t *testing.T) {
	g := randomModel(t, "resnet20-cifar")
	x := image(t, 5, 3, 32, 32)
	var want []float32
	for _, threads := range []int{1, 2, 3} {
		s, err := g.Compile(graph.Options{Threads: threads})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		out, err := s.Run(context.Background(), x)
		if err != nil {
			t.Fatal(err)
		}
		got := out[0].Float32s()
		if want == nil {
			want = slices.Clone(got)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d threads give other bits than 1", threads)
		}
		for i := range 5 {
			one, err := x.Slice(0, i, i+1, 1)
			if err != nil {
				t.Fatal(err)
			}
			out, err := s.Run(context.Background(), one)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(out[0].Float32s(), want[10*i:10*i+10]) {
				t.Errorf("%d threads: image %d alone gives other bits than in a batch", threads, i)
			}
		}
	}
}

func TestOptimizedGraph(t *testing.T) {
	for _, name := range []string{"resnet20-cifar", "mobilenet_v2"} {
		t.Run(name, func(t *testing.T) {
			s, err := randomModel(t, name).Compile(graph.Options{Threads: 1})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			path := filepath.Join("testdata", name+".txt")
			got := s.Graph().String()
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got); d != "" {
				t.Errorf("the optimized graph changed (-want +got); run with -update if it is meant to:\n%s", d)
			}
		})
	}
}

type stateDict map[string]*tensor.Tensor

func (s stateDict) Names() []string {
	var names []string
	for n := range s {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

func (s stateDict) Get(name string) *tensor.Tensor { return s[name] }

func TestBindReportsEverything(t *testing.T) {
	sd := stateDict{}
	for _, v := range randomModel(t, "resnet20-cifar").Constants() {
		sd[v.Name] = v.Const
	}
	if _, err := nn.Build(nn.ResNet20CIFAR(), sd); err != nil {
		t.Fatalf("a complete state_dict: %v", err)
	}
	delete(sd, "conv1.weight")
	delete(sd, "layer2.0.bn1.running_var")
	sd["linear.weight"] = tensor.Scalar(float32(1))
	sd["extra"] = tensor.Scalar(float32(1))
	sd["bn1.num_batches_tracked"] = tensor.Scalar(int64(1))
	_, err := nn.Build(nn.ResNet20CIFAR(), sd)
	var bind *nn.BindError
	if !asBind(err, &bind) {
		t.Fatalf("got %v, want a BindError", err)
	}
	want := &nn.BindError{
		Architecture: "resnet20-cifar",
		Missing:      []string{"conv1.weight", "layer2.0.bn1.running_var"},
		Unexpected:   []string{"extra"},
		WrongShape:   []string{"linear.weight: have [], want [10, 64]"},
	}
	if d := cmp.Diff(want, bind); d != "" {
		t.Error(d)
	}
}

func asBind(err error, to **nn.BindError) bool {
	e, ok := err.(*nn.BindError)
	*to = e
	return ok
}
