package ops

import (
	"fmt"

	"github.com/octet-ml/octet/tensor"
)

// ConvTranspose is a transposed convolution over one, two or three spatial
// dimensions, as torch.nn.functional.conv_transpose1d, 2d and 3d compute it.
//
// Inputs: x [N, C, spatial...], weight [C, O/Groups, kernel...], then bias [O]
// when HasBias. Output: [N, O, spatial...] with extents
// (in-1)*stride - 2*padding + dilation*(kernel-1) + outputPadding + 1. With NHWC x
// and the output have their channels last; the weight stays as it is.
type ConvTranspose struct {
	Stride, Padding, OutputPadding, Dilation []int
	Groups                                   int
	HasBias                                  bool
	Act                                      Activation
	NHWC                                     bool
}

// Name returns conv_transpose1d, conv_transpose2d or conv_transpose3d.
//
//go:noinline
func (op ConvTranspose) Name() string { return fmt.Sprintf("conv_transpose%dd", len(op.Stride)) }

func (op ConvTranspose) Infer(in []Type) ([]Type, error) {
	shape, err := op.outShape(op, in)
	if err != nil {
		return nil, err
	}
	if err := floatInputs(op, in); err != nil {
		return nil, err
	}
	return []Type{F32(shape...)}, nil
}

// outShape checks what does not depend on element types, for self, which is this operator or
// its float64 counterpart, and returns the output's shape.
func (op ConvTranspose) outShape(self Op, in []Type) (tensor.Shape, error) {
	n := 2
	if op.HasBias {
		n++
	}
	if err := arity(self, in, n, n); err != nil {
		return nil, err
	}
	if err := CheckClamp(self, in, op.Act); err != nil {
		return nil, err
	}
	dims := len(op.Stride)
	if dims < 1 || dims > 3 || len(op.Padding) != dims || len(op.OutputPadding) != dims || len(op.Dilation) != dims {
		return nil, Errorf(self, in, "stride, padding, output padding and dilation must have one entry for each of one to three spatial dimensions")
	}
	x, w := in[0].Shape, in[1].Shape
	if len(x) != dims+2 || len(w) != dims+2 {
		return nil, Errorf(self, in, "input and weight must have %d dimensions", dims+2)
	}
	batch, channels, spatial := SpatialOf(x, op.NHWC)
	if op.Groups < 1 || channels%op.Groups != 0 || w[0] != channels {
		return nil, Errorf(self, in, "%d input channels in %d groups need a weight with as many", channels, op.Groups)
	}
	outChannels := w[1] * op.Groups
	if op.HasBias && !in[2].Shape.Equal(tensor.Shape{outChannels}) {
		return nil, Errorf(self, in, "the bias must have shape [%d]", outChannels)
	}
	out := make([]int, dims)
	taps, phases := 1, 1
	for i, d := range spatial {
		k, s, pad, outPad, dil := w[i+2], op.Stride[i], op.Padding[i], op.OutputPadding[i], op.Dilation[i]
		const limit = 1 << 20
		if k < 1 || s < 1 || dil < 1 || pad < 0 || outPad < 0 || max(k, s, pad, dil, d) > limit {
			return nil, Errorf(self, in, "kernel, stride and dilation must be at least 1, padding at least 0, all at most 2^20")
		}
		if outPad >= max(s, dil) {
			return nil, Errorf(self, in, "output padding %d is not below the stride or the dilation", outPad)
		}
		out[i] = (d-1)*s - 2*pad + dil*(k-1) + outPad + 1
		if d < 1 || out[i] < 1 {
			return nil, Errorf(self, in, "dimension %d of the output would have no extent", i+2)
		}
		// Kernels keep something for each tap and each phase, so their numbers are bounded.
		const most = 1 << 16
		taps, phases = taps*k, phases*min(s, out[i])
		if taps > most || phases > most {
			return nil, Errorf(self, in, "kernel and stride have more than 2^16 positions")
		}
	}
	shape := imageShape(batch, outChannels, out, op.NHWC)
	if _, err := shape.Numel(); err != nil {
		return nil, Errorf(self, in, "%v", err)
	}
	return shape, nil
}

// MACs counts each element of the input with each weight of its channel, also where the padding cuts off the sum it belongs to.
func (ConvTranspose) MACs(in, _ []Type) int64 {
	return int64(in[0].Numel()) * product(in[1].Shape[1:])
}

// ChannelsLast lays out the input and the output as NHWC.
func (op ConvTranspose) ChannelsLast(in []Type) (Op, []int, bool) {
	if op.NHWC {
		return nil, nil, false
	}
	op.NHWC = true
	return op, []int{0}, true
}

// WantsChannelsLast is true: all kernels work on NHWC.
func (ConvTranspose) WantsChannelsLast() bool { return true }

// FuseActivation implements ActivationFuser.
func (op ConvTranspose) FuseActivation(a Activation) (Op, bool) {
	if op.Act != NoActivation || !a.IsClamp() {
		return nil, false
	}
	op.Act = a
	return op, true
}

// phase is the output positions of one remainder by the stride in each
// dimension. All of them are reached by the same taps of the kernel, from input positions
// that lie one after the other: a convolution of its own.
type phase struct {
	first [3]int // the first output position
	count [3]int // positions in each dimension
	taps  []phaseTap
	at    int // of its packed weights
}

// phaseTap is one tap: its place in the kernel, and the input position that it
// takes to the first output position, which may lie outside.
type phaseTap struct {
	kernel int
	in     [3]int
}

// transposedGeometry is the operator as the phases of its output.
type transposedGeometry struct {
	batch           int
	channels, outs  int // of all groups
	in, out, stride [3]int
	phases          []phase
	kernelTaps      int
}

func (op ConvTranspose) geometry(in, out []Type) *transposedGeometry {
	g := &transposedGeometry{in: [3]int{1, 1, 1}, out: [3]int{1, 1, 1}, stride: [3]int{1, 1, 1}, kernelTaps: 1}
	var spatialIn, spatialOut []int
	g.batch, g.channels, spatialIn = SpatialOf(in[0].Shape, op.NHWC)
	_, g.outs, spatialOut = SpatialOf(out[0].Shape, op.NHWC)
	kernel, dilation, pad := [3]int{1, 1, 1}, [3]int{1, 1, 1}, [3]int{}
	for i := range op.Stride {
		d := 3 - len(op.Stride) + i
		g.in[d], g.out[d], g.stride[d] = spatialIn[i], spatialOut[i], op.Stride[i]
		kernel[d], dilation[d], pad[d] = in[1].Shape[i+2], op.Dilation[i], op.Padding[i]
		g.kernelTaps *= kernel[d]
	}
	// tapsOf lists the taps and input positions of a remainder in one dimension.
	tapsOf := func(d, remainder int) (taps [][2]int) {
		for k := range kernel[d] {
			if at := remainder + pad[d] - k*dilation[d]; at%g.stride[d] == 0 {
				taps = append(taps, [2]int{k, at / g.stride[d]})
			}
		}
		return taps
	}
	for z := range min(g.stride[0], g.out[0]) {
		for y := range min(g.stride[1], g.out[1]) {
			for x := range min(g.stride[2], g.out[2]) {
				p := phase{first: [3]int{z, y, x}}
				for d := range p.count {
					p.count[d] = (g.out[d]-p.first[d]-1)/g.stride[d] + 1
				}
				for _, tz := range tapsOf(0, z) {
					for _, ty := range tapsOf(1, y) {
						for _, tx := range tapsOf(2, x) {
							p.taps = append(p.taps, phaseTap{(tz[0]*kernel[1]+ty[0])*kernel[2] + tx[0], [3]int{tz[1], ty[1], tx[1]}})
						}
					}
				}
				g.phases = append(g.phases, p)
			}
		}
	}
	return g
}

// pixel returns the bytes from the start of the input to where a tap reads for
// position j of its phase, or false outside the image.
func (g *transposedGeometry) pixel(t *phaseTap, n int, j [3]int) (int, bool) {
	z, y, x := j[0]+t.in[0], j[1]+t.in[1], j[2]+t.in[2]
	if uint(z) >= uint(g.in[0]) || uint(y) >= uint(g.in[1]) || uint(x) >= uint(g.in[2]) {
		return 0, false
	}
	return 4 * g.channels * (((n*g.in[0]+z)*g.in[1]+y)*g.in[2] + x), true
}

// fill writes the offsets of m pixels of a row from x on, counted from their image, as tiles of mr
// rows; taps outside the image are -1.
func (g *transposedGeometry) fill(offsets []int32, ph *phase, mr, m, z, y, x int) {
	for r := range roundUp(m, mr) {
		at := offsets[r/mr*len(ph.taps)*mr+r%mr:]
		for s := range ph.taps {
			at[s*mr] = -1
			if offset, ok := g.pixel(&ph.taps[s], 0, [3]int{z, y, x + min(r, m-1)}); ok {
				at[s*mr] = int32(offset)
			}
		}
	}
}
