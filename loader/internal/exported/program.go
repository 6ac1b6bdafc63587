package exported

import (
	"github.com/octet-ml/octet/loader/internal/container"
	"github.com/octet-ml/octet/tensor"
)

// Program is an exported program: a graph, and what its inputs and outputs are.
type Program struct {
	Name     string // of several in an archive
	Schema   Version
	Torch    string   // the version of PyTorch that wrote it
	Dialects []string // "TRAINING" as exported, "ATEN" after run_decompositions
	Graph    *Graph
	Inputs   []Input  // of the graph, in its order
	Outputs  []Output // of the graph, in its order
	In, Out  *Tree    // how a caller sees the user's inputs and outputs
	ArgNames []string // of forward
	Ranges   map[string]Range
	Guards   []Guard
	Devices  []string // other than "cpu" that values were on, each once

	written map[weightName]int // inputs that an output may write to: buffers, constants and parameters
}

// weightName is the name of a parameter, or of a buffer or constant, in the module.
type weightName struct {
	parameter bool
	name      string
}

// Version is that of the schema.
type Version struct{ Major, Minor int }

// Graph is straight-line code. Names are those of its own values only: what a graph
// inside another uses comes in as an input.
type Graph struct {
	Inputs  []Arg
	Outputs []Arg
	Nodes   []Node
	Tensors map[string]*TensorMeta
	Symbols map[string]*Expr // the numbers, by name: ints, bools and floats
}

// Node is a call of an operator.
type Node struct {
	Target  string // "torch.ops.aten.add.Tensor"
	Name    string // "" before schema 8.5 or so
	Inputs  []NamedArg
	Outputs []Arg
	Stack   string // nn_module_stack
}

// NamedArg is an argument by its name in the operator's schema.
type NamedArg struct {
	Name string
	Arg  Arg
	Kind ArgKind
}

// ArgKind says how an argument is passed.
type ArgKind uint8

// Kinds of arguments: the first programs of schema 8 do not say.
const (
	UnknownKind ArgKind = iota
	Positional
	Keyword
)

// Arg is an argument or a result:
//
//	None                        nil
//	bool, int, float, string    bool, int64, float64, string
//	complex                     complex128
//	Tensor, by its name         Tensor
//	a number, by its name       Symbol
//	lists of these              List
//	dict with strings as keys   Dict
//	dtype, layout               ScalarType, Layout
//	memory format, device       MemoryFormat, Device
//	graph                       *Subgraph
//	operator                    Operator
//	custom object               CustomObject
//	effect token                Token
type Arg any

// Tensor is the name of a tensor.
type Tensor string

// Symbol is the name of an int, float or bool that a run computes or shapes give.
type Symbol string

// List is a list of arguments.
type List []Arg

// Dict is a dict with strings as keys, in the order of the file.
type Dict struct {
	Keys   []string
	Values []Arg
}

// ScalarType is an element type, in the numbering of the schema.
type ScalarType int

// Layout is the layout of a tensor. Only strided ones are read.
type Layout uint8

// Strided is the layout of tensors with strides.
const Strided Layout = 7

// MemoryFormat says which dimension is innermost.
type MemoryFormat uint8

// The memory formats, in the numbering of the schema.
const (
	ContiguousFormat MemoryFormat = 1 + iota
	ChannelsLast
	ChannelsLast3D
	PreserveFormat
)

// Device is the name of a device: "cpu", "cuda:0".
type Device string

// Subgraph is a graph that is an argument.
type Subgraph struct {
	Name  string
	Graph *Graph
}

// Operator is an operator that is an argument.
type Operator string

// CustomObject is the name of an object of a custom class.
type CustomObject struct{ Name, Class string }

// Token orders operators with effects.
type Token string

// TensorMeta is what is known of a tensor beforehand.
type TensorMeta struct {
	DType   tensor.DType    // Invalid where octet does not have it
	Type    string          // PyTorch's name of the element type
	Wide    *container.Wide // of a type that DType only holds
	Sizes   []Extent
	Strides []Extent
	Offset  Extent // of the storage
	Device  string
	Layout  Layout
}

// Extent is a number of elements: fixed, or an expression of symbols.
type Extent struct {
	Fixed int64
	Expr  *Expr // nil when it is fixed
	Hint  int64 // of an expression: its value in the example that was exported, -1 where there is none
}

// Range bounds a symbol.
type Range struct{ Min, Max int64 }

// Guard is a condition on the shapes of inputs.
type Guard struct {
	Text string
	Cond *Expr
}

// InputKind says what an input of the graph is.
type InputKind uint8

// The kinds of inputs.
const (
	UserInput InputKind = iota
	ConstantInput
	Parameter
	Buffer
	TensorConstant
	CustomInput
	TokenInput
)

// Input is an input of the graph.
type Input struct {
	Kind       InputKind
	Arg        Arg    // of a constant input its value
	Name       string // of the value in the graph
	Target     string // of a parameter, buffer or constant: its name in the module
	Persistent bool   // of a buffer: it is among the weights, not the constants
}

// OutputKind says what an output of the graph is.
type OutputKind uint8

// The kinds of outputs.
const (
	UserOutput OutputKind = iota
	BufferMutation
	InputMutation
	ParameterMutation
	LossOutput
	GradientOutput
	TokenOutput
)

var outputKinds = [...]string{"user output", "buffer mutation", "input mutation", "parameter mutation", "loss", "gradient", "token"}

func (k OutputKind) String() string { return outputKinds[k] }

// Output is an output of the graph.
type Output struct {
	Kind   OutputKind
	Arg    Arg
	Target string // what a mutation writes to: the name of a buffer, parameter or input
}
