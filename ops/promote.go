package ops

import "github.com/octet-ml/octet/tensor"

// operand is what type promotion looks at.
type operand struct {
	dtype  tensor.DType
	rank   int
	number bool // a Python number
}

// Promote returns the element type two tensors are computed in together, as
// torch.promote_types does. It is Invalid for int8 with uint8, which needs int16.
func Promote(a, b tensor.DType) tensor.DType {
	switch {
	case a == b:
		return a
	case a == tensor.Invalid:
		return b
	case b == tensor.Invalid || b == tensor.Bool:
		return a
	case a == tensor.Bool:
		return b
	case a.IsFloat() && b.IsFloat():
		if a == tensor.Float64 || b == tensor.Float64 {
			return tensor.Float64
		}
		return tensor.Float32 // float16 with bfloat16, or either with float32
	case a.IsFloat():
		return a
	case b.IsFloat():
		return b
	case a.Size() > b.Size():
		return a
	case b.Size() > a.Size():
		return b
	}
	return tensor.Invalid
}

// resultType returns the element type that PyTorch computes operands in:
// tensors with dimensions decide, then 0-d tensors, then Python numbers; a
// weaker operand only counts if its category (bool, integer, float) is higher.
func resultType(operands []operand) tensor.DType {
	var dim, zero, number tensor.DType
	for _, o := range operands {
		switch {
		case o.number:
			d := o.dtype
			if d.IsFloat() {
				d = tensor.Float32 // PyTorch's default dtype
			}
			number = Promote(number, d)
		case o.rank == 0:
			zero = Promote(zero, o.dtype)
		default:
			dim = Promote(dim, o.dtype)
		}
	}
	return combine(dim, combine(zero, number))
}

func combine(higher, lower tensor.DType) tensor.DType {
	switch {
	case higher == tensor.Invalid:
		return lower
	case higher.IsFloat():
		return higher
	case higher == tensor.Bool || lower.IsFloat():
		return Promote(higher, lower)
	}
	return higher
}
