package ops

import (
	"fmt"
	"slices"

	"github.com/octet-ml/octet/tensor"
)

// Bits reads the bytes of elements as elements of another type, as torch.Tensor.view(dtype) does: of a wider type the last
// dimension has fewer, of a narrower one more.
type Bits struct {
	DType tensor.DType
}

func (Bits) Name() string { return "bits" }

// String shows the type in dumps.
func (op Bits) String() string { return fmt.Sprintf("bits(%v)", op.DType) }

func (op Bits) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 1, 1); err != nil {
		return nil, err
	}
	from, to := in[0].DType.Size(), op.DType.Size()
	switch {
	case to == 0:
		return nil, Errorf(op, in, "there is no element type %v", op.DType)
	case in[0].Q != nil:
		return nil, Errorf(op, in, "quantized values are not read as another type: dequantize first")
	case op.DType == tensor.Bool && in[0].DType != tensor.Bool:
		return nil, Errorf(op, in, "bytes other than 0 and 1 are no bool")
	}
	shape := slices.Clone(in[0].Shape)
	if from != to {
		last := len(shape) - 1
		if last < 0 || shape[last]*from%to != 0 {
			return nil, Errorf(op, in, "the last dimension must hold whole elements of %d bytes", to)
		}
		shape[last] = shape[last] * from / to
	}
	return fold(op, in, Type{DType: op.DType, Shape: shape})
}

func (op Bits) Prepare(*Prepare) (*Kernel, error) { return copyKernel(), nil }
