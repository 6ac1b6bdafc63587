package metric

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/octet-ml/octet/tensor"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func of[T tensor.Element](v []T, shape ...int) *tensor.Tensor {
	return must(tensor.FromSlice(v, shape...))
}

// TestChoose checks which metric outputs and labels of many forms get, and what it says of them.
func TestChoose(t *testing.T) {
	f := func(v []float32, shape ...int) *tensor.Tensor { return of(v, shape...) }
	i := func(v []int64, shape ...int) *tensor.Tensor { return of(v, shape...) }
	for _, c := range []struct {
		name, metric string
		out, labels  *tensor.Tensor
		want         string
		value        float64
	}{
		{"classes", "", f([]float32{1, 2, 3, 0}, 2, 2), i([]int64{1, 1}, 2), Top1, 0.5},
		{"classes in a column", "", f([]float32{1, 2, 3, 0}, 2, 2), i([]int64{1, 0}, 2, 1), Top1, 1},
		{"one-hot", "", f([]float32{1, 2, 3, 0}, 2, 2), f([]float32{0, 1, 1, 0}, 2, 2), Top1, 1},
		{"one-hot by sign", Binary, f([]float32{-1, 2, 3, 2}, 2, 2), f([]float32{0, 1, 1, 0}, 2, 2), Binary, 0.75},
		{"one logit", "", f([]float32{-1, 2, 3}, 3, 1), i([]int64{0, 1, 0}, 3), Binary, 2. / 3},
		{"one logit, flat", "", f([]float32{-1, 2}, 2), f([]float32{1, 1}, 2), Binary, 0.5},
		{"one probability", "", f([]float32{0.4, 0.6}, 2, 1), i([]int64{0, 1}, 2), Binary, 1},
		{"several labels", "", f([]float32{-1, 2, 3, 4, -5, 6}, 2, 3), i([]int64{0, 1, 1, 1, 0, 0}, 2, 3), Binary, 5. / 6},
		{"pixels", "", f([]float32{1, 5, 2, 4}, 1, 2, 1, 2), i([]int64{1, 0}, 1, 1, 2), PixelTop1, 1},
		{"tokens", "", f([]float32{1, 5, 2, 4, 9, 0}, 1, 3, 2), i([]int64{1, 1, Ignored}, 1, 3), TokenTop1, 1},
		{"tokens as many as classes", "", f([]float32{1, 5, 2, 4}, 1, 2, 2), i([]int64{1, 1}, 1, 2), TokenTop1, 1},
		{"the same along axis 1", PixelTop1, f([]float32{1, 5, 2, 4}, 1, 2, 2), i([]int64{1, 0}, 1, 2), PixelTop1, 1},
		{"numbers", "", f([]float32{1, 2, 3}, 3, 1), f([]float32{1, 2, 6}, 3), R2, 1 - 9./14},
		{"counts as numbers", R2, f([]float32{1, 2, 3}, 3, 1), i([]int64{1, 2, 3}, 3), R2, 1},
		{"nothing to compare with", "", f([]float32{1, 2}, 1, 2), nil, Cosine, math.NaN()},
		{"an agreement", Agreeing, f([]float32{1, 2}, 1, 2), nil, Agreeing, math.NaN()},
		{"none", NoMetric, f([]float32{1, 2}, 1, 2), i([]int64{5, 5, 5}, 1, 3), NoMetric, math.NaN()},

		{"none that counts", "", f([]float32{1, 2}, 1, 2), i([]int64{Ignored}, 1), "", 0},
		{"numbers that are all the same", "", f([]float32{1, 2, 3}, 3, 1), f([]float32{2.5, 2.5, 2.5}, 3), "", 0},
		{"classes as floats", "", f(make([]float32, 8), 2, 4), f([]float32{1, 3}, 2), "", 0},
		{"counts", "", f([]float32{1, 2}, 2, 1), i([]int64{30, 4}, 2), "", 0},
		{"classes of one output", "", f([]float32{1, 2}, 2, 1), i([]int64{3, 4}, 2), "", 0},
		{"an image for a class", "", f(make([]float32, 12), 1, 3, 2, 2), i([]int64{1}, 1), "", 0},
		{"labels of another form", "", f([]float32{1, 2}, 1, 2), i([]int64{1, 2, 3}, 1, 3), "", 0},
		{"top-1 of one logit", Top1, f([]float32{1, 2}, 2, 1), i([]int64{0, 1}, 2), "", 0},
		{"top-1 without labels", Top1, f([]float32{1, 2}, 1, 2), nil, "", 0},
		{"an unknown one", "accuracy", f([]float32{1, 2}, 1, 2), nil, "", 0},
		{"integers", "", i([]int64{1, 2}, 1, 2), nil, "", 0},
		{"an output of integers", Top1, i([]int64{1, 2}, 1, 2), i([]int64{1}, 1), "", 0},
		{"agreement of nothing", Agreeing, f([]float32{1, 2}, 1, 2, 1), nil, "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := Choose(c.metric, []*tensor.Tensor{c.out}, c.labels)
			if c.want == "" {
				if _, ok := errors.AsType[*Error](err); !ok {
					t.Errorf("got %+v and %v, want a Error", m, err)
				}
				return
			}
			if err != nil || m.Name != c.want {
				t.Fatalf("got %+v and %v, want %s", m, err, c.want)
			}
			if math.IsNaN(c.value) {
				return
			}
			s := NewScorer(m, c.labels)
			if err := s.Add(c.out); err != nil || math.Abs(s.Value()-c.value) > 1e-12 {
				t.Errorf("%v, %v, want %v", s.Value(), err, c.value)
			}
		})
	}
	m := must(Choose(Top1, []*tensor.Tensor{f(make([]float32, 4), 2, 2)}, i([]int64{0, 1}, 2)))
	for _, bad := range []int64{-1, 2} {
		s := NewScorer(m, i([]int64{0, bad}, 2))
		var label *LabelError
		if err := s.Add(f(make([]float32, 4), 2, 2)); !errors.As(err, &label) || label.Sample != 1 || label.Label != bad || label.Classes != 2 {
			t.Errorf("a label of %d: %v", bad, err)
		}
	}
}

// TestChooseSays checks that what is refused says what to give, and that a metric of one of several outputs says so.
func TestChooseSays(t *testing.T) {
	f := func(shape ...int) *tensor.Tensor { return must(tensor.New(tensor.Float32, shape...)) }
	for _, c := range []struct {
		out, labels *tensor.Tensor
		says        string
	}{
		{f(2, 4), of([]float32{1, 3}, 2), "give classes as integers"},
		{f(2, 4, 5), of([]float32{1, 3}, 2, 1), "give labels that do"},
		{f(2, 1), of([]int64{30, 4}, 2), "give 0 and 1 as integers, or numbers as floats"},
		{f(2, 1, 2, 2), of([]int64{255, 0, 255, 0, 0, 0, 0, 255}, 2, 2, 2), "give 0 and 1 as integers"},
		{f(2, 1), of([]float32{3, 3}, 2), "all samples have the same label"},
		{f(2, 4), of([]int64{Ignored, Ignored}, 2), "every label is -100"},
		{of([]int64{1, 2}, 2), of([]int64{1, 2}, 2), `name metric "none"`},
	} {
		_, err := Choose("", []*tensor.Tensor{c.out}, c.labels)
		var e *Error
		if !errors.As(err, &e) || e.Metric != "" || !strings.Contains(e.Reason, c.says) {
			t.Errorf("%v for %v: %v, want %q", c.labels, c.out, err, c.says)
		}
	}
	m, err := Choose("", []*tensor.Tensor{f(2, 8), f(2, 3)}, of([]int64{1, 2}, 2))
	if err != nil || !strings.Contains(m.What, "of the first of 2 outputs") {
		t.Errorf("%+v, %v", m, err)
	}
}

// TestLogitsLikeProbabilities scores logits of which the first batch lies in 0 to 1: all count as logits, however they are divided.
func TestLogitsLikeProbabilities(t *testing.T) {
	out, labels := of([]float32{0.25, 0.75, -2, 0.4}, 4, 1), of([]int64{1, 1, 0, 1}, 4)
	for _, size := range []int{1, 2, 4} {
		m := must(Choose("", []*tensor.Tensor{must(out.Slice(0, 0, size, 1))}, labels))
		s := NewScorer(m, labels)
		for at := 0; at < 4; at += size {
			if err := s.Add(must(out.Slice(0, at, at+size, 1))); err != nil {
				t.Fatal(err)
			}
		}
		if s.Right != 4 || s.Counted != 4 || m.OfProbabilities() {
			t.Errorf("batches of %d: %d of %d right, %s", size, s.Right, s.Counted, m.What)
		}
	}
	// Probabilities stay such.
	m := must(Choose("", []*tensor.Tensor{must(out.Slice(0, 0, 2, 1))}, labels))
	s := NewScorer(m, of([]int64{0, 1}, 2))
	if err := s.Add(must(out.Slice(0, 0, 2, 1))); err != nil || s.Value() != 1 || !m.OfProbabilities() {
		t.Errorf("%d of 2 right, %v", s.Right, err)
	}
	// So do those of a second model, whose rounded numbers may be a little above 1.
	s = NewScorer(m, of([]int64{0, 1}, 2))
	if err := s.Add(of([]float32{0.25, 1.004}, 2, 1)); err != nil || s.Right != 2 || !m.OfProbabilities() {
		t.Errorf("a second model: %d of 2 right, %v", s.Right, err)
	}
}
