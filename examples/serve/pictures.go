package main

import (
	"context"

	"github.com/octet-ml/octet/data"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/serve"
	"github.com/octet-ml/octet/serve/oip"
	"github.com/octet-ml/octet/tensor"
)

// pictures is the serve.Decoder that lets clients of the protocol send a JPEG, PNG or WebP of any size, as BYTES, in place of the
// normalized tensor.
type pictures struct{ how data.Preprocessing }

// newPictures returns how pictures become the input of a model, as it says itself, or as torchvision's models are trained: the middle of
// a picture whose shorter edge is that of the input, normalized by mean and standard deviation of ImageNet.
func newPictures(model *graph.Graph) pictures {
	if model.Info != nil && model.Info.Preprocessing != nil {
		return pictures{data.Preprocessing(*model.Info.Preprocessing)}
	}
	shape := model.Inputs[0].Type.Shape
	return pictures{data.Preprocessing{
		Size: []int{max(shape[2], shape[3])}, Crop: []int{shape[2], shape[3]},
		Mean: []float32{0.485, 0.456, 0.406}, Std: []float32{0.229, 0.224, 0.225},
	}}
}

// mostMemory bounds the bytes that a picture takes as it is decoded: a small file may claim a large one.
const mostMemory = 128 << 20

// Inputs offers the picture under the name of the model's input.
func (pictures) Inputs(model *graph.Signature) []oip.TensorMetadata {
	return []oip.TensorMetadata{{Name: model.Inputs[0].Name, Datatype: oip.Bytes, Shape: []int64{-1}}}
}

// Decode makes the model's input of the pictures.
func (p pictures) Decode(_ context.Context, _ *graph.Signature, given []*oip.Tensor) ([]*tensor.Tensor, error) {
	if len(given) != 1 {
		return nil, &serve.Error{Code: serve.InvalidArgument, Reason: "give one input, of pictures"}
	}
	x, err := p.how.Batch(given[0].Elements, mostMemory)
	if err != nil {
		return nil, &serve.Error{Code: serve.InvalidArgument, Reason: err.Error()}
	}
	return []*tensor.Tensor{x}, nil
}
