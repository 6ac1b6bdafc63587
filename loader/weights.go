package loader

import (
	"iter"
	"slices"
	"strings"

	"github.com/octet-ml/octet/internal/nametable"
	"github.com/octet-ml/octet/tensor"
)

// Weights are the tensors of a state_dict by name, in the order of the file.
type Weights struct {
	tensors []Named
	index   *nametable.Table

	// Scalars are the entries that are numbers, strings, bools or None (nil), by
	// name: int64, float64, string, bool. Those of a checkpoint around the
	// state_dict are among them: "epoch", "best_prec1".
	Scalars map[string]any
	// Skipped names the entries that are neither: an optimizer's state, options.
	Skipped []string
}

// newWeights makes room for n tensors, as many as the file has names for.
func newWeights(n int) *Weights {
	return &Weights{tensors: make([]Named, 0, n), index: nametable.New(n), Scalars: make(map[string]any)}
}

func (w *Weights) nameAt(place int) string { return w.tensors[place].Name }

func (w *Weights) add(name string, t *tensor.Tensor) {
	if i := w.index.Add(name, len(w.tensors), w.nameAt); i < len(w.tensors) {
		w.tensors[i].Tensor = t
		return
	}
	w.tensors = append(w.tensors, Named{Name: name, Tensor: t})
}

// finish drops what wrappers of modules put into names, and rejects a file without weights.
func (w *Weights) finish() (*Weights, error) {
	if len(w.tensors) == 0 {
		return nil, &FileError{Reason: "no tensors in it: " + howToSave}
	}
	w.rename(withoutWrappers)
	w.dropCounter()
	for w.hasPrefix(dataParallel) {
		w.rename(func(name string) string { return strings.TrimPrefix(name, dataParallel) })
	}
	return w, nil
}

// dataParallel is what DataParallel and DistributedDataParallel put in front of all names, averageCounter what averaged
// models count beside them.
const (
	dataParallel   = "module."
	averageCounter = "n_averaged"
)

// wrappers are the attributes in which torch.compile, FSDP and checkpointing of activations keep the modules they wrap, of
// whichever part of a model.
var wrappers = []string{"_orig_mod", "_fsdp_wrapped_module", "_fpw_module", "_checkpoint_wrapped_module"}

// withoutWrappers returns a name without the attributes of wrappers.
func withoutWrappers(name string) string {
	if !strings.Contains(name, "_mod") {
		return name
	}
	parts := slices.DeleteFunc(strings.Split(name, "."), func(part string) bool { return slices.Contains(wrappers, part) })
	return strings.Join(parts, ".")
}

// rename gives all tensors other names, unless two would have the same.
func (w *Weights) rename(to func(string) string) {
	changed := func(t Named) bool { return to(t.Name) != t.Name }
	if !slices.ContainsFunc(w.tensors, changed) {
		return
	}
	renamed := slices.Clone(w.tensors)
	for i := range renamed {
		renamed[i].Name = to(renamed[i].Name)
	}
	if index := indexOf(renamed); index != nil {
		w.tensors, w.index = renamed, index
	}
}

// indexOf returns the table of names of tensors, nil where two have the same.
func indexOf(tensors []Named) *nametable.Table {
	index := nametable.New(len(tensors))
	at := func(place int) string { return tensors[place].Name }
	for i, t := range tensors {
		if index.Add(t.Name, i, at) != i {
			return nil
		}
	}
	return index
}

// hasPrefix reports whether all names have a prefix and more.
func (w *Weights) hasPrefix(prefix string) bool {
	return !slices.ContainsFunc(w.tensors, func(t Named) bool { return !strings.HasPrefix(t.Name, prefix) || t.Name == prefix })
}

// dropCounter drops the number of models that were averaged, where all else is of the module.
func (w *Weights) dropCounter() {
	i := w.index.Find(averageCounter, w.nameAt)
	if i < 0 || len(w.tensors) == 1 {
		return
	}
	for _, t := range w.tensors {
		if t.Name != averageCounter && !strings.HasPrefix(t.Name, dataParallel) {
			return
		}
	}
	w.tensors = slices.Delete(w.tensors, i, i+1)
	w.index = indexOf(w.tensors)
	w.Skipped = append(w.Skipped, averageCounter)
}

// under returns the weights whose names begin with a part that all of them have, without that part; nil where there is none.
func (w *Weights) under() *Weights {
	part, _, ok := strings.Cut(w.tensors[0].Name, ".")
	if !ok || !w.hasPrefix(part+".") {
		return nil
	}
	inner := *w
	inner.rename(func(name string) string { return strings.TrimPrefix(name, part+".") })
	return &inner
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
	if i := w.index.Find(name, w.nameAt); i >= 0 {
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
