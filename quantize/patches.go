package quantize

import (
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// patches finds, for each output position of a layer, the inputs that it is
// computed from: a row of [taps][channels] for each group of channels.
type patches struct {
	rows                   int // output positions, of all samples
	groups, channels, taps int // channels are those of a group
	window                 *ops.Window
	pixel, channel, sample int // distances of elements in the input
}

// newPatches returns the patches of a convolution, or with nil of a linear
// layer, over inputs of the given type.
func newPatches(conv *ops.Conv, in ops.Type, weight tensor.Shape, nhwc bool) (*patches, error) {
	if conv == nil {
		k := weight[1]
		return &patches{rows: in.Numel() / max(k, 1), groups: 1, channels: k, taps: 1, channel: 1, sample: k}, nil
	}
	op := *conv
	op.NHWC = nhwc
	w, err := op.Window(op, []ops.Type{in, {Shape: weight}})
	if err != nil {
		return nil, err
	}
	_, channels, _ := ops.SpatialOf(in.Shape, nhwc)
	pixels := w.In[0] * w.In[1] * w.In[2]
	p := &patches{rows: w.Pixels(), groups: op.Groups, channels: channels / op.Groups, taps: w.Taps(), window: w, sample: channels * pixels}
	if nhwc {
		p.pixel, p.channel = channels, 1
	} else {
		p.pixel, p.channel = 1, pixels
	}
	return p, nil
}

// each calls f for the inputs of a row and a group with the tap, the channel
// and the element, which is negative in the padding.
func (p *patches) each(row, group int, f func(tap, channel, from int)) {
	if p.window == nil {
		for c := range p.channels {
			f(0, c, row*p.sample+c)
		}
		return
	}
	for t := range p.taps {
		pixel := p.window.Source(row, t)
		for c := range p.channels {
			from := -1
			if pixel >= 0 {
				n := row / (p.rows / max(p.window.Batch, 1))
				from = n*p.sample + pixel*p.pixel + (group*p.channels+c)*p.channel
			}
			f(t, c, from)
		}
	}
}
