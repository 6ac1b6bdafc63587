package aten

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/tensor"
)

// operator is a row of the table: one way to call an operator of PyTorch.
type operator struct {
	name string // "aten::relu"
	// params lists the parameters by name and kind, and the default behind "=":
	//
	//	T     Tensor                        n  bool, int or float
	//	L     list of tensors               N  Tensor or number, a complex one too
	//	i f b s  int, float, bool, str      v  any value
	//	I F   list of ints, of floats; one stands for all
	//	l     list of any values            P  packed weights
	//	J     nested tensor
	//	*     all further arguments, as a list
	//
	// "?" allows None, in a list for its elements. Those behind "|" are given by name.
	params string
	// lower evaluates the call. A function that makes some for several rows, such as maxPool, is not inlined:
	// each row would have a copy of the code, 0.25 MB together.
	lower func(c *call) Value
}

// parameterSpec is a parameter of a row.
type parameterSpec struct {
	name     string
	kind     byte
	named    bool // given by name only
	optional bool
	fallback *Value
}

// parseParams reads a row's parameters. Rows are constants of the package, and a
// test reads them all.
func parseParams(text string) ([]parameterSpec, error) {
	var specs []parameterSpec
	named := false
	for _, field := range strings.Fields(text) {
		if field == "|" {
			named = true
			continue
		}
		name, rest, ok := strings.Cut(field, ":")
		if !ok || rest == "" {
			return nil, fmt.Errorf("parameter %q has no kind", field)
		}
		p := parameterSpec{name: name, kind: rest[0], named: named}
		rest = rest[1:]
		if strings.HasPrefix(rest, "?") {
			p.optional, rest = true, rest[1:]
		}
		if def, ok := strings.CutPrefix(rest, "="); ok {
			v, err := parseDefault(def)
			if err != nil {
				return nil, err
			}
			p.fallback = &v
		} else if rest != "" {
			return nil, fmt.Errorf("parameter %q", field)
		}
		if !strings.ContainsRune("TLnNifbsIFlvPJ*", rune(p.kind)) {
			return nil, fmt.Errorf("parameter %q has an unknown kind", field)
		}
		specs = append(specs, p)
	}
	return specs, nil
}

func parseDefault(text string) (Value, error) {
	switch text {
	case "None":
		return nil, nil
	case "True":
		return true, nil
	case "False":
		return false, nil
	case "[]":
		return &List{}, nil
	}
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		return i, nil
	}
	if x, err := strconv.ParseFloat(text, 64); err == nil {
		return x, nil
	}
	if len(text) >= 2 && text[0] == '\'' {
		return text[1 : len(text)-1], nil
	}
	return nil, fmt.Errorf("default %q", text)
}

// missing returns the value of a parameter that a call leaves out. Lists can be changed: each call has its own.
func (p *parameterSpec) missing() Value {
	if _, ok := (*p.fallback).(*List); ok {
		return &List{}
	}
	return *p.fallback
}

// takes reports whether a value may be an argument for the parameter.
func (p *parameterSpec) takes(v Value) bool {
	if v == nil {
		return p.optional && p.kind != 'L' && p.kind != 'l' || p.kind == 'v'
	}
	switch p.kind {
	case 'T':
		_, ok := v.(*build.Tensor)
		return ok
	case 'n':
		return build.IsNumber(v)
	case 'N':
		switch v.(type) {
		case *build.Tensor, complex128:
			return true
		}
		return build.IsNumber(v)
	case 'i', 'f', 'b':
		k, ok := build.KindOf(v)
		return ok && (p.kind == 'f' || p.kind == 'i' && k == build.Int || p.kind == 'b' && k == build.Bool)
	case 's':
		_, ok := v.(string)
		return ok
	case 'I', 'F':
		if k, ok := build.KindOf(v); ok {
			return k == build.Int || p.kind == 'F'
		}
		items, ok := Items(v)
		return ok && !slices.ContainsFunc(items, func(x Value) bool {
			k, ok := build.KindOf(x)
			return !ok || k == build.Float && p.kind == 'I'
		})
	case 'L':
		items, ok := Items(v)
		return ok && !slices.ContainsFunc(items, func(x Value) bool {
			_, ok := x.(*build.Tensor)
			return !ok && !(x == nil && p.optional)
		})
	case 'l':
		_, ok := v.(*List)
		return ok
	case 'P':
		_, ok := v.(*Packed)
		return ok
	case 'J':
		_, ok := v.(*Nested)
		return ok
	}
	return true
}

// bind returns the arguments of a call in the order of the parameters, or false.
func bind(specs []parameterSpec, args []Value, keywords map[string]Value) ([]Value, bool) {
	if n := len(specs) - 1; n >= 0 && specs[n].kind == '*' && len(args) >= n {
		args = append(args[:n:n], &List{Items: args[n:]})
	}
	if len(args) > len(specs) {
		return nil, false
	}
	out := make([]Value, len(specs))
	used := 0
	for i := range specs {
		p := &specs[i]
		v, named := keywords[p.name]
		switch {
		case i < len(args):
			if named || p.named {
				return nil, false
			}
			v = args[i]
		case named:
			used++
		case p.fallback != nil:
			out[i] = p.missing()
			continue
		default:
			return nil, false
		}
		if !p.takes(v) {
			return nil, false
		}
		out[i] = v
	}
	return out, used == len(keywords)
}

// Dispatch finds the row that takes the arguments, and evaluates it. Errors are as
// they are: what is not supported is not noted.
func (m *Evaluator) Dispatch(name string, args []Value, keywords map[string]Value) (Value, error) {
	if !slices.Contains(immediate, name) {
		for _, a := range args {
			if err := m.Toil(sizeOf(a)); err != nil {
				return nil, err
			}
		}
	}
	if v, done, err := m.onOpenLists(name, args, keywords); done || err != nil {
		return v, err
	}
	for _, row := range m.table[name] {
		if bound, ok := bind(row.specs, args, keywords); ok {
			v, err := m.run(m.newCall(name, bound), row.lower)
			if err == nil && row.elementwise {
				m.layOut(v, row.specs, bound)
			}
			return v, err
		}
	}
	if base := m.table.inPlaceOf(name); base != "" && len(args) > 0 {
		if self, ok := args[0].(*build.Tensor); ok {
			return m.inPlace(self, base, args, keywords)
		}
	}
	if base := m.table.copyOf(name); base != "" {
		v, err := m.Dispatch(base, args, keywords)
		if err != nil {
			return nil, err
		}
		c := m.newCall(name, nil)
		return c.cloned(v), c.Err()
	}
	if out, ok := keywords["out"].(*build.Tensor); ok && m.table.Has(name) {
		return m.into(out, name, args, keywords)
	}
	if m.table.Has(name) {
		return nil, unsupportedf("with arguments (%s)", describeArgs(args, keywords))
	}
	return nil, unsupportedf("")
}

// immediate are the operators whose time does not depend on the size of a list,
// dict or string.
var immediate = []string{"aten::append", "aten::len", "aten::__getitem__", "aten::_set_item", "aten::pop"}

func describeArgs(args []Value, keywords map[string]Value) string {
	var parts []string
	for _, a := range args {
		parts = append(parts, TypeName(a))
	}
	names := make([]string, 0, len(keywords))
	for k := range keywords {
		names = append(names, k)
	}
	slices.Sort(names)
	for _, k := range names {
		parts = append(parts, k+"="+TypeName(keywords[k]))
	}
	return strings.Join(parts, ", ")
}

// run evaluates a row.
func (m *Evaluator) run(c *call, lower func(*call) Value) (Value, error) {
	if complexMoves[c.name] && slices.ContainsFunc(c.args, holdsComplex) {
		lower = byParts(lower)
	}
	v := c.narrowed(lower(c))
	return v, c.Err()
}

// inPlace evaluates an operator and writes its result to its first argument.
func (m *Evaluator) inPlace(self *build.Tensor, base string, args []Value, keywords map[string]Value) (Value, error) {
	v, err := m.Dispatch(base, withoutLiterals(args), keywords)
	if err != nil {
		return nil, err
	}
	out, ok := v.(*build.Tensor)
	if !ok {
		return nil, unsupportedf("")
	}
	if slices.Contains(inPlaceViews, base) {
		m.record(self)
		*self = *out
		return self, nil
	}
	if have := out.DType(); !storable(have, self.DType()) && !strings.HasPrefix(base, "aten::copy") {
		return nil, fmt.Errorf("a result of %v cannot be kept in place in %v", have, self.DType())
	}
	c := m.newCall(base, nil)
	c.store(self, out)
	return self, c.Err()
}

// into evaluates an operator and writes its result to an existing tensor, which takes the result's shape.
func (m *Evaluator) into(out *build.Tensor, name string, args []Value, keywords map[string]Value) (Value, error) {
	others := maps.Clone(keywords)
	delete(others, "out")
	v, err := m.Dispatch(name, args, others)
	if err != nil {
		return nil, err
	}
	result, ok := v.(*build.Tensor)
	if !ok {
		return nil, unsupportedf("with the argument out")
	}
	if have := result.DType(); !storable(have, out.DType()) {
		return nil, fmt.Errorf("a result of %v cannot be kept in %v", have, out.DType())
	}
	c := m.newCall(name, nil)
	if !result.Type().Shape.Equal(out.Type().Shape) {
		if out.Path != nil {
			return nil, unsupportedf("to a part of a tensor that has another shape")
		}
		resized := c.cast(result, out.DType())
		m.record(out)
		*out = *build.NewTensor(c.read(resized))
		return out, c.Err()
	}
	c.store(out, result)
	return out, c.Err()
}

// withoutLiterals returns arguments that no function takes for numbers.
func withoutLiterals(args []Value) []Value {
	args = slices.Clone(args)
	for i, a := range args {
		if t, ok := a.(*build.Tensor); ok && t.Literal {
			args[i] = build.Alias(t)
		}
	}
	return args
}

// inPlaceViews are the operators that in place change how a tensor sees its
// memory, which they do not write to.
var inPlaceViews = []string{"aten::transpose", "aten::t", "aten::swapaxes", "aten::swapdims", "aten::squeeze", "aten::unsqueeze"}

// storable reports whether an operator may write a result of one type in place of
// elements of another: floats not as integers, and nothing but bool as bool.
func storable(d, into tensor.DType) bool {
	return !(d.IsFloat() && !into.IsFloat()) && !(d != tensor.Bool && into == tensor.Bool)
}

// Table holds the rows by operator.
type Table map[string][]row

type row struct {
	specs       []parameterSpec
	lower       func(c *call) Value
	elementwise bool
}

// Has reports whether an operator has a row.
func (t Table) Has(name string) bool { return t[name] != nil }

// Supports reports whether an operator has a row, or is the in-place or the copying form of one that has.
func (t Table) Supports(name string) bool {
	return t.Has(name) || t.inPlaceOf(name) != "" || t.copyOf(name) != ""
}

// inPlaceOf returns the operator that has a row and of which another is the in-place form: "aten::add" of "aten::add_"
// and "aten::__and__" of "aten::__iand__". It returns "" where there is none.
func (t Table) inPlaceOf(name string) string {
	base, ok := strings.CutSuffix(name, "_")
	if rest, special := strings.CutPrefix(name, "aten::__i"); special {
		base, ok = "aten::__"+rest, true
	}
	if !ok || !t.Has(base) {
		return ""
	}
	return base
}

// Operators returns the table of all operators. It is read once, and nobody changes it.
var Operators = sync.OnceValues(readTable)

func readTable() (Table, error) {
	t := make(Table)
	for _, family := range families {
		for _, o := range family {
			specs, err := parseParams(o.params)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", o.name, err)
			}
			t[o.name] = append(t[o.name], row{specs, o.lower, elementwise(family, o.name)})
		}
	}
	for name, of := range aliases {
		if !t.Has(of) || t.Has(name) {
			return nil, fmt.Errorf("%s cannot be another name of %s", name, of)
		}
		t[name] = t[of]
	}
	return t, nil
}
