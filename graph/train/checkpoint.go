package train

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/octet-ml/octet/tensor"
)

// checkpoint is what a file says besides its tensors.
type checkpoint struct {
	Version  int               `json:"version"`
	Steps    int               `json:"steps"`
	Sampler  *sampled          `json:"sampler,omitempty"`
	Settings map[string]string `json:"settings,omitempty"`
}

// sampled is the state of a Sampler.
type sampled struct {
	Seed  uint64 `json:"seed"`
	N     int    `json:"n"`
	Batch int    `json:"batch"`
	Epoch int    `json:"epoch"`
	Next  int    `json:"next"`
}

const checkpointVersion = 2

// Names of the arrays of a checkpoint.
const (
	stateRecord     = "state"
	parameterRecord = "parameter/"
	momentRecord    = "moment%d/"
)

// Save writes the state of training to the .npz file at path: parameters and buffers, what the optimiser
// keeps, the number of steps, Options.Settings, and where the sampler is, which may be nil. The file appears complete or
// not at all. A trainer of the same model and options that loads it makes the same steps, to the bit, as
// this one would.
func (t *Trainer) Save(path string, s *Sampler) error {
	c := checkpoint{Version: checkpointVersion, Steps: t.step, Settings: t.opts.Settings}
	if s != nil {
		c.Sampler = &sampled{s.seed, s.n, s.batch, s.epoch, s.next}
	}
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	state, err := tensor.FromSlice(text, len(text))
	if err != nil {
		return err
	}
	arrays := []tensor.Named{{Name: stateRecord, Tensor: state}}
	t.tensors(func(name string, x *tensor.Tensor) {
		arrays = append(arrays, tensor.Named{Name: name, Tensor: x})
	})
	return tensor.WriteNPZ(path, arrays)
}

// tensors calls f with everything that a checkpoint holds.
func (t *Trainer) tensors(f func(name string, x *tensor.Tensor)) {
	for i, p := range t.params {
		f(parameterRecord+p.Name, p.Value)
		for j, m := range t.slots[i].moments {
			f(fmt.Sprintf(momentRecord, j+1)+p.Name, m)
		}
	}
}

// Load brings the trainer, and the sampler if there is one, to the state that Save wrote. A file that is none, or is one of
// another model, optimiser, data or Settings, is rejected with a *tensor.FileError, and nothing has changed then.
func (t *Trainer) Load(path string, s *Sampler) error {
	budget := int64(1 << 16)
	for _, p := range t.params {
		budget += (1 + maxMoments) * int64(len(p.Value.Bytes())) // enough to tell that a file is another optimiser's
	}
	reject := func(record, format string, args ...any) error {
		return &tensor.FileError{File: path, Record: record, Reason: fmt.Sprintf(format, args...) + ": " + howToResume}
	}
	arrays, err := tensor.ReadNPZ(path, budget)
	if file, ok := errors.AsType[*tensor.FileError](err); ok {
		return reject(file.Record, "not a whole checkpoint of this training, %s", (&tensor.FileError{Reason: file.Reason, Err: file.Err}).Error())
	}
	if err != nil {
		return err
	}
	var c checkpoint
	state := arrays.Get(stateRecord)
	if state == nil || state.DType() != tensor.Uint8 || state.Rank() != 1 {
		return reject(stateRecord, "not a checkpoint: it has no state")
	}
	d := json.NewDecoder(bytes.NewReader(state.Contiguous().Uint8s()))
	d.DisallowUnknownFields()
	err = d.Decode(&c)
	if c.Version > checkpointVersion { // the rest may be anything
		return reject(stateRecord, "version %d of the format, this is for version %d: use a newer octet", c.Version, checkpointVersion)
	}
	if err != nil {
		return reject(stateRecord, "not a checkpoint: %v", err)
	}
	if c.Version != checkpointVersion || c.Steps < 0 {
		return reject(stateRecord, "version %d and %d steps, where version %d is read", c.Version, c.Steps, checkpointVersion)
	}
	if others := otherSettings(c.Settings, t.opts.Settings); others != "" {
		return reject(stateRecord, "it was written with %s", others)
	}
	restored, err := c.Sampler.sampler(s)
	if err != nil {
		return reject(stateRecord, "%v", err)
	}
	var bad error
	count := 1
	t.tensors(func(name string, x *tensor.Tensor) {
		count++
		if have := arrays.Get(name); bad == nil && (have == nil || have.DType() != x.DType() || !have.Shape().Equal(x.Shape())) {
			bad = reject(name, "%v where the training has %v", have, x)
		}
	})
	if bad == nil && count != len(arrays) {
		bad = reject("", "%d arrays where the training has %d", len(arrays), count)
	}
	if bad != nil {
		return bad
	}
	t.tensors(func(name string, x *tensor.Tensor) { bad = errors.Join(bad, x.CopyFrom(arrays.Get(name))) })
	t.step = c.Steps
	if s != nil {
		*s = *restored
	}
	return bad
}

// howToResume is what to do about a checkpoint that is rejected.
const howToResume = "go on with the model, data and options that it was written with, or begin anew with another file"

// otherSettings lists the settings of a file that differ from those here, "" where none do.
func otherSettings(file, here map[string]string) string {
	all := maps.Clone(here)
	if all == nil {
		all = make(map[string]string)
	}
	maps.Copy(all, file)
	var others []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if was, is := file[name], here[name]; was != is {
			others = append(others, fmt.Sprintf("%s %q where this training has %q", name, was, is))
		}
	}
	return strings.Join(others, ", ")
}

// sampler returns s in the recorded state.
func (c *sampled) sampler(s *Sampler) (*Sampler, error) {
	switch {
	case s == nil:
		return nil, nil
	case c == nil:
		return nil, errors.New("it does not say where in the data training was")
	case c.Seed != s.seed || c.N != s.n || c.Batch != s.batch:
		return nil, fmt.Errorf("seed %d, %d samples and batches of %d, where the training has %d, %d and %d", c.Seed, c.N, c.Batch, s.seed, s.n, s.batch)
	case c.Epoch < 0 || c.Next < 0 || c.Next >= s.PerEpoch():
		return nil, fmt.Errorf("batch %d of epoch %d does not exist", c.Next, c.Epoch)
	}
	restored := &Sampler{seed: s.seed, n: s.n, batch: s.batch, epoch: c.Epoch, next: c.Next}
	restored.shuffle()
	return restored, nil
}
