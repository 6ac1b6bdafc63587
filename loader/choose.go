package loader

import (
	"fmt"
	"slices"
	"strings"

	"github.com/octet-ml/octet/loader/internal/pickle"
)

// Key names the state_dict to read of a checkpoint that holds several, by its key: "ema". Keys of dicts in dicts have dots
// between them: "ema.module".
func Key(key string) Option { return func(f *modelFile) { f.key = key } }

// KeyError says that a checkpoint holds several state_dicts, or not the one asked for with Key.
type KeyError struct {
	Asked string   // "" when none was
	Keys  []string // of the state_dicts in the file, "" for the file as a whole
}

func (e *KeyError) Error() string {
	names := make([]string, len(e.Keys))
	for i, k := range e.Keys {
		if names[i] = fmt.Sprintf("%q", k); k == "" {
			names[i] = "the file itself"
		}
	}
	list := strings.Join(names, ", ")
	switch {
	case e.Asked == "":
		return "has several dicts of tensors (" + list + "): choose one by its key"
	case list == "":
		return fmt.Sprintf("has no state_dict under the key %q", e.Asked)
	}
	return fmt.Sprintf("has no state_dict under the key %q: it has %s", e.Asked, list)
}

// stateDictKeys are names under which checkpoints commonly hold the state_dict.
var stateDictKeys = []string{"state_dict", "model_state_dict", "model_state", "model", "module", "net", "network", "weights", "params"}

// stateKeys are parts of names under which checkpoints hold tensors that are no weights.
var stateKeys = []string{"optim", "scheduler", "scaler", "callback", "hyper_parameters", "hparams", "loops", "rng", "metric", "_extra_state"}

// stateNames are whole names of the same kind.
var stateNames = []string{"opt", "amp", "grad", "grads", "gradients", "args", "config", "cfg"}

// candidate is a dict in a checkpoint that may be the state_dict.
type candidate struct {
	path    []string // keys on the way
	outside []*pickle.Dict
	dict    *pickle.Dict
	weights bool // has names as weights have them
}

func (c candidate) key() string { return strings.Join(c.path, ".") }

// common reports whether the last key is one that state_dicts have.
func (c candidate) common() bool {
	return len(c.path) > 0 && slices.Contains(stateDictKeys, c.path[len(c.path)-1]) && !c.averaged()
}

// averaged reports whether the keys say that it is a moving average of the weights, which is another choice of them.
func (c candidate) averaged() bool {
	for _, k := range c.path {
		for _, part := range strings.FieldsFunc(strings.ToLower(k), func(r rune) bool { return r == '_' || r == '-' || r == '.' }) {
			if slices.Contains([]string{"ema", "swa", "averaged", "avg", "shadow"}, part) {
				return true
			}
		}
	}
	return false
}

// maxNested is how deep in dicts a state_dict may lie.
const maxNested = 4

// candidates lists the dicts below d that hold tensors, but those that hold an optimizer's or another state.
func candidates(d *pickle.Dict, path []string, outside []*pickle.Dict) []candidate {
	if _, ok := d.Get("param_groups"); ok || len(path) > maxNested {
		return nil // an optimizer
	}
	var inner []candidate
	training := false // the file of a training program, with an optimizer beside
	for i := range d.Len() {
		k, v := d.At(i)
		name, ok := k.(string)
		sub := dictOf(v)
		if sub == nil || !ok {
			continue
		}
		if _, optimizer := sub.Get("param_groups"); optimizer {
			training = true
		} else if !isState(name) {
			inner = append(inner, candidates(sub, append(slices.Clone(path), name), append(slices.Clone(outside), d))...)
		}
	}
	if !holdsTensors(d) || training && !hasWeightNames(d) {
		return inner
	}
	own := candidate{path, outside, d, hasWeightNames(d)}
	switch common := slices.ContainsFunc(inner, candidate.common); {
	case len(inner) == 0:
		return []candidate{own}
	case common || !own.weights && slices.ContainsFunc(inner, func(c candidate) bool { return c.weights }):
		return inner // beside a loss or a step that are tensors
	case own.weights && !slices.ContainsFunc(inner, func(c candidate) bool { return c.weights }):
		return []candidate{own}
	}
	return append(inner, own)
}

func isState(key string) bool {
	key = strings.ToLower(key)
	return slices.Contains(stateNames, key) || slices.ContainsFunc(stateKeys, func(s string) bool { return strings.Contains(key, s) })
}

// dictOf returns the dict that a value is, one of a class derived from dict too; nil for another value.
func dictOf(v pickle.Value) *pickle.Dict {
	switch v := v.(type) {
	case *pickle.Dict:
		return v
	case *pickle.Object:
		if dictClasses[v.Class.String()] {
			return v.Dict
		}
	}
	return nil
}

// hasWeightNames reports whether a tensor has a name as those of modules are: with dots, or "weight".
func hasWeightNames(d *pickle.Dict) bool {
	for i := range d.Len() {
		k, v := d.At(i)
		name, _ := k.(string)
		if (strings.Contains(name, ".") || name == "weight" || name == "bias") && (isTensor(v) || slices.ContainsFunc(sequence(v), isTensor)) {
			return true
		}
	}
	return false
}

// choose returns the state_dict of a checkpoint: the one under a key, if that is not "", or the only one that is likely.
func choose(top *pickle.Dict, key string) (candidate, error) {
	all := candidates(top, nil, nil)
	from := all
	if key != "" {
		from = nil
		for _, c := range all {
			if c.key() == key || strings.HasPrefix(c.key(), key+".") {
				from = append(from, c)
			}
		}
		if len(from) == 0 {
			if c, ok := lookUp(top, key); ok {
				return c, nil
			}
			return candidate{}, &FileError{Err: &KeyError{Asked: key, Keys: keysOf(all)}}
		}
	}
	if likely := keep(from, func(c candidate) bool { return c.weights }); len(likely) > 0 {
		from = likely
	}
	if key != "" {
		if exact := keep(from, func(c candidate) bool { return c.key() == key }); len(exact) > 0 {
			from = exact
		}
	}
	if common := keep(from, candidate.common); len(from) > 1 && len(common) > 0 {
		from = append(common, keep(from, func(c candidate) bool { return c.averaged() })...)
	}
	switch len(from) {
	case 0:
		return candidate{}, withoutWeights(top)
	case 1:
		return from[0], nil
	}
	return candidate{}, &FileError{Err: &KeyError{Asked: key, Keys: keysOf(from)}}
}

// lookUp returns the dict of tensors under a key, also where it would not be taken for a state_dict.
func lookUp(top *pickle.Dict, key string) (candidate, bool) {
	c := candidate{dict: top}
	for key != "" {
		name, rest := key, ""
		v, ok := c.dict.Get(name)
		for i := 0; !ok && i < len(key); i++ {
			if key[i] == '.' {
				name, rest = key[:i], key[i+1:]
				v, ok = c.dict.Get(name)
			}
		}
		d := dictOf(v)
		if d == nil {
			return c, false
		}
		c.path, c.outside, c.dict, key = append(c.path, name), append(c.outside, c.dict), d, rest
	}
	return c, holdsTensors(c.dict)
}

//go:noinline
func keep(list []candidate, is func(candidate) bool) []candidate {
	var kept []candidate
	for _, c := range list {
		if is(c) {
			kept = append(kept, c)
		}
	}
	return kept
}

func keysOf(list []candidate) []string {
	keys := make([]string, len(list))
	for i, c := range list {
		keys[i] = c.key()
	}
	return keys
}

// withoutWeights says what a checkpoint is that has no state_dict.
func withoutWeights(top *pickle.Dict) error {
	if _, ok := top.Get("param_groups"); ok {
		return &FileError{Reason: "the state of an optimizer, not of a model: save torch.save(model.state_dict(), path)"}
	}
	for _, k := range stateDictKeys {
		if v, _ := top.Get(k); v != nil {
			if o, ok := v.(*pickle.Object); ok {
				return &FileError{Record: k, Reason: fmt.Sprintf("holds %s, not a state_dict: save its state_dict() instead", pickle.Describe(o))}
			}
		}
	}
	return &FileError{Reason: "a dict without tensors, and none of the dicts in it has any that are weights: " + howToSave}
}
