package quantize

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/train"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/tensor"
)

// recordedForm is a model of testdata/forms with its samples and PyTorch's outputs on those to test on.
type recordedForm struct {
	model             *graph.Graph
	calib, test, want []*tensor.Tensor
}

func readForm(t testing.TB, path string) *recordedForm {
	t.Helper()
	m, err := loader.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	arrays, err := tensor.ReadNPZ(strings.TrimSuffix(path, ".pt")+".npz", 1<<24)
	if err != nil {
		t.Fatal(err)
	}
	f := &recordedForm{model: m, want: []*tensor.Tensor{arrays.Get("output0")}}
	for _, v := range m.Inputs {
		f.calib = append(f.calib, arrays.Get("calib."+v.Name))
		f.test = append(f.test, arrays.Get("test."+v.Name))
	}
	return f
}

// first returns the first n rows of each tensor.
func first(t testing.TB, x []*tensor.Tensor, n int) []*tensor.Tensor {
	t.Helper()
	var rows []*tensor.Tensor
	for _, v := range x {
		r, err := v.Slice(0, 0, n, 1)
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, r.Contiguous())
	}
	return rows
}

// TestForms quantizes models whose forms once failed, with each way of rounding, and trains them; the int8 model gives
// the same bits for a sample whatever stands beside it. Learned rounding and bias correction lose no
// more than 1 dB where that can be told from chance: the samples are few.
func TestForms(t *testing.T) {
	paths, err := filepath.Glob("testdata/forms/*.pt")
	if err != nil || len(paths) == 0 {
		t.Fatal("no models", err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".pt")
		t.Run(name, func(t *testing.T) {
			f := readForm(t, path)
			if s := f.sqnr(t, f.model); s < 40 {
				t.Errorf("the float model has %.1f dB", s)
			}
			native := func(o Options) *graph.Graph {
				q := New(o)
				f.calibrate(t, q)
				return quantized(t, q, f.model)
			}
			q := New(Options{Backend: Native})
			f.calibrate(t, q)
			plain := reloaded(t, quantized(t, q, f.model))
			for _, l := range q.Report().Layers {
				if l.Precision != "int8" && strings.HasPrefix(name, "whole_") {
					t.Errorf("%s %s is %s: %s", l.Name, l.Op, l.Precision, l.Reason)
				}
			}
			least := f.sqnr(t, plain)
			if least < 20 {
				t.Errorf("the int8 model has %.1f dB", least)
			}
			learned := f.sqnr(t, native(Options{Backend: Native, Rounding: Learned}))
			corrected := f.sqnr(t, native(Options{Backend: Native, CorrectBias: true}))
			t.Logf("%.1f dB, learned rounding %.1f, corrected biases %.1f", least, learned, corrected)
			loss := 1.0
			if name == "half_stored" { // 37.6 dB by nearest, 36.0 by learned rounding
				loss = 2
			}
			if min(learned, corrected) < min(least-loss, 45) {
				t.Errorf("learned rounding has %.1f dB, corrected biases %.1f, nearest %.1f", learned, corrected, least)
			}
			whole := run(t, plain, f.test...)
			for _, n := range []int{1, 3} {
				got := run(t, plain, first(t, f.test, n)...)[0]
				if !bytes.Equal(got.Contiguous().Bytes(), first(t, whole, n)[0].Bytes()) {
					t.Errorf("%d samples are not those among others", n)
				}
			}
			q = New(Options{Backend: Native})
			f.calibrate(t, q)
			trainOneStep(t, q, f.model, f.calib...)
		})
	}
}

// calibrate calibrates a quantizer on the samples of the form.
func (f *recordedForm) calibrate(t testing.TB, q *Quantizer) {
	t.Helper()
	calibrate(t, q, f.model, &dataset{batches: [][]*tensor.Tensor{f.calib}})
}

// sqnr compares a model with PyTorch's outputs.
func (f *recordedForm) sqnr(t testing.TB, m *graph.Graph) float64 {
	t.Helper()
	return sumsOf(f.want[0].Contiguous().Float32s(), run(t, m, f.test...)[0].Contiguous().Float32s()).sqnr()
}

// TestTransposedTrains checks that training reaches every parameter of a model of transposed convolutions, whose weights
// conversion rearranges.
func TestTransposedTrains(t *testing.T) {
	f := readForm(t, "testdata/forms/whole_transposed.pt")
	q := New(Options{Backend: Native})
	f.calibrate(t, q)
	qat, err := q.QAT(f.model)
	if err != nil {
		t.Fatal(err)
	}
	defer qat.Close()
	tr, err := train.New(qat, train.Options{Loss: train.MeanSquaredError, Optimizer: train.SGD{LR: 1e-3}})
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	target := run(t, f.model, f.calib...)[0].Clone()
	for i := range target.Float32s() {
		target.Float32s()[i]++
	}
	_, grads, err := tr.Gradients(context.Background(), f.calib[0], target)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range qat.params {
		if g := grads[p.Name]; g == nil || sumsOf(g.Float32s(), g.Float32s()).signal == 0 {
			t.Errorf("%s has no gradient", p.Name)
		}
	}
}

// TestQuantizedModel checks that a model that is int8 already is refused before any work, by each proxy.
func TestQuantizedModel(t *testing.T) {
	f := readForm(t, "testdata/forms/adaptive_max.pt")
	q := New(Options{Backend: Native})
	f.calibrate(t, q)
	m := quantized(t, q, f.model)
	for name, proxy := range map[string]func(q *Quantizer) error{
		"calibration": func(q *Quantizer) error { _, err := q.Calib(m); return err },
		"conversion":  func(q *Quantizer) error { _, err := q.Quantize(m); return err },
		"training":    func(q *Quantizer) error { _, err := q.QAT(m); return err },
		"sensitivity": func(q *Quantizer) error { _, err := q.AMP(m); return err },
	} {
		var already *QuantizedError
		if err := proxy(New(Options{Backend: Native})); !errors.As(err, &already) || already.Node.Op.Name() != "int8.conv2d" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
