package aten

import (
	"strings"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/tensor"
)

// elementwise reports whether a row of the table makes a result that lies in memory as its arguments do: one of those that PyTorch computes with a TensorIterator, or
// that are made like a tensor in the memory format of that tensor.
func elementwise(family []operator, name string) bool {
	switch {
	case strings.HasSuffix(name, "softmax"), name == "aten::masked_fill":
		return false
	case strings.HasSuffix(name, "_like"), name == "aten::dropout", name == "aten::flip":
		return true
	}
	for _, f := range [][]operator{pointwise, arithmetic, activations, specials} {
		if &family[0] == &f[0] {
			return true
		}
	}
	return false
}

// layOut gives a new tensor the strides that PyTorch's has after an elementwise operator on tensors of which some are not contiguous. They decide what is a view of
// its memory and what a copy, and in which order random numbers like it are drawn.
func (m *Evaluator) layOut(v Value, specs []parameterSpec, args []Value) {
	out, ok := v.(*build.Tensor)
	if !ok || out.Complex || out.Path != nil || out.Store.Param != nil || out.Unwritten() != nil {
		return
	}
	shape := out.Type().Shape
	var operands []*build.Tensor
	contiguous := true
	for i, a := range args {
		if t, ok := a.(*build.Tensor); ok {
			if t.Store == out.Store || t.Complex || t.Rank() > len(shape) {
				return
			}
			operands = append(operands, t)
			contiguous = contiguous && t.IsContiguous()
		} else if specs[i].name == "memory_format" && a != nil && a != int64(preserveFormat) {
			return
		}
	}
	if !contiguous {
		out.Strides = iteratorStrides(shape, operands)
	}
}

// preserveFormat is torch.preserve_format.
const preserveFormat = 1

// iteratorStrides returns the strides of what PyTorch's TensorIterator makes: its dimensions are dense in the order in which they lie in the first operand that tells
// two of them apart (TensorIteratorBase::reorder_dimensions).
func iteratorStrides(shape tensor.Shape, operands []*build.Tensor) []int {
	outer := func(a, b int) int { // positive where a lies outside of b
		for _, t := range operands {
			front := len(shape) - t.Rank()
			if a < front || b < front {
				continue
			}
			have := t.Type().Shape
			sa, sb := t.Strides[a-front], t.Strides[b-front]
			if have[a-front] != shape[a] || have[b-front] != shape[b] || sa == 0 || sb == 0 {
				continue
			}
			if sa != sb {
				return sa - sb
			}
			if shape[a] > shape[b] {
				return 1
			}
		}
		return 0
	}
	order := make([]int, len(shape)) // from the innermost dimension on
	for i := range order {
		order[i] = len(shape) - 1 - i
	}
	for i := range order {
		at := i
		for k := i - 1; k >= 0; k-- {
			d := outer(order[k], order[at])
			if d < 0 {
				break
			}
			if d > 0 {
				order[k], order[at] = order[at], order[k]
				at = k
			}
		}
	}
	strides, n := make([]int, len(shape)), 1
	for _, i := range order {
		strides[i] = n
		n *= max(shape[i], 1)
	}
	return strides
}
