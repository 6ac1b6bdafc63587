package build

import (
	"slices"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/int8"
)

// outputDims returns the extents of output k of a node, each with what it
// follows from, or nil where any could follow from all. What it says must hold for
// every shape of the inputs that the graph is used with, so operators it does not
// know are left out.
func outputDims(op ops.Op, in []*info, inputs []*graph.Value, k int, out *graph.Value) []*Number {
	shape := out.Type.Shape
	if len(in) == 0 {
		return fixed(shape)
	}
	x := in[0].dims
	switch op := op.(type) {
	case ops.Unary, ops.Cast, ops.Detach, ops.Softmax, ops.BatchNorm, ops.LayerNorm, ops.GroupNorm, ops.InstanceNorm, ops.PrefixScan, ops.FFT, ops.Flip,
		ops.Roll, ops.Trilu, ops.Sort, ops.Scatter, ops.IndexPut, int8.Quantize, int8.Dequantize, int8.Table:
		return x
	case ops.Bits:
		dims := append([]*Number(nil), x...)
		if last := len(shape) - 1; last >= 0 && shape[last] != inputs[0].Type.Shape[last] {
			dims[last] = follow(Extent(shape[last]), x[last])
		}
		return dims
	case ops.SizeOf, ops.ShapeOf, ops.NumelOf:
		return fixed(shape)
	case ops.Full:
		if op.Like {
			return x
		}
	case ops.Random:
		if k == 0 {
			return in[1].dims
		}
	case ops.Binary, ops.Where, int8.Add, int8.Mul:
		return BroadcastDims(dimsOf(in), len(shape))
	case ops.Conv, ops.Conv64, int8.Conv:
		return convDims(in, shape)
	case ops.ConvTranspose, ops.ConvTranspose64:
		dims := spatialDims(in[:2], shape)
		dims[1] = Extent(shape[1])
		return dims
	case ops.MaxPool, ops.AvgPool, int8.AvgPool, ops.Interpolate:
		if len(in) == 1 {
			return spatialDims(in, shape)
		}
	case ops.AdaptiveAvgPool:
		return adaptiveDims(op.Size, in, shape)
	case int8.AdaptiveAvgPool:
		return adaptiveDims(op.Size, in, shape)
	case ops.Linear, int8.Linear, int8.DynamicLinear:
		return append(x[:len(x)-1:len(x)-1], in[1].dims[0])
	case ops.MatMul:
		return matMulDims(op, in, shape)
	case ops.MatMul64:
		return matMulDims(ops.MatMul(op), in, shape)
	case ops.Solve:
		return in[1].dims[:len(shape)]
	case ops.MatrixExp:
		return x
	case ops.Decompose:
		batch := len(x) - 2
		dims := x[:batch:batch]
		for _, d := range shape[batch:] {
			dims = append(dims, follow(Extent(d), x[batch:]...))
		}
		return dims
	case ops.Permute:
		dims := make([]*Number, len(shape))
		for i, o := range op.Order {
			if o < 0 {
				o += len(x)
			}
			dims[i] = x[o]
		}
		return dims
	case ops.Reshape:
		return reshapeDims(op, in[0], shape)
	case ops.Flatten:
		return flattenDims(op, x, shape)
	case ops.Slice:
		return along(x, op.Axis, shape)
	case ops.TopK:
		return along(x, op.Axis, shape)
	case ops.Concat:
		dims := along(x, op.Axis, shape)
		axis, _ := out.Type.Shape.Axis(op.Axis)
		for _, i := range in[1:] {
			dims[axis] = follow(dims[axis], i.dims[axis])
		}
		return dims
	case ops.Reduce:
		return reduceDims(op, x, shape)
	case ops.Embedding:
		return append(in[1].dims[:len(in[1].dims):len(in[1].dims)], x[1:]...)
	case ops.IndexSelect:
		if len(in[1].dims) == 1 && len(x) > 0 {
			dims := slices.Clone(x)
			axis, _ := out.Type.Shape.Axis(op.Axis)
			dims[axis] = in[1].dims[0]
			return dims
		}
	case ops.Gather:
		return in[1].dims
	case ops.ArgMax:
		return argMaxDims(op, x)
	case ops.Stack:
		axis := op.Axis
		if axis < 0 {
			axis += len(shape)
		}
		dims := BroadcastDims(dimsOf(in), len(shape)-1)
		return slices.Insert(dims[:len(dims):len(dims)], axis, Extent(shape[axis]))
	case ops.PixelShuffle, ops.ChannelShuffle:
		return movedDims(x, shape)
	case ops.Pad:
		return movedDims(x, shape)
	case ops.PadMode:
		return movedDims(x, shape)
	case ops.RNN:
		return rnnDims(op, in, k)
	case ops.RNN64:
		return rnnDims(ops.RNN(op), in, k)
	case ops.Attention:
		dims := append([]*Number(nil), x...)
		dims[len(dims)-1] = in[2].dims[len(dims)-1]
		return dims
	}
	return nil
}

// argMaxDims are those of the input but for the dimension that is searched.
func argMaxDims(op ops.ArgMax, x []*Number) []*Number {
	axis := op.Axis
	if axis < 0 {
		axis += len(x)
	}
	switch {
	case op.Flat || axis < 0 || axis >= len(x):
		return nil
	case op.KeepDims:
		dims := slices.Clone(x)
		dims[axis] = Extent(1)
		return dims
	}
	return slices.Delete(slices.Clone(x), axis, axis+1)
}

// fixed returns extents that nothing changes.
func fixed(shape []int) []*Number {
	dims := make([]*Number, len(shape))
	for i, d := range shape {
		dims[i] = Extent(d)
	}
	return dims
}

// follow returns an extent like d that follows from others, too, and is none of them.
func follow(d *Number, others ...*Number) *Number {
	n := &Number{Kind: Int, Known: d.Known, Deps: d.Deps}
	for _, o := range others {
		n.Deps = n.Deps.Union(o.Deps)
	}
	return n
}

// derived are extents of which each follows from the same one before.
func derived(x []*Number, shape []int) []*Number {
	dims := make([]*Number, len(shape))
	for i, d := range shape {
		dims[i] = follow(Extent(d), x[i])
	}
	return dims
}

// SameExtent reports whether two extents are always equal, where the program may count on it: a slice up to n has n elements.
func SameExtent(a, b *Number) bool { return SameNumber(a.asBound(), b.asBound()) }

// asBound returns the bound that an extent of a slice is the number of, else the number itself.
func (n *Number) asBound() *Number {
	if n.bound != nil {
		return n.bound
	}
	return n
}

// SameNumber reports whether two ints are always equal.
//
//go:noinline
func SameNumber(a, b *Number) bool {
	if a == b {
		return true
	}
	if len(a.Deps) == 0 && len(b.Deps) == 0 && a.Known != nil {
		return a.Known == b.Known
	}
	return a.Term != nil && b.Term != nil && a.Term.Input != nil && a.Term.Input == b.Term.Input && a.Term.Axis == b.Term.Axis
}

// dimsOf returns the extents of several values.
func dimsOf(in []*info) [][]*Number {
	out := make([][]*Number, len(in))
	for i, x := range in {
		out[i] = x.dims
	}
	return out
}

// BroadcastDims returns the extents of several operands together, in rank dimensions.
func BroadcastDims(operands [][]*Number, rank int) []*Number {
	dims := make([]*Number, rank)
	for i := range dims {
		for _, operand := range operands {
			k := i - rank + len(operand)
			if k < 0 {
				continue
			}
			dims[i] = broadcastDim(dims[i], operand[k])
		}
	}
	return dims
}

// broadcastDim returns the extent of two operands together.
func broadcastDim(a, b *Number) *Number {
	switch {
	case a == nil || IsOne(a):
		return b
	case IsOne(b) || SameExtent(a, b):
		return a
	case len(a.Deps) == 0:
		return a // whatever b is, it has to be 1 or this
	case len(b.Deps) == 0:
		return b
	case a.Known == int64(1):
		return follow(b, a)
	}
	return follow(a, b)
}

// IsOne reports whether an extent is always 1.
func IsOne(n *Number) bool { return len(n.Deps) == 0 && n.Known == int64(1) }

func convDims(in []*info, shape []int) []*Number {
	dims := spatialDims(in[:2], shape)
	dims[1] = in[1].dims[0]
	return dims
}

// spatialDims keeps batch and channels; the others follow from those of the
// inputs at the same place.
func spatialDims(in []*info, shape []int) []*Number {
	dims := make([]*Number, len(shape))
	for i, d := range shape {
		if i < 2 {
			dims[i] = in[0].dims[i]
			continue
		}
		dims[i] = Extent(d)
		for _, x := range in {
			dims[i] = follow(dims[i], x.dims[i])
		}
	}
	return dims
}

func adaptiveDims(size []int, in []*info, shape []int) []*Number {
	dims := spatialDims(in[:1], shape)
	for i, d := range size {
		dims[i+2] = Extent(d)
		if d == 0 {
			dims[i+2] = in[0].dims[i+2]
		}
	}
	return dims
}

func matMulDims(op ops.MatMul, in []*info, shape []int) []*Number {
	a, b := in[0].dims, in[1].dims
	if len(a) < 2 || len(b) < 2 {
		return nil
	}
	batch := [][]*Number{a[:len(a)-2], b[:len(b)-2]}
	column := b[len(b)-1]
	if op.TransposeB {
		column = b[len(b)-2]
	}
	return append(BroadcastDims(batch, len(shape)-2), a[len(a)-2], column)
}

// reshapeDims takes the extents the operator gives; the one it infers follows
// from all of the input's.
func reshapeDims(op ops.Reshape, x *info, shape []int) []*Number {
	dims := make([]*Number, len(shape))
	for i, d := range op.Shape {
		switch d {
		case 0:
			dims[i] = x.dims[i]
		case -1:
			dims[i] = inferredDim(op, x.dims, shape[i])
		default:
			dims[i] = Extent(d)
		}
	}
	return dims
}

// inferredDim returns the extent that a reshape infers: what the others leave
// of the input's elements.
func inferredDim(op ops.Reshape, x []*Number, d int) *Number {
	n := Extent(d)
	for i, e := range x {
		if i < len(op.Shape) && op.Shape[i] == 0 {
			continue // it is on both sides
		}
		n = follow(n, e)
	}
	return n
}

func flattenDims(op ops.Flatten, x []*Number, shape []int) []*Number {
	if len(x) == 0 {
		return fixed(shape)
	}
	start, end := op.Start, op.End
	if start < 0 {
		start += len(x)
	}
	if end < 0 {
		end += len(x)
	}
	if start == end {
		return x
	}
	joined := follow(Extent(shape[start]), x[start:end+1]...)
	dims := append(x[:start:start], joined)
	return append(dims, x[end+1:]...)
}

// along keeps all extents but one, which follows from the one before.
func along(x []*Number, axis int, shape []int) []*Number {
	if axis < 0 {
		axis += len(x)
	}
	dims := append([]*Number(nil), x...)
	if axis < len(dims) {
		dims[axis] = follow(Extent(shape[axis]), x[axis])
	}
	return dims
}

func reduceDims(op ops.Reduce, x []*Number, shape []int) []*Number {
	reduced := make([]bool, len(x))
	for _, a := range op.Axes {
		if a < 0 {
			a += len(x)
		}
		if a < len(x) {
			reduced[a] = true
		}
	}
	dims := make([]*Number, 0, len(shape))
	for i, d := range x {
		switch {
		case !reduced[i] && len(op.Axes) > 0:
			dims = append(dims, d)
		case op.KeepDims:
			dims = append(dims, Extent(1))
		}
	}
	return dims
}

// movedDims are extents to which the operator adds something; those it leaves
// alone stay.
func movedDims(x []*Number, shape []int) []*Number {
	dims := derived(x, shape)
	for i, d := range x {
		if d.Known == int64(shape[i]) {
			dims[i] = d
		}
	}
	return dims
}

func rnnDims(op ops.RNN, in []*info, k int) []*Number {
	if k > 0 {
		return in[1].dims
	}
	dims := append([]*Number(nil), in[0].dims...)
	last := len(dims) - 1
	dims[last] = Extent(int(in[1].dims[len(in[1].dims)-1].Known.(int64)))
	if op.Bidirectional {
		dims[last] = Extent(2 * int(dims[last].Known.(int64)))
	}
	dims[last] = follow(dims[last], in[1].dims[len(in[1].dims)-1])
	return dims
}
