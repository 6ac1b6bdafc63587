package ops

import (
	"fmt"
	"math"
	"unsafe"

	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// RoIAlign averages bilinear samples of images in boxes, as torchvision.ops.roi_align: each box is divided into bins, and a bin has
// Ratio samples in each direction, as many as it has pixels where that is 0 or less.
//
// Inputs: images [N, C, H, W] and boxes [K, 5], the number of the image and x1, y1, x2, y2, all float32.
// Output: [K, C, Size[0], Size[1]]. With NHWC images and output have their channels last. A box of no image, or of more than 16384 samples in a direction of a bin, ends the run
// with a *ValueError. It has a gradient for the images.
type RoIAlign struct {
	Size    []int
	Scale   float64 // of boxes to pixels
	Ratio   int
	Aligned bool // pixels have their centers at halves
	// PerBin says that each bin has channels of its own, as in torchvision.ops.ps_roi_align: channel c*Size[0]*Size[1] + bin of the images
	// is for channel c of the output, which has so many fewer.
	PerBin bool
	// Whole averages all pixels of a bin, whose box is rounded to pixels, as torchvision.ops.ps_roi_pool does.
	Whole bool
	NHWC  bool
}

func (RoIAlign) Name() string { return "roi_align" }

// maxRoISamples bounds the samples of a bin in one direction.
const maxRoISamples = 1 << 14

func (op RoIAlign) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 2, 2); err != nil {
		return nil, err
	}
	x, rois := in[0], in[1]
	if x.DType != tensor.Float32 || rois.DType != tensor.Float32 || len(x.Shape) != 4 || len(rois.Shape) != 2 || rois.Shape[1] != 5 {
		return nil, Errorf(op, in, "it takes float32 images [N, C, H, W] and boxes [K, 5]")
	}
	_, channels, spatial := SpatialOf(x.Shape, op.NHWC)
	if spatial[0] == 0 || spatial[1] == 0 {
		return nil, Errorf(op, in, "the images have no pixels")
	}
	if len(op.Size) != 2 || op.Size[0] < 1 || op.Size[1] < 1 || op.Ratio > maxRoISamples {
		return nil, Errorf(op, in, "it cannot give %v bins of %d samples", op.Size, op.Ratio)
	}
	if op.PerBin {
		if bins := op.Size[0] * op.Size[1]; op.Size[0] > math.MaxInt32/op.Size[1] || channels%bins != 0 {
			return nil, Errorf(op, in, "%d channels are not for %v bins", channels, op.Size)
		}
		channels /= op.Size[0] * op.Size[1]
	}
	out := Type{DType: tensor.Float32, Shape: imageShape(rois.Shape[0], channels, op.Size, op.NHWC)}
	if _, err := out.Shape.Numel(); err != nil {
		return nil, Errorf(op, in, "%v", err)
	}
	return []Type{out}, nil
}

// roiSample is a sample: four pixels and their weights.
type roiSample struct {
	at     [4]int32
	weight [4]float32
}

// roiChunk is how many samples are placed at a time, for all channels.
const roiChunk = 64

// roiBox is a box in pixels, with the sizes of its bins and the samples of each.
type roiBox struct {
	x, y, binW, binH, gridW, gridH float32
	whole                          bool
}

// ChannelsLast lays out images and output as NHWC.
func (op RoIAlign) ChannelsLast([]Type) (Op, []int, bool) {
	if op.NHWC {
		return nil, nil, false
	}
	op.NHWC = true
	return op, []int{0}, true
}

// WantsChannelsLast is true: a sample is found once, for a row of channels.
func (RoIAlign) WantsChannelsLast() bool { return true }

func (op RoIAlign) Prepare(p *Prepare) (*Kernel, error) {
	if !op.NHWC {
		return nil, &UnsupportedError{Op: op.Name(), Reason: "kernels need the channels last; compile the graph, or permute its input"}
	}
	shape, boxes := p.In[0].Shape, p.In[1].Shape[0]
	images, h, w := shape[0], shape[1], shape[2]
	if err := op.checkImages(h, w); err != nil {
		return nil, err
	}
	r := &roiRows{op: op, h: h, w: w, pixel: shape[3], channels: p.Out[0].Shape[3], kernel: asm.PoolF32For(p.Tier)}
	if r.channels == 0 {
		return emptyKernel(), nil
	}
	k := &Kernel{
		Interruptible: true,
		Run: func(c *Call) error {
			if err := op.checkAll(row[float32](base(c.In[1]), 0, 5*boxes), images); err != nil {
				return err
			}
			if op.PerBin {
				c.Parallel(images*h, r.pack)
			}
			c.Parallel(boxes, r.box)
			return nil
		},
		WorkerScratch:  32*roiChunk + 4*(roiTaps+1),
		WorkerPointers: roiTaps,
		Choice:         "boxes " + r.kernel.Tier.String(),
		Parallel:       boxes,
	}
	if op.PerBin {
		k.Scratch = 4 * images * h * w * r.pixel
	}
	return k, nil
}

// roiTaps is the most pixels that are summed at a time: those of all samples, and what was summed before.
const roiTaps = 4*roiChunk + 1

// roiRows computes boxes of images whose pixels are rows of channels.
type roiRows struct {
	op                    RoIAlign
	h, w, pixel, channels int // pixel counts the channels of the images, channels those of the output
	kernel                *asm.PoolF32
}

// pack puts the channels of each bin side by side, of one row of an image.
func (r *roiRows) pack(c *Call, i int, _ *Worker) {
	bins := r.pixel / r.channels
	for x := range r.w {
		at := (i*r.w + x) * r.pixel
		from, to := row[float32](base(c.In[0]), at, r.pixel), scratchOf[float32](c.Scratch, 4*at, r.pixel)
		for b := range bins {
			for ch := range r.channels {
				to[b*r.channels+ch] = from[ch*bins+b]
			}
		}
	}
}

// box computes the bins of one box.
func (r *roiRows) box(c *Call, i int, worker *Worker) {
	roi := row[float32](base(c.In[1]), 5*i, 5)
	box, bins := r.op.box(roi), r.op.Size[0]*r.op.Size[1]
	images := base(c.In[0])
	if r.op.PerBin {
		images = unsafe.Pointer(unsafe.SliceData(c.Scratch))
	}
	pixels := row[float32](images, int(roi[0])*r.h*r.w*r.pixel, r.h*r.w*r.pixel)
	samples := scratchOf[roiSample](worker.Scratch, 0, roiChunk)
	for b := range bins {
		out := row[float32](base(c.Out[0]), (i*bins+b)*r.channels, r.channels)
		first := 0 // channel of the bin
		if r.op.PerBin {
			first = b * r.channels
		}
		done, count := 0, box.count(b/r.op.Size[1], b%r.op.Size[1], r.h, r.w)
		box.bin(b/r.op.Size[1], b%r.op.Size[1], r.h, r.w, samples, func(s []roiSample) {
			div := count
			if len(s) == roiChunk { // more may come
				div = 1
			}
			r.sum(worker, s, pixels[first:], out, done > 0, div)
			done += len(s)
		})
	}
}

// sum adds samples to a bin, which it begins unless it has some, and divides it.
func (r *roiRows) sum(worker *Worker, samples []roiSample, pixels, out []float32, begun bool, div float32) {
	weights, n := scratchOf[float32](worker.Scratch, 32*roiChunk, roiTaps+1), 0
	add := func(p *float32, weight float32) {
		worker.Pointers[n], weights[n] = unsafe.Pointer(p), weight
		n++
	}
	if begun {
		add(&out[0], 1)
	}
	taps := 4
	if r.op.Whole {
		taps = 1
	}
	for i := range samples {
		for k := range taps {
			add(&pixels[int(samples[i].at[k])*r.pixel], samples[i].weight[k])
		}
	}
	if n == 0 {
		clear(out)
		return
	}
	weights[n] = div
	args := &worker.Args.PoolF32
	*args = asm.PoolF32Args{A: &worker.Pointers[0], P: 1, KS: n, C: r.channels, Weights: &weights[0], Div: &weights[n], Out: &out[0]}
	r.kernel.Weighted(args)
}

// checkImages refuses images whose pixels an int32 does not count.
func (op RoIAlign) checkImages(h, w int) error {
	if h >= math.MaxInt32/max(w, 1) {
		return &UnsupportedError{Op: op.Name(), Reason: fmt.Sprintf("images of %d by %d", h, w)}
	}
	return nil
}

// checkAll refuses a box of no image, and one whose samples would not come to an end.
func (op RoIAlign) checkAll(rois []float32, images int) error {
	for ; len(rois) > 0; rois = rois[5:] {
		if err := op.check(rois[:5], images); err != nil {
			return err
		}
	}
	return nil
}

func (op RoIAlign) check(roi []float32, images int) error {
	if err := checkRoI(op, roi, op.Scale, images); err != nil {
		return err
	}
	b := op.box(roi)
	if !(b.gridW <= maxRoISamples && b.gridH <= maxRoISamples) {
		return &ValueError{op.Name(), fmt.Sprintf("a box of %v has too many samples", roi[1:])}
	}
	return nil
}

// checkRoI refuses a box of no image, and one whose corners are no numbers of pixels.
func checkRoI(op Op, roi []float32, scale float64, images int) error {
	if n := roi[0]; !(n >= 0 && n < float32(images)) {
		return &ValueError{op.Name(), fmt.Sprintf("a box is of image %v, and there are %d", n, images)}
	}
	for _, v := range roi[1:] {
		if at := float64(v) * scale; !(at > -1<<30 && at < 1<<30) {
			return &ValueError{op.Name(), fmt.Sprintf("a box is %v", roi[1:])}
		}
	}
	return nil
}

func (op RoIAlign) box(roi []float32) roiBox {
	scale, offset := float32(op.Scale), float32(0)
	if op.Aligned {
		offset = 0.5
	}
	at := func(i int) float32 {
		if op.Whole {
			return roundAway(roi[i] * scale)
		}
		return float32(roi[i]*scale) - offset
	}
	b := roiBox{x: at(1), y: at(2), whole: op.Whole}
	width, height := at(3)-b.x, at(4)-b.y
	if !op.Aligned {
		width, height = max(width, 1), max(height, 1)
	}
	b.binH, b.binW = height/float32(op.Size[0]), width/float32(op.Size[1])
	b.gridH, b.gridW = float32(op.Ratio), float32(op.Ratio)
	if op.Ratio <= 0 && !op.Whole {
		b.gridH, b.gridW = float32(math.Ceil(float64(b.binH))), float32(math.Ceil(float64(b.binW)))
	}
	return b
}

// roundAway rounds to the nearest whole number, halves away from 0.
func roundAway(v float32) float32 { return float32(math.Round(float64(v))) }

// span returns the pixels of bin i that are in the image: [start, end). Those of n or more are not in it.
func span(i int, at, size float32, n int) (start, end int) {
	start = int(at) + int(math.Floor(float64(float32(i)*size)))
	end = int(at) + int(math.Ceil(float64(float32(i+1)*size)))
	return min(max(start, 0), n), min(max(end, 0), n)
}

// count returns how many samples the sum of a bin is to be divided by.
func (b roiBox) count(row, col, h, w int) float32 {
	if !b.whole {
		return float32(max(int(b.gridH)*int(b.gridW), 1))
	}
	y0, y1 := span(row, b.y, b.binH, h-1)
	x0, x1 := span(col, b.x, b.binW, w-1)
	return float32(max((y1-y0)*(x1-x0), 1))
}

// bin places the samples of one bin and gives them to use: as many at a time as there is room for, then fewer, or none.
func (b roiBox) bin(row, col, h, w int, samples []roiSample, use func([]roiSample)) {
	n := 0
	add := func(s roiSample) {
		if samples[n] = s; n+1 < len(samples) {
			n++
			return
		}
		use(samples)
		n = 0
	}
	if b.whole {
		y0, y1 := span(row, b.y, b.binH, h-1)
		x0, x1 := span(col, b.x, b.binW, w-1)
		for y := y0; y < y1; y++ {
			for x := x0; x < x1; x++ {
				at := int32(y*w + x)
				add(roiSample{[4]int32{at, at, at, at}, [4]float32{1, 0, 0, 0}})
			}
		}
		use(samples[:n])
		return
	}
	gridH, gridW := int(b.gridH), int(b.gridW)
	for iy := range gridH {
		y := b.y + float32(float32(row)*b.binH) + float32((float32(iy)+0.5)*b.binH/b.gridH)
		for ix := range gridW {
			x := b.x + float32(float32(col)*b.binW) + float32((float32(ix)+0.5)*b.binW/b.gridW)
			if y >= -1 && y <= float32(h) && x >= -1 && x <= float32(w) {
				add(bilinear(y, x, h, w))
			}
		}
	}
	use(samples[:n])
}

// bilinear returns the pixels around a place and their weights.
func bilinear(y, x float32, h, w int) roiSample {
	split := func(v float32, n int) (low, high int32, part float32) {
		v = max(v, 0)
		if low = int32(v); int(low) >= n-1 {
			return int32(n - 1), int32(n - 1), 0
		}
		return low, low + 1, v - float32(low)
	}
	y0, y1, ly := split(y, h)
	x0, x1, lx := split(x, w)
	hy, hx := 1-ly, 1-lx
	wide := int32(w)
	return roiSample{[4]int32{y0*wide + x0, y0*wide + x1, y1*wide + x0, y1*wide + x1}, [4]float32{hy * hx, hy * lx, ly * hx, ly * lx}}
}
