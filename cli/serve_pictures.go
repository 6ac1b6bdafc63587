//go:build !noserve

package cli

import (
	"context"

	"github.com/octet-ml/octet/data"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/serve"
	"github.com/octet-ml/octet/serve/oip"
	"github.com/octet-ml/octet/tensor"
)

// servedPictures is the Decoder of models that say how pictures become their input: encoded pictures of any size may be given
// in its place. Other models have that of serve.Pictures.
type servedPictures struct {
	serve.Pictures
	maxMemory int64
}

// preprocessingOf returns what a model with one input says of pictures, nil for nothing.
func preprocessingOf(model *graph.Signature) *data.Preprocessing {
	if model.Info == nil || len(model.Inputs) != 1 || model.Inputs[0].Type.DType != tensor.Float32 {
		return nil
	}
	return (*data.Preprocessing)(model.Info.Preprocessing)
}

func (d servedPictures) Inputs(model *graph.Signature) []oip.TensorMetadata {
	if preprocessingOf(model) == nil {
		return d.Pictures.Inputs(model)
	}
	return []oip.TensorMetadata{{Name: model.Inputs[0].Name, Datatype: oip.Bytes, Shape: []int64{-1}}}
}

func (d servedPictures) Decode(ctx context.Context, model *graph.Signature, given []*oip.Tensor) ([]*tensor.Tensor, error) {
	p := preprocessingOf(model)
	if p == nil {
		return d.Pictures.Decode(ctx, model, given)
	}
	if len(given) != 1 || given[0].Name != model.Inputs[0].Name {
		return nil, &serve.Error{Code: serve.InvalidArgument, Reason: "the model takes one input, " + model.Inputs[0].Name}
	}
	x, err := p.Batch(given[0].Elements, d.maxMemory)
	if err != nil {
		return nil, &serve.Error{Code: serve.InvalidArgument, Reason: err.Error()}
	}
	return []*tensor.Tensor{x}, nil
}
