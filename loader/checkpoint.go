package loader

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/octet-ml/octet/loader/internal/pickle"
	"github.com/octet-ml/octet/tensor"
)

// wrapperKeys are the names under which checkpoints commonly hold the
// state_dict, in the order they are tried.
var wrapperKeys = []string{"state_dict", "model_state_dict", "model", "net", "weights", "params"}

// loadCheckpoint decodes the pickle of a checkpoint, record of a file.
func loadCheckpoint(record string, data []byte, limits pickle.Limits) (pickle.Value, int, error) {
	v, n, err := pickle.Load(data, pickle.Options{Global: stateDictGlobal, Call: standIn, Limits: limits})
	if err == nil {
		return v, n, nil
	}
	var pe *pickle.Error
	if errors.Is(err, errForeignClass) && bytes.Contains(data, []byte("_parameters")) && bytes.Contains(data, []byte("_modules")) {
		if errors.As(err, &pe) {
			return nil, 0, &FileError{Record: record, Reason: "a whole module was pickled, which only the Python code that defines it can read (it " +
				pe.Reason + "): save torch.save(model.state_dict(), path) instead, or trace it to TorchScript"}
		}
	}
	return nil, 0, &FileError{Record: record, Reason: "rejected", Err: err}
}

// weightsOf finds the state_dict in what a checkpoint holds and makes its
// tensors.
func weightsOf(top pickle.Value, r *rebuilder) (*Weights, error) {
	dict, ok := top.(*pickle.Dict)
	if !ok {
		return nil, &FileError{Reason: fmt.Sprintf("holds %s, not a state_dict: %s", pickle.Describe(top), howToSave)}
	}
	w := newWeights()
	if !holdsTensors(dict) || wrapped(dict) {
		key, inner, err := unwrap(dict)
		if err != nil {
			return nil, err
		}
		for i := range dict.Len() {
			if k, v := dict.At(i); k != key {
				w.note(keyName(k), v)
			}
		}
		dict = inner
	}
	for i := range dict.Len() {
		k, v := dict.At(i)
		if err := w.entry(keyName(k), v, r); err != nil {
			return nil, err
		}
		dict.Release(i)
	}
	return w.finish()
}

// entry adds one entry of a state_dict: a tensor; the tensors of a tuple or list
// with their index after the name, as quantized modules have them; or a note.
func (w *Weights) entry(name string, v pickle.Value, r *rebuilder) error {
	if !utf8.ValidString(name) {
		return &FileError{Record: strconv.Quote(name), Reason: "the name of a tensor is not UTF-8"}
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

// wrapped reports whether a dict that holds tensors is a checkpoint all the same: a state_dict
// lies in it under a common name, beside a loss or a step that are tensors.
func wrapped(dict *pickle.Dict) bool {
	for _, k := range wrapperKeys {
		v, _ := dict.Get(k)
		if d, ok := v.(*pickle.Dict); ok && holdsTensors(d) {
			return true
		}
	}
	return false
}

// unwrap finds the state_dict in a checkpoint.
func unwrap(dict *pickle.Dict) (key pickle.Value, inner *pickle.Dict, err error) {
	for _, k := range wrapperKeys {
		switch v, _ := dict.Get(k); v := v.(type) {
		case *pickle.Dict:
			if holdsTensors(v) {
				return k, v, nil
			}
		case *pickle.Object:
			return nil, nil, &FileError{Record: k, Reason: fmt.Sprintf("holds %s, not a state_dict: save its state_dict() instead", pickle.Describe(v))}
		}
	}
	var found []string
	for i := range dict.Len() {
		k, v := dict.At(i)
		if d, ok := v.(*pickle.Dict); ok && holdsTensors(d) {
			key, inner = k, d
			found = append(found, fmt.Sprintf("%q", keyName(k)))
		}
	}
	switch len(found) {
	case 0:
		return nil, nil, &FileError{Reason: "a dict without tensors, and none of the dicts in it has any: " + howToSave}
	case 1:
		return key, inner, nil
	}
	return nil, nil, &FileError{Reason: "has several dicts of tensors (" + strings.Join(found, ", ") + "): save the one to load by itself"}
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
	return fmt.Sprint(k)
}

// bool storages hold any byte, a bool must be 0 or 1.
func (s storage) normalized() storage {
	if s.dtype == tensor.Bool {
		tensor.NormalizeBools(s.data)
	}
	return s
}
