package nn

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/tensor"
)

// Input describes an input of an architecture; Shape is an example.
type Input struct {
	Name  string
	DType tensor.DType
	Shape []int
}

// Output is an output of an architecture. A Root with a method Outputs(*Context, ...*graph.Value) []Output has several, or names for them.
type Output struct {
	Name  string
	Value *graph.Value
}

// Architecture is a model without weights.
type Architecture struct {
	Name   string
	Inputs []Input
	Root   Module
}

// Weights is a state_dict: parameters and buffers by name.
type Weights interface {
	Names() []string
	Get(name string) *tensor.Tensor // nil when there is none
}

// BindError lists everything about a state_dict that does not fit an architecture.
type BindError struct {
	Architecture string
	Missing      []string // parameters the state_dict lacks
	Unexpected   []string // entries the architecture has no parameter for
	WrongShape   []string // "name: have [..], want [..]"
}

func (e *BindError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "the state_dict does not fit %s", e.Architecture)
	list := func(what string, names []string) {
		if len(names) > 0 {
			fmt.Fprintf(&b, "\n  %d %s: %s", len(names), what, strings.Join(names, ", "))
		}
	}
	list("missing", e.Missing)
	list("unexpected", e.Unexpected)
	list("of another shape", e.WrongShape)
	return b.String()
}

// Build makes the graph of an architecture with the weights of a state_dict.
// float16, bfloat16 and float64 weights become float32. When the keys or shapes do
// not fit, it fails with a *BindError that lists them all.
// Buffers that hold no weights are ignored: counters of batch norm
// (num_batches_tracked) and position_ids.
func Build(arch Architecture, weights Weights) (*graph.Graph, error) {
	if weights == nil {
		return nil, errors.New("nn: there are no weights")
	}
	s := &bound{weights: weights, used: make(map[string]bool), err: BindError{Architecture: arch.Name}}
	g, err := build(arch, s)
	for _, name := range weights.Names() {
		if !s.used[name] && !strings.HasSuffix(name, "num_batches_tracked") && !strings.HasSuffix(name, ".position_ids") {
			s.err.Unexpected = append(s.err.Unexpected, name)
		}
	}
	if len(s.err.Missing)+len(s.err.Unexpected)+len(s.err.WrongShape) > 0 {
		return nil, &s.err
	}
	return g, err
}

// BuildRandom makes the graph of an architecture with seeded random weights:
// good for measuring speed, not for anything else.
func BuildRandom(arch Architecture, seed uint64) (*graph.Graph, error) {
	return build(arch, &random{rng: rand.New(rand.NewPCG(seed, 0))})
}

func build(arch Architecture, s source) (*graph.Graph, error) {
	if arch.Root == nil {
		return nil, errors.New("nn: the architecture has no module (Root)")
	}
	b := &builder{Builder: graph.Builder{Graph: graph.New()}, source: s, params: make(map[string]*graph.Value)}
	c := &Context{b: b, cls: arch.Root.Class()}
	inputs := make([]*graph.Value, len(arch.Inputs))
	for i, in := range arch.Inputs {
		inputs[i] = b.Graph.Input(in.Name, in.DType, in.Shape...)
	}
	outputs := []Output{{}}
	if m, ok := arch.Root.(interface {
		Outputs(*Context, ...*graph.Value) []Output
	}); ok {
		outputs = m.Outputs(c, inputs...)
	} else {
		outputs[0].Value = arch.Root.Forward(c, inputs...)
	}
	if err := b.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", arch.Name, err)
	}
	values := make([]*graph.Value, len(outputs))
	for i, o := range outputs {
		if values[i] = o.Value; o.Name != "" {
			o.Value.Name = o.Name
		}
	}
	b.Graph.SetOutputs(values...)
	return b.Graph, nil
}

// bound takes parameters from a state_dict and remembers what does not fit.
type bound struct {
	weights Weights
	used    map[string]bool
	err     BindError
}

func (s *bound) parameter(name string, shape tensor.Shape, _ Init) *tensor.Tensor {
	s.used[name] = true
	t := s.weights.Get(name)
	switch {
	case t == nil:
		s.err.Missing = append(s.err.Missing, name)
	case !t.Shape().Equal(shape):
		s.err.WrongShape = append(s.err.WrongShape, fmt.Sprintf("%s: have %v, want %v", name, t.Shape(), shape))
	default:
		f, err := t.To(tensor.Float32)
		if err == nil {
			return f
		}
		s.err.WrongShape = append(s.err.WrongShape, fmt.Sprintf("%s: %v", name, err))
	}
	zero, err := tensor.New(tensor.Float32, shape...)
	if err != nil {
		return tensor.Scalar(float32(0))
	}
	return zero
}

// random makes parameters from a seeded generator, in the order of the architecture.
type random struct {
	rng *rand.Rand
}

func (s *random) parameter(_ string, shape tensor.Shape, init Init) *tensor.Tensor {
	t, err := tensor.New(tensor.Float32, shape...)
	if err != nil {
		return tensor.Scalar(float32(0))
	}
	fanIn := 1
	for _, d := range shape[min(1, len(shape)):] {
		fanIn *= d
	}
	std := math.Sqrt(2 / float64(max(fanIn, 1)))
	v := t.Float32s()
	for i := range v {
		switch init {
		case KaimingNormal:
			v[i] = float32(s.rng.NormFloat64() * std)
		case Ones:
			v[i] = 1
		case SmallNormal:
			v[i] = float32(s.rng.NormFloat64() * 0.02)
		case RunningMean:
			v[i] = float32(s.rng.NormFloat64() * 0.1)
		case RunningVar:
			v[i] = float32(0.5 + s.rng.Float64())
		}
	}
	return t
}

// ByName returns the built-in architecture of that name.
func ByName(name string) (Architecture, error) {
	make, ok := architectures[name]
	if !ok {
		return Architecture{}, fmt.Errorf("unknown architecture %q: use one of %s", name, strings.Join(Names(), ", "))
	}
	return make(), nil
}

// Names lists the built-in architectures.
func Names() []string {
	names := make([]string, 0, len(architectures))
	for n := range architectures {
		names = append(names, n)
	}
	sort.Strings(names)
	return slices.Clip(names)
}

// architectures is the registry that ByName reads.
var architectures = map[string]func() Architecture{
	"resnet20-cifar": ResNet20CIFAR,
	"resnet32-cifar": ResNet32CIFAR,
	"resnet44-cifar": ResNet44CIFAR,
	"resnet56-cifar": ResNet56CIFAR,
	"resnet18":       ResNet18,
	"resnet34":       ResNet34,
	"resnet50":       ResNet50,
	"mobilenet_v2":   MobileNetV2,
	"vgg11":          VGG11,
	"vgg16":          VGG16,
	"bert_base":      BERTBase,
}
