package graph

import (
	"math"
	"slices"

	"github.com/octet-ml/octet/internal/sticky"
	"github.com/octet-ml/octet/ops"
)

// SubPixelConvolutions are the passes that put a convolution of stride 1, whose outputs are the pixels between pixels, and a
// move of channels into pixels in the place of a transposed convolution with constant weights. It has an int8 form.
var SubPixelConvolutions = []Pass{
	{Name: "sub-pixel convolution", Rule: subPixelConvolution},
	{Name: "fold constants of sub-pixel convolutions", Rule: foldConstants},
}

// mostZeros bounds the products with weights of 0 that a sub-pixel convolution computes beside each of the others.
const mostZeros = 1.25

// subPixelConvolution replaces a transposed convolution. Along a dimension of stride s an output u = s*q + r, counted
// from in front of the padding, is the sum over t of weight s*t + r times input q - t: a convolution with the taps t in
// reverse for each of the s remainders r.
func subPixelConvolution(g *Rewriter, n *Node) (*Patch, error) {
	op, ok := n.Op.(ops.ConvTranspose)
	if !ok || op.NHWC || slices.ContainsFunc(n.Inputs[1:], func(v *Value) bool { return v.Const == nil }) {
		return nil, nil
	}
	dims := newSubPixels(op, n.Inputs[0].Type.Shape[2:], n.Inputs[1].Type.Shape[2:])
	if dims == nil {
		return nil, nil
	}
	a := &adder{g: g, scope: n.Scope}
	w := n.Inputs[1].Type.Shape
	parts := 1
	for _, d := range dims {
		parts *= d.stride
	}
	conv := ops.Conv{Groups: op.Groups, HasBias: op.HasBias, Act: op.Act}
	for _, d := range dims {
		conv.Stride, conv.Dilation, conv.Padding = append(conv.Stride, 1), append(conv.Dilation, 1), append(conv.Padding, d.pad)
	}
	args := []*Value{n.Inputs[0], a.subPixelWeight(n.Inputs[1], op.Groups, dims)}
	if op.HasBias {
		outs := w[1] * op.Groups
		b := a.add(ops.Reshape{Shape: []int{outs, 1}}, n.Inputs[2])
		args = append(args, a.add(ops.Reshape{Shape: []int{outs * parts}}, a.add(ops.Expand{Shape: []int{outs, parts}}, b)))
	}
	y := a.add(conv, args...)
	if parts > 1 {
		y = a.intoPixels(y, dims, parts)
	}
	for i, d := range dims {
		if d.first > 0 || d.after > 0 {
			end := -d.after
			if end == 0 {
				end = math.MaxInt32
			}
			y = a.add(ops.Slice{Axis: i + 2, Start: d.first, End: end, Step: 1}, y)
		}
	}
	if a.Err() != nil {
		return nil, a.Err()
	}
	return &Patch{Nodes: a.nodes, Old: n.Outputs, New: []*Value{y}}, nil
}

// subPixels is one dimension of a transposed convolution.
type subPixels struct {
	stride, kernel int
	taps           int // of the convolution
	pad            int // of its input
	first, after   int // pixels that are cut off in front and behind
}

// newSubPixels returns nil where a convolution would compute too much for nothing.
func newSubPixels(op ops.ConvTranspose, in, kernel []int) []subPixels {
	var dims []subPixels
	zeros := 1.0
	for i, k := range kernel {
		s, p := op.Stride[i], op.Padding[i]
		if op.Dilation[i] != 1 && k > 1 {
			return nil
		}
		d := subPixels{stride: s, kernel: k, taps: (max(k, k+op.OutputPadding[i]-p) + s - 1) / s}
		out := (in[i]-1)*s - 2*p + k + op.OutputPadding[i]
		// The convolution gives q from q0 on; the padding is the same on both sides.
		last := (p + out - 1) / s
		d.pad = max(d.taps-1-p/s, last-in[i]+1, 0)
		q0 := d.taps - 1 - d.pad
		d.first = p - q0*s
		d.after = (in[i]+2*d.pad-d.taps+1)*s - d.first - out
		if d.first < 0 || d.after < 0 || in[i]+2*d.pad < d.taps {
			return nil
		}
		zeros *= float64(d.taps*s) / float64(k)
		dims = append(dims, d)
	}
	if zeros > 1+mostZeros {
		return nil
	}
	return dims
}

// adder adds the nodes of a patch until the first error.
type adder struct {
	sticky.Error
	g     *Rewriter
	scope Scope
	nodes []*Node
}

func (a *adder) add(op ops.Op, in ...*Value) *Value {
	if a.Err() != nil {
		return nil
	}
	n, err := a.g.newNode(a.scope, op, in...)
	if err != nil {
		a.Fail(err)
		return nil
	}
	a.nodes = append(a.nodes, n)
	return n.Outputs[0]
}

// subPixelWeight turns a weight [C, O/groups, kernel...] into [O*strides, C/groups, taps...].
func (a *adder) subPixelWeight(w *Value, groups int, dims []subPixels) *Value {
	s := w.Type.Shape
	before, after := make([]int, len(s)), make([]int, len(s))
	split, order := []int{groups, s[0] / groups, s[1]}, []int{0, 2}
	joined, flipped := []int{1, s[0] / groups}, []int(nil)
	outs := groups * s[1]
	for i, d := range dims {
		after[i+2] = d.taps*d.stride - d.kernel
		split = append(split, d.taps, d.stride)
		order = append(order, 4+2*i)
		flipped = append(flipped, 3+2*i)
		outs *= d.stride
		joined = append(joined, d.taps)
	}
	joined[0] = outs
	order = append(append(order, 1), flipped...)
	if slices.Max(after) > 0 {
		w = a.add(ops.Pad{Before: before, After: after}, w)
	}
	w = a.add(ops.Flip{Axes: flipped}, a.add(ops.Reshape{Shape: split}, w))
	w = a.add(ops.Reshape{Shape: joined}, a.add(ops.Permute{Order: order}, w))
	return w
}

// intoPixels moves channels [O*strides] of an image into its pixels.
func (a *adder) intoPixels(y *Value, dims []subPixels, parts int) *Value {
	if len(dims) == 2 && dims[0].stride == dims[1].stride {
		return a.add(ops.PixelShuffle{Factor: dims[0].stride}, y)
	}
	dim := func(axis int) []ops.Dimension { return []ops.Dimension{{Axis: axis}} }
	split := []ops.Extent{{Of: dim(0)}, {Of: dim(1), Divisor: parts}}
	joined := []ops.Extent{{Of: dim(0)}, {Of: dim(1)}}
	order := []int{0, 1}
	for _, d := range dims {
		split = append(split, ops.Extent{Factor: d.stride})
	}
	for i := range dims {
		split = append(split, ops.Extent{Of: dim(2 + i)})
		order = append(order, 2+len(dims)+i, 2+i)
		joined = append(joined, ops.Extent{Of: []ops.Dimension{{Axis: 2 + 2*i}, {Axis: 3 + 2*i}}})
	}
	y = a.add(ops.Permute{Order: order}, a.add(ops.DynamicReshape{Extents: split}, y))
	return a.add(ops.DynamicReshape{Extents: joined}, y)
}
