package ops

import (
	"fmt"

	"github.com/octet-ml/octet/tensor"
)

// Item passes on one number that the shapes behind it depend on, as torch.Tensor.item does. It is to values what SizeOf
// is to shapes: whoever infers types knows the number, of the example while a graph is built, and of the run in a session, which
// computes what is in front of Items before it plans what is behind them.
//
// Input: an int64 or a truth value without dimensions.
type Item struct {
	// Number counts the Items of a program by ItemStride, in the order in which it comes to them. Those that follow from others alone have
	// numbers between: a program may come to more or fewer of them where the others are known.
	Number int
	// Example is the value that types are inferred with before there is a run; a truth value is 0 or 1.
	Example int64
	// Exact says that the graph holds for the example alone.
	Exact bool
}

// ItemStride is between the numbers of Items that do not follow from others.
const ItemStride = 1 << 12

func (Item) Name() string { return "item" }

// String shows the example in dumps.
func (op Item) String() string {
	number := fmt.Sprint(op.Number / ItemStride)
	if part := op.Number % ItemStride; part != 0 {
		number += fmt.Sprint(".", part)
	}
	if op.Exact {
		return fmt.Sprintf("item(%s: exactly %d)", number, op.Example)
	}
	return fmt.Sprintf("item(%s: such as %d)", number, op.Example)
}

func (op Item) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 1, 1); err != nil {
		return nil, err
	}
	t := in[0]
	switch {
	case len(t.Shape) != 0 || t.Q != nil || t.DType != tensor.Int64 && t.DType != tensor.Bool:
		return nil, Errorf(op, in, "it takes an int64 or a truth value without dimensions")
	case t.Known != nil:
		return []Type{TypeOf(t.Known)}, nil
	}
	return []Type{TypeOf(op.Tensor(t.DType))}, nil
}

// Tensor returns the example as a tensor of an element type that the operator takes.
func (op Item) Tensor(d tensor.DType) *tensor.Tensor {
	if d == tensor.Bool {
		return tensor.Scalar(op.Example != 0)
	}
	return tensor.Scalar(op.Example)
}

func (op Item) Prepare(*Prepare) (*Kernel, error) { return copyKernel(), nil }

// HasEffect is true of one that the graph holds for the example of alone: it is looked at though nothing reads it.
func (op Item) HasEffect() bool { return op.Exact }
