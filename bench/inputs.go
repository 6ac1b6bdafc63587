package bench

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// InputTypes returns the types of a graph's inputs for a batch of the given
// size: the types the graph was built with, with another first extent. given, when not
// nil, replaces them before that (an input without dimensions is then 1), and must be there for an open graph that
// knows of no example; a given type without element type has the graph's, or float32. Too many or too few are a *graph.InputError.
func InputTypes(g *graph.Graph, given []ops.Type, batch int) ([]ops.Type, error) {
	types, known := g.Example()
	if !known {
		types = exampleTypes(g)
	}
	switch {
	case given == nil && !known:
		return nil, graph.ErrOpen
	case given != nil && (len(given) > len(types) || len(given) < len(types) && !g.IsOpen()):
		return nil, &graph.InputError{
			Index: -1, Reason: fmt.Sprintf("%d shapes are given where the model has %d inputs", len(given), len(types)),
			Want: fmt.Sprint(len(types)), Got: fmt.Sprint(len(given)),
		}
	case given != nil:
		types = types[:len(given)]
	}
	for i := range types {
		if given != nil {
			own := types[i].DType
			types[i] = given[i]
			if types[i].DType == tensor.Invalid {
				if types[i].DType = own; own == tensor.Invalid {
					types[i].DType = tensor.Float32
				}
			}
		}
		s := types[i].Shape.Clone()
		if len(s) > 0 && batch > 0 {
			s[0] = batch
		}
		types[i].Shape = s
		if given != nil && len(s) == 0 {
			one, err := tensor.Scalar(int64(1)).To(types[i].DType)
			if err != nil {
				return nil, err
			}
			types[i].Known = one
		}
	}
	return types, nil
}

// usualInputs are what models that do not say the shapes of their inputs are tried
// with, in this order: images, then sentences as indices of tokens.
var usualInputs = []ops.Type{
	ops.F32(1, 3, 224, 224),
	ops.F32(1, 1, 28, 28),
	{DType: tensor.Int64, Shape: tensor.Shape{1, 128}},
	{DType: tensor.Int64, Shape: tensor.Shape{1, 32}},
}

// GuessInputs returns types that an open graph accepts, the same for all of its
// inputs, and the graph for them. It fails with graph.ErrOpen where none of the usual ones will do.
func GuessInputs(g *graph.Graph) ([]ops.Type, *graph.Graph, error) {
	for _, t := range usualInputs {
		types := slices.Repeat([]ops.Type{t}, len(g.Inputs))
		if made, err := g.Specialize(types...); err == nil {
			return types, made, nil
		}
	}
	return nil, nil, graph.ErrOpen
}

// RandomInputs returns inputs of the given types: float values from a seeded
// standard normal distribution, ones for integers and truth values, which are
// valid indices and masks.
func RandomInputs(types []ops.Type, seed uint64) ([]*tensor.Tensor, error) {
	rng := rand.New(rand.NewPCG(seed, 0))
	out := make([]*tensor.Tensor, len(types))
	for i, t := range types {
		if t.Known != nil && len(t.Shape) == 0 {
			out[i] = t.Known
			continue
		}
		wide, err := tensor.New(tensor.Float32, t.Shape...)
		if err != nil {
			return nil, err
		}
		v := wide.Float32s()
		for j := range v {
			v[j] = 1
			if t.DType.IsFloat() {
				v[j] = float32(rng.NormFloat64())
			}
		}
		if out[i], err = wide.To(t.DType); err != nil {
			return nil, err
		}
		if t.Q != nil {
			out[i] = out[i].WithQParams(t.Q)
		}
	}
	return out, nil
}
