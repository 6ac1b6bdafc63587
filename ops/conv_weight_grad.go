package ops

import (
	"fmt"
	"unsafe"

	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// ConvWeightGrad is the gradient of a convolution with respect to its weight.
// Inputs: x [N, C, in...] and the gradient of the output [N, O, out...]. Output:
// [O, C/Groups, Kernel...].
type ConvWeightGrad struct {
	Conv
	Kernel []int
}

// Name returns "conv2d_weight_grad" and the like.
func (op ConvWeightGrad) Name() string { return op.Conv.Name() + "_weight_grad" }

// weightType returns the type of the convolution's weight.
func (op ConvWeightGrad) weightType(in []Type) Type {
	_, c, _ := SpatialOf(in[0].Shape, op.NHWC)
	_, o, _ := SpatialOf(in[1].Shape, op.NHWC)
	return F32(append(tensor.Shape{o, c / max(op.Groups, 1)}, op.Kernel...)...)
}

func (op ConvWeightGrad) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 2, 2); err != nil {
		return nil, err
	}
	if err := floatInputs(op, in); err != nil {
		return nil, err
	}
	rank := len(op.Stride) + 2
	if len(in[0].Shape) != rank || len(in[1].Shape) != rank || len(op.Kernel) != rank-2 {
		return nil, Errorf(op, in, "both inputs must have %d dimensions, and the kernel %d", rank, rank-2)
	}
	weight := op.weightType(in)
	if _, err := weight.Shape.Numel(); err != nil {
		return nil, Errorf(op, in, "%v", err)
	}
	conv := []Type{in[0], weight}
	if err := op.CheckInputs(op, conv); err != nil {
		return nil, err
	}
	w, err := op.Window(op, conv)
	if err != nil {
		return nil, err
	}
	if !in[1].Shape.Equal(op.OutShape(w, conv)) {
		return nil, Errorf(op, in, "the convolution has shape %v", op.OutShape(w, conv))
	}
	return []Type{weight}, nil
}

// ChannelsLast lays out both inputs as NHWC.
func (op ConvWeightGrad) ChannelsLast(in []Type) (Op, []int, bool) {
	if op.NHWC {
		return op, nil, false
	}
	op.NHWC = true
	return op, []int{0, 1}, true
}

// OutputsStay says that the output is a weight, which has no layout to change.
func (ConvWeightGrad) OutputsStay() {}

// FuseActivation implements ActivationFuser: gradients have no activation.
func (ConvWeightGrad) FuseActivation(Activation) (Op, bool) { return nil, false }

// FuseResidual implements ResidualFuser: a gradient takes no residual.
func (ConvWeightGrad) FuseResidual(Activation) (Op, bool) { return nil, false }

// gradDepth is how many output pixels one matrix multiplication adds up. It is
// fixed, so that sums do not depend on the number of threads.
const gradDepth = 512

// Prepare multiplies the transposed gradient [O, pixels] with the input pixels
// under each tap [pixels, taps x C], a panel of columns at a time.
func (op ConvWeightGrad) Prepare(p *Prepare) (*Kernel, error) {
	if !op.NHWC {
		return nil, &UnsupportedError{Op: op.Name(), Reason: "kernels need the channels last; compile the graph, or permute its input"}
	}
	w, err := op.Window(op, []Type{p.In[0], op.weightType(p.In)})
	if err != nil {
		return nil, err
	}
	g, tr := asm.IGemmF32For(p.Tier), asm.TransposeF32For(p.Tier)
	outs, perGroup, taps, pixels := p.Out[0].Shape[0], p.Out[0].Shape[1], w.Taps(), w.Pixels()
	channels := perGroup * op.Groups
	perOut := outs / op.Groups
	cols := taps * perGroup
	if pixels == 0 || p.Out[0].Numel() == 0 {
		return &Kernel{Run: func(c *Call) error { clear(c.Out[0].Bytes()); return nil }, Choice: "empty", Parallel: 1}, nil
	}
	if perGroup == 1 && perOut == 1 && op.Groups > 1 {
		return op.prepareDepthwise(p, w), nil
	}
	zero := alignedFloats(max(perGroup, g.NR) + g.NR)
	panels := (cols + g.NR - 1) / g.NR
	const strip = 64 // pixels a transposing task takes
	transposes := (pixels + strip - 1) / strip
	transpose := func(c *Call, i int, _ *Worker) {
		from, to := i*strip, min((i+1)*strip, pixels)
		dy, t := c.In[1].Float32s(), floatsOf(c.Scratch, 0, pixels*outs)
		tr.Run(t[from:], dy[from*outs:], to-from, outs, pixels, outs)
	}
	task := func(c *Call, i int, wk *Worker) {
		group, panel := i/panels, i%panels
		n0 := panel * g.NR
		n := min(g.NR, cols-n0)
		dyT := unsafe.Pointer(unsafe.SliceData(c.Scratch))
		packed := floatsOf(wk.Scratch, 0, gradDepth*g.NR)
		acc := floatsOf(wk.Scratch, gradDepth*g.NR, perOut*g.NR)
		x := unsafe.Add(base(c.In[0]), 4*group*perGroup)
		args := &wk.Args.IGemmF32
		for p0 := 0; p0 < pixels; p0 += gradDepth {
			depth := min(gradDepth, pixels-p0)
			packTaps(packed, w, x, 4*channels, perGroup, n0, n, g.NR, p0, depth)
			*args = asm.IGemmF32Args{
				KS: 1, KC: depth, B: &packed[0], N: n, Bias: &zero[0], Lo: -inf, Hi: inf, CStride: 4 * g.NR,
			}
			if p0 > 0 {
				args.Res, args.ResStride = &acc[0], args.CStride
			}
			gemmRows(g, args, unsafe.Add(dyT, 4*(group*perOut*pixels+p0)), 4*pixels, unsafe.Pointer(&acc[0]), perOut)
		}
		dw := c.Out[0].Float32s()
		for o := range perOut {
			for j := range n {
				tap, ch := (n0+j)/perGroup, (n0+j)%perGroup
				dw[((group*perOut+o)*perGroup+ch)*taps+tap] = acc[o*g.NR+j]
			}
		}
	}
	return &Kernel{
		Run: func(c *Call) error {
			c.Parallel(transposes, transpose)
			c.Parallel(panels*op.Groups, task)
			return nil
		},
		Scratch:       4 * pixels * outs,
		WorkerScratch: 4 * g.NR * (gradDepth + perOut),
		Choice:        fmt.Sprintf("%s %s %dx%d over packed taps", g.Op, g.Tier, g.MR, g.NR),
		Parallel:      panels * op.Groups,
	}, nil
}

// packTaps writes, for each of depth output pixels from p0 on, the columns n0 to
// n0+n of the matrix of input values under the taps: column t*perGroup+c is channel c under tap t.
// Columns from n up to nr are not written: nothing uses what comes of them.
func packTaps(dst []float32, w *Window, x unsafe.Pointer, pixelBytes, perGroup, n0, n, nr, p0, depth int) {
	for j := 0; j < n; {
		tap, ch := (n0+j)/perGroup, (n0+j)%perGroup
		run := min(perGroup-ch, n-j)
		kx := tap % w.Kernel[2] * w.Dilation[2]
		ky := tap / w.Kernel[2] % w.Kernel[1] * w.Dilation[1]
		kz := tap / (w.Kernel[2] * w.Kernel[1]) * w.Dilation[0]
		px := w.pixel(p0)
		for i := range depth {
			if i > 0 {
				w.advance(&px)
			}
			z, y, xx := px.z*w.Stride[0]-w.Pad[0]+kz, px.y*w.Stride[1]-w.Pad[1]+ky, px.x*w.Stride[2]-w.Pad[2]+kx
			to := dst[i*nr+j : i*nr+j+run]
			if uint(z) >= uint(w.In[0]) || uint(y) >= uint(w.In[1]) || uint(xx) >= uint(w.In[2]) {
				clear(to)
				continue
			}
			at := pixelBytes * (((px.n*w.In[0]+z)*w.In[1]+y)*w.In[2] + xx)
			copy(to, unsafe.Slice((*float32)(unsafe.Add(x, at+4*ch)), run))
		}
		j += run
	}
}
