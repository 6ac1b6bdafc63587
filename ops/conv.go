package ops

import (
	"fmt"
	"unsafe"

	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// Conv is a convolution over one, two or three spatial dimensions, as
// torch.nn.functional.conv1d, conv2d and conv3d compute it.
//
// Inputs: x [N, C, spatial...], weight [O, C/Groups, kernel...], then bias [O]
// when HasBias, then a residual of the output's shape when HasResidual.
// Output: Act(conv(x, weight) + bias + residual), [N, O, spatial...]. With NHWC, x, the residual
// and the output have their channels last; the weight stays as it is.
type Conv struct {
	Stride, Padding, Dilation []int
	Groups                    int
	HasBias, HasResidual      bool
	Act                       Activation
	NHWC                      bool
}

// ConvAttributes are the attributes of Conv without its methods, for operators that share only those.
type ConvAttributes Conv

// Name returns conv1d, conv2d or conv3d.
//
//go:noinline
func (op Conv) Name() string { return fmt.Sprintf("conv%dd", len(op.Stride)) }

// Infer checks the shapes and returns the output's.
func (op Conv) Infer(in []Type) ([]Type, error) {
	if err := op.CheckInputs(op, in); err != nil {
		return nil, err
	}
	if err := floatInputs(op, in); err != nil {
		return nil, err
	}
	w, err := op.Window(op, in)
	if err != nil {
		return nil, err
	}
	out := F32(op.OutShape(w, in)...)
	if op.HasResidual && !in[len(in)-1].Shape.Equal(out.Shape) {
		return nil, Errorf(op, in, "the residual's shape is not the output's, %v", out.Shape)
	}
	return []Type{out}, nil
}

// MACs counts the products of the definition.
func (Conv) MACs(in, out []Type) int64 { return ConvMACs(in[1], out[0]) }

// CheckInputs checks what does not depend on element types, for op, which is
// this operator or its int8 counterpart.
func (op Conv) CheckInputs(self Op, in []Type) error {
	n := 2
	if op.HasBias {
		n++
	}
	if op.HasResidual {
		n++
	}
	if err := arity(self, in, n, n); err != nil {
		return err
	}
	if err := checkActivation(self, in, op.Act); err != nil {
		return err
	}
	x, w := in[0].Shape, in[1].Shape
	rank := len(op.Stride) + 2
	if len(x) != rank || len(w) != rank {
		return Errorf(self, in, "input and weight must have %d dimensions", rank)
	}
	_, c, _ := SpatialOf(x, op.NHWC)
	if op.Groups < 1 || c%op.Groups != 0 || w[0]%op.Groups != 0 || w[1] != c/op.Groups {
		return Errorf(self, in, "%d input channels in %d groups need a weight with %d", c, op.Groups, c/max(op.Groups, 1))
	}
	if op.HasBias && !in[2].Shape.Equal(tensor.Shape{w[0]}) {
		return Errorf(self, in, "the bias must have shape [%d]", w[0])
	}
	return nil
}

// Window returns the geometry for inputs that CheckInputs accepted.
func (op Conv) Window(self Op, in []Type) (*Window, error) {
	batch, _, spatial := SpatialOf(in[0].Shape, op.NHWC)
	w, reason := NewWindow(batch, spatial, WindowParams{Kernel: in[1].Shape[2:], Stride: op.Stride, Padding: op.Padding, Dilation: op.Dilation})
	if w == nil {
		return nil, Errorf(self, in, "%s", reason)
	}
	return w, nil
}

// OutShape returns the shape of the output.
//
//go:noinline
func (op Conv) OutShape(w *Window, in []Type) tensor.Shape {
	return imageShape(w.Batch, in[1].Shape[0], w.OutSpatial(len(op.Stride)), op.NHWC)
}

// ChannelsLast lays out the input, the residual and the output as NHWC.
func (op Conv) ChannelsLast(in []Type) (Op, []int, bool) {
	if op.NHWC {
		return nil, nil, false
	}
	op.NHWC = true
	if op.HasResidual {
		return op, []int{0, len(in) - 1}, true
	}
	return op, []int{0}, true
}

// WantsChannelsLast is true: all kernels work on NHWC.
func (Conv) WantsChannelsLast() bool { return true }

// Prepare packs the weight and chooses between the depthwise kernel, the
// indirect matrix multiplication, and the one over gathered rows.
func (op Conv) Prepare(p *Prepare) (*Kernel, error) {
	if !op.NHWC {
		return nil, &UnsupportedError{Op: op.Name(), Reason: "kernels need the channels last; compile the graph, or permute its input"}
	}
	w, err := op.Window(op, p.In)
	if err != nil {
		return nil, err
	}
	if c := p.In[0].Shape[len(p.In[0].Shape)-1]; op.Groups == c && p.In[1].Shape[0] == c && c > 1 && !op.HasResidual && w.Pixels() > 0 {
		return op.prepareDepthwise(p, w)
	}
	if w.Pixels() > 0 {
		if t := op.winogradTile(p, w); t > 0 {
			return op.prepareWinograd(p, w, t)
		}
	}
	return op.prepareGemm(p, w)
}

// channelsLastWeight reorders a weight [outs, channels, taps] to [outs, taps, channels] in
// dst, or returns w where both orders are one.
func channelsLastWeight(tier asm.Tier, dst, w []float32, outs, channels, taps int) []float32 {
	if taps == 1 || channels == 1 {
		return w
	}
	t, size := asm.TransposeF32For(tier), channels*taps
	for o := range outs {
		t.Run(dst[o*size:][:size], w[o*size:][:size], channels, taps, channels, taps)
	}
	return dst
}

//go:noinline
func alignedFloats(n int) []float32 {
	if n == 0 {
		return nil
	}
	raw := tensor.AlignedBytes(n * 4)
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(raw))), n)
}

// floatsOf returns n float32 values of a scratch buffer from index i on.
func floatsOf(scratch []byte, i, n int) []float32 {
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(&scratch[4*i])), n)[:n:n]
}
