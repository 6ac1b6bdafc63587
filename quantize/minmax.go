package quantize

import (
	"slices"

	"github.com/octet-ml/octet/tensor"
)

// rangeObserver is MinMax and MovingAverage: one range per tensor or channel.
//
// MinMax is torch.ao.quantization's MinMaxObserver and PerChannelMinMaxObserver.
// MovingAverage is MovingAverageMinMaxObserver: the first batch sets the range,
// and each later one moves it by AveragingConstant of the way to its own.
type rangeObserver struct {
	base
	lo, hi []float32
}

func (o *rangeObserver) Observe(x *tensor.Tensor) error {
	v, err := o.values(x)
	if err != nil {
		return err
	}
	if len(v) == 0 {
		return nil
	}
	lo, hi, err := o.extremes(v, x.Shape())
	if err != nil {
		return err
	}
	return o.observeRanges(x, lo, hi)
}

// observeRange takes in a batch with the given extremes.
func (o *rangeObserver) observeRange(lo, hi float32, _ counter) error {
	return o.observeRanges(nil, []float32{lo}, []float32{hi})
}

func (o *rangeObserver) observeRanges(x *tensor.Tensor, lo, hi []float32) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.batches > 0 && len(lo) != len(o.lo) {
		return o.mismatch("%v has %d channels, batches before it had %d", x, len(lo), len(o.lo))
	}
	o.take(lo, hi)
	o.batches++
	return nil
}

// extremes returns the range of a batch, or of each of its channels.
func (o *rangeObserver) extremes(v []float32, shape tensor.Shape) (lo, hi []float32, err error) {
	if !o.config.Spec.Scheme.PerChannel() {
		l, h, finite := minMax(v)
		if !finite {
			return nil, nil, o.fail(ErrNotFinite)
		}
		return []float32{l}, []float32{h}, nil
	}
	axis := o.config.Spec.Axis
	if axis >= len(shape) {
		return nil, nil, o.mismatch("axis %d does not exist in shape %v", axis, shape)
	}
	outer, count, inner := channels(shape, axis)
	lo, hi = slices.Repeat([]float32{inf32}, count), slices.Repeat([]float32{-inf32}, count)
	if inner == 1 {
		return lo, hi, o.columns(v, lo, hi)
	}
	for n := range outer {
		for c := range count {
			at := (n*count + c) * inner
			l, h, finite := minMax(v[at : at+inner])
			if !finite {
				return nil, nil, o.fail(ErrNotFinite)
			}
			lo[c], hi[c] = min(lo[c], l), max(hi[c], h)
		}
	}
	return lo, hi, nil
}

// columns widens the ranges of channels that are the last dimension, a row of them after another.
func (o *rangeObserver) columns(v, lo, hi []float32) error {
	sum := float32(0) // NaN where something is not finite
	for ; len(v) > 0; v = v[len(lo):] {
		for c, x := range v[:len(lo)] {
			sum += float32(x * 0)
			lo[c], hi[c] = min(lo[c], x), max(hi[c], x)
		}
	}
	if !isFinite(sum) {
		return o.fail(ErrNotFinite)
	}
	return nil
}

// take updates the ranges by those of a batch.
func (o *rangeObserver) take(lo, hi []float32) {
	if o.batches == 0 {
		o.lo, o.hi = lo, hi
		return
	}
	if o.config.Kind == MovingAverage {
		c := o.config.AveragingConstant
		if c == 0 {
			c = DefaultAveragingConstant
		}
		for i := range lo {
			o.lo[i] = towards(o.lo[i], lo[i], c)
			o.hi[i] = towards(o.hi[i], hi[i], c)
		}
		return
	}
	for i := range lo {
		o.lo[i], o.hi[i] = min(o.lo[i], lo[i]), max(o.hi[i], hi[i])
	}
}

// towards returns the value at the share c of the way from a to b.
func towards(a, b, c float32) float32 {
	if d := b - a; isFinite(d) {
		return a + float32(c*d)
	}
	return float32(float64(a) + float64(float64(c)*(float64(b)-float64(a))))
}

// Merge is exact for MinMax. For MovingAverage, whose result depends on the
// order of the batches, it is the mean of both ranges weighted by their batches.
func (o *rangeObserver) Merge(other Observer) error {
	s, err := o.other(other)
	if err != nil || s == nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.batches == 0:
		o.lo, o.hi = s.Min, s.Max
	case len(s.Min) != len(o.lo):
		return o.mismatch("merging %d channels into %d", len(s.Min), len(o.lo))
	case o.config.Kind == MovingAverage:
		w := float64(s.Batches) / float64(s.Batches+o.batches)
		for i := range o.lo {
			o.lo[i] = float32(float64(float64(o.lo[i])*(1-w)) + float64(float64(s.Min[i])*w))
			o.hi[i] = float32(float64(float64(o.hi[i])*(1-w)) + float64(float64(s.Max[i])*w))
		}
	default:
		o.take(s.Min, s.Max)
	}
	o.batches += s.Batches
	return nil
}

func (o *rangeObserver) QParams() (*tensor.QParams, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.batches == 0 {
		return nil, o.fail(ErrNoData)
	}
	q, err := o.config.Spec.qparams(o.lo, o.hi)
	if err != nil {
		return nil, o.fail(err)
	}
	return q, nil
}

func (o *rangeObserver) State() State {
	o.mu.Lock()
	defer o.mu.Unlock()
	return State{Config: o.config, Batches: o.batches, Min: slices.Clone(o.lo), Max: slices.Clone(o.hi)}
}

func (o *rangeObserver) Restore(s State) error {
	if err := o.checkState(s); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.batches, o.lo, o.hi = s.Batches, slices.Clone(s.Min), slices.Clone(s.Max)
	return nil
}
