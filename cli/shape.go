package cli

import (
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"

	"github.com/octet-ml/octet/bench"
)

// shapeFlag adds --shape to a command.
func shapeFlag(cmd *cobra.Command, shape *string) {
	cmd.Flags().StringVar(shape, "shape", "",
		"shapes of the inputs, joined by commas, each with an element type where that is not float32: 1x3x224x224, or 1x64:int64,1x64:int64; :int64 is one without dimensions (default: the model's)")
}

// parseShapes reads "1x3x224x224", "1x64:int64,1x64:int64" and ":int64". "" gives nil.
func parseShapes(s string) ([]ops.Type, error) {
	if s == "" {
		return nil, nil
	}
	var types []ops.Type
	for part := range strings.SplitSeq(s, ",") {
		extents, dtype, typed := strings.Cut(part, ":")
		var t ops.Type
		if typed {
			var err error
			if t.DType, err = tensor.ParseDType(dtype); err != nil {
				return nil, usagef("--shape %q: there is no element type %q", s, dtype)
			}
		}
		if extents == "" && typed {
			types = append(types, t)
			continue
		}
		for e := range strings.SplitSeq(extents, "x") {
			n, err := strconv.Atoi(e)
			if err != nil || n < 1 {
				return nil, usagef("--shape %q: it must be extents of at least 1 joined by x, such as 1x3x224x224, or nothing but a type for an input without dimensions, such as :int64", s)
			}
			t.Shape = append(t.Shape, n)
		}
		if _, err := t.Shape.Numel(); err != nil {
			return nil, usagef("--shape %q: %v", s, err)
		}
		types = append(types, t)
	}
	return types, nil
}

// specialize gives a graph inputs of the given types, where there are any.
func specialize(g *graph.Graph, given []ops.Type) (*graph.Graph, error) {
	if !g.IsOpen() || given == nil {
		return g, nil
	}
	types, err := bench.InputTypes(g, given, 0)
	if err != nil {
		return nil, usagef("--shape: %w", err)
	}
	c, err := g.Specialize(types...)
	return c, misshapen(given, err)
}

// misshapen says of an error of a model whether the shapes of --shape, if there are any, do not fit it.
func misshapen(given []ops.Type, err error) error {
	if given != nil && (is[*graph.InputError](err) || is[*ops.ShapeError](err)) {
		return usagef("--shape: %w", err)
	}
	return err
}
