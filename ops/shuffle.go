package ops

// PixelShuffle moves channels into pixels, [..., C*R*R, H, W] to [..., C, H*R,
// W*R], as torch.pixel_shuffle does, or back with Reverse. It is lowered to
// reshapes and a permutation that serve any extents.
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
	front := sameExtents(0, k)
	factor := Extent{Factor: r}
	if op.Reverse {
		if h%r != 0 || w%r != 0 {
			return nil, Errorf(op, in, "its height and width are not multiples of %d", r)
		}
		parts := append(front, extentOf(k), Extent{Of: extentOf(k + 1).Of, Divisor: r}, factor, Extent{Of: extentOf(k + 2).Of, Divisor: r}, factor)
		joined := append(front, extentOf(k, k+1, k+2), extentOf(k+3), extentOf(k+4))
		return shuffle(op, in, parts, []int{k, k + 2, k + 4, k + 1, k + 3}, joined)
	}
	if c%(r*r) != 0 {
		return nil, Errorf(op, in, "its channels are not a multiple of %d", r*r)
	}
	parts := append(front, Extent{Of: extentOf(k).Of, Divisor: r * r}, factor, factor, extentOf(k+1), extentOf(k+2))
	joined := append(front, extentOf(k), extentOf(k+1, k+2), extentOf(k+3, k+4))
	return shuffle(op, in, parts, []int{k, k + 3, k + 1, k + 4, k + 2}, joined)
}

// extentOf is the product of the extents of dimensions of input 0.
//
//go:noinline
func extentOf(axes ...int) Extent {
	var e Extent
	for _, a := range axes {
		e.Of = append(e.Of, Dimension{Axis: a})
	}
	return e
}

// sameExtents are those of input 0 from one dimension up to another.
//
//go:noinline
func sameExtents(from, to int) []Extent {
	list := make([]Extent, 0, to-from)
	for a := from; a < to; a++ {
		list = append(list, extentOf(a))
	}
	return list
}

// shuffle splits dimensions into parts, moves those behind the first as order
// says and joins them.
func shuffle(op Op, in []Type, parts []Extent, order []int, joined []Extent) ([]Step, error) {
	all := make([]int, 0, len(parts))
	for i := range len(parts) - len(order) {
		all = append(all, i)
	}
	l := newLowering(in)
	v, err := l.add(DynamicReshape{Extents: parts}, 0)
	if err == nil {
		v, err = l.add(Permute{Order: append(all, order...)}, v)
	}
	if err == nil {
		_, err = l.add(DynamicReshape{Extents: joined}, v)
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
	parts := append([]Extent{extentOf(0), {Factor: op.Groups}, {Of: extentOf(1).Of, Divisor: op.Groups}}, sameExtents(2, len(s))...)
	order := []int{0, 2, 1}
	for i := 3; i < len(parts); i++ {
		order = append(order, i)
	}
	joined := append([]Extent{extentOf(0), extentOf(1, 2)}, sameExtents(3, len(parts))...)
	return shuffle(op, in, parts, order, joined)
}
