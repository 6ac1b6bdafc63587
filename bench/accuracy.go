package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/tensor"
)

// Evaluation is what a model answered on a data set.
type Evaluation struct {
	N       int
	Right   int            // samples whose class is the label; 0 without labels
	Labels  bool           // whether the data had labels
	Elapsed time.Duration  // inside the model
	Logits  *tensor.Tensor // first output: [N, ...]
}

// Top1 returns the share of samples whose class is the label, NaN without labels.
func (e *Evaluation) Top1() float64 {
	if !e.Labels {
		return math.NaN()
	}
	return float64(e.Right) / float64(max(e.N, 1))
}

// MsPerSample returns the mean time per sample in milliseconds.
func (e *Evaluation) MsPerSample() float64 {
	return milliseconds(e.Elapsed) / float64(max(e.N, 1))
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// Evaluate runs the model on all samples, batch at a time, and calls progress,
// when given, with the number of samples done. With labels, the first output must be
// [N, classes]; the class of a sample is the index of its greatest value. Samples that the
// model does not take are a *tensor.FileError.
func Evaluate(ctx context.Context, s *graph.Session, d *Dataset, batch int, progress func(done int)) (*Evaluation, error) {
	e := &Evaluation{N: d.Len(), Labels: d.Labels() != nil}
	done := 0
	for in, err := range d.Batches(s.Graph(), batch) {
		if err != nil {
			return nil, err
		}
		start := time.Now()
		out, err := s.Run(ctx, in...)
		if err != nil {
			return nil, d.Misfit(fmt.Sprintf("samples %d to %d", done, min(done+batch, d.Len())), err)
		}
		e.Elapsed += time.Since(start)
		if err := e.add(out[0], done); err != nil {
			return nil, err
		}
		done += out[0].Dim(0)
		if progress != nil {
			progress(done)
		}
	}
	if e.Logits == nil {
		return nil, fmt.Errorf("no samples to evaluate on")
	}
	if e.Labels {
		classes, err := Classes(e.Logits)
		if err != nil {
			return nil, err
		}
		for i, c := range classes {
			if int64(c) == d.Labels()[i] {
				e.Right++
			}
		}
	}
	return e, nil
}

// add puts the outputs of samples from first on in place.
func (e *Evaluation) add(out *tensor.Tensor, first int) error {
	if out.DType() != tensor.Float32 || out.Rank() == 0 {
		return fmt.Errorf("the model's first output is %v where floats per sample are needed", out)
	}
	if e.Logits == nil {
		shape := out.Shape().Clone()
		shape[0] = e.N
		var err error
		if e.Logits, err = tensor.New(tensor.Float32, shape...); err != nil {
			return err
		}
	}
	part, err := e.Logits.Slice(0, first, first+out.Dim(0), 1)
	if err != nil {
		return err
	}
	return part.CopyFrom(out)
}

// Classes returns the index of the greatest value in each row of [N, classes];
// the first of several, and that of a NaN where there is one, as torch.argmax does.
func Classes(logits *tensor.Tensor) ([]int, error) {
	if logits.Rank() != 2 || logits.DType() != tensor.Float32 || logits.Dim(1) == 0 {
		return nil, fmt.Errorf("the output is %v where [samples, classes] is needed", logits)
	}
	n := logits.Dim(1)
	v := logits.Contiguous().Float32s()
	out := make([]int, logits.Dim(0))
	for i := range out {
		row := v[i*n : i*n+n]
		best := 0
		for j, x := range row {
			if row[best] != row[best] {
				break
			}
			if x > row[best] || x != x {
				best = j
			}
		}
		out[i] = best
	}
	return out, nil
}

// Agreement compares the answers of two models, or of one model twice.
type Agreement struct {
	N          int     `json:"n"`
	SameClass  int     `json:"same_class"`
	MaxAbsDiff float64 `json:"max_abs_diff"` // NaN when either has a NaN the other lacks
}

// MarshalJSON writes null for a MaxAbsDiff that is infinite or no number.
func (a Agreement) MarshalJSON() ([]byte, error) {
	var diff *float64
	if a.MaxAbsDiff-a.MaxAbsDiff == 0 {
		diff = &a.MaxAbsDiff
	}
	return json.Marshal(struct {
		N          int      `json:"n"`
		SameClass  int      `json:"same_class"`
		MaxAbsDiff *float64 `json:"max_abs_diff"`
	}{a.N, a.SameClass, diff})
}

// Share returns the share of samples that both put in the same class.
func (a Agreement) Share() float64 { return float64(a.SameClass) / float64(max(a.N, 1)) }

// Compare compares logits [N, classes] of the same samples.
func Compare(a, b *tensor.Tensor) (Agreement, error) {
	if !a.Shape().Equal(b.Shape()) {
		return Agreement{}, fmt.Errorf("logits of shape %v cannot be compared with %v", a.Shape(), b.Shape())
	}
	ca, err := Classes(a)
	if err != nil {
		return Agreement{}, err
	}
	cb, err := Classes(b)
	if err != nil {
		return Agreement{}, err
	}
	out := Agreement{N: len(ca)}
	for i := range ca {
		if ca[i] == cb[i] {
			out.SameClass++
		}
	}
	y := b.Contiguous().Float32s()
	for i, v := range a.Contiguous().Float32s() {
		d := math.Abs(float64(v) - float64(y[i]))
		if v == y[i] || v != v && y[i] != y[i] {
			d = 0
		}
		if d > out.MaxAbsDiff || d != d {
			out.MaxAbsDiff = d
		}
	}
	return out, nil
}
