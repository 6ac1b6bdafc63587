package train

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/tensor"
)

// recorded is what testdata/gen/gen.py recorded of PyTorch.
type recorded struct {
	Optimizers []struct {
		Name    string
		Options struct {
			LR          float64
			Momentum    float64
			Nesterov    bool
			WeightDecay float64 `json:"weight_decay"`
			Betas       []float64
			Eps         float64
		}
		Start         []float32
		Grads, Values [][]float32
	}
	Losses []struct {
		Name         string
		Shape        []int
		Output, Grad []float32
		Target       []float64
		Loss         float64
	}
}

func readRecorded(t *testing.T) recorded {
	t.Helper()
	f, err := os.Open("testdata/torch.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var r recorded
	if err := json.NewDecoder(z).Decode(&r); err != nil {
		t.Fatal(err)
	}
	if len(r.Optimizers) == 0 || len(r.Losses) == 0 {
		t.Fatal("nothing was recorded")
	}
	return r
}

func TestOptimizersAsPyTorch(t *testing.T) {
	for i, c := range readRecorded(t).Optimizers {
		o := c.Options
		var opt Optimizer = SGD{LR: o.LR, Momentum: o.Momentum, Nesterov: o.Nesterov, WeightDecay: o.WeightDecay}
		if c.Name != "sgd" {
			adam := Adam{LR: o.LR, WeightDecay: o.WeightDecay, Eps: o.Eps, Decoupled: c.Name == "adamw"}
			if o.Betas != nil {
				adam.Beta1, adam.Beta2 = o.Betas[0], o.Betas[1]
			}
			opt = adam
		}
		p, m, v := c.Start, make([]float32, len(c.Start)), make([]float32, len(c.Start))
		if opt.moments() == 0 {
			m = nil
		}
		for step, g := range c.Grads {
			var f [numFactors]float32
			lr, decay := opt.rates()
			opt.factors(&f, step, lr, decay)
			opt.update(&f, 1, false, p, g, m, v)
			for j, want := range c.Values[step] {
				if d := math.Abs(float64(p[j] - want)); !(d <= 2e-6*math.Max(1, math.Abs(float64(want)))) {
					t.Errorf("case %d (%s), step %d: element %d is %v, want %v", i, c.Name, step, j, p[j], want)
				}
			}
		}
	}
}

func TestLossesAsPyTorch(t *testing.T) {
	losses := map[string]Loss{"cross_entropy": CrossEntropy, "mse": MeanSquaredError, "distill 1": Distill(1), "distill 3": Distill(3)}
	for _, c := range readRecorded(t).Losses {
		t.Run(c.Name, func(t *testing.T) {
			output, err := tensor.FromSlice(c.Output, c.Shape...)
			if err != nil {
				t.Fatal(err)
			}
			for weight, loss := range map[float32]Loss{1: losses[c.Name], 3: Sum(Term{1, losses[c.Name]}, Term{2, losses[c.Name]})} {
				g := graph.New()
				y := g.Variable("y", output)
				l, err := loss(g, []*graph.Value{y})
				if err != nil {
					t.Fatal(err)
				}
				grads, err := g.Gradients(l, []*graph.Value{y})
				if err != nil {
					t.Fatal(err)
				}
				g.SetOutputs(l, grads[0])
				s, err := g.Compile(graph.Options{Threads: 1})
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				inputs := make([]*tensor.Tensor, len(g.Inputs))
				for i, v := range g.Inputs {
					if inputs[i], err = target(v, c.Target); err != nil {
						t.Fatal(err)
					}
				}
				out, err := s.Run(context.Background(), inputs...)
				if err != nil {
					t.Fatal(err)
				}
				if got := float64(out[0].Float32s()[0]); math.Abs(got-float64(weight)*c.Loss) > 1e-5*float64(weight)*c.Loss {
					t.Errorf("loss %v, want %v", got, float64(weight)*c.Loss)
				}
				for i, d := range out[1].Float32s() {
					if want := weight * c.Grad[i]; math.Abs(float64(d-want)) > 1e-6*float64(weight) {
						t.Errorf("gradient of element %d is %v, want %v", i, d, want)
					}
				}
			}
		})
	}
}

// target returns recorded targets as an input of a loss.
func target(v *graph.Value, values []float64) (*tensor.Tensor, error) {
	x, err := tensor.FromSlice(values, v.Type.Shape...)
	if err != nil {
		return nil, err
	}
	return x.To(v.Type.DType)
}

// TestRelativeSteps compares with the steps of the same optimizer, times the size of the parameter.
func TestRelativeSteps(t *testing.T) {
	for _, opt := range []Optimizer{SGD{LR: 0.1}, SGD{LR: 0.1, Momentum: 0.9, Nesterov: true}, Adam{LR: 0.1}, Adam{LR: 0.1, Decoupled: true}} {
		var f [numFactors]float32
		opt.factors(&f, 0, 0.1, 0)
		g := []float32{1, -2, 0.5, 3}
		start := []float32{0.001, 0.02, -4, 0}
		step := func(relative bool) []float32 {
			p, m, v := slices.Clone(start), make([]float32, len(g)), make([]float32, len(g))
			if opt.moments() == 0 {
				m = nil
			}
			opt.update(&f, 1, relative, p, g, m, v)
			return p
		}
		plain, relative := step(false), step(true)
		for i, p := range start {
			want := float64(p) + float64(plain[i]-p)*math.Abs(float64(p))
			if d := math.Abs(float64(relative[i]) - want); !(d <= 1e-6*math.Abs(want)) {
				t.Errorf("%T: %v becomes %v, want %v", opt, p, relative[i], want)
			}
		}
	}
}
