package loader

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"unsafe"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/internal/atomicfile"
	"github.com/octet-ml/octet/tensor"
)

// A model in octet's own format is a safetensors file. Its tensors are the
// constants of the graph, and its metadata has the graph as compressed JSON under one key.
const (
	modelMetadata = "octet"
	modelVersion  = 2 // files of version 1 have the scales of all biases
)

// modelRecord is the graph in a file. Values are numbered: the inputs first,
// then the constants, then the outputs of the nodes in their order.
type modelRecord struct {
	Version   int              `json:"version"`
	Inputs    []inputRecord    `json:"inputs"`
	Constants []constantRecord `json:"constants"`
	Nodes     []nodeRecord     `json:"nodes"`
	Outputs   []int            `json:"outputs"`
}

type inputRecord struct {
	Name    string          `json:"name"`
	DType   tensor.DType    `json:"dtype"`
	Shape   []int           `json:"shape"` // the example shape
	QParams *tensor.QParams `json:"qparams"`
	Guard   *guardRecord    `json:"guard"`
}

// guardRecord is a graph.Guard.
type guardRecord struct {
	Shape  []int    `json:"shape"`
	Bounds [][2]int `json:"bounds"` // the least and the largest extent of each dimension, 0 for no largest
	Value  string   `json:"value"`  // a tensor of the file

	Relations []relationRecord `json:"relations"`
}

// relationRecord is a graph.Relation.
type relationRecord struct {
	Terms    [][3]int `json:"terms"` // input, axis and factor
	Constant int      `json:"constant"`
	Divisor  int      `json:"divisor"`
	AtMost   bool     `json:"at_most"`
	Text     string   `json:"text"`

	Condition *conditionRecord `json:"condition,omitempty"`
}

// conditionRecord is a graph.Condition.
type conditionRecord struct {
	Op     graph.ConditionOp `json:"op"`
	Args   []conditionRecord `json:"args,omitempty"`
	Value  int64             `json:"value,omitempty"`
	Extent []int             `json:"extent,omitempty"` // input and axis
}

type nodeRecord struct {
	Op         string          `json:"op"`
	Attributes json.RawMessage `json:"attributes"`
	Inputs     []int           `json:"inputs"`
	Names      []string        `json:"names"` // of the outputs, where one has a name
	Path       string          `json:"path"`
	Class      string          `json:"class"`
}

// Save writes the graph with its constants to the file at path, which appears
// complete or not at all: a safetensors file that Load reads back to an equal
// graph with the same bits in all constants and attributes. Constants that
// share memory are written once, and equal graphs make equal files. Every record has
// a CRC-32C, which loading compares: what does not fit is a *ChecksumError in a *FileError.
// What g.Info says of the model is written too, with the files of a text model; version, digest of the graph and inputs are filled in.
//
// A graph that holds an operator which only means something in this process, such as
// an observer, or a graph of its own, such as a branch, is rejected with a
// *graph.NodeError, and a model that keeps something between runs is rejected. Of an open graph, what it was
// last specialized to is saved; before it was, Save fails with graph.ErrOpen.
func Save(path string, g *graph.Graph) error { return SaveWith(path, g, SaveOptions{}) }

// SaveWith is Save with options.
func SaveWith(path string, g *graph.Graph, opts SaveOptions) error {
	return atomicfile.Write(path, func(w io.Writer) error { return SaveTo(w, g, opts) })
}

// SaveTo writes to w what SaveWith writes to a file. The graph is checked before anything is written.
func SaveTo(w io.Writer, g *graph.Graph, opts SaveOptions) error {
	if d := opts.Weights; d != tensor.Invalid && d != tensor.Float16 && d != tensor.BFloat16 {
		return fmt.Errorf("loader: weights are written as float16 or bfloat16, not as %v", d)
	}
	concrete, err := g.Concrete()
	if err != nil {
		return err
	}
	info := g.Info
	g = concrete
	if err := g.Verify(); err != nil {
		return err
	}
	if g.State != nil {
		return errors.New("loader: a model that keeps something between runs is not saved: keep the file it came from")
	}
	model, tensors, err := encodeModel(g, opts)
	if err != nil {
		return err
	}
	about, err := encodeInfo(g, info, model)
	if err != nil {
		return err
	}
	if model, err = packText(model); err != nil {
		return err
	}
	metadata := map[string]string{modelMetadata: model, infoMetadata: about}
	if info != nil {
		texts, err := PackText(info.Texts)
		if err != nil {
			return err
		}
		for name, packed := range texts {
			metadata[textMetadata+name] = packed
		}
	}
	return writeSafetensors(w, metadata, tensors, true)
}

func encodeRelations(relations []graph.Relation) []relationRecord {
	var out []relationRecord
	for _, is := range relations {
		r := relationRecord{Constant: is.Constant, Divisor: is.Divisor, AtMost: is.AtMost, Text: is.Text}
		if is.Condition != nil {
			c := encodeCondition(is.Condition)
			r.Condition = &c
		}
		for _, t := range is.Terms {
			r.Terms = append(r.Terms, [3]int{t.Input, t.Axis, t.Factor})
		}
		out = append(out, r)
	}
	return out
}

func encodeCondition(c *graph.Condition) conditionRecord {
	r := conditionRecord{Op: c.Op, Value: c.Value}
	if c.Op == graph.ExtentOp {
		r.Extent = []int{c.Input, c.Axis}
	}
	for i := range c.Args {
		r.Args = append(r.Args, encodeCondition(&c.Args[i]))
	}
	return r
}

// encodeModel returns the graph as JSON and the tensors it names.
func encodeModel(g *graph.Graph, opts SaveOptions) (string, []Named, error) {
	number := make(map[*graph.Value]int)
	m := modelRecord{Version: modelVersion}
	var tensors tensorNames
	for _, v := range g.Inputs {
		number[v] = len(number)
		r := inputRecord{Name: v.Name, DType: v.Type.DType, Shape: v.Type.Shape, QParams: v.Type.Q}
		if v.Guard != nil {
			r.Guard = &guardRecord{Shape: v.Guard.Shape}
			for _, b := range v.Guard.Bounds {
				r.Guard.Bounds = append(r.Guard.Bounds, [2]int{b.Min, b.Max})
			}
			r.Guard.Relations = encodeRelations(v.Guard.Relations)
			if v.Guard.Value != nil {
				r.Guard.Value = tensors.add(v.Name+".value", v.Guard.Value)
			}
		}
		m.Inputs = append(m.Inputs, r)
	}
	bias := biasScales(g)
	for _, v := range g.Constants() {
		number[v] = len(number)
		r, err := encodeConstant(v, bias[v], &tensors, opts)
		if err != nil {
			return "", nil, fmt.Errorf("loader: constant %q: %w", v.Name, err)
		}
		m.Constants = append(m.Constants, r)
	}
	for _, n := range g.Nodes {
		r, err := encodeNode(n, number)
		if err != nil {
			return "", nil, &graph.NodeError{Pass: "save", Node: n, Err: err}
		}
		m.Nodes = append(m.Nodes, r)
	}
	for _, v := range g.Outputs {
		m.Outputs = append(m.Outputs, number[v])
	}
	if len(m.Nodes) > maxModelNodes || len(number) > maxModelValues {
		return "", nil, fmt.Errorf("loader: %d nodes and %d values, at most %d and %d are saved", len(m.Nodes), len(number), maxModelNodes, maxModelValues)
	}
	var b bytes.Buffer
	if err := encodeRecord(&b, reflect.ValueOf(m)); err != nil {
		return "", nil, fmt.Errorf("loader: %w", err)
	}
	if b.Len() > maxModelText {
		return "", nil, fmt.Errorf("loader: the graph takes %d bytes as text, at most %d are saved", b.Len(), maxModelText)
	}
	return b.String(), tensors.list, nil
}

func encodeNode(n *graph.Node, number map[*graph.Value]int) (nodeRecord, error) {
	r := nodeRecord{Op: operatorName(n.Op), Path: n.Scope.Path, Class: n.Scope.Class}
	if r.Op == "" {
		return r, errors.New("the operator cannot be saved")
	}
	var attributes bytes.Buffer
	if err := encodeRecord(&attributes, reflect.ValueOf(n.Op)); err != nil {
		return r, err
	}
	if attributes.String() != "{}" {
		r.Attributes = attributes.Bytes()
	}
	for _, v := range n.Inputs {
		r.Inputs = append(r.Inputs, number[v])
	}
	named := false
	for _, v := range n.Outputs {
		number[v] = len(number)
		r.Names = append(r.Names, v.Name)
		named = named || v.Name != ""
	}
	if !named {
		r.Names = nil
	}
	return r, nil
}

// tensorNames are the tensors of a file, each with a name of its own.
type tensorNames struct {
	list  []Named
	taken map[string]bool
	byKey map[tensorKey]string

	narrowed map[tensorKey]*tensor.Tensor // what is written in place of a tensor
}

// tensorKey tells tensors apart that are to be written each: those with other
// memory, element type or shape.
type tensorKey struct {
	tensor *tensor.Tensor // of one that is not contiguous
	data   *byte
	dtype  tensor.DType
	shape  string
}

func keyOf(t *tensor.Tensor) tensorKey {
	if len(t.Bytes()) == 0 {
		return tensorKey{tensor: t}
	}
	return tensorKey{data: unsafe.SliceData(t.Bytes()), dtype: t.DType(), shape: t.Shape().String()}
}

// narrow is that of the options, once for constants that share memory.
func (n *tensorNames) narrow(t *tensor.Tensor, opts SaveOptions) (*tensor.Tensor, tensor.DType, error) {
	key := keyOf(t)
	if s := n.narrowed[key]; s != nil {
		return s, t.DType(), nil
	}
	stored, dtype, err := opts.narrow(t)
	if err == nil && stored != t {
		if n.narrowed == nil {
			n.narrowed = make(map[tensorKey]*tensor.Tensor)
		}
		n.narrowed[key] = stored
	}
	return stored, dtype, err
}

// add returns the name of a tensor in the file: the given one where it is free.
func (n *tensorNames) add(name string, t *tensor.Tensor) string {
	if n.taken == nil {
		n.taken = map[string]bool{"": true, safetensorsMetadata: true}
		n.byKey = make(map[tensorKey]string)
	}
	key := keyOf(t)
	if known, ok := n.byKey[key]; ok {
		return known
	}
	unique := name
	for i := len(n.list); n.taken[unique]; i++ {
		unique = "constant." + strconv.Itoa(i)
	}
	n.taken[unique] = true
	n.byKey[key] = unique
	n.list = append(n.list, Named{Name: unique, Tensor: t})
	return unique
}
