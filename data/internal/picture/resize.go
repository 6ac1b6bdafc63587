package picture

import "math"

// Window is what is taken of a picture that is resized to Width x Height: Right-Left by Bottom-Top pixels, from Left and Top on. What lies outside
// of the resized picture is black.
type Window struct {
	Width, Height            int
	Left, Top, Right, Bottom int
}

// ShorterEdge returns the size of a picture whose shorter edge becomes size, as torchvision.transforms.Resize(size) has it.
func ShorterEdge(width, height, size int) (w, h int) {
	if width <= height {
		return size, int(int64(size) * int64(height) / int64(width))
	}
	return int(int64(size) * int64(width) / int64(height)), size
}

// Centre returns the window of so many pixels in the middle of a picture of w.Width x w.Height, as torchvision.transforms.CenterCrop has
// it: of a smaller picture with black beside it.
func Centre(width, height, cropWidth, cropHeight int) Window {
	w := Window{Width: width, Height: height}
	w.Left, w.Right = centre(width, cropWidth)
	w.Top, w.Bottom = centre(height, cropHeight)
	return w
}

func centre(size, crop int) (from, to int) {
	pad := 0
	if crop > size {
		pad = (crop - size) / 2
		size = crop
	}
	from = int(math.RoundToEven(float64(size-crop)/2)) - pad
	return from, from + crop
}

// Channels are what pixels are written as.
const (
	Gray = 1
	RGB  = 3
)

// Resize writes the window of the picture, resized by Pillow's antialiased bilinear filter, to out as planes: [channels, rows, columns]. Gray
// is what Pillow's convert("L") gives, before the picture is resized.
func (p *Picture) Resize(w Window, channels int, out []byte) {
	columns, rows := w.Right-w.Left, w.Bottom-w.Top
	clear(out)
	across := filterWindow(p.Width, w.Width, w.Left, w.Right)
	down := filterWindow(p.Height, w.Height, w.Top, w.Bottom)
	first, last := span(down)
	// The rows of the source, already of the width of the window, one after the other.
	lines := make([]byte, max(last-first, 0)*columns*channels)
	source := make([]byte, 3*p.Width)
	for y := first; y < last; y++ {
		p.row(y, source)
		pixels := source
		if channels == Gray {
			pixels = toGray(source)
		}
		line := lines[(y-first)*columns*channels:][:columns*channels]
		for x, taps := range across {
			for c := range channels {
				line[x*channels+c] = taps.sum(pixels, channels, c)
			}
		}
	}
	for y, taps := range down {
		if taps.weights == nil {
			continue
		}
		taps.first -= first
		for c := range channels {
			to := out[(c*rows+y)*columns:][:columns]
			for x := range to {
				to[x] = taps.sum(lines, columns*channels, x*channels+c)
			}
		}
	}
}

// toGray writes what Pillow's convert("L") gives over the pixels, and returns it: ITU-R 601 with 16 bits of fraction.
func toGray(rgb []byte) []byte {
	n := len(rgb) / 3
	for x := range n {
		rgb[x] = byte((uint32(rgb[3*x])*19595 + uint32(rgb[3*x+1])*38470 + uint32(rgb[3*x+2])*7471 + 0x8000) >> 16)
	}
	return rgb[:n]
}

// taps are the samples that one of the result is the weighted sum of; none where it lies outside.
type taps struct {
	first   int
	weights []int32 // with precision bits of fraction
}

// precision is that of Pillow for 8 bits: 32 less 8 less 2 of headroom.
const precision = 22

// sum adds up samples that lie stride apart, from the one at an offset on.
func (t taps) sum(pix []byte, stride, offset int) byte {
	if t.weights == nil {
		return 0
	}
	sum := int32(1 << (precision - 1))
	at := t.first*stride + offset
	for _, w := range t.weights {
		sum += int32(pix[at]) * w
		at += stride
	}
	return clamp8(sum >> precision)
}

// span returns the samples that taps take, [first, last).
func span(all []taps) (first, last int) {
	first = math.MaxInt
	for _, t := range all {
		if t.weights != nil {
			first, last = min(first, t.first), max(last, t.first+len(t.weights))
		}
	}
	return min(first, last), last
}

// filterWindow returns the taps of the samples [from, to) of size, of in samples, by the triangle filter that is as wide as what becomes one sample,
// and at least two: ImagingResample of Pillow with BILINEAR.
func filterWindow(in, size, from, to int) []taps {
	all := make([]taps, to-from)
	scale := float64(in) / float64(size)
	filterScale := max(scale, 1)
	for i := range all {
		x := from + i
		switch {
		case x < 0 || x >= size:
		case in == size: // Pillow does nothing then
			all[i] = taps{x, []int32{1 << precision}}
		default:
			all[i] = triangleTaps(in, (float64(x)+0.5)*scale, filterScale)
		}
	}
	return all
}

// triangleTaps returns those of one sample with its centre in the source.
func triangleTaps(in int, centre, support float64) taps {
	first := max(int(centre-support+0.5), 0)
	n := min(int(centre+support+0.5), in) - first
	weights := make([]float64, n)
	sum := 0.0
	for i := range weights {
		v := math.Abs((float64(i+first) - centre + 0.5) * (1 / support))
		if v < 1 {
			weights[i] = 1 - v
		}
		sum += weights[i]
	}
	t := taps{first, make([]int32, n)}
	for i, w := range weights {
		if sum != 0 {
			w /= sum
		}
		t.weights[i] = int32(math.Floor(w*(1<<precision) + 0.5))
	}
	return t
}
