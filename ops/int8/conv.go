package int8

import (
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// Conv is ops.Conv on quantized values.
//
// Inputs: x uint8 per tensor, weight int8 [O, C/Groups, kernel...] per tensor or per output
// channel, then bias int32 [O] in units of x's scale times the weight's or float32 [O], then
// a residual in the output's element type, which needs an int32 bias. Output: uint8 with qparams
// Out; float32 when Out is nil.
type Conv struct {
	ops.ConvAttributes
	Out *tensor.QParams
}

// float returns the operator that this one stands for.
func (op Conv) float() ops.Conv { return ops.Conv(op.ConvAttributes) }

// Name returns "int8.conv2d" and the like.
//
//go:noinline
func (op Conv) Name() string { return "int8." + op.float().Name() }

func (op Conv) Infer(in []ops.Type) ([]ops.Type, error) {
	if err := op.float().CheckInputs(op, in); err != nil {
		return nil, err
	}
	if err := activation(op, in, 0); err != nil {
		return nil, err
	}
	if err := weightsAndBias(op, in, in[1].Shape[0], op.HasBias); err != nil {
		return nil, err
	}
	if op.Out != nil {
		if err := ops.CheckClamp(op, in, op.Act); err != nil {
			return nil, err
		}
	}
	w, err := op.float().Window(op, in)
	if err != nil {
		return nil, err
	}
	shape := op.float().OutShape(w, in)
	if op.HasResidual {
		if err := checkResidual(op, in, op.Out); err != nil {
			return nil, err
		}
		if !in[len(in)-1].Shape.Equal(shape) {
			return nil, ops.Errorf(op, in, "the residual's shape is not the output's, %v", shape)
		}
	}
	return []ops.Type{outputType(op.Out, shape)}, nil
}

// ChannelsLast lays out the input, the residual and the output as NHWC.
func (op Conv) ChannelsLast(in []ops.Type) (ops.Op, []int, bool) {
	inner, inputs, ok := op.float().ChannelsLast(in)
	if ok {
		op.ConvAttributes = ops.ConvAttributes(inner.(ops.Conv))
	}
	return op, inputs, ok
}

// WantsChannelsLast is true: all kernels work on NHWC.
func (Conv) WantsChannelsLast() bool { return true }

// FuseActivation implements ops.ActivationFuser for a float32 output; activations
// of a quantized one fuse before quantization.
func (op Conv) FuseActivation(a ops.Activation) (ops.Op, bool) {
	if op.Out != nil || op.Act != ops.NoActivation {
		return nil, false
	}
	op.Act = a
	return op, true
}

// Prepare packs the weight for the indirect kernel; channels that are no
// multiple of 4 are gathered into padded rows.
func (op Conv) Prepare(p *ops.Prepare) (*ops.Kernel, error) { return op.prepare(p, chooseWinograd) }

// prepare is Prepare with the choice of plans of Winograd's algorithm, of which the first is used that is exact.
func (op Conv) prepare(p *ops.Prepare, choose func(*layer, *ops.Window) []*winograd) (*ops.Kernel, error) {
	if !op.NHWC {
		return nil, &ops.UnsupportedError{Op: op.Name(), Reason: "kernels need the channels last; compile the graph, or permute its input"}
	}
	w, err := op.float().Window(op, p.In)
	if err != nil {
		return nil, err
	}
	channels := p.In[0].Shape[len(p.In[0].Shape)-1]
	if op.isDepthwise(p, w, channels) {
		return op.prepareDepthwise(p, w)
	}
	v := newConvGemm(op, *convLayer(op.float()), op.Out, p, w, channels, nil)
	if err := v.l.setParameters(); err != nil {
		return nil, err
	}
	plans := choose(v.l, w)
	v.l.onePacking = len(plans) > 0
	if err := v.l.packWeight(); err != nil {
		return nil, err
	}
	plan := exact(plans)
	k := (*ops.Kernel)(nil)
	if plan != nil {
		k = plan.kernel()
	} else {
		if err := v.divide(); err != nil {
			return nil, err
		}
		k = v.kernel()
	}
	k.Warning = op.slowerThanFloat(v.l, w, plan)
	return k, nil
}
