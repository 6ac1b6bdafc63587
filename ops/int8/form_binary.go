package int8

import (
	"slices"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

func init() {
	registerForm(ops.Binary{}, func(n Node) *Form {
		op := n.Op.(ops.Binary)
		f := binaryForm(op, n)
		f.Infinite = func(holds func(int) bool) bool { return op.Fn != ops.Max && op.Fn != ops.Min && (holds(0) || holds(1)) }
		return f
	})
}

// binaryForm is the form of a function of two values. With a single number any function is one of one element.
func binaryForm(op ops.Binary, n Node) *Form {
	numbers, constants, input := 0, 0, 0
	for i, t := range n.In {
		c := n.Const[i]
		number := c != nil && [...]bool{op.ANumber, op.BNumber}[i] // of Python, which takes the other operand's type
		switch {
		case t.DType != tensor.Float32 && !number:
			return &Form{}
		case c == nil:
			input = i
			continue
		case len(t.Shape) == 0 || c.Numel() == 1 && len(t.Shape) <= len(n.Out[0].Shape):
			numbers++
		case c.Numel() == 0 || isInfinite(c):
			return &Form{}
		}
		constants++
	}
	build := binaryOperators[op.Fn]
	switch {
	case constants == 2:
		return &Form{}
	case numbers == 1:
		return tableForm(n, input)
	case build == nil || lacksRank(n, 0) || lacksRank(n, 1):
		return &Form{}
	}
	sum := op.Fn == ops.Add
	return &Form{
		Activations: []int{0, 1}, FloatInputs: sum, FloatResult: sum, ChannelScales: channelScales(op, n),
		Build: func(b Builder, in []ops.Ref, out *tensor.QParams) ops.Ref {
			operands := slices.Clone(in)
			for i, v := range in {
				if lack := len(n.Out[0].Shape) - len(n.In[i].Shape); lack > 0 {
					ones := slices.Repeat([]int{1}, lack)
					operands[i] = b.Apply(ops.Reshape{Shape: append(ones, n.In[i].Shape...)}, v)
				}
			}
			return b.Apply(build(op.Act, out), operands...)
		},
	}
}

// channelScales is the constant vector that a product is one with.
func channelScales(op ops.Binary, n Node) []int {
	for i, c := range n.Const {
		if c != nil && op.Fn == ops.Mul && op.Act == 0 && c.Rank() == 1 && n.Out[0].Shape[len(n.Out[0].Shape)-1] == c.Numel() {
			return []int{i}
		}
	}
	return nil
}

// lacksRank reports whether an operand has fewer dimensions than the result, and is no constant, which can be given them: those of others
// may change from run to run.
func lacksRank(n Node, i int) bool {
	return n.Const[i] == nil && len(n.In[i].Shape) < len(n.Out[0].Shape)
}

// binaryOperators make the operators of two quantized values.
var binaryOperators = map[ops.BinaryFn]func(ops.Activation, *tensor.QParams) ops.Op{
	ops.Add: func(act ops.Activation, out *tensor.QParams) ops.Op { return Add{Act: act, Out: out} },
	ops.Mul: func(act ops.Activation, out *tensor.QParams) ops.Op { return Mul{Act: act, Out: out} },
	ops.Sub: func(act ops.Activation, out *tensor.QParams) ops.Op { return Sub{Act: act, Out: out} },
	ops.Min: func(act ops.Activation, out *tensor.QParams) ops.Op { return Min{Act: act, Out: out} },
	ops.Max: func(act ops.Activation, out *tensor.QParams) ops.Op { return Max{Act: act, Out: out} },
}
