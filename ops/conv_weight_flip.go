package ops

import "github.com/octet-ml/octet/tensor"

// ConvWeightFlip turns the weight of a convolution into that of the convolution which
// takes its output's gradient to its input's, for strides of 1: channels change places and taps go backwards.
// Input: [O, C/Groups, kernel...]. Output: [C, O/Groups, kernel...].
type ConvWeightFlip struct {
	Groups int
}

func (ConvWeightFlip) Name() string { return "conv_weight_flip" }

func (op ConvWeightFlip) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 1, 1); err != nil {
		return nil, err
	}
	if err := floatInputs(op, in); err != nil {
		return nil, err
	}
	s := in[0].Shape
	if len(s) < 3 || op.Groups < 1 || s[0]%op.Groups != 0 {
		return nil, Errorf(op, in, "it takes a weight of output channels in %d groups, input channels and at least one spatial dimension", op.Groups)
	}
	shape := append(tensor.Shape{s[1] * op.Groups, s[0] / op.Groups}, s[2:]...)
	if _, err := shape.Numel(); err != nil {
		return nil, Errorf(op, in, "%v", err)
	}
	return []Type{F32(shape...)}, nil
}

func (op ConvWeightFlip) Prepare(p *Prepare) (*Kernel, error) {
	s := p.In[0].Shape
	outs, channels, taps := s[0]/op.Groups, s[1], 1
	for _, d := range s[2:] {
		taps *= d
	}
	return &Kernel{
		Run: func(c *Call) error {
			src, dst := c.In[0].Float32s(), c.Out[0].Float32s()
			for g := range op.Groups {
				for o := range outs {
					for ch := range channels {
						from := src[((g*outs+o)*channels+ch)*taps:][:taps]
						to := dst[((g*channels+ch)*outs+o)*taps:][:taps]
						for t, v := range from {
							to[taps-1-t] = v
						}
					}
				}
			}
			return nil
		},
		Choice:   "copy",
		Parallel: 1,
	}, nil
}
