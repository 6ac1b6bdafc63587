package bench

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// Bound returns g for the arrays that the data has: where they name parts of its inputs, as in name.0 and name.key, or
// leave out optional ones, the graph whose inputs they are (graph.Graph.Bind), else g itself.
func (d *Dataset) Bound(g *graph.Graph) (*graph.Graph, error) {
	parameters := g.Parameters()
	var names, left []string
	for _, a := range d.arrays {
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
	case err == nil && !slices.ContainsFunc(names, func(n string) bool { return strings.Contains(n, ".") || !slices.Contains(arrayNames(b.inputs), n) }):
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
	inputs  []tensor.Named
	types   []tensor.DType // of the inputs as samples; nil until they are asked for
	targets *tensor.Tensor
	labels  string // name of the array that targets come from
	bytes   byteScale
	unused  []string
}

// bind returns what the arrays are for g: as samples, or as what one run takes.
func (d *Dataset) bind(g *graph.Graph, whole bool) (*binding, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.bound != nil && d.bound.graph == g && d.bound.whole == whole {
		return d.bound, nil
	}
	b := &binding{graph: g, whole: whole}
	record, err := b.match(d.arrays)
	if err == nil {
		record, err = b.describe(d)
	}
	if err != nil {
		return nil, &tensor.FileError{File: d.file, Record: record, Reason: err.Error()}
	}
	d.bound = b
	return b, nil
}

// describe finds labels, mean and std among what is no input. record is the array that an error is about.
func (b *binding) describe(d *Dataset) (record string, err error) {
	spare := make(map[string]*tensor.Tensor)
	for _, a := range d.arrays {
		if !slices.ContainsFunc(b.inputs, func(in tensor.Named) bool { return in.Name == a.Name }) {
			spare[a.Name] = a.Tensor
			b.unused = append(b.unused, a.Name)
		}
	}
	take := func(name string) *tensor.Tensor {
		t := spare[name]
		b.unused = slices.DeleteFunc(b.unused, func(n string) bool { return t != nil && n == name })
		return t
	}
	if !b.whole {
		take("logits")
		name := "y"
		y := take(name)
		if y == nil {
			name = "labels"
			y = take(name)
		}
		if y != nil {
			b.labels = name
			if b.targets, err = targets(y); err != nil {
				return name, err
			}
		}
	}
	if record, err = b.bytes.read(take("mean"), take("std")); err != nil {
		return record, err
	}
	b.bytes.scale = d.ScaleBytes
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
func (b *binding) match(arrays tensor.Arrays) (record string, err error) {
	inputs := b.graph.Inputs
	named := func(v *graph.Value) bool { return arrays.Get(v.Name) != nil }
	list := b.graph.TakesList()
	if slices.ContainsFunc(inputs, named) || list && arrays.Get(inputs[len(inputs)-1].Name+".0") != nil {
		return b.matchNames(arrays)
	}
	for _, name := range []string{"x", "input"} {
		if t := arrays.Get(name); t != nil && len(inputs) == 1 && !list {
			b.inputs = tensor.Arrays{{Name: name, Tensor: t}}
			return "", nil
		}
	}
	for _, a := range arrays {
		if !slices.Contains(reserved, a.Name) || b.whole && (list || len(arrays) <= len(inputs)) {
			b.inputs = append(b.inputs, a)
		}
	}
	// Of an open graph the last inputs may be left out: it says itself which ones it needs.
	if n := len(inputs); len(b.inputs) < n && (!b.graph.IsOpen() || len(b.inputs) == 0) {
		return "", fmt.Errorf("no array for the model's input %q: it has %v", inputs[len(b.inputs)].Name, arrays.Names())
	} else if len(b.inputs) > n && !list {
		return "", fmt.Errorf("it has %v, none with the name of an input, where the model takes %v", arrayNames(b.inputs), inputNames(b.graph))
	}
	return "", nil
}

// matchNames finds arrays by name; name.0, name.1 and so on are the tensors of a list. The last inputs of
// an open graph may be missing. Where all are there, other arrays are not the model's business.
func (b *binding) matchNames(arrays tensor.Arrays) (record string, err error) {
	used := make(map[string]bool)
	take := func(name string) bool {
		if t := arrays.Get(name); t != nil {
			b.inputs = append(b.inputs, tensor.Named{Name: name, Tensor: t})
			used[name] = true
			return true
		}
		return false
	}
	missing := ""
	for i, v := range b.graph.Inputs {
		before := len(b.inputs)
		if !take(v.Name) && i == len(b.graph.Inputs)-1 && b.graph.TakesList() {
			for k := 0; take(fmt.Sprintf("%s.%d", v.Name, k)); k++ {
			}
		}
		switch found := len(b.inputs) > before; {
		case found && missing != "":
			return v.Name, fmt.Errorf("it is given without %q, which the model takes before it", missing)
		case !found && missing == "":
			missing = v.Name
		}
	}
	if missing == "" {
		return "", nil
	}
	var left []string
	for _, a := range arrays {
		if !used[a.Name] && !slices.Contains(reserved, a.Name) {
			left = append(left, a.Name)
		}
	}
	switch {
	case len(left) > 0:
		return strings.Join(left, ", "), fmt.Errorf("no input of the model, which has %v: %q is missing", inputNames(b.graph), missing)
	case !b.graph.IsOpen():
		return "", fmt.Errorf("no array for the model's input %q: it has %v", missing, arrays.Names())
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

func arrayNames(arrays []tensor.Named) []string { return tensor.Arrays(arrays).Names() }

// inputType returns the element type that input i is given.
func (b *binding) inputType(i int) tensor.DType {
	a := b.inputs[i]
	example, known := b.graph.Example()
	switch {
	case !b.graph.IsOpen():
		return b.graph.Inputs[i].Type.DType
	case known && i < len(example):
		return exampleType(example[i].DType, a.Tensor.DType())
	case a.Tensor.DType() == tensor.Uint8 && b.scales(i):
		return tensor.Float32
	}
	return a.Tensor.DType()
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
	if !b.bytes.given() && !b.bytes.scale || b.inputs[i].Tensor.Rank() == 0 {
		return false
	}
	return b.inputs[i].Name == "x" || !slices.Contains(arrayNames(b.inputs), "x")
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
		shape := a.Tensor.Shape().Clone()
		if len(shape) > 0 {
			shape[0] = n
		}
		out[i] = ops.Type{DType: types[i], Shape: shape}
		if len(shape) == 0 {
			out[i].Known = a.Tensor
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
		if t.IsFloat() && b.inputs[i].Tensor.Rank() > 0 {
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
