package loader

import (
	"iter"
	"strings"

	"github.com/octet-ml/octet/tensor"
)

// Weights are the tensors of a state_dict by name, in the order of the file.
type Weights struct {
	tensors []Named
	index   map[string]int

	// Scalars are the entries that are numbers, strings, bools or None (nil), by
	// name: int64, float64, string, bool. Those of a checkpoint around the
	// state_dict are among them: "epoch", "best_prec1".
	Scalars map[string]any
	// Skipped names the entries that are neither: an optimizer's state, options.
	Skipped []string
}

// newWeights makes room for n tensors, as many as the file has names for.
func newWeights(n int) *Weights {
	return &Weights{tensors: make([]Named, 0, n), index: make(map[string]int, n), Scalars: make(map[string]any)}
}

func (w *Weights) add(name string, t *tensor.Tensor) {
	if i, ok := w.index[name]; ok {
		w.tensors[i].Tensor = t
		return
	}
	w.index[name] = len(w.tensors)
	w.tensors = append(w.tensors, Named{Name: name, Tensor: t})
}

// wrapperPrefixes are what wrappers of a module put in front of all names: DataParallel,
// torch.compile.
var wrapperPrefixes = []string{"module.", "_orig_mod."}

// finish drops the prefixes of wrappers, in any order, and rejects a file without weights.
func (w *Weights) finish() (*Weights, error) {
	if len(w.tensors) == 0 {
		return nil, &FileError{Reason: "no tensors in it: " + howToSave}
	}
	for i := 0; i < len(wrapperPrefixes); i++ {
		if w.dropPrefix(wrapperPrefixes[i]) {
			i = -1
		}
	}
	return w, nil
}

// dropPrefix drops a prefix that all names have, and reports whether they had it.
func (w *Weights) dropPrefix(prefix string) bool {
	for _, t := range w.tensors {
		if !strings.HasPrefix(t.Name, prefix) || t.Name == prefix {
			return false
		}
	}
	clear(w.index)
	for i := range w.tensors {
		w.tensors[i].Name = strings.TrimPrefix(w.tensors[i].Name, prefix)
		w.index[w.tensors[i].Name] = i
	}
	return true
}

// Len returns the number of tensors.
func (w *Weights) Len() int { return len(w.tensors) }

// Names returns the names of the tensors, in the order of the file.
func (w *Weights) Names() []string {
	names := make([]string, len(w.tensors))
	for i, t := range w.tensors {
		names[i] = t.Name
	}
	return names
}

// Get returns the tensor of a name, nil when there is none.
func (w *Weights) Get(name string) *tensor.Tensor {
	if i, ok := w.index[name]; ok {
		return w.tensors[i].Tensor
	}
	return nil
}

// All ranges over names and tensors, in the order of the file.
func (w *Weights) All() iter.Seq2[string, *tensor.Tensor] {
	return func(yield func(string, *tensor.Tensor) bool) {
		for _, t := range w.tensors {
			if !yield(t.Name, t.Tensor) {
				return
			}
		}
	}
}
