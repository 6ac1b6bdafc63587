package loader

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/octet-ml/octet/internal/filekind"
	"github.com/octet-ml/octet/loader/internal/pickle"
	"github.com/octet-ml/octet/tensor"
)

// loadCheckpoint decodes the pickle of a checkpoint, record of a file.
func loadCheckpoint(record string, data []byte, limits pickle.Limits) (pickle.Value, int, error) {
	v, n, err := pickle.Load(data, pickle.Options{Global: stateDictGlobal, Call: standIn, Limits: limits})
	if err == nil {
		return v, n, nil
	}
	if isA[*GlobalError](err) && bytes.Contains(data, []byte("_parameters")) && bytes.Contains(data, []byte("_modules")) {
		err = filekind.OfModule(err)
		return nil, 0, &FileError{Record: record, Err: err}
	}
	return nil, 0, &FileError{Record: record, Reason: "rejected", Err: err}
}

// weightsOf finds the state_dict in what a checkpoint holds and makes its
// tensors.
func (f *modelFile) weightsOf(top pickle.Value, r *rebuilder) (*Weights, error) {
	dict := dictOf(top)
	if dict == nil {
		return nil, &FileError{Reason: fmt.Sprintf("holds %s, not a state_dict: %s", pickle.Describe(top), howToSave)}
	}
	c, err := choose(dict, f.key)
	if err != nil {
		return nil, err
	}
	w := newWeights(c.dict.Len())
	for depth, d := range c.outside {
		for i := range d.Len() {
			if k, v := d.At(i); k != c.path[depth] {
				w.note(strings.Join(append(slices.Clone(c.path[:depth]), keyName(k)), "."), v)
			}
		}
	}
	for i := range c.dict.Len() {
		k, v := c.dict.At(i)
		if err := w.entry(keyName(k), v, r); err != nil {
			return nil, err
		}
		c.dict.Release(i)
	}
	return w.finish()
}

// entry adds one entry of a state_dict: a tensor; the tensors of a tuple or list
// with their index after the name, as quantized modules have them; or a note.
func (w *Weights) entry(name string, v pickle.Value, r *rebuilder) error {
	if !utf8.ValidString(name) {
		return &FileError{Record: strconv.Quote(name), Reason: "the name of a tensor is not UTF-8"}
	}
	if len(name) > maxName {
		return &FileError{Record: strings.ToValidUTF8(name[:64], "") + "...", Reason: fmt.Sprintf("the name of a tensor has %d bytes, at most %d are read", len(name), maxName)}
	}
	t, err := r.tensor(v)
	if err != nil {
		return reject(name, err)
	}
	if t != nil {
		w.add(name, t)
		return nil
	}
	items := sequence(v)
	if !slices.ContainsFunc(items, isTensor) {
		w.note(name, v)
		return nil
	}
	for i, item := range items {
		if err := w.entry(name+"."+strconv.Itoa(i), item, r); err != nil {
			return err
		}
	}
	return nil
}

// note keeps an entry that is not a tensor.
func (w *Weights) note(name string, v pickle.Value) {
	switch v.(type) {
	case nil, bool, int64, float64, string:
		w.Scalars[name] = v
	default:
		w.Skipped = append(w.Skipped, name)
	}
}

// holdsTensors reports whether a tensor is among a dict's values.
func holdsTensors(d *pickle.Dict) bool {
	for i := range d.Len() {
		if _, v := d.At(i); isTensor(v) || slices.ContainsFunc(sequence(v), isTensor) {
			return true
		}
	}
	return false
}

// isTensor reports whether v is one, judged by what it is made with.
// It is not inlined, for the size of programs: docs/architecture.md.
//
//go:noinline
func isTensor(v pickle.Value) bool {
	switch v := v.(type) {
	case *pickle.Persistent, *savedTensor:
		return true
	case *pickle.Object:
		switch v.Class.String() {
		case rebuildTensor, rebuildTensorV2, rebuildTensorV3, rebuildQTensor, rebuildParameter, rebuildParameterState,
			rebuildFromType, rebuildFromTypeV2:
			return true
		}
	}
	return false
}

func sequence(v pickle.Value) []pickle.Value {
	switch v := v.(type) {
	case pickle.Tuple:
		return v
	case *pickle.List:
		return v.Items
	}
	return nil
}

func keyName(k pickle.Value) string {
	if s, ok := k.(string); ok {
		return s
	}
	switch k.(type) {
	case nil, bool, int64, float64:
		return fmt.Sprint(k)
	}
	return pickle.Describe(k)
}

// bool storages hold any byte, a bool must be 0 or 1.
func (s storage) normalized() storage {
	if s.dtype == tensor.Bool {
		tensor.NormalizeBools(s.data)
	}
	return s
}
