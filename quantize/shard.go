package quantize

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/octet-ml/octet/internal/sorting"
)

// Shard is one of Count parts of a sequence of batches, each of which another process runs. Parts follow each other,
// and their lengths differ by one at most.
type Shard struct {
	Index int `json:"index"` // 0 to Count-1
	Count int `json:"count"`
}

// maxShards bounds Count.
const maxShards = 1 << 20

// ParseShard reads "0/4", the first of four shards.
func ParseShard(text string) (Shard, error) {
	index, count, ok := strings.Cut(text, "/")
	i, errIndex := strconv.Atoi(index)
	n, errCount := strconv.Atoi(count)
	s := Shard{i, n}
	if !ok || errIndex != nil || errCount != nil {
		return s, &ShardError{fmt.Sprintf("%q is no shard: write i/n, 0/4 for the first of four", text)}
	}
	return s, s.validate()
}

func (s Shard) validate() error {
	if s.Count < 1 || s.Count > maxShards || s.Index < 0 || s.Index >= s.Count {
		return &ShardError{fmt.Sprintf("%v is no shard: of n shards, 1 to %d, the first is 0/n and the last n-1/n", s, maxShards)}
	}
	return nil
}

// String gives "0/4".
func (s Shard) String() string { return fmt.Sprintf("%d/%d", s.Index, s.Count) }

// Range returns which of so many batches the shard has: [from, to), which may be none.
func (s Shard) Range(batches int) (from, to int) {
	cut := func(i int) int { return int(int64(i) * int64(batches) / int64(s.Count)) }
	return cut(s.Index), cut(s.Index + 1)
}

// CheckShards returns a *ShardError unless the shards are all of one sequence, each once.
func CheckShards(shards []Shard) error {
	have := make(map[int]bool)
	for _, s := range shards {
		if s.Count != shards[0].Count {
			return &ShardError{fmt.Sprintf("shard %v is of another cut than shard %v", s, shards[0])}
		}
		if have[s.Index] {
			return &ShardError{fmt.Sprintf("shard %v is given twice", s)}
		}
		have[s.Index] = true
	}
	if len(shards) == shards[0].Count {
		return nil
	}
	var missing []string
	for i := 0; i < shards[0].Count && len(missing) < 8; i++ {
		if !have[i] {
			missing = append(missing, Shard{i, shards[0].Count}.String())
		}
	}
	return &ShardError{fmt.Sprintf("%d of %d shards are missing: %s", shards[0].Count-len(shards), shards[0].Count, strings.Join(missing, ", "))}
}

// ShardError says why shards cannot be calibrated, used or merged.
type ShardError struct{ Reason string }

func (e *ShardError) Error() string { return "quantize: " + e.Reason }

// Part says which part of a calibration a Quantizer holds that was cut into shards.
type Part struct {
	Shard
	// Samples and Batch are those of the whole data, and of a run.
	Samples int `json:"samples"`
	Batch   int `json:"batch"`
	// Pass is 1 or 2. Histogram counts in a second pass, when the ranges of all batches are known.
	Pass int `json:"pass"`
	// Merged says that these are all shards of the first pass, which the second begins with.
	Merged bool `json:"merged,omitempty"`
}

func (p *Part) validate() error {
	if err := p.Shard.validate(); err != nil {
		return err
	}
	if p.Samples < 0 || p.Batch < 1 || p.Pass < 1 || p.Pass > 2 || p.Merged && (p.Pass != 1 || p.Index != 0) {
		return &ShardError{fmt.Sprintf("the state is a part that cannot be: %+v", *p)}
	}
	return nil
}

// Part returns which part of a calibration the quantizer holds, nil for one that is whole.
func (q *Quantizer) Part() *Part {
	if q.part == nil {
		return nil
	}
	p := *q.part
	return &p
}

// Shard says, before the first Calib, that this process calibrates one of several parts of the data: the batches that
// s.Range gives, of so many samples each, of all samples. Their runs come in order, one at a time. The states of all
// shards are what MergeShards joins; until then nothing can be quantized. It fails with a *ShardError where the
// result would depend on how the data is cut, and for a quantizer that has observed something, unless that is what
// MergeShards gave for the second pass.
func (q *Quantizer) Shard(s Shard, samples, batch int) error {
	p := &Part{Shard: s, Samples: samples, Batch: batch, Pass: 1}
	if err := p.validate(); err != nil {
		return err
	}
	if !q.opts.NeedsData() {
		return &ShardError{"quantizing activations while running needs no calibration: there is nothing to cut into shards"}
	}
	if have := q.part; have != nil && have.Merged {
		if have.Count != s.Count || have.Samples != samples || have.Batch != batch {
			return &ShardError{fmt.Sprintf("the first pass was over %d samples in batches of %d and %d shards: the second must be, too, not over %d in batches of %d and %d",
				have.Samples, have.Batch, have.Count, samples, batch, s.Count)}
		}
		p.Pass = 2
		q.channels = make(map[string]Observer) // which the second pass observes again, as moments are
		for name, o := range q.values {
			r, ok := o.(*recorder)
			if !ok {
				return &ShardError{fmt.Sprintf("%q has no ranges of a first pass", name)}
			}
			if err := r.count(s.Index); err != nil {
				return err
			}
		}
	} else if have != nil || len(q.values)+len(q.channels)+len(q.moments) > 0 {
		return &ShardError{"a shard begins with no calibration: the state may only be what merging the first pass gave"}
	}
	q.part, q.partRead = p, false
	return nil
}

// whole returns an error where the quantizer holds only a part of a calibration.
func (q *Quantizer) whole() error {
	switch p := q.part; {
	case p == nil:
		return nil
	case p.Merged:
		return &ShardError{fmt.Sprintf("the calibration is the first of two passes: run its %d shards again with this state, and merge those", p.Count)}
	default:
		return &ShardError{fmt.Sprintf("the calibration is shard %v: merge all %d first", p.Shard, p.Count)}
	}
}

// MergeShards joins all shards of a calibration, in any order, into what one process has that ran on all batches:
// the same state, to the byte. Where the observers need a second pass over the data, as Histogram does, the result
// of the first is for that (its Part is Merged): every shard begins with it. It fails with a *ShardError when one is missing.
func MergeShards(parts ...*Quantizer) (*Quantizer, error) {
	if len(parts) == 0 {
		return nil, &ShardError{"no shards to merge"}
	}
	parts = slices.Clone(parts)
	if err := checkParts(parts); err != nil {
		return nil, err
	}
	sorting.Func(parts, func(a, b *Quantizer) int { return cmp.Compare(a.part.Index, b.part.Index) })
	merged := New(parts[0].opts)
	if err := merged.configure(nil); err != nil {
		return nil, err
	}
	for _, q := range parts {
		merged.model = cmp.Or(merged.model, q.model)
		prepared, err := joinPreparations(merged.prepared, q.prepared)
		if err != nil {
			return nil, fmt.Errorf("shard %v: %w", q.part.Shard, err)
		}
		merged.prepared = prepared
	}
	if merged.needsSecondPass() && parts[0].part.Pass == 1 {
		first := *parts[0].part
		first.Merged = true
		merged.part, merged.partRead = &first, true
	}
	var err error
	if merged.values, err = joinShards(parts, func(q *Quantizer) map[string]Observer { return q.values }, merged.part != nil); err != nil {
		return nil, err
	}
	if merged.channels, err = joinShards(parts, func(q *Quantizer) map[string]Observer { return q.channels }, false); err != nil {
		return nil, err
	}
	if merged.part == nil {
		var moments []map[string]*momentSums
		for _, q := range parts {
			moments = append(moments, q.moments)
		}
		if merged.moments, err = mergeMoments(moments...); err != nil {
			return nil, err
		}
	}
	if len(merged.values)+len(merged.channels)+len(merged.moments) == 0 {
		return nil, errors.New("quantize: no shard has been calibrated")
	}
	return merged, nil
}

// joinShards returns observers that have seen what those of all parts have. ranges says that the first of two passes is over.
func joinShards(parts []*Quantizer, of func(*Quantizer) map[string]Observer, ranges bool) (map[string]Observer, error) {
	configs := make(map[string]ObserverConfig)
	for _, q := range parts {
		for name, o := range of(q) {
			configs[name] = o.Config()
		}
	}
	merged := make(map[string]Observer)
	for _, name := range slices.Sorted(maps.Keys(configs)) {
		seen := make([]State, len(parts))
		for i, q := range parts {
			seen[i].Config = configs[name]
			if o := of(q)[name]; o != nil {
				seen[i] = o.State()
			}
		}
		o, err := mergeStates(name, seen, ranges)
		if err != nil {
			return nil, err
		}
		merged[name] = o
	}
	return merged, nil
}

// checkParts returns an error unless the parts are all shards of one calibration.
func checkParts(parts []*Quantizer) error {
	var shards []Shard
	first := parts[0]
	for _, q := range parts {
		if q.part == nil || q.part.Merged {
			return &ShardError{"a calibration that is no shard cannot be merged with shards"}
		}
		if err := q.configure(nil); err != nil {
			return err
		}
		if q.part.Samples != first.part.Samples || q.part.Batch != first.part.Batch || q.part.Pass != first.part.Pass {
			return &ShardError{fmt.Sprintf("shard %v is of %d samples in batches of %d, pass %d, and shard %v of %d in batches of %d, pass %d",
				first.part.Shard, first.part.Samples, first.part.Batch, first.part.Pass, q.part.Shard, q.part.Samples, q.part.Batch, q.part.Pass)}
		}
		if q.observers.Activation != first.observers.Activation || q.opts.Backend.String() != first.opts.Backend.String() || q.opts.Equalize != first.opts.Equalize || q.opts.Smooth != first.opts.Smooth ||
			q.opts.needsMoments() != first.opts.needsMoments() || (q.opts.Rounding == Learned) != (first.opts.Rounding == Learned) {
			return fmt.Errorf("quantize: %w: shards %v and %v have other options: %v with %v, and %v with %v", ErrMismatch,
				first.part.Shard, q.part.Shard, first.opts.Backend, first.observers.Activation, q.opts.Backend, q.observers.Activation)
		}
		if q.model != "" && first.model != "" && q.model != first.model {
			return &ModelError{File: q.file, Have: q.model, Given: first.model}
		}
		shards = append(shards, q.part.Shard)
	}
	return CheckShards(shards)
}

// needsSecondPass reports whether values can only be counted when the ranges of all batches are known.
func (q *Quantizer) needsSecondPass() bool { return q.observers.Activation.Kind == Histogram }

// mergeStates returns the observer that has seen what the shards have, in order. ranges says that the first of two passes
// is over.
func mergeStates(name string, seen []State, ranges bool) (Observer, error) {
	if ranges {
		return joinRanges(name, seen)
	}
	o, err := seen[0].Config.New(name)
	if err != nil {
		return nil, err
	}
	for _, s := range seen {
		if s.Config != seen[0].Config {
			return nil, &ObserverError{name, s.Config.Kind, fmt.Errorf("%w: another shard observed it as %v", ErrMismatch, seen[0].Config)}
		}
		if s.Partials != nil {
			err = s.Partials.replay(o)
		} else if s.Batches > 0 {
			var part Observer
			if part, err = s.NewObserver(name); err == nil {
				err = o.Merge(part)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	return o, nil
}
