// Package torchscript writes models as torch.jit.save does, for torch.jit.load of PyTorch 1.13 and later: a module with one method,
// forward, whose code is the graph's nodes in their order.
//
// Int8 operators that PyTorch has are written as those, layers with packed parameters. What PyTorch has no operator for, such as a
// convolution with a residual, a float32 result or a table, is a function of the archive: it computes between dequantize and
// quantize_per_tensor in PyTorch, and octet's loader makes of its call the operator that it stands for, so that it gives the same bits.
package torchscript

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/internal/atomicfile"
	"github.com/octet-ml/octet/internal/sticky"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

const (
	moduleName = "Octet"
	// version is that of the operators, PyTorch's kProducedFileFormatVersion: nothing is upgraded at load.
	version = "10\n"
	pass    = "export to TorchScript"
)

// Export writes a concrete model, or the one that an open model was last specialized to, to the file at path, which appears complete
// or not at all. Equal models make equal files. An operator that is not written gives a *graph.NodeError with an *ops.UnsupportedError.
func Export(path string, g *graph.Graph) error {
	g, err := g.Concrete()
	if err != nil {
		return err
	}
	e, err := export(g)
	if err != nil {
		return err
	}
	return atomicfile.Write(path, e.archive)
}

// WriteTo writes the archive to w.
func WriteTo(w io.Writer, g *graph.Graph) error {
	g, err := g.Concrete()
	if err != nil {
		return err
	}
	e, err := export(g)
	if err != nil {
		return err
	}
	return e.archive(w)
}

// exporter writes the code of one graph.
type exporter struct {
	sticky.Error
	body       strings.Builder // of forward
	inputs     []string
	outputs    []string
	attributes []attribute
	names      map[*graph.Value]string
	held       map[*tensor.Tensor]string // names of attributes
	taken      map[string]bool
	values     int  // named so far
	calls      bool // the functions are used
}

func export(g *graph.Graph) (*exporter, error) {
	e := &exporter{names: make(map[*graph.Value]string), held: make(map[*tensor.Tensor]string), taken: make(map[string]bool)}
	for _, name := range strings.Fields(reserved) {
		e.taken[name] = true
	}
	if g.State != nil {
		return nil, &ops.UnsupportedError{Op: "a model with state", Reason: "TorchScript: what it keeps between runs is not written"}
	}
	for _, v := range g.Inputs {
		if err := e.input(v); err != nil {
			return nil, err
		}
	}
	for _, n := range g.Nodes {
		err := e.node(n)
		if err == nil {
			err = e.Err()
		}
		if err != nil {
			return nil, &graph.NodeError{Pass: pass, Node: n, Err: err}
		}
	}
	for _, v := range g.Outputs {
		e.outputs = append(e.outputs, e.value(v))
	}
	if len(e.outputs) == 0 {
		return nil, &ops.UnsupportedError{Op: "a model without outputs", Reason: "TorchScript: there is nothing to write"}
	}
	return e, e.Err()
}

// input adds a parameter, with checks of the extents that the graph was made for and takes no others of.
func (e *exporter) input(v *graph.Value) error {
	reason := ""
	switch {
	case v.Type.Q != nil:
		reason = "inputs that are quantized are not written"
	case v.Guard != nil && v.Guard.Value != nil:
		reason = "the graph holds for one value of it only"
	}
	if reason != "" {
		return &ops.UnsupportedError{Op: "input " + v.Name, Reason: "TorchScript: " + reason}
	}
	name := e.unique(v.Name)
	e.names[v] = name
	e.inputs = append(e.inputs, name)
	if v.Guard == nil {
		return nil
	}
	for axis, d := range v.Guard.Shape {
		if d >= 0 {
			fmt.Fprintf(&e.body, "    if torch.ne(torch.size(%s, %d), %d):\n      ops.prim.RaiseException(\"dimension %[2]d of %[1]s must be %[3]d, which the model was exported for\")\n", name, axis, d)
		}
	}
	return nil
}

// reserved are names that mean something else in the code.
const reserved = `self torch ops inf nan infj nanj CONSTANTS annotate uninitialized fork int float bool str list and as assert async await break class
	continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield
	True False None print len range getattr Tensor Optional List training _is_full_backward_hook forward`

// unique returns an identifier that nothing has yet, of a name: "layer1.0.conv1.weight" is layer1_0_conv1_weight.
func (e *exporter) unique(name string) string {
	id := []byte(name)
	for i, c := range id {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_'
		if !letter && (c < '0' || c > '9') {
			id[i] = '_'
		}
	}
	name = string(id)
	if name == "" || name[0] <= '9' {
		name = "c" + name
	}
	free := name
	for i := 1; e.taken[free]; i++ {
		free = name + "_" + number(i)
	}
	e.taken[free] = true
	return free
}

//go:noinline
func unsupported(op ops.Op, reason string) error {
	return &ops.UnsupportedError{Op: op.Name(), Reason: "TorchScript: " + reason}
}

// emit adds a statement for an expression and returns the name of its value.
func (e *exporter) emit(expression string) string { return e.emitAll(1, expression)[0] }

// emitAll is emit for an expression of n values.
func (e *exporter) emitAll(n int, expression string) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = e.unique("v" + number(e.values))
		e.values++
	}
	e.body.WriteString("    " + strings.Join(names, ", ") + " = " + expression + "\n")
	return names
}

// value returns the name of a tensor.
func (e *exporter) value(v *graph.Value) string {
	if name, ok := e.names[v]; ok {
		return name
	}
	if v.Const == nil {
		e.Fail(fmt.Errorf("torchscript: value %q has no node", v.Name))
		return "None"
	}
	e.names[v] = e.hold(v.Name, v.Const)
	return e.names[v]
}

// hold returns the expression of a tensor that the module holds.
func (e *exporter) hold(name string, t *tensor.Tensor) string {
	if known, ok := e.held[t]; ok {
		return known
	}
	if storageClass(t) == "" {
		e.Fail(fmt.Errorf("torchscript: a constant of %v is not written", t.DType()))
	}
	a := attribute{name: e.unique(name), tensor: t}
	e.attributes = append(e.attributes, a)
	e.held[t] = "self." + a.name
	return e.held[t]
}

// number formats an int.
//
//go:noinline
func number(v int) string { return strconv.Itoa(v) }

// ints formats a list of ints.
func ints(list []int) string {
	texts := make([]string, len(list))
	for i, v := range list {
		texts[i] = number(v)
	}
	return "[" + strings.Join(texts, ", ") + "]"
}

// float formats a float so that it is read as the same one.
func float(v float64) string {
	switch {
	case math.IsNaN(v):
		return "nan"
	case math.IsInf(v, 1):
		return "inf"
	case math.IsInf(v, -1):
		return "-inf"
	}
	text := strconv.FormatFloat(v, 'g', -1, 64)
	if !strings.ContainsAny(text, ".e") {
		text += "."
	}
	return text
}

// literal formats a float as a number of an element type.
func literal(v float64, d tensor.DType) string {
	if d.IsFloat() || v != math.Trunc(v) || math.Abs(v) > 1<<53 {
		return float(v)
	}
	return strconv.FormatInt(int64(v), 10)
}

func boolean(b bool) string {
	if b {
		return "True"
	}
	return "False"
}

// scalar returns a number: of a constant the literal, else what the value is made into.
func (e *exporter) scalar(v *graph.Value) string {
	if t := v.Const; t != nil && t.Numel() == 1 {
		e.Fail(t.Load())
		switch t = t.Contiguous(); t.DType() {
		case tensor.Int64:
			return strconv.FormatInt(t.Int64s()[0], 10)
		case tensor.Float64:
			return float(tensor.Data[float64](t)[0])
		case tensor.Float32:
			return float(float64(t.Float32s()[0]))
		case tensor.Bool:
			return boolean(t.Bytes()[0] != 0)
		}
	}
	kind := "int"
	switch d := v.Type.DType; {
	case d == tensor.Bool:
		kind = "bool"
	case d.IsFloat():
		kind = "float"
	}
	return kind + "(" + e.value(v) + ")"
}

// extents returns the list of ints that a vector holds, whose length is known.
func (e *exporter) extents(v *graph.Value) string {
	var texts []string
	if v.Const != nil && v.Const.DType() == tensor.Int64 {
		for _, d := range v.Const.Contiguous().Int64s() {
			texts = append(texts, strconv.FormatInt(d, 10))
		}
	} else {
		for i := range v.Type.Numel() {
			texts = append(texts, "int(torch.select("+e.value(v)+", 0, "+number(i)+"))")
		}
	}
	return "[" + strings.Join(texts, ", ") + "]"
}
