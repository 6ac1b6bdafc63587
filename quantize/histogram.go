package quantize

import (
	"math"
	"slices"

	"github.com/octet-ml/octet/tensor"
)

const (
	histogramBins     = 2048
	histogramUpsample = 128 // steps per bin to which an old histogram is aligned when the range grows
)

// histogramObserver is PyTorch 1.13's HistogramObserver with the toolkit's two
// changes: bins span the float range, not the integers below it, and growth is
// computed without the width of a bin, which may underflow. All arithmetic is
// float32 where PyTorch's is, for the search compares sums that differ little.
//
// As there, batches that are constant leave no trace once a batch that is not
// follows. A bin that holds more than 2^24 values of one batch counts them all.
type histogramObserver struct {
	base
	lo, hi float32
	counts []float32
	cached *tensor.QParams
}

func (o *histogramObserver) Observe(x *tensor.Tensor) error {
	v, err := o.values(x)
	if err != nil || len(v) == 0 {
		return err
	}
	lo, hi, finite := minMax(v)
	if !finite {
		return o.fail(ErrNotFinite)
	}
	return o.observeRange(lo, hi, countAll(v))
}

// observeRange takes in a batch with the given extremes.
func (o *histogramObserver) observeRange(batchLo, batchHi float32, count counter) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	step, err := o.next(batchLo, batchHi)
	if err != nil {
		return err
	}
	o.take(step, histogramOf(step.lo, step.hi, count))
	return nil
}

// histogramStep is what a batch does to a histogram: the range in which the batch is counted, which becomes that of
// the histogram, and how what was counted before gets there.
type histogramStep struct {
	lo, hi float32
	fresh  bool // what was observed before does not count
	growth growth
}

// next returns the step of a batch with the given extremes.
func (o *histogramObserver) next(batchLo, batchHi float32) (histogramStep, error) {
	lo, hi := batchLo, batchHi
	if o.batches > 0 {
		lo, hi = min(lo, o.lo), max(hi, o.hi)
	}
	if !isFinite(hi - lo) {
		return histogramStep{}, o.fail(ErrRange)
	}
	if o.batches == 0 || o.lo == o.hi {
		// A constant range observed before does not count.
		return histogramStep{lo: batchLo, hi: batchHi, fresh: true}, nil
	}
	g := growTo(o.lo, o.hi, lo, hi)
	return histogramStep{lo: lo, hi: g.hi, growth: g}, nil
}

// take takes in a batch by its step and its counts, which become the histogram's.
func (o *histogramObserver) take(s histogramStep, counts []float32) {
	if !s.fresh {
		s.growth.add(counts, o.counts, s.lo == o.lo && s.hi == o.hi)
	}
	o.widen(s)
	o.counts, o.cached = counts, nil
}

// widen is take without counts.
func (o *histogramObserver) widen(s histogramStep) {
	o.lo, o.hi = s.lo, s.hi
	o.batches++
}

// histogramOf returns the number of values in each of the equal bins between lo
// and hi, both inclusive and around all of them, as torch.histc does.
func histogramOf(lo, hi float32, count counter) []float32 {
	n := make([]int64, histogramBins)
	countBins(lo, hi, count, n)
	return floatCounts(n)
}

// countBins adds what histogramOf returns to n.
func countBins(lo, hi float32, count counter, n []int64) {
	if lo == hi {
		lo, hi = lo-1, hi+1
	}
	// The index is (x-lo)*bins/width; scaling by a power of two on the side where
	// it cannot overflow or underflow gives the same bits.
	width := hi - lo
	b := binning{sub: lo, mul: histogramBins, div: width, bins: histogramBins}
	switch {
	case width == 0:
		// A magnitude that does not feel the 1: the constant is the middle.
		b = binning{sub: 0, mul: 0, div: 1, first: -histogramBins / 2, bins: histogramBins}
	case width > 1:
		b.mul, b.div = 1, width/histogramBins
	}
	count(b, n)
}

func floatCounts(n []int64) []float32 {
	counts := make([]float32, len(n))
	for i, c := range n {
		counts[i] = float32(c)
	}
	return counts
}

// growth says how a histogram over a range becomes one over a wider range: its
// bins, cut into histogramUpsample steps each, begin at step start of a grid in
// which rate steps make a bin.
type growth struct {
	hi    float32 // the new maximum, a little above the one asked for
	rate  int64
	start int64
}

// growTo returns the growth from the range lo..hi, not empty, to newLo..newHi,
// which holds it.
func growTo(lo, hi, newLo, newHi float32) growth {
	width, newWidth := hi-lo, newHi-newLo
	ratio := float64(newWidth * histogramUpsample / width)
	start := float64((lo - newLo) * histogramBins * histogramUpsample / width)
	if math.IsInf(ratio, 0) || math.IsInf(start, 0) {
		ratio = float64(newWidth) * histogramUpsample / float64(width)
		start = float64(lo-newLo) * histogramBins * histogramUpsample / float64(width)
	}
	// Past this the old histogram is one step wide at most, and the last digits of
	// its place do not matter; 2^40 * 2048 is still exact in a float64.
	const most = 1 << 40
	if !(ratio < most) {
		at := float64(lo-newLo) / float64(newWidth) * histogramBins * most
		return growth{hi: newHi, rate: most, start: int64(at)}
	}
	g := growth{hi: newHi, rate: int64(math.Ceil(ratio)), start: int64(math.RoundToEven(start))}
	excess := float32(float32(g.rate)*width/histogramUpsample) - newWidth
	if isFinite(newHi + excess - newLo) {
		g.hi = newHi + excess
	}
	return g
}

// add adds old, resampled, to counts. same says that the range did not grow.
//
// PyTorch expands the histogram to the steps, sums them up in float64, takes the
// sum at the end of each new bin, and subtracts the one before it, which it
// rounded to float32. This computes the same sums without the expansion.
func (g growth) add(counts, old []float32, same bool) {
	if same {
		for i, c := range old {
			counts[i] += c
		}
		return
	}
	const steps = histogramBins * histogramUpsample
	var sum float64 // of the steps before bin `next` of old
	next := int64(0)
	before := float32(0)
	for i := range counts {
		end := min(max(int64(i+1)*g.rate-g.start, 0), steps)
		for ; (next+1)*histogramUpsample <= end; next++ {
			sum += float64(float64(old[next]) * histogramUpsample)
		}
		upTo := sum
		if rest := end - next*histogramUpsample; rest > 0 {
			upTo += float64(float64(old[next]) * float64(rest))
		}
		counts[i] += float32((upTo - float64(before)) / histogramUpsample)
		before = float32(upTo)
	}
}

// Merge gives the histogram over both ranges. It equals one pass over all data
// within the width of a bin: values are spread evenly over the bins they were in.
func (o *histogramObserver) Merge(other Observer) error {
	s, err := o.other(other)
	if err != nil || s == nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	lo, hi, counts := s.Min[0], s.Max[0], s.Counts
	if o.batches > 0 {
		newLo, newHi := min(lo, o.lo), max(hi, o.hi)
		if !isFinite(newHi - newLo) {
			return o.fail(ErrRange)
		}
		merged := make([]float32, histogramBins)
		spread(merged, newLo, newHi, o.counts, o.lo, o.hi)
		spread(merged, newLo, newHi, counts, lo, hi)
		lo, hi, counts = newLo, newHi, merged
	}
	o.lo, o.hi, o.counts, o.cached = lo, hi, counts, nil
	o.batches += s.Batches
	return nil
}

// spread adds the counts of a histogram over lo..hi to one over the wider
// dstLo..dstHi, dividing bins in proportion to the overlap. It is computed in
// float64: there is no PyTorch result to equal.
func spread(dst []float32, dstLo, dstHi float32, counts []float32, lo, hi float32) {
	if dstLo == lo && dstHi == hi {
		for i, c := range counts {
			dst[i] += c
		}
		return
	}
	toBin := histogramBins / (float64(dstHi) - float64(dstLo))
	first := float64((float64(lo) - float64(dstLo)) * toBin)
	width := float64((float64(hi) - float64(lo)) / histogramBins * toBin)
	out := make([]float64, histogramBins)
	for i, c := range counts {
		if c == 0 {
			continue
		}
		// A constant has width 0: all of it goes to the bin it lies in.
		a := first + float64(float64(i)*width)
		b := a + width
		from := min(max(int(a), 0), histogramBins-1)
		to := min(max(int(b), from), histogramBins-1)
		if from == to {
			out[from] += float64(c)
			continue
		}
		for k := from; k <= to; k++ {
			l, h := max(a, float64(k)), min(b, float64(k+1))
			out[k] += float64(c) * max(h-l, 0) / width
		}
	}
	for i, c := range out {
		dst[i] += float32(c)
	}
}

func (o *histogramObserver) QParams() (*tensor.QParams, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.batches == 0 {
		return nil, o.fail(ErrNoData)
	}
	if o.cached == nil {
		qmin, qmax := o.config.Spec.Range()
		lo, hi := searchRange(o.counts, o.lo, o.hi, int(qmax)-int(qmin)+1)
		q, err := o.config.Spec.qparams([]float32{lo}, []float32{hi})
		if err != nil {
			return nil, o.fail(err)
		}
		o.cached = q
	}
	return o.cached.Clone(), nil
}

func (o *histogramObserver) State() State {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := State{Config: o.config, Batches: o.batches}
	if o.batches > 0 {
		s.Min, s.Max, s.Counts = []float32{o.lo}, []float32{o.hi}, slices.Clone(o.counts)
	}
	return s
}

func (o *histogramObserver) Restore(s State) error {
	if err := o.checkState(s); err != nil {
		return err
	}
	if s.Batches > 0 {
		if len(s.Counts) != histogramBins || !isFinite(s.Max[0]-s.Min[0]) {
			return o.mismatch("the state has %d bins from %v to %v", len(s.Counts), s.Min[0], s.Max[0])
		}
		for _, c := range s.Counts {
			if !isFinite(c) { // resampling leaves some a little below 0, as in PyTorch
				return o.mismatch("the state has a bin of %v values", c)
			}
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.batches, o.cached = s.Batches, nil
	o.lo, o.hi, o.counts = 0, 0, slices.Clone(s.Counts)
	if s.Batches > 0 {
		o.lo, o.hi = s.Min[0], s.Max[0]
	}
	return nil
}
