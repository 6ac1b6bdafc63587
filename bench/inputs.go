package bench

import (
	"fmt"
	"math/rand/v2"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// InputTypes returns the types of a graph's inputs for a batch of the given
// size: the shapes the graph was built with, with another first extent. shape, when not
// nil, replaces that of the graph's only input before that.
func InputTypes(g *graph.Graph, shape tensor.Shape, batch int) ([]ops.Type, error) {
	types := ExampleTypes(g)
	if shape != nil {
		if len(types) != 1 {
			return nil, fmt.Errorf("one shape is given where the model has %d inputs", len(types))
		}
		types[0].Shape = shape
	}
	for i := range types {
		s := types[i].Shape.Clone()
		if len(s) > 0 && batch > 0 {
			s[0] = batch
		}
		types[i].Shape = s
	}
	return types, nil
}

// RandomInputs returns inputs of the given types: float values from a seeded
// standard normal distribution, ones for integers and truth values, which are
// valid indices and masks.
func RandomInputs(types []ops.Type, seed uint64) ([]*tensor.Tensor, error) {
	rng := rand.New(rand.NewPCG(seed, 0))
	out := make([]*tensor.Tensor, len(types))
	for i, t := range types {
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
