package serve

import (
	"context"
	"errors"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// Source says where a model comes from.
type Source struct {
	// Path is that of a file which loader.Load reads, with the option OnDemand, so that weights are in memory once. It may be replaced by another of its name while it is
	// served; one that is written to is to be loaded again: until then requests fail that need weights anew, as those of new shapes do.
	Path string
	// Open, unless nil, makes the graph instead. It is called at each load. Where there is a Path too, that is the file which Open reads: what it makes
	// depends on no other.
	Open func(ctx context.Context) (*graph.Graph, error)
	// Inputs are types of the inputs of a model whose file says none, as that of TorchScript.
	Inputs []ops.Type
	// Warm is an example of the inputs: the model is warmed up with it, and joined runs are compared with single ones on it. nil: values
	// from a generator.
	Warm []*tensor.Tensor
}

// File is the source of a model in a file.
func File(path string) Source { return Source{Path: path} }

// Graph is the source of a model that is there.
func Graph(g *graph.Graph) Source {
	return Source{Open: func(context.Context) (*graph.Graph, error) { return g, nil }}
}

// open reads the graph.
func (s Source) open(ctx context.Context, maxMemory int64) (*graph.Graph, error) {
	if s.Open != nil {
		return s.Open(ctx)
	}
	return loader.Load(s.Path, loader.Context(ctx), loader.MaxMemory(maxMemory), loader.OnDemand())
}

// example returns the types of inputs to describe the model by.
func (s Source) example() []ops.Type {
	if len(s.Inputs) > 0 {
		return s.Inputs
	}
	var types []ops.Type
	for _, t := range s.Warm {
		typ := ops.Type{DType: t.DType(), Shape: t.Shape().Clone(), Q: t.QParams()}
		if t.Rank() == 0 {
			typ.Known = t
		}
		types = append(types, typ)
	}
	return types
}

// ErrNoTypes is in the error of a model whose file says no types of inputs, as those of TorchScript do, and whose Source has neither Inputs nor Warm.
var ErrNoTypes = errors.New("its file does not say what inputs it takes: give their shapes or an example")

// signature returns what the model takes and gives.
func (s Source) signature(g *graph.Graph) (*graph.Signature, error) {
	signature, err := g.Signature(s.example()...)
	if errors.Is(err, graph.ErrOpen) {
		return nil, ErrNoTypes
	}
	return signature, err
}
