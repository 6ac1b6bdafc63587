package data

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// errNoModel says that a graph is nil.
var errNoModel = errors.New("there is no model to read data for: what should have made it has failed")

// Bound returns g for the arrays that the data has: where they name parts of its inputs, as in name.0 and name.key, or
// leave out optional ones, the graph whose inputs they are (graph.Graph.Bind), else g itself.
func (d *Dataset) Bound(g *graph.Graph) (*graph.Graph, error) {
	if g == nil {
		return nil, errNoModel
	}
	parameters := g.Parameters()
	var names, left []string
	for _, a := range d.fields {
		if name, _, _ := strings.Cut(a.Name, "."); slices.Contains(parameters, name) {
			names = append(names, a.Name)
		} else if !slices.Contains(reserved, a.Name) {
			left = append(left, a.Name)
		}
	}
	if len(names) == 0 {
		return g, nil
	}
	b, err := d.bind(g, true)
	switch {
	case err == nil && !slices.ContainsFunc(names, func(n string) bool { return strings.Contains(n, ".") || !slices.Contains(b.inputNames(), n) }):
		return g, nil
	case err != nil && len(left) > 0:
		reason := fmt.Sprintf("no input of the model, which has %v", parameters)
		return nil, &tensor.FileError{File: d.file, Record: strings.Join(left, ", "), Reason: reason}
	}
	bound, err := g.Bind(names...)
	if err != nil {
		return nil, &tensor.FileError{File: d.file, Err: err}
	}
	return bound, nil
}

// binding says what the arrays of a data set are for a graph.
type binding struct {
	graph   *graph.Graph
	whole   bool // arrays as they are, not samples
	inputs  []input
	types   []tensor.DType // of the inputs as samples; nil until they are asked for
	targets *tensor.Tensor
	labels  string // name of the array that targets come from
	bytes   byteScale
	unused  []string
}

// input is the field that an input is read from.
type input struct {
	Field
	at    int            // in the source
	value *tensor.Tensor // of a field without dimensions
}

// newInput returns the field at a place of a source.
func newInput(s Source, at int) (input, error) {
	in := input{Field: s.Fields()[at], at: at}
	var err error
	if in.rank() == 0 {
		in.value, err = s.Read(at, nil)
	}
	return in, err
}

// inputNames lists the fields that are inputs.
func (b *binding) inputNames() []string {
	names := make([]string, len(b.inputs))
	for i, f := range b.inputs {
		names[i] = f.Name
	}
	return names
}

// bind returns what the arrays are for g: as samples, or as what one run takes.
func (d *Dataset) bind(g *graph.Graph, whole bool) (*binding, error) {
	if g == nil {
		return nil, errNoModel
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.bound != nil && d.bound.graph == g && d.bound.whole == whole {
		return d.bound, nil
	}
	b := &binding{graph: g, whole: whole}
	record, err := b.match(d.source)
	if err == nil {
		record, err = b.describe(d)
	}
	if fe, ok := errors.AsType[*tensor.FileError](err); ok && fe.File != "" {
		return nil, err
	}
	if err != nil {
		return nil, &tensor.FileError{File: d.file, Record: record, Reason: err.Error()}
	}
	d.bound = b
	return b, nil
}

// describe finds labels, mean and std among what is no input. record is the array that an error is about.
func (b *binding) describe(d *Dataset) (record string, err error) {
	spare := make(map[string]int)
	for i, f := range d.fields {
		if !slices.Contains(b.inputNames(), f.Name) {
			spare[f.Name] = i
			b.unused = append(b.unused, f.Name)
		}
	}
	take := func(name string) (at int, ok bool) {
		if at, ok = spare[name]; ok {
			b.unused = slices.DeleteFunc(b.unused, func(n string) bool { return n == name })
		}
		return at, ok
	}
	if !b.whole {
		take("logits")
		for _, name := range []string{"y", "labels"} {
			at, ok := take(name)
			if !ok {
				continue
			}
			b.labels = name
			y, err := readAll(d.source, at)
			if err == nil {
				b.targets, err = targets(y)
			}
			if err != nil {
				return name, err
			}
			break
		}
	}
	var scale [2]*tensor.Tensor
	for i, name := range []string{"mean", "std"} {
		if at, ok := take(name); ok {
			if scale[i], err = readAll(d.source, at); err != nil {
				return name, err
			}
		}
	}
	if record, err = b.bytes.read(scale[0], scale[1]); err != nil {
		return record, err
	}
	b.bytes.scale = d.ScaleBytes
	if !b.bytes.given() && d.mean != nil {
		b.bytes.mean, b.bytes.std, b.bytes.byDefault = d.mean, d.std, true
	}
	return "", nil
}

// targets returns labels as int64 or float32.
func targets(y *tensor.Tensor) (*tensor.Tensor, error) {
	if y.Rank() == 0 {
		return nil, fmt.Errorf("%v where labels are needed, samples first", y)
	}
	if !y.DType().IsFloat() {
		return y.To(tensor.Int64)
	}
	f, err := y.To(tensor.Float32)
	if err != nil {
		return nil, err
	}
	for i, v := range f.Float32s() {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return nil, fmt.Errorf("the label at place %d is %v", i, v)
		}
	}
	return f, nil
}

// reserved are the names of arrays that are no inputs unless a model has inputs of that name.
var reserved = []string{"y", "labels", "mean", "std", "logits"}

// match finds the array of each input: the one of its name, else x or input for a single input, else, where no array has the name of
// an input, the one in its place.
func (b *binding) match(s Source) (record string, err error) {
	inputs, fields := b.graph.Inputs, s.Fields()
	named := func(v *graph.Value) bool { return fieldNamed(fields, v.Name) >= 0 }
	list := b.graph.TakesList()
	element := func(v *graph.Value) bool { return list && fieldNamed(fields, v.Name+".0") >= 0 }
	if slices.ContainsFunc(inputs, named) || slices.ContainsFunc(inputs, element) {
		return b.matchNames(s)
	}
	for _, name := range []string{"x", "input"} {
		if at := fieldNamed(fields, name); at >= 0 && len(inputs) == 1 && !list {
			return name, b.take(s, at)
		}
	}
	for i, f := range fields {
		if !slices.Contains(reserved, f.Name) || b.whole && (list || len(fields) <= len(inputs)) {
			if err := b.take(s, i); err != nil {
				return f.Name, err
			}
		}
	}
	// Of an open graph the last inputs may be left out: it says itself which ones it needs.
	if n := len(inputs); len(b.inputs) < n && (!b.graph.IsOpen() || len(b.inputs) == 0) {
		return "", fmt.Errorf("no array for the model's input %q: it has %v", inputs[len(b.inputs)].Name, fieldNames(fields))
	} else if len(b.inputs) > n && !list {
		return "", fmt.Errorf("it has %v, none with the name of an input, where the model takes %v", b.inputNames(), inputNames(b.graph))
	}
	return "", nil
}

// take makes a field the next input.
func (b *binding) take(s Source, at int) error {
	in, err := newInput(s, at)
	b.inputs = append(b.inputs, in)
	return err
}

// matchNames finds fields by name; name.0, name.1 and so on are the tensors of a list. The last inputs of
// an open graph may be missing. Where all are there, other fields are not the model's business.
func (b *binding) matchNames(s Source) (record string, err error) {
	fields := s.Fields()
	take := func(name string) bool {
		at := fieldNamed(fields, name)
		if at < 0 || err != nil {
			return false
		}
		record, err = name, b.take(s, at)
		return true
	}
	missing := ""
	for i, v := range b.graph.Inputs {
		before := len(b.inputs)
		if !take(v.Name) && i == len(b.graph.Inputs)-1 && b.graph.TakesList() {
			for k := 0; take(fmt.Sprintf("%s.%d", v.Name, k)); k++ {
			}
		}
		switch found := len(b.inputs) > before; {
		case err != nil:
			return record, err
		case found && missing != "":
			return v.Name, fmt.Errorf("it is given without %q, which the model takes before it", missing)
		case !found && missing == "":
			missing = v.Name
		}
	}
	if missing == "" {
		return "", nil
	}
	used := b.inputNames()
	left := slices.DeleteFunc(fieldNames(fields), func(n string) bool { return slices.Contains(used, n) || slices.Contains(reserved, n) })
	switch {
	case len(left) > 0:
		return strings.Join(left, ", "), fmt.Errorf("no input of the model, which has %v: %q is missing", inputNames(b.graph), missing)
	case !b.graph.IsOpen():
		return "", fmt.Errorf("no array for the model's input %q: it has %v", missing, fieldNames(fields))
	}
	return "", nil // the model says which ones it needs
}

func inputNames(g *graph.Graph) []string {
	names := make([]string, len(g.Inputs))
	for i, v := range g.Inputs {
		names[i] = v.Name
	}
	return names
}

// inputType returns the element type that input i is given.
func (b *binding) inputType(i int) tensor.DType {
	a := b.inputs[i]
	example, known := b.graph.Example()
	switch {
	case !b.graph.IsOpen():
		return b.graph.Inputs[i].Type.DType
	case known && i < len(example):
		return exampleType(example[i].DType, a.DType)
	case a.DType == tensor.Uint8 && b.scales(i):
		return tensor.Float32
	}
	return a.DType
}

// exampleType returns the element type that an input takes of which an example is known.
// Files of arrays have no short floats, in whose place models take float32.
func exampleType(want, have tensor.DType) tensor.DType {
	if (want == tensor.BFloat16 || want == tensor.Float16) && have == tensor.Float32 {
		return tensor.Float32
	}
	return want
}

// scales reports whether bytes of input i are made floats of: those of x, or where there is no x all.
func (b *binding) scales(i int) bool {
	if !b.bytes.given() && !b.bytes.scale || b.inputs[i].rank() == 0 {
		return false
	}
	return b.inputs[i].Name == "x" || !slices.Contains(b.inputNames(), "x")
}

// convert returns a part of the array of input i as the graph takes it.
func (b *binding) convert(t *tensor.Tensor, i int, want tensor.DType) (*tensor.Tensor, error) {
	have := t.DType()
	if v := b.graph.Inputs; !b.graph.IsOpen() && t.Rank() != len(v[i].Type.Shape) {
		return nil, fmt.Errorf("%v where the model takes %d dimensions, such as %v", t, len(v[i].Type.Shape), v[i].Type.Shape)
	}
	switch {
	case have == want:
		return t, nil
	case have == tensor.Uint8 && want == tensor.Float32:
		if b.scales(i) {
			return b.bytes.normalize(t)
		}
		return nil, &BytesError{Array: b.inputs[i].Name, Err: fmt.Errorf("%v where the model takes %v", t, want)}
	case have.IsFloat() && want.IsFloat(), have.IsInteger() && want.IsInteger():
		return t.To(want)
	}
	return nil, fmt.Errorf("%v where the model takes %v", t, want)
}

// sampleTypes returns the types of a batch of so many samples.
func (b *binding) sampleTypes(types []tensor.DType, n int) []ops.Type {
	out := make([]ops.Type, len(b.inputs))
	for i, a := range b.inputs {
		shape := a.Shape.Clone()
		if len(shape) > 0 {
			shape[0] = n
		}
		out[i] = ops.Type{DType: types[i], Shape: shape}
		if len(shape) == 0 {
			out[i].Known = a.value
		}
	}
	return out
}

// floatTypes returns the element types of the inputs as sampled data: of an open graph, which does not say what floats it takes,
// float64 and float16 become float32 unless it takes them only as they are.
func (b *binding) floatTypes() []tensor.DType {
	own := make([]tensor.DType, len(b.inputs))
	for i := range own {
		own[i] = b.inputType(i)
	}
	if _, known := b.graph.Example(); known {
		return own
	}
	narrow := slices.Clone(own)
	for i, t := range own {
		if t.IsFloat() && b.inputs[i].rank() > 0 {
			narrow[i] = tensor.Float32
		}
	}
	if slices.Equal(own, narrow) {
		return own
	}
	if _, err := b.graph.Specialize(b.sampleTypes(narrow, 1)...); err == nil {
		return narrow
	}
	if _, err := b.graph.Specialize(b.sampleTypes(own, 1)...); err == nil {
		return own
	}
	return narrow
}
