package loader

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/loader/internal/container"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// Budgets of a model's graph, far above those of any model that is trained and
// low enough that reading one is quick.
const (
	maxModelText   = 64 << 20  // bytes of JSON
	maxModelMemory = 128 << 20 // bytes that lists take once read
	maxModelNodes  = 1 << 16
	maxModelValues = 1 << 20
)

// Option changes how Load reads a model.
type Option func(*modelFile)

// Mapping keeps the file of a model mapped into memory. The zero value is
// ready to be given to Mapped.
type Mapping struct {
	file *MappedSafetensors
}

// Close ends the mapping. The model must not be used afterwards.
func (m *Mapping) Close() error {
	if m.file == nil {
		return nil
	}
	file := m.file
	m.file = nil
	return file.Close()
}

// Mapped maps the file into memory instead of copying it, so that constants
// are read when they are first used, and given back to the system once a session
// has packed them for its kernels: weights are in memory once. The model, and
// what was compiled from it, must not be used after m is closed, and the file not
// be shortened before. Constants must not be written to.
func Mapped(m *Mapping) Option { return func(f *modelFile) { f.mapping = m } }

// UnknownOperatorError lists the operators of a model that this version of
// octet does not have.
type UnknownOperatorError struct {
	Operators []string // each once, in the order of the file
}

func (e *UnknownOperatorError) Error() string {
	return "operators that this version does not have: " + strings.Join(e.Operators, ", ")
}

// Load reads a model from the file at path: what Save wrote, or what
// torch.jit.save or torch.export.save did. The format is told by the content, and a
// file of another kind is rejected with advice. The graph of a TorchScript model is
// open: it is made when the model first runs, or at once with the option Inputs. So is
// that of an exported program with dynamic shapes; one whose shapes are fixed has its
// graph at once.
//
// The file is not trusted: everything in it is checked before it is used, and
// what is wrong gives a *FileError that names the node. Constants are copied
// into memory unless the option Mapped or OnDemand is given.
func Load(path string, opts ...Option) (*graph.Graph, error) {
	f, err := Open(path, opts...)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Load()
}

// LoadFrom is Load of the first size bytes of r, which cannot be mapped.
func LoadFrom(r io.ReaderAt, size int64, opts ...Option) (*graph.Graph, error) {
	if r == nil || size < 0 {
		return nil, fmt.Errorf("loader: there is nothing to read: reader %T, %d bytes", r, size)
	}
	return (&modelFile{r: r, size: size}).load(opts)
}

// modelFile is a file that is being loaded.
type modelFile struct {
	r       io.ReaderAt
	size    int64
	file    *os.File // nil for a reader
	head    []byte
	mapping *Mapping
	model   string // of several, "": not given
	method  string // of a module of TorchScript, "": forward
	key     string // of the state_dict in a checkpoint, "": not given

	ctx       context.Context // of reading, nil: none
	fsys      fs.FS           // of the file that is opened
	limits    build.Limits    // of programs, zero: the default
	maxMemory int64           // 0: not given
	onDemand  bool
	rows      bool       // RowsOnDemand
	watched   *unchanged // what is read on demand, nil: all is read at once
}

// modelFormats are the formats a model comes in, told by the content; the first
// that fits is taken.
var modelFormats = []struct {
	is   func(*modelFile) bool
	load func(*modelFile) (*graph.Graph, error)
}{
	{func(f *modelFile) bool { return isSafetensors(f.head, f.size) }, loadOctet},
	{isTorchScript, loadTorchScript},
	{isExported, loadExported},
	{func(f *modelFile) bool { return container.IsZip(f.head) }, rejectZip},
	{func(f *modelFile) bool { return hasMagic(f.head, "ET12") }, refuseModel("a program of ExecuTorch (.pte), which only its runtime reads", exportAdvice)},
	{func(f *modelFile) bool { return hasMagic(f.head, "PTMF") }, refuseModel("a model for PyTorch Mobile (flatbuffers)", exportAdvice)},
	{func(f *modelFile) bool { return f.head[0] == pickleStart }, func(f *modelFile) (*graph.Graph, error) { return nil, rejectWeights(f) }},
}

// ErrWeightsOnly is the Err of the *FileError of a file without a graph.
var ErrWeightsOnly = errors.New("weights without a graph, which need an architecture (nn.Build)")

// exportAdvice is the advice for a file that was made of a model for some other runtime.
const exportAdvice = "save the model itself, torch.export.save(torch.export.export(model, args), path)"

// hasMagic reports whether a file says what it is behind its first four bytes, as flatbuffers do.
func hasMagic(head []byte, magic string) bool { return len(head) >= 8 && string(head[4:8]) == magic }

func refuseModel(what, advice string) func(*modelFile) (*graph.Graph, error) {
	return func(*modelFile) (*graph.Graph, error) {
		return nil, &FileError{Err: &UnsupportedFileError{What: what, Advice: advice}}
	}
}

// rejectZip rejects a zip archive that holds no model.
func rejectZip(f *modelFile) (*graph.Graph, error) {
	a, err := container.Open(f.r, f.size)
	switch {
	case err != nil:
		return nil, err
	case a.Has(mobileRecord):
		return refuseModel("a model for PyTorch Mobile (.ptl), which holds bytecode and no program", exportAdvice)(f)
	}
	return nil, rejectWeights(f)
}

// mobileRecord is the program of an archive for PyTorch Mobile.
const mobileRecord = "bytecode.pkl"

func isTorchScript(f *modelFile) bool {
	if !container.IsZip(f.head) {
		return false
	}
	a, err := container.Open(f.r, f.size)
	return err == nil && a.Has(scriptRecord)
}

func (f *modelFile) load(opts []Option) (*graph.Graph, error) {
	for _, o := range opts {
		o(f)
	}
	if f.mapping != nil {
		if f.file == nil {
			return nil, errors.New("loader: only a file of the system, named by its path, can be mapped")
		}
		if f.mapping.file != nil {
			return nil, errors.New("loader: the mapping is in use by another model")
		}
	}
	if f.mapping == nil {
		if err := f.fits(); err != nil {
			return nil, err
		}
	}
	if err := f.readHead(); err != nil {
		return nil, err
	}
	if f.method != "" && !isTorchScript(f) {
		return nil, &FileError{Reason: fmt.Sprintf("has no method %q to run: only modules of TorchScript have methods", f.method)}
	}
	for _, format := range modelFormats {
		if format.is(f) {
			return format.load(f)
		}
	}
	return nil, f.unknown()
}

// loadOctet reads octet's own format, which Save describes.
func loadOctet(f *modelFile) (g *graph.Graph, err error) {
	entries, metadata, start, err := readSafetensorsHeader(f.r, f.size)
	if err != nil {
		return nil, err
	}
	packed, ok := metadata[modelMetadata]
	if !ok {
		return nil, &FileError{Err: ErrWeightsOnly}
	}
	text, err := unpackText(modelMetadata, packed)
	if err != nil {
		return nil, err
	}
	var m modelRecord
	budget := maxModelMemory
	if err := parseModel(text, &m, &budget); err != nil {
		return nil, err
	}
	info, err := decodeInfo(metadata, text)
	if err != nil {
		return nil, err
	}
	tensors := make(map[string]*tensor.Tensor, len(entries))
	if f.mapping != nil {
		var mapped *MappedSafetensors
		if mapped, err = mapTensors(f.file, f.size, entries, start); err != nil {
			return nil, err
		}
		defer func() {
			if err != nil {
				err = errors.Join(err, mapped.Close())
			} else {
				f.mapping.file = mapped
			}
		}()
		for _, t := range mapped.Tensors {
			if t.Tensor.DType() == tensor.Bool { // may have been written to
				tensors[t.Name] = t.Tensor
				continue
			}
			tensors[t.Name] = t.Tensor.Evictable()
			tensors[t.Name].Evict() // what its checksum was compared for
		}
	} else {
		for _, e := range entries {
			t, err := f.entry(e, start)
			if err != nil {
				return nil, err
			}
			tensors[t.Name] = t.Tensor
		}
	}
	used := make(map[string]bool, len(m.Constants))
	for _, c := range m.Constants {
		used[c.Tensor], used[c.Scales], used[c.ZeroPoints] = true, true, true
	}
	for _, in := range m.Inputs {
		if in.Guard != nil {
			used[in.Guard.Value] = true
		}
	}
	for _, e := range entries {
		if !used[e.name] {
			return nil, &FileError{Record: e.name, Reason: "the graph does not use this tensor"}
		}
	}
	if g, err = decodeModel(&m, tensors, &budget); err != nil {
		return nil, err
	}
	g.Info = info
	return g, nil
}

// parseModel reads the JSON of a graph and checks its version and size.
func parseModel(text string, m *modelRecord, budget *int) error {
	if len(text) > maxModelText {
		return &FileError{Record: modelMetadata, Reason: fmt.Sprintf("a graph of %d bytes, at most %d are read", len(text), maxModelText)}
	}
	if v := modelVersionOf(text); v > modelVersion {
		return &FileError{Record: modelMetadata, Reason: fmt.Sprintf("version %d of the format, this is for version %d: use a newer octet", v, modelVersion)}
	}
	if err := unmarshalRecord([]byte(text), reflect.ValueOf(m).Elem(), budget); err != nil {
		return &FileError{Record: modelMetadata, Reason: err.Error()}
	}
	if m.Version < 1 {
		return &FileError{Record: modelMetadata, Reason: fmt.Sprintf("version %d of the format is not read", m.Version)}
	}
	if len(m.Nodes) > maxModelNodes {
		return &FileError{Record: modelMetadata, Reason: fmt.Sprintf("%d nodes, at most %d are read", len(m.Nodes), maxModelNodes)}
	}
	var unknown UnknownOperatorError
	first := -1
	seen := make(map[string]bool)
	for i, n := range m.Nodes {
		if operatorType(n.Op) == nil && !seen[n.Op] {
			seen[n.Op] = true
			unknown.Operators = append(unknown.Operators, n.Op)
			if first < 0 {
				first = i
			}
		}
	}
	if first >= 0 {
		return &FileError{Record: nodeLabel(first, &m.Nodes[first]), Err: &unknown}
	}
	return nil
}

// modelVersionOf returns the version alone, which a newer format still has
// where all else may differ; 0 where there is none.
func modelVersionOf(text string) int {
	d := json.NewDecoder(strings.NewReader(text))
	if expect(d, json.Delim('{')) != nil {
		return 0
	}
	if name, err := d.Token(); err != nil || name != "version" {
		return 0
	}
	version, _ := d.Token()
	v, _ := version.(float64)
	return int(min(max(v, 0), 1<<30))
}

func nodeLabel(i int, n *nodeRecord) string {
	if n.Path == "" {
		return fmt.Sprintf("node %d (%s)", i, n.Op)
	}
	return fmt.Sprintf("node %d (%s, %s)", i, n.Path, n.Op)
}

// decodeModel makes the graph from its record and the tensors of the file.
func decodeModel(m *modelRecord, tensors map[string]*tensor.Tensor, budget *int) (*graph.Graph, error) {
	g := graph.New()
	var values []*graph.Value
	for i, in := range m.Inputs {
		v, err := decodeInput(g, &in, tensors)
		if err != nil {
			return nil, &FileError{Record: fmt.Sprintf("input %d (%s)", i, in.Name), Reason: err.Error()}
		}
		values = append(values, v)
	}
	late := make(biases)
	for i, c := range m.Constants {
		v, err := decodeConstant(g, &c, tensors)
		if err != nil {
			return nil, &FileError{Record: fmt.Sprintf("constant %d (%s)", i, c.Name), Reason: err.Error()}
		}
		values = append(values, v)
		if c.BiasScales {
			late[v] = c.QParams
		}
	}
	for i := range m.Nodes {
		outputs, err := decodeNode(g, &m.Nodes[i], values, late, budget)
		if err != nil {
			return nil, &FileError{Record: nodeLabel(i, &m.Nodes[i]), Err: err}
		}
		if values = append(values, outputs...); len(values) > maxModelValues {
			return nil, &FileError{Record: nodeLabel(i, &m.Nodes[i]), Reason: fmt.Sprintf("more than %d values", maxModelValues)}
		}
	}
	if most := build.DefaultLimits.Outputs; len(m.Outputs) > most {
		return nil, &FileError{Record: "outputs", Reason: fmt.Sprintf("%d outputs, at most %d are read", len(m.Outputs), most)}
	}
	outputs, err := pick(values, m.Outputs)
	if err != nil {
		return nil, &FileError{Record: "outputs", Reason: err.Error()}
	}
	if name, ok := late.left(); ok {
		return nil, &FileError{Record: name, Reason: "its scales are those of a layer's sums, and no layer adds it to any"}
	}
	g.SetOutputs(outputs...)
	if err := g.Verify(); err != nil {
		return nil, &FileError{Reason: "the graph is wrong", Err: err}
	}
	if err := checkExample(g); err != nil {
		return nil, err
	}
	return g, nil
}

// checkExample refuses relations that the extents in the file do not fulfill.
func checkExample(g *graph.Graph) error {
	for i, v := range g.Inputs {
		if v.Guard != nil && slices.ContainsFunc(v.Guard.Relations, func(r graph.Relation) bool { return !r.HoldsFor(g.Inputs) }) {
			return &FileError{Record: fmt.Sprintf("input %d (%s)", i, v.Name), Reason: "its guard refuses the example of the inputs"}
		}
	}
	return nil
}

func decodeInput(g *graph.Graph, in *inputRecord, tensors map[string]*tensor.Tensor) (*graph.Value, error) {
	if in.DType == tensor.Invalid {
		return nil, errors.New("no element type")
	}
	if len(in.Shape) > maxRank {
		return nil, fmt.Errorf("%d dimensions, at most %d are read", len(in.Shape), maxRank)
	}
	if _, err := tensor.Shape(in.Shape).Numel(); err != nil {
		return nil, err
	}
	v := g.Input(in.Name, in.DType, in.Shape...)
	v.Type.Q = in.QParams
	if in.Guard != nil {
		guard, err := decodeGuard(in, tensors)
		if err != nil {
			return nil, err
		}
		v.Guard = guard
	}
	return v, fitQParams(in.QParams, in.DType, in.Shape)
}

func decodeGuard(in *inputRecord, tensors map[string]*tensor.Tensor) (*graph.Guard, error) {
	guard := &graph.Guard{Shape: in.Guard.Shape}
	if guard.Shape != nil && len(guard.Shape) != len(in.Shape) {
		return nil, fmt.Errorf("a guard of %d dimensions for %d", len(guard.Shape), len(in.Shape))
	}
	for i, d := range guard.Shape {
		if d != -1 && d != in.Shape[i] {
			return nil, fmt.Errorf("extent %d of the example is %d, its guard takes %d", i, in.Shape[i], d)
		}
	}
	if in.Guard.Bounds != nil && len(in.Guard.Bounds) != len(in.Shape) {
		return nil, fmt.Errorf("bounds of %d dimensions for %d", len(in.Guard.Bounds), len(in.Shape))
	}
	for i, b := range in.Guard.Bounds {
		if b[0] < 0 || b[0] > in.Shape[i] || b[1] != 0 && b[1] < in.Shape[i] {
			return nil, fmt.Errorf("extent %d of the example is %d, its bounds are %d and %d", i, in.Shape[i], b[0], b[1])
		}
		guard.Bounds = append(guard.Bounds, graph.Bound{Min: b[0], Max: b[1]})
	}
	for _, r := range in.Guard.Relations {
		is := graph.Relation{Constant: r.Constant, Divisor: r.Divisor, AtMost: r.AtMost, Text: r.Text}
		if r.Condition != nil {
			c, err := r.Condition.decode()
			if err != nil {
				return nil, err
			}
			is.Condition = &c
		}
		for _, t := range r.Terms {
			is.Terms = append(is.Terms, graph.RelationTerm{Input: t[0], Axis: t[1], Factor: t[2]})
		}
		guard.Relations = append(guard.Relations, is)
	}
	if in.Guard.Value == "" {
		return guard, nil
	}
	guard.Value = tensors[in.Guard.Value]
	if guard.Value == nil {
		return nil, fmt.Errorf("no tensor %q in the file", in.Guard.Value)
	}
	if guard.Value.DType() != in.DType || !guard.Value.Shape().Equal(in.Shape) {
		return nil, fmt.Errorf("a guard of %v%v for %v%v", guard.Value.DType(), guard.Value.Shape(), in.DType, tensor.Shape(in.Shape))
	}
	return guard, nil
}

func (r *conditionRecord) decode() (graph.Condition, error) {
	c := graph.Condition{Op: r.Op, Value: r.Value}
	if (r.Op == graph.ExtentOp) != (len(r.Extent) == 2) {
		return c, fmt.Errorf("the condition %q of a guard has the extent %v", r.Op, r.Extent)
	}
	if r.Op == graph.ExtentOp {
		c.Input, c.Axis = r.Extent[0], r.Extent[1]
	}
	for i := range r.Args {
		a, err := r.Args[i].decode()
		if err != nil {
			return c, err
		}
		c.Args = append(c.Args, a)
	}
	return c, nil
}

func fitQParams(q *tensor.QParams, dtype tensor.DType, shape tensor.Shape) error {
	if q == nil {
		return nil
	}
	if q.DType != dtype {
		return fmt.Errorf("quantization parameters of %v for %v", q.DType, dtype)
	}
	return q.Validate(shape)
}

func decodeNode(g *graph.Graph, r *nodeRecord, values []*graph.Value, late biases, budget *int) ([]*graph.Value, error) {
	inputs, err := pick(values, r.Inputs)
	if err != nil {
		return nil, err
	}
	op := reflect.New(operatorType(r.Op)).Elem()
	if r.Attributes != nil {
		if err := unmarshalRecord(r.Attributes, op, budget); err != nil {
			return nil, fmt.Errorf("attributes: %w", err)
		}
	}
	if err := late.give(op.Interface().(ops.Op), inputs); err != nil {
		return nil, err
	}
	outputs, err := g.Add(graph.Scope{Path: r.Path, Class: r.Class}, op.Interface().(ops.Op), inputs...)
	if err != nil {
		var ne *graph.NodeError
		if errors.As(err, &ne) {
			err = ne.Err // the record of the file names the node already
		}
		return nil, err
	}
	if r.Names != nil && len(r.Names) != len(outputs) {
		return nil, fmt.Errorf("%d names for %d outputs", len(r.Names), len(outputs))
	}
	for i, name := range r.Names {
		outputs[i].Name = name
	}
	return outputs, nil
}

// pick returns the values with the given numbers.
func pick(values []*graph.Value, numbers []int) ([]*graph.Value, error) {
	picked := make([]*graph.Value, len(numbers))
	for i, n := range numbers {
		if n < 0 || n >= len(values) {
			return nil, fmt.Errorf("value %d is not one of the %d before it", n, len(values))
		}
		picked[i] = values[n]
	}
	return picked, nil
}
