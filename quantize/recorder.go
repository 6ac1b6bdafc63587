package quantize

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/octet-ml/octet/tensor"
)

// Partials are what each batch of a shard adds to an observer whose result depends on the order of the batches.
type Partials struct {
	// Min and Max are the extremes of the batches, in order.
	Min []float32 `json:"min"`
	Max []float32 `json:"max"`
	// Counts are the bins of the batches over the ranges that Histogram has at them, in a second pass: each bin as a varint.
	Counts [][]byte `json:"counts,omitempty"`
	// Lengths, of all shards of a first pass, say how many of the batches each of them had.
	Lengths []int `json:"lengths,omitempty"`
}

// recorder observes a shard for MovingAverage and Histogram: it keeps what each batch adds, for MergeShards to do in
// order what one process does. Of what Histogram counts, the range depends on all batches before: a second pass
// counts, in which plan has them.
type recorder struct {
	base
	partials Partials
	plan     []histogramStep // of the batches of this shard; nil in the first pass
	expected Partials        // what the first pass has of them
}

func newRecorder(name string, c ObserverConfig) (*recorder, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	r := &recorder{base: base{name: name, config: c}}
	if c.Spec.Scheme.PerChannel() || !recorded(c.Kind) {
		return nil, r.mismatch("shards of it are not recorded batch by batch")
	}
	return r, nil
}

// recorded reports whether observers of a kind depend on the order of the batches.
func recorded(k Kind) bool { return k == MovingAverage || k == Histogram }

func (r *recorder) Observe(x *tensor.Tensor) error {
	v, err := r.values(x)
	if err != nil || len(v) == 0 {
		return err
	}
	lo, hi, finite := minMax(v)
	if !finite {
		return r.fail(ErrNotFinite)
	}
	return r.observeRange(lo, hi, countAll(v))
}

func (r *recorder) observeRange(lo, hi float32, count counter) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.plan != nil {
		i := len(r.partials.Min)
		if i >= len(r.plan) || !equalBits(lo, r.expected.Min[i]) || !equalBits(hi, r.expected.Max[i]) {
			return r.fail(&ShardError{fmt.Sprintf("batch %d of the shard has the range %v to %v, which is not that of the first pass: run both passes on the same model, data and processor tier", i, lo, hi)})
		}
		step := r.plan[i]
		n := make([]int64, histogramBins)
		countBins(step.lo, step.hi, count, n)
		r.partials.Counts = append(r.partials.Counts, packCounts(n))
	}
	r.partials.Min, r.partials.Max = append(r.partials.Min, lo), append(r.partials.Max, hi)
	r.batches++
	return nil
}

func equalBits(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }

// count makes a merged first pass the beginning of a shard's second.
func (r *recorder) count(shard int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.partials
	if shard >= len(all.Lengths) {
		return r.mismatch("the first pass had %d shards", len(all.Lengths))
	}
	from := 0
	for _, n := range all.Lengths[:shard] {
		from += n
	}
	to := from + all.Lengths[shard]
	h := &histogramObserver{base: base{name: r.name, config: r.config}}
	r.plan = make([]histogramStep, 0, to-from)
	for i := range to {
		step, err := h.next(all.Min[i], all.Max[i])
		if err != nil {
			return err
		}
		h.widen(step)
		if i >= from {
			r.plan = append(r.plan, step)
		}
	}
	r.expected = Partials{Min: all.Min[from:to], Max: all.Max[from:to]}
	r.partials, r.batches = Partials{}, 0
	return nil
}

// replay does in an observer what the batches do.
func (p *Partials) replay(o Observer) error {
	switch o := o.(type) {
	case *rangeObserver:
		for i, lo := range p.Min {
			if err := o.observeRange(lo, p.Max[i], nil); err != nil {
				return err
			}
		}
	case *histogramObserver:
		if len(p.Counts) != len(p.Min) {
			return o.mismatch("a shard has %d batches and counts of %d", len(p.Min), len(p.Counts))
		}
		for i, lo := range p.Min {
			n, ok := unpackCounts(p.Counts[i])
			if !ok {
				return o.mismatch("batch %d of a shard has no %d bins", i, histogramBins)
			}
			step, err := o.next(lo, p.Max[i])
			if err != nil {
				return err
			}
			o.take(step, floatCounts(n))
		}
	}
	return nil
}

// joinRanges returns the recorder of what all shards of a first pass have seen.
func joinRanges(name string, seen []State) (Observer, error) {
	r, err := newRecorder(name, seen[0].Config)
	if err != nil {
		return nil, err
	}
	for _, s := range seen {
		p := s.Partials
		if p == nil {
			p = &Partials{}
		}
		r.partials.Min, r.partials.Max = append(r.partials.Min, p.Min...), append(r.partials.Max, p.Max...)
		r.partials.Lengths = append(r.partials.Lengths, len(p.Min))
	}
	r.batches = int64(len(r.partials.Min))
	return r, nil
}

// packCounts writes bins as varints.
func packCounts(n []int64) []byte {
	var b []byte
	for _, c := range n {
		b = binary.AppendUvarint(b, uint64(c))
	}
	return b
}

// unpackCounts reads what packCounts writes.
func unpackCounts(b []byte) (n []int64, ok bool) {
	n = make([]int64, histogramBins)
	for i := range n {
		c, size := binary.Uvarint(b)
		if size <= 0 || c > math.MaxInt64 {
			return nil, false
		}
		n[i], b = int64(c), b[size:]
	}
	return n, len(b) == 0
}

// QParams fails: a shard says nothing of the rest of the data.
func (r *recorder) QParams() (*tensor.QParams, error) {
	return nil, r.fail(&ShardError{"it has seen a shard of the data: merge all"})
}

// Merge fails: see MergeShards.
func (r *recorder) Merge(Observer) error {
	return r.fail(&ShardError{"shards are merged all at once"})
}

func (r *recorder) State() State {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.partials
	return State{Config: r.config, Batches: r.batches, Partials: &Partials{
		Min: slices.Clone(p.Min), Max: slices.Clone(p.Max), Counts: slices.Clone(p.Counts), Lengths: slices.Clone(p.Lengths),
	}}
}

func (r *recorder) Restore(s State) error {
	p := s.Partials
	if p == nil || s.Config != r.config || len(p.Min) != len(p.Max) || s.Batches != int64(len(p.Min)) || len(s.Min)+len(s.Max)+len(s.Counts)+len(s.GridCounts) > 0 {
		return r.mismatch("the state is none of a shard")
	}
	for i, lo := range p.Min {
		if hi := p.Max[i]; !(lo <= hi) || !isFinite(lo) || !isFinite(hi) {
			return r.mismatch("the state has the range %v to %v", lo, hi)
		}
	}
	if len(p.Counts) > 0 && (len(p.Counts) != len(p.Min) || r.config.Kind != Histogram) {
		return r.mismatch("the state has %d batches and counts of %d", len(p.Min), len(p.Counts))
	}
	for i, b := range p.Counts {
		if _, ok := unpackCounts(b); !ok {
			return r.mismatch("batch %d of the state has no %d bins", i, histogramBins)
		}
	}
	left := len(p.Min)
	for _, n := range p.Lengths {
		if n < 0 || n > left {
			return r.mismatch("the state has shards of %v batches, together not %d", p.Lengths, len(p.Min))
		}
		left -= n
	}
	if len(p.Lengths) > 0 && left > 0 {
		return r.mismatch("the state has shards of %v batches, together not %d", p.Lengths, len(p.Min))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.batches, r.partials, r.plan = s.Batches, *p, nil
	return nil
}
