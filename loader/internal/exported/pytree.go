package exported

import (
	"fmt"
	"strings"
)

// Tree says how a caller sees a list of values: as nested tuples, lists, dicts and
// objects, whose types are only text here.
type Tree struct {
	Type     string   // "builtins.tuple"; "" of a leaf
	Keys     []string // of the children that have names: keys of a dict, fields of an object
	Children []*Tree
	context  string
}

// parseTree reads a tree as PyTorch writes it: [1, {"type": ..., "context": ..., "children_spec": [...]}].
func parseTree(text string) (*Tree, error) {
	r := newJSONReader("", []byte(text))
	var t *Tree
	r.array(func(i int) {
		switch i {
		case 0:
			if v := r.int(); v != 1 {
				r.fail("a pytree of version %d", v)
			}
		case 1:
			t = r.treeSpec()
		default:
			r.fail("more than a version and a spec")
		}
	})
	if err := r.end(); err != nil {
		return nil, fmt.Errorf("pytree: %w", err)
	}
	if t == nil {
		return nil, fmt.Errorf("pytree: no spec")
	}
	return t, nil
}

// maxTree bounds the values and what holds them in a pytree.
const maxTree = 2 * maxInputs

func (r *jsonReader) treeSpec() *Tree {
	t := &Tree{}
	if r.trees++; r.trees > maxTree {
		r.fail("a pytree of more than %d parts", maxTree)
		return t
	}
	r.object(func(key string) {
		switch key {
		case "type":
			if !r.null() {
				t.Type = r.str()
			}
		case "context":
			t.context = r.treeContext()
		case "children_spec":
			r.array(func(int) { t.Children = append(t.Children, r.treeSpec()) })
		default:
			r.skip()
		}
	})
	t.Keys = contextKeys(t.context, len(t.Children))
	return t
}

// treeContext returns a context, which is JSON in a string, or any other value.
func (r *jsonReader) treeContext() string {
	if r.peek() == '"' {
		return r.str()
	}
	r.skip()
	return ""
}

// contextKeys returns the names that a context gives n children, nil if it gives none: a
// list of strings, or, for defaultdict and dataclasses with defaults, a list that holds one.
func contextKeys(context string, n int) []string {
	r := newJSONReader("", []byte(context))
	if r.peek() != '[' {
		return nil
	}
	var names, inner []string
	r.array(func(int) {
		switch r.peek() {
		case '"':
			names = append(names, r.str())
		case '[':
			var list []string
			r.array(func(int) {
				if r.peek() == '"' {
					list = append(list, r.str())
				} else {
					r.skip()
				}
			})
			if len(list) == n && inner == nil {
				inner = list
			}
		default:
			r.skip()
		}
	})
	switch {
	case r.end() != nil || n == 0:
		return nil
	case inner != nil && len(names) != n:
		return inner
	case len(names) == n:
		return names
	}
	return nil
}

// IsLeaf reports whether the tree is one value.
func (t *Tree) IsLeaf() bool { return t.Type == "" && len(t.Children) == 0 }

// Leaves returns the number of values.
func (t *Tree) Leaves() int {
	if t.IsLeaf() {
		return 1
	}
	n := 0
	for _, c := range t.Children {
		n += c.Leaves()
	}
	return n
}

// nameFields gives the children of NamedTuples their names: fields has those of the
// types in the program, by type.
func (t *Tree) nameFields(fields map[string][]string) {
	if t == nil {
		return
	}
	if names := fields[t.Type]; t.Keys == nil && len(names) == len(t.Children) {
		t.Keys = names
	} else if names := fields[strings.Trim(t.context, `"`)]; t.Keys == nil && len(names) == len(t.Children) {
		t.Keys = names
	}
	for _, c := range t.Children {
		c.nameFields(fields)
	}
}

// Names returns the names of the leaves, "" for one that has none: the innermost key or
// field on the way to it, as TorchScript's outputs have them too.
func (t *Tree) Names() []string {
	var names []string
	t.walk(nil, func(path []any) {
		name := ""
		for _, k := range path {
			if s, ok := k.(string); ok {
				name = s
			}
		}
		names = append(names, name)
	})
	return names
}

// walk calls f for every leaf with the keys (strings) and indices (int64) on the way to it.
func (t *Tree) walk(path []any, f func(path []any)) {
	if t.IsLeaf() {
		f(path)
		return
	}
	for i, c := range t.Children {
		var key any = int64(i)
		if i < len(t.Keys) {
			key = t.Keys[i]
		}
		c.walk(append(path[:len(path):len(path)], key), f)
	}
}
