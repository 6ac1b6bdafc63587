package bench

import (
	"fmt"
	"math"

	"github.com/octet-ml/octet/tensor"
)

// OutputDifference compares one output of two models, or with a recorded one.
type OutputDifference struct {
	Name string `json:"name"`
	Type string `json:"type"`
	N    int    `json:"n"` // elements
	// Equal is how many elements are the same: of integers and truth values the only thing to compare.
	Equal int `json:"equal"`
	// SQNR is 10 log10 of the sum of b^2 over the sum of (b - a)^2, in dB: infinite where they are the same.
	SQNR       float64 `json:"sqnr"`
	Cosine     float64 `json:"cosine"`
	MaxAbsDiff float64 `json:"max_abs_diff"` // NaN where one has a NaN and the other has not
}

// CompareOutputs compares outputs of any number, shape and type with those of another run on the same samples. Floats of
// any width are compared with each other, and so are integers and truth values.
func CompareOutputs(a, b []*tensor.Tensor, names []string) ([]OutputDifference, error) {
	if len(a) != len(b) {
		return nil, fmt.Errorf("%d outputs cannot be compared with %d", len(a), len(b))
	}
	var all []OutputDifference
	for i := range a {
		d := OutputDifference{Name: names[i], Type: a[i].String(), N: a[i].Numel()}
		if !a[i].Shape().Equal(b[i].Shape()) || a[i].DType().IsFloat() != b[i].DType().IsFloat() {
			return nil, fmt.Errorf("%s: %v cannot be compared with %v, which is of another shape or kind", d.Name, a[i], b[i])
		}
		if err := d.compare(a[i], b[i]); err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return all, nil
}

func (d *OutputDifference) compare(a, b *tensor.Tensor) error {
	x, err := wide(a)
	if err != nil {
		return err
	}
	y, err := wide(b)
	if err != nil {
		return err
	}
	var xx, yy, xy, noise float64
	for i, v := range x {
		w := y[i]
		xx, yy, xy = xx+v*v, yy+w*w, xy+v*w
		if v == w || v != v && w != w {
			d.Equal++
			continue
		}
		diff := math.Abs(v - w)
		noise += diff * diff
		if diff > d.MaxAbsDiff || diff != diff {
			d.MaxAbsDiff = diff
		}
	}
	d.SQNR = 10 * math.Log10(yy/noise)
	d.Cosine = xy / math.Sqrt(xx*yy)
	if d.Equal == d.N {
		d.SQNR, d.Cosine = math.Inf(1), 1
	}
	return nil
}

// Beyond returns how many elements of a are further from those of b than atol + rtol times their absolute value. NaN equals NaN.
func Beyond(a, b *tensor.Tensor, atol, rtol float64) (n int, err error) {
	x, err := wide(a)
	if err != nil {
		return 0, err
	}
	y, err := wide(b)
	if err != nil {
		return 0, err
	}
	for i, v := range x {
		w := y[i]
		if same := v == w || v != v && w != w; !same && !(math.Abs(v-w) <= atol+rtol*math.Abs(w)) {
			n++
		}
	}
	return n, nil
}

// wide returns the elements as float64.
func wide(t *tensor.Tensor) ([]float64, error) {
	f, err := t.To(tensor.Float64)
	if err != nil {
		return nil, err
	}
	return tensor.Data[float64](f.Contiguous()), nil
}
