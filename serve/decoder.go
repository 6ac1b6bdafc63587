package serve

import (
	"context"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/serve/oip"
	"github.com/octet-ml/octet/tensor"
)

// Decoder makes the inputs of a model of what clients give instead: elements of BYTES, such as an encoded picture or a text. What
// carries preprocessing or a tokenizer implements it.
type Decoder interface {
	// Inputs returns what clients may give instead of the model's inputs, nil for nothing.
	Inputs(model *graph.Signature) []oip.TensorMetadata
	// Decode returns the inputs of the model, in its order, of the tensors of a request, at least one of which is of BYTES. What the
	// client got wrong is an *Error with InvalidArgument. The tensors are the request's, and not there any more once it is answered.
	Decode(ctx context.Context, model *graph.Signature, given []*oip.Tensor) ([]*tensor.Tensor, error)
}
