package ops

import "github.com/octet-ml/octet/tensor"

// PixelShuffle moves channels into pixels, [..., C*R*R, H, W] to [..., C, H*R,
// W*R], as torch.pixel_shuffle does, or back with Reverse. It is lowered to
// reshapes and a permutation.
type PixelShuffle struct {
	Factor  int // R
	Reverse bool
}

// Name returns pixel_shuffle or pixel_unshuffle.
func (op PixelShuffle) Name() string {
	if op.Reverse {
		return "pixel_unshuffle"
	}
	return "pixel_shuffle"
}

func (op PixelShuffle) Infer(in []Type) ([]Type, error) { return lowerInfer(op, in) }

func (op PixelShuffle) Prepare(p *Prepare) (*Kernel, error) { return lowerPrepare(op, p) }

// Lower splits dimensions, moves the parts and joins them again.
func (op PixelShuffle) Lower(in []Type) ([]Step, error) {
	if err := arity(op, in, 1, 1); err != nil {
		return nil, err
	}
	s := in[0].Shape
	k, r := len(s)-3, op.Factor
	if k < 0 || r < 1 || r > 1<<15 {
		return nil, Errorf(op, in, "it works on images [..., C, H, W] with a factor of 1 to 2^15")
	}
	c, h, w := s[k], s[k+1], s[k+2]
	front := s[:k:k]
	var parts, joined tensor.Shape
	var order []int
	if op.Reverse {
		if h%r != 0 || w%r != 0 {
			return nil, Errorf(op, in, "its height and width are not multiples of %d", r)
		}
		parts = append(front, c, h/r, r, w/r, r)
		joined = append(front, c*r*r, h/r, w/r)
		order = []int{k, k + 2, k + 4, k + 1, k + 3}
	} else {
		if c%(r*r) != 0 {
			return nil, Errorf(op, in, "its channels are not a multiple of %d", r*r)
		}
		parts = append(front, c/(r*r), r, r, h, w)
		joined = append(front, c/(r*r), h*r, w*r)
		order = []int{k, k + 3, k + 1, k + 4, k + 2}
	}
	return shuffle(op, in, parts, order, joined)
}

// shuffle splits dimensions into parts, moves those behind the first as order
// says and joins them.
func shuffle(op Op, in []Type, parts tensor.Shape, order []int, joined tensor.Shape) ([]Step, error) {
	all := make([]int, 0, len(parts))
	for i := range len(parts) - len(order) {
		all = append(all, i)
	}
	l := newLowering(in)
	v, err := l.reshape(0, parts)
	if err == nil {
		v, err = l.add(Permute{Order: append(all, order...)}, v)
	}
	if err == nil {
		_, err = l.reshape(v, joined)
	}
	if err != nil {
		return nil, Errorf(op, in, "%v", err)
	}
	return l.steps, nil
}

// ChannelShuffle divides the channels into groups and takes one of each in
// turn, as torch.channel_shuffle does. It is lowered to reshapes and a permutation.
type ChannelShuffle struct {
	Groups int
}

func (ChannelShuffle) Name() string { return "channel_shuffle" }

func (op ChannelShuffle) Infer(in []Type) ([]Type, error) { return lowerInfer(op, in) }

func (op ChannelShuffle) Prepare(p *Prepare) (*Kernel, error) { return lowerPrepare(op, p) }

// Lower splits the channels, exchanges the parts and joins them.
func (op ChannelShuffle) Lower(in []Type) ([]Step, error) {
	if err := arity(op, in, 1, 1); err != nil {
		return nil, err
	}
	s := in[0].Shape
	if len(s) < 3 || op.Groups < 1 || s[1]%op.Groups != 0 {
		return nil, Errorf(op, in, "its channels are not %d groups", op.Groups)
	}
	parts := append(tensor.Shape{s[0], op.Groups, s[1] / op.Groups}, s[2:]...)
	order := []int{2, 1}
	for i := 3; i < len(parts); i++ {
		order = append(order, i)
	}
	return shuffle(op, in, parts, append([]int{0}, order...), s)
}
