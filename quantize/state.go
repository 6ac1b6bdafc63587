package quantize

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/internal/atomicfile"
	"github.com/octet-ml/octet/internal/filekind"
	"github.com/octet-ml/octet/tensor"
)

// Forms of a saved Quantizer. Version 1 did not say which model was observed. That of a shard is
// another, which those that know no shards refuse, and so is that of sums that do not depend on the order of batches.
const (
	stateVersion  = 2
	shardVersion  = 3
	binnedVersion = 4
)

// quantizerState is a Quantizer in JSON.
type quantizerState struct {
	Version  int         `json:"version"`
	Model    string      `json:"model,omitempty"` // digest of the float model
	Shard    *Part       `json:"shard,omitempty"`
	Prepared *graph.Info `json:"samples,omitempty"`
	Options
	Values  map[string]State       `json:"values"`
	Moments map[string]momentState `json:"moments,omitempty"`
	// Channels are what smoothing needs.
	Channels map[string]State `json:"channels,omitempty"`
}

// MarshalJSON writes the options, the exclusions that fallbacks have added among
// them, and what the observers have seen, so that a calibration can be stopped
// and resumed, and run in parts that Merge joins. How proxies run is not part of it.
func (q *Quantizer) MarshalJSON() ([]byte, error) {
	s := quantizerState{Version: stateVersion, Model: q.model, Shard: q.part, Prepared: q.prepared, Options: q.opts, Values: make(map[string]State)}
	if q.part != nil {
		s.Version = shardVersion
	}
	for name, o := range q.values {
		s.Values[name] = o.State()
	}
	if len(q.moments) > 0 {
		s.Version, s.Moments = binnedVersion, make(map[string]momentState)
	}
	for name, m := range q.moments {
		s.Moments[name] = m.state()
	}
	if len(q.channels) > 0 {
		s.Channels = make(map[string]State)
	}
	for name, o := range q.channels {
		s.Channels[name] = o.State()
	}
	return json.Marshal(s)
}

// UnmarshalJSON reads what MarshalJSON writes, checked: it may come from anywhere.
// The options for running proxies stay as they are.
func (q *Quantizer) UnmarshalJSON(data []byte) error {
	var s quantizerState
	err := json.Unmarshal(data, &s)
	if s.Version > binnedVersion { // the rest may be anything
		return fmt.Errorf("quantize: version %d of the format, this is for version %d: use a newer octet", s.Version, binnedVersion)
	}
	if err != nil {
		return fmt.Errorf("quantize: the state: %w", err)
	}
	if s.Version < 1 || s.Version < binnedVersion && (s.Version == shardVersion) != (s.Shard != nil) {
		return fmt.Errorf("quantize: the state has version %d, which is not 1 to %d, or %d for a shard", s.Version, binnedVersion, shardVersion)
	}
	if s.Backend != nil { // the one of this name, not a copy
		var err error
		if s.Backend, err = ParseBackend(s.Backend.Name); err != nil {
			return err
		}
	}
	read := New(s.Options)
	if s.Shard != nil {
		if err := s.Shard.validate(); err != nil {
			return err
		}
		read.part, read.partRead = s.Shard, true
	}
	read.model = s.Model
	if s.Prepared != nil {
		if err := read.SetPreparation(*s.Prepared); err != nil {
			return err
		}
	}
	read.opts.Session = q.opts.Session
	if err := read.configure(nil); err != nil {
		return err
	}
	for name, state := range s.Values {
		o, err := state.NewObserver(name)
		if err != nil {
			return err
		}
		if _, ok := o.(*recorder); ok != (s.Shard != nil && recorded(state.Config.Kind)) {
			return fmt.Errorf("quantize: %q: %w: it is of a shard or the state is, not both", name, ErrMismatch)
		}
		read.values[name] = o
	}
	for name, state := range s.Channels {
		if c := state.Config; c != channelConfig(c.Spec.Axis) {
			return fmt.Errorf("quantize: %q: %w: channels are not observed as %v", name, ErrMismatch, c)
		}
		o, err := state.NewObserver(name)
		if err != nil {
			return err
		}
		read.channels[name] = o
	}
	for name, state := range s.Moments {
		m, err := state.moments()
		if err != nil {
			return fmt.Errorf("quantize: %q: %w", name, err)
		}
		read.moments[name] = m
	}
	*q = *read
	return nil
}

// Save writes the quantizer's state to a file, which appears complete or not at all.
func (q *Quantizer) Save(path string) error {
	data, err := json.Marshal(q)
	if err != nil {
		return err
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// LoadQuantizer returns a quantizer in the state that Save wrote. A file with anything
// else is rejected with a *tensor.FileError. The quantizer is for the model that was calibrated: methods
// that are given another one fail with a *ModelError. See Warnings for states that do not name theirs.
func LoadQuantizer(path string) (*Quantizer, error) {
	data, err := os.ReadFile(path)
	if info, e := os.Stat(path); e == nil && info.IsDir() {
		err = &tensor.FileError{File: path, Reason: "a folder: " + filekind.OfCalibration}
	}
	if err != nil {
		return nil, err
	}
	q := New(Options{})
	err = filekind.NotText(data, filekind.OfCalibration)
	if err == nil {
		err = json.Unmarshal(data, q)
	}
	if err != nil {
		return nil, &tensor.FileError{File: path, Reason: "it is no saved calibration", Err: err}
	}
	q.file = path
	return q, nil
}

// Merge takes in what another quantizer of the same configuration has observed
// on other data, and its exclusions: the result is that of one calibration on all
// data, exactly for MinMax, Percentile, Entropy and MSE, and for Histogram within the
// width of a bin. When it fails, nothing has changed.
func (q *Quantizer) Merge(other *Quantizer) error {
	if q.part != nil || other.part != nil {
		return &ShardError{"shards are merged all at once, and with nothing else"}
	}
	for _, c := range []*Quantizer{q, other} {
		if err := c.configure(nil); err != nil {
			return err
		}
	}
	if q.opts.Backend.String() != other.opts.Backend.String() || q.opts.Equalize != other.opts.Equalize || q.opts.needsMoments() != other.opts.needsMoments() || q.opts.Smooth != other.opts.Smooth || q.observers.Activation != other.observers.Activation {
		return fmt.Errorf("quantize: %w: the calibrations have other options: %v with %v, and %v with %v",
			ErrMismatch, q.opts.Backend, q.observers.Activation, other.opts.Backend, other.observers.Activation)
	}
	if q.model != "" && other.model != "" && q.model != other.model {
		return &ModelError{Have: other.model, Given: q.model}
	}
	prepared, err := joinPreparations(q.prepared, other.prepared)
	if err != nil {
		return err
	}
	merged, err := mergeObservers(q.values, other.values)
	if err != nil {
		return err
	}
	channels, err := q.mergeChannels(other)
	if err != nil {
		return err
	}
	mergedMoments, err := mergeMoments(q.moments, other.moments)
	if err != nil {
		return err
	}
	if len(merged)+len(channels)+len(mergedMoments) == 0 {
		return errors.New("quantize: neither quantizer has been calibrated")
	}
	q.values, q.channels, q.moments, q.prepared = merged, channels, mergedMoments, prepared
	q.model = cmp.Or(q.model, other.model)
	q.Exclude(other.opts.Filter.ExcludeNames...)
	return nil
}

// mergeChannels returns what two parts have observed of channels, without those that one, of an older version, has not.
func (q *Quantizer) mergeChannels(other *Quantizer) (map[string]Observer, error) {
	if len(q.channels)+len(q.values) == 0 || len(other.channels)+len(other.values) == 0 {
		return mergeObservers(q.channels, other.channels)
	}
	a, b := make(map[string]Observer), make(map[string]Observer)
	for name, o := range q.channels {
		if from := other.channels[name]; from != nil {
			a[name], b[name] = o, from
		}
	}
	return mergeObservers(a, b)
}

// mergeObservers returns what two parts have observed together. Values are the same in both, unless one has seen nothing.
func mergeObservers(a, b map[string]Observer) (map[string]Observer, error) {
	merged := make(map[string]Observer)
	for _, name := range slices.Sorted(maps.Keys(a)) {
		have, from := a[name], b[name]
		if from == nil {
			return nil, &ObserverError{name, have.Config().Kind, fmt.Errorf("%w: the other calibration did not observe it", ErrMismatch)}
		}
		o, err := have.State().NewObserver(name)
		if err == nil {
			err = o.Merge(from)
		}
		if err != nil {
			return nil, err
		}
		merged[name] = o
	}
	for name, o := range b {
		switch {
		case len(a) == 0:
			copied, err := o.State().NewObserver(name)
			if err != nil {
				return nil, err
			}
			merged[name] = copied
		case a[name] == nil:
			return nil, &ObserverError{name, o.Config().Kind, fmt.Errorf("%w: this calibration did not observe it", ErrMismatch)}
		}
	}
	return merged, nil
}

// mergeMoments returns the sums of the moments of parts. Layers are the same
// in all that have seen something.
func mergeMoments(parts ...map[string]*momentSums) (map[string]*momentSums, error) {
	out := make(map[string]*momentSums)
	for _, part := range parts {
		for name, m := range part {
			have := out[name]
			if have == nil {
				have = newMomentSums(m.groups, m.size, m.products != nil)
				out[name] = have
			}
			if err := have.add(m); err != nil {
				return nil, fmt.Errorf("quantize: %q: %w", name, err)
			}
		}
	}
	for _, part := range parts {
		for name := range out {
			if len(part) > 0 && part[name] == nil {
				return nil, fmt.Errorf("quantize: %q: %w: a calibration did not observe it", name, ErrMismatch)
			}
		}
	}
	return out, nil
}
