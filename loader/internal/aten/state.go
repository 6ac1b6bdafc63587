package aten

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/internal/sorting"
	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
)

// Form is what a program keeps between runs, but for the tensors and numbers in
// it, which are values of graphs: the places in what the file holds that runs
// changed, and what stands there. Its text is what graph.State calls a form.
type Form struct {
	Values int    `json:"n"` // tensors and numbers
	Places []kept `json:"at"`
}

// spot is a place: a list, dict or memory that the file holds, by its number
// in the order they are read, or an attribute of an object.
type spot struct {
	ID   int    `json:"id"`
	Attr string `json:"attr,omitempty"`
}

// kept is what stands in a place, or is part of it.
type kept struct {
	At    *spot    `json:"at,omitempty"`
	Kind  string   `json:"k"`
	Index int      `json:"i,omitempty"` // of a value, of what the file holds, or of what was kept before
	Text  string   `json:"s,omitempty"` // a string; the name of a class, a member or a device
	Names []string `json:"a,omitempty"` // of attributes
	Items []kept   `json:"x,omitempty"` // elements, attributes, or keys and values in turn
}

// The kinds of what is kept.
const (
	keptNone    = "none"
	keptTensor  = "tensor"  // value Index
	keptComplex = "complex" // the same, of complex numbers
	keptText    = "str"
	keptDevice  = "device"
	keptTuple   = "tuple"
	keptList    = "list"
	keptDict    = "dict"
	keptObject  = "object"
	keptEnum    = "enum"
	keptOwn     = "own"   // number Index of what the file holds
	keptAgain   = "again" // the same as number Index of what was kept
)

// keptNumbers are the kinds of value Index as a number.
var keptNumbers = []string{build.Bool: "bool", build.Int: "int", build.Float: "float"}

// keeper makes a form.
type keeper struct {
	*Evaluator
	values []*graph.Value
	again  map[any]int // number of what was kept
	walk   *Walker
}

// Keep returns the form of what is kept after a run, and its values: what this run
// changed, or one before it, whose form is given.
func (m *Evaluator) Keep(before Form) (string, []*graph.Value, error) {
	k := &keeper{Evaluator: m, again: make(map[any]int), walk: NewWalker()}
	var after Form
	for _, s := range m.changed(before) {
		x, err := k.place(s)
		if err != nil {
			return "", nil, fmt.Errorf("what the model keeps between runs: %w", err)
		}
		x.At = &s
		after.Places = append(after.Places, x)
	}
	if len(after.Places) == 0 {
		return "", nil, nil
	}
	after.Values = len(k.values)
	text, err := json.Marshal(after)
	return string(text), k.values, err
}

// changed lists the places that were changed, in order.
func (m *Evaluator) changed(before Form) []spot {
	seen := make(map[spot]bool)
	for _, p := range before.Places {
		seen[*p.At] = true
	}
	for _, p := range m.journal.places {
		switch p := p.(type) {
		case *build.Storage:
			seen[spot{ID: p.ID}] = true
		case *List:
			seen[spot{ID: p.ID}] = true
		case *Dict:
			seen[spot{ID: p.ID}] = true
		case attrPlace:
			seen[spot{p.object.ID, p.name}] = true
		}
	}
	var list []spot
	for s := range seen {
		if s.ID > 0 {
			list = append(list, s)
		}
	}
	sorting.Func(list, func(a, b spot) int { return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Attr, b.Attr)) })
	return list
}

func (k *keeper) place(s spot) (kept, error) {
	switch o := k.origins[s.ID-1].(type) {
	case *Object:
		return k.value(o.Attrs[s.Attr])
	case *List:
		items, err := k.list(o.Items)
		return kept{Kind: keptList, Items: items}, err
	case *Dict:
		return k.dict(o)
	case *build.Tensor:
		v, err := k.Memory(o)
		if err != nil {
			return kept{}, err
		}
		return k.tensor(v, o.Complex), nil
	}
	return kept{}, errors.New("a place that the file does not have")
}

func (k *keeper) tensor(v *graph.Value, complex bool) kept {
	k.values = append(k.values, v)
	x := kept{Kind: keptTensor, Index: len(k.values) - 1}
	if complex {
		x.Kind = keptComplex
	}
	return x
}

func (k *keeper) list(items []Value) ([]kept, error) {
	out := make([]kept, len(items))
	for i, x := range items {
		var err error
		if out[i], err = k.value(x); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (k *keeper) dict(d *Dict) (kept, error) {
	var items []Value
	for i, key := range d.Keys {
		items = append(items, key, d.Values[i])
	}
	x, err := k.list(items)
	return kept{Kind: keptDict, Items: x}, err
}

// shared returns what stands for something that is kept already or that the
// file holds; otherwise it numbers it.
func (k *keeper) shared(v any, id int) (kept, bool) {
	if id > 0 {
		return kept{Kind: keptOwn, Index: id}, true
	}
	if n, ok := k.again[v]; ok {
		return kept{Kind: keptAgain, Index: n}, true
	}
	k.again[v] = len(k.again)
	return kept{}, false
}

func (k *keeper) value(v Value) (kept, error) {
	if !k.walk.Enter() {
		return kept{}, errors.New("it is too large")
	}
	defer k.walk.Leave()
	switch v := v.(type) {
	case nil:
		return kept{Kind: keptNone}, nil
	case string:
		return kept{Kind: keptText, Text: v}, nil
	case Device:
		return kept{Kind: keptDevice, Text: string(v)}, nil
	case bool, int64, float64, *build.Number:
		n := build.AsNumber(v)
		x, err := k.Scalar(n)
		if err != nil {
			return kept{}, err
		}
		out := k.tensor(x, false)
		out.Kind = keptNumbers[n.Kind]
		return out, nil
	case *build.Tensor:
		var key any = v
		id := 0
		if v.Path == nil {
			key, id = v.Store, v.Store.ID
		}
		if x, ok := k.shared(key, id); ok {
			return x, nil
		}
		x, err := k.Read(v)
		if err != nil {
			return kept{}, err
		}
		return k.tensor(x, v.Complex), nil
	case *Tuple:
		items, err := k.list(v.Items)
		x := kept{Kind: keptTuple, Items: items}
		if v.Class != nil {
			x.Text = v.Class.Name()
		}
		return x, err
	case *List:
		if x, ok := k.shared(v, v.ID); ok {
			return x, nil
		}
		items, err := k.list(v.Items)
		return kept{Kind: keptList, Items: items}, err
	case *Dict:
		if x, ok := k.shared(v, v.ID); ok {
			return x, nil
		}
		return k.dict(v)
	case *Object:
		if x, ok := k.shared(v, v.ID); ok {
			return x, nil
		}
		x := kept{Kind: keptObject, Text: v.Class.Name(), Names: v.Names}
		for _, name := range v.Names {
			a, err := k.value(v.Attrs[name])
			if err != nil {
				return kept{}, err
			}
			x.Items = append(x.Items, a)
		}
		return x, nil
	case *Enum:
		return kept{Kind: keptEnum, Text: v.Class.Name() + "." + v.Name}, nil
	}
	return kept{}, fmt.Errorf("a %s", TypeName(v))
}

// restorer puts what is kept where it was.
type restorer struct {
	*Evaluator
	types  []ops.Type
	inputs []*graph.Value
	made   []Value // by its number
}

// ParseForm reads the text of a form, for a run that gets so many inputs. That of
// what the file holds is empty.
func ParseForm(text string, inputs int) (Form, error) {
	var f Form
	if text == "" {
		return f, nil
	}
	if err := json.Unmarshal([]byte(text), &f); err != nil || f.Values < 0 || f.Values > inputs {
		return Form{}, errForm
	}
	return f, nil
}

// Restore makes the values of a form inputs of the graph and puts them and the
// rest of the form into its places.
func (m *Evaluator) Restore(f Form, types []ops.Type) error {
	r := &restorer{Evaluator: m, types: types}
	for i, t := range types {
		r.inputs = append(r.inputs, m.Input(fmt.Sprintf("state.%d", i), t))
	}
	for _, p := range f.Places {
		if err := r.place(p); err != nil {
			return err
		}
	}
	return nil
}

var errForm = errors.New("the state is none that this model keeps")

func (r *restorer) place(p kept) error {
	if p.At == nil || p.At.ID < 1 || p.At.ID > len(r.origins) {
		return errForm
	}
	switch o := r.origins[p.At.ID-1].(type) {
	case *Object:
		v, err := r.value(p)
		if err == nil {
			o.Set(p.At.Attr, v)
		}
		return err
	case *List:
		items, err := r.list(p.Items)
		o.Items = items
		return err
	case *Dict:
		d, err := r.dict(&Dict{ID: o.ID}, p)
		if err == nil {
			*o = *d
		}
		return err
	case *build.Tensor:
		if p.Index < 0 || p.Index >= len(r.inputs) {
			return errForm
		}
		o.Store.Value = r.inputs[p.Index]
		o.Store.Version++
		return nil
	}
	return errForm
}

func (r *restorer) list(items []kept) ([]Value, error) {
	out := make([]Value, len(items))
	for i, x := range items {
		var err error
		if out[i], err = r.value(x); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (r *restorer) dict(d *Dict, x kept) (*Dict, error) {
	items, err := r.list(x.Items)
	if err != nil || len(items)%2 != 0 {
		return nil, cmp.Or(err, errForm)
	}
	for i := 0; i < len(items); i += 2 {
		d.Set(items[i], items[i+1])
	}
	return d, nil
}

func (r *restorer) value(x kept) (Value, error) {
	if k := slices.Index(keptNumbers, x.Kind); k >= 0 || x.Kind == keptTensor || x.Kind == keptComplex {
		if x.Index < 0 || x.Index >= len(r.inputs) {
			return nil, errForm
		}
		v, t := r.inputs[x.Index], r.types[x.Index]
		if k >= 0 {
			n := r.InputNumber(v, t)
			if n == nil {
				return nil, errForm
			}
			return n.To(build.Kind(k)), nil
		}
		out := build.NewTensor(v)
		out.Complex = x.Kind == keptComplex
		r.made = append(r.made, out)
		return out, nil
	}
	var class Class
	if r.objects != nil {
		class = r.objects.Class(x.Text)
	}
	switch x.Kind {
	case keptNone:
		return nil, nil
	case keptText:
		return x.Text, nil
	case keptDevice:
		return Device(x.Text), nil
	case keptTuple:
		items, err := r.list(x.Items)
		return &Tuple{Items: items, Class: class}, err
	case keptList:
		l := &List{}
		r.made = append(r.made, l)
		var err error
		l.Items, err = r.list(x.Items)
		return l, err
	case keptDict:
		d := &Dict{}
		r.made = append(r.made, d)
		return r.dict(d, x)
	case keptObject:
		if class == nil || len(x.Names) != len(x.Items) {
			return nil, errForm
		}
		o := NewObject(class)
		r.made = append(r.made, o)
		for i, name := range x.Names {
			v, err := r.value(x.Items[i])
			if err != nil {
				return nil, err
			}
			o.Set(name, v)
		}
		return o, nil
	case keptEnum:
		if r.objects == nil {
			return nil, errForm
		}
		return r.objects.Member(x.Text)
	case keptOwn:
		if x.Index < 1 || x.Index > len(r.origins) {
			return nil, errForm
		}
		return r.origins[x.Index-1], nil
	case keptAgain:
		if x.Index < 0 || x.Index >= len(r.made) {
			return nil, errForm
		}
		return r.made[x.Index], nil
	}
	return nil, errForm
}
