package ops

import (
	"math"

	"github.com/octet-ml/octet/tensor"
)

// Grad multiplies with the matrix of the transform, transposed.
func (op RFFT) Grad(b GradBuilder, in, _, dout []Ref, _ []bool) []Ref {
	shape := b.Type(in[0]).Shape
	n := shape[len(shape)-1]
	columns := 2 * STFT{OneSided: true}.frequencies(n)
	rows := reshaped(b, dout[0], []int{b.Type(in[0]).Numel() / n, columns})
	dx := b.Apply(MatMul{}, rows, transformConst(b, n, columns, 1))
	return []Ref{reshaped(b, dx, shape)}
}

// transformConst adds the matrix of a transform, transposed: [columns, n].
func transformConst(b GradBuilder, n, columns int, scale float64) Ref {
	t, err := tensor.FromSlice(transformMatrix(n, columns, scale), columns, n)
	if err != nil {
		b.Fail(err)
		return number(b, 0)
	}
	return b.Const(t)
}

// Grad goes back through the transform, the window and the cutting into frames.
func (op STFT) Grad(b GradBuilder, in, _, dout []Ref, need []bool) []Ref {
	n, scale := b.Type(in[1]).Shape[0], 1.0
	if op.Normalized {
		scale = 1 / math.Sqrt(float64(n))
	}
	columns := 2 * op.frequencies(n)
	t := &tape{b: b}
	frames := t.apply(SlidingWindow{Axis: -1, Size: n, Step: op.Hop}, in[0])
	windowed := t.binary(Mul, frames, in[1])
	y := t.apply(MatMul{TransposeB: true}, windowed, transformConst(b, n, columns, scale))
	shape := b.Type(y).Shape
	split := append(shape[:len(shape)-1].Clone(), columns/2, 2)
	order := identityOrder(len(split))
	order[len(order)-3], order[len(order)-2] = len(order)-2, len(order)-3
	y = t.apply(Permute{Order: order}, t.apply(Reshape{Shape: split}, y))
	return t.gradients([]Ref{y}, dout, in, need)
}
