package ops

import (
	"math"
	"unsafe"

	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// GridMode says how GridSample finds what lies between pixels.
type GridMode uint8

// The modes, in PyTorch's numbering.
const (
	GridLinear  GridMode = iota // bilinear or trilinear
	GridNearest                 // halves go to the even pixel
	GridCubic                   // of two dimensions, with a = -0.75
)

// GridPadding says what GridSample finds outside of an image.
type GridPadding uint8

// The paddings, in PyTorch's numbering.
const (
	GridZeros GridPadding = iota
	GridBorder
	GridReflection // about the centers of the outermost pixels with AlignCorners, else about their edges
)

// GridSample samples images at places that another input gives, as torch.nn.functional.grid_sample.
//
// Inputs, all float32 or all float64: images [N, C, H, W] or [N, C, D, H, W], and places [N, H', W', 2] or [N, D', H', W', 3],
// x first, from -1 to 1 over an image or in pixels. Output: [N, C, H', W'] or [N, C, D', H', W']. With NHWC images and output have their channels last.
type GridSample struct {
	Mode         GridMode
	Padding      GridPadding
	AlignCorners bool // -1 and 1 are the centers of the outermost pixels, not their edges
	Pixels       bool // places are in pixels instead, 0 the center of the first
	NHWC         bool
}

func (GridSample) Name() string { return "grid_sample" }

func (op GridSample) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 2, 2); err != nil {
		return nil, err
	}
	x, grid := in[0], in[1]
	dims := len(x.Shape) - 2
	if x.DType != tensor.Float32 && x.DType != tensor.Float64 || grid.DType != x.DType || dims != 2 && dims != 3 || len(grid.Shape) != dims+2 {
		return nil, Errorf(op, in, "it takes images [N, C, H, W] or [N, C, D, H, W] and places of the same rank, float32 or float64")
	}
	if op.Mode > GridCubic || op.Padding > GridReflection || op.Mode == GridCubic && dims != 2 {
		return nil, Errorf(op, in, "it has no mode %d with padding %d of %d dimensions", op.Mode, op.Padding, dims)
	}
	batch, channels, spatial := SpatialOf(x.Shape, op.NHWC)
	if grid.Shape[0] != batch || grid.Shape[dims+1] != dims {
		return nil, Errorf(op, in, "it needs places of %d coordinates for each of %d images", dims, batch)
	}
	if n := product(spatial); n == 0 || n > math.MaxInt32/int64(max(channels, 1)) {
		return nil, Errorf(op, in, "it cannot sample images of %v pixels", spatial)
	}
	shape := imageShape(batch, channels, grid.Shape[1:dims+1], op.NHWC)
	if _, err := shape.Numel(); err != nil {
		return nil, Errorf(op, in, "%v", err)
	}
	return []Type{{DType: x.DType, Shape: shape}}, nil
}

// ChannelsLast lays out images and output as NHWC.
func (op GridSample) ChannelsLast([]Type) (Op, []int, bool) {
	if op.NHWC {
		return nil, nil, false
	}
	op.NHWC = true
	return op, []int{0}, true
}

// gridTaps is the most pixels that a sample is made of, and gridChunk how many places a task has.
const gridTaps, gridChunk = 16, 64

func (op GridSample) Prepare(p *Prepare) (*Kernel, error) {
	if p.Out[0].DType == tensor.Float64 {
		return gridKernel[float64](op, p), nil
	}
	return gridKernel[float32](op, p), nil
}

// gridKernel finds the pixels of some places and their weights once, for all channels.
func gridKernel[W float32 | float64](op GridSample, p *Prepare) *Kernel {
	s := newGridSampler(op, p.In[0].Shape, p.In[1].Shape, p.In[0].DType == tensor.Float32)
	chunks := ceilDiv(s.places, gridChunk)
	pixel := 1 // the distance of neighbors in memory
	if op.NHWC {
		pixel = s.channels
	}
	rows := asm.PoolF32For(p.Tier)
	ones := make([]float32, gridChunk)
	for i := range ones {
		ones[i] = 1
	}
	task := func(c *Call, i int, w *Worker) {
		image, from := i/chunks, i%chunks*gridChunk
		n := min(gridChunk, s.places-from)
		grid := row[W](base(c.In[1]), (image*s.places+from)*s.dims, n*s.dims)
		x := row[W](base(c.In[0]), image*s.channels*s.pixels, s.channels*s.pixels)
		y := row[W](base(c.Out[0]), image*s.channels*s.places, s.channels*s.places)
		weights := scratchOf[W](w.Scratch, 0, gridChunk*gridTaps)
		at := scratchOf[int32](w.Scratch, 8*gridChunk*gridTaps, gridChunk*gridTaps)
		ends := scratchOf[int32](w.Scratch, 12*gridChunk*gridTaps, gridChunk)
		var taps [gridTaps]gridTap
		end := 0
		for k := range n {
			for _, t := range s.at(&taps, gridPlace(grid[k*s.dims:], s.dims)) {
				at[end], weights[end] = int32(t.at*pixel), W(t.weight)
				end++
			}
			ends[k] = int32(end)
		}
		if op.NHWC {
			y = y[from*s.channels:]
			if weights, ok := any(weights).([]float32); ok {
				weightedRows(rows, w, any(y).([]float32), any(x).([]float32), ones, at, weights, ends[:n], s.channels)
				return
			}
			gridRows(y, x, at, weights, ends[:n], s.channels)
			return
		}
		for ch := range s.channels {
			gridPlane(y[ch*s.places+from:], x[ch*s.pixels:(ch+1)*s.pixels], at, weights, ends[:n])
		}
	}
	return &Kernel{
		Run:            func(c *Call) error { c.Parallel(s.batch*chunks, task); return nil },
		WorkerScratch:  12*gridChunk*gridTaps + 4*gridChunk,
		WorkerPointers: gridChunk * gridTaps,
		Choice:         "places",
		Parallel:       s.batch * chunks,
		Interruptible:  true,
	}
}

// gridPlace returns the coordinates of a place.
func gridPlace[W float32 | float64](grid []W, dims int) (place [3]float64) {
	for i, v := range grid[:dims] {
		place[i] = float64(v)
	}
	return place
}

// gridPlane sums the pixels of places in one channel. Those of place k end at ends[k].
func gridPlane[W float32 | float64](y, x []W, at []int32, weights []W, ends []int32) {
	t := int32(0)
	for k, end := range ends {
		sum := W(0)
		for ; t < end; t++ {
			sum += W(weights[t] * x[at[t]])
		}
		y[k] = sum
	}
}

// gridRows is gridPlane of all channels, which lie side by side.
func gridRows[W float32 | float64](y, x []W, at []int32, weights []W, ends []int32, channels int) {
	t := int32(0)
	for k, end := range ends {
		sum := y[k*channels : (k+1)*channels]
		clear(sum)
		for ; t < end; t++ {
			weight, pixels := weights[t], x[at[t]:int(at[t])+channels]
			for c, v := range pixels {
				sum[c] += W(weight * v)
			}
		}
	}
}

// weightedRows is gridRows of float32: a call of the kernel has places that are made of as many pixels each.
func weightedRows(k *asm.PoolF32, w *Worker, y, x, ones []float32, at []int32, weights []float32, ends []int32, channels int) {
	t := 0
	for from := 0; from < len(ends); {
		taps, to := int(ends[from])-t, from+1
		for to < len(ends) && int(ends[to]-ends[to-1]) == taps {
			to++
		}
		out := y[from*channels : to*channels]
		if taps == 0 || channels == 0 {
			clear(out)
		} else {
			n := (to - from) * taps
			for i, a := range at[t : t+n] {
				w.Pointers[i] = unsafe.Pointer(&x[a])
			}
			args := &w.Args.PoolF32
			*args = asm.PoolF32Args{
				A: &w.Pointers[0], AStep: taps, P: to - from, KS: taps, C: channels,
				Weights: &weights[t], Div: &ones[0], Out: &out[0], OutStride: 4 * channels,
			}
			k.Weighted(args)
			t += n
		}
		from = to
	}
}

// gridTap is a pixel that a sample is made of: its weight, and the derivative of that with respect to each coordinate.
type gridTap struct {
	at     int
	weight float64
	slope  [3]float64
}

// gridSampler finds the pixels that samples are made of.
type gridSampler struct {
	op                              GridSample
	dims                            int
	size, step                      [3]int // extents, and distances of neighbors, of x, y and z
	batch, channels, pixels, places int
	single                          bool
}

func newGridSampler(op GridSample, images, grid tensor.Shape, single bool) *gridSampler {
	batch, channels, spatial := SpatialOf(images, op.NHWC)
	s := &gridSampler{op: op, dims: len(spatial), batch: batch, channels: channels, pixels: 1, single: single}
	for i := range spatial {
		s.size[i], s.step[i] = spatial[len(spatial)-1-i], s.pixels
		s.pixels *= s.size[i]
	}
	s.places = int(product(grid[1 : len(grid)-1]))
	return s
}

// gridAxis is what a coordinate gives: some pixels along its axis, -1 outside of the image, their weights and slopes.
type gridAxis struct {
	n             int
	at            [4]int
	weight, slope [4]float64
}

// at returns the pixels of the place with the given coordinates, in room.
func (s *gridSampler) at(room *[gridTaps]gridTap, place [3]float64) []gridTap {
	var along [3]gridAxis
	for k := range s.dims {
		along[k] = s.along(k, place[k])
	}
	n, lost := 0, false
	for z := range max(along[2].n, 1) {
		for y := range along[1].n {
			for x := range along[0].n {
				t := gridTap{weight: along[0].weight[x] * along[1].weight[y]}
				t.slope[0], t.slope[1] = along[0].slope[x]*along[1].weight[y], along[0].weight[x]*along[1].slope[y]
				i, j, k := along[0].at[x], along[1].at[y], 0
				if s.dims == 3 {
					k = along[2].at[z]
					t.slope[0], t.slope[1], t.slope[2] = t.slope[0]*along[2].weight[z], t.slope[1]*along[2].weight[z], t.weight*along[2].slope[z]
					t.weight *= along[2].weight[z]
				}
				if i < 0 || j < 0 || k < 0 {
					lost = lost || t.weight != t.weight
					continue
				}
				t.at = i*s.step[0] + j*s.step[1] + k*s.step[2]
				room[n] = t
				n++
			}
		}
	}
	if lost && s.dims == 2 { // a weight that is no number, times 0
		room[0], n = gridTap{weight: math.NaN()}, 1
	}
	return room[:n]
}

// round rounds as PyTorch's arithmetic does in the type of the coordinates.
func (s *gridSampler) round(v float64) float64 {
	if s.single {
		return float64(float32(v))
	}
	return v
}

// along returns the pixels along axis k for a coordinate.
func (s *gridSampler) along(k int, v float64) (a gridAxis) {
	size := float64(s.size[k])
	scale := size / 2
	if s.op.AlignCorners {
		scale = (size - 1) / 2
	}
	x := s.round(v + 1)
	switch { // rounded where PyTorch's kernels round
	case s.op.Pixels:
		x, scale = v, 1
	case s.dims == 2 && s.op.AlignCorners:
		x = s.round(x * scale)
	case s.dims == 2:
		x = s.round(s.round(x*scale) - 0.5)
	case s.op.AlignCorners:
		x = s.round(x / 2 * (size - 1))
	default:
		x = s.round(s.round(x*size)-1) / 2
	}
	if s.op.Mode == GridCubic {
		low := math.Floor(x)
		t := s.round(x - low)
		a.n, a.weight, a.slope = 4, cubicWeights(t), cubicSlopes(t)
		for i := range 4 {
			at, _ := s.inside(k, low+float64(i-1))
			a.at[i] = s.index(k, at)
			a.slope[i] *= scale
		}
		return a
	}
	x, slope := s.inside(k, x)
	if s.op.Mode == GridNearest {
		a.n, a.at[0], a.weight[0] = 1, s.index(k, math.RoundToEven(x)), 1
		return a
	}
	low := math.Floor(x)
	t := s.round(x - low)
	a.n = 2
	a.at[0], a.at[1] = s.index(k, low), s.index(k, low+1)
	a.weight[0], a.weight[1] = s.round(1-t), t
	a.slope[0], a.slope[1] = -slope*scale, slope*scale
	return a
}

// inside returns a coordinate in pixels as the padding has it, and its derivative.
func (s *gridSampler) inside(k int, x float64) (float64, float64) {
	slope, last := 1.0, float64(s.size[k]-1)
	switch s.op.Padding {
	case GridZeros:
		return x, 1
	case GridReflection:
		low, span := -0.5, last+1
		if s.op.AlignCorners {
			low, span = 0, last
		}
		if span == 0 {
			return 0, 0
		}
		if x < low {
			slope = -1
		}
		x = math.Abs(x - low)
		turns := math.Floor(x / span)
		x = s.round(x - float64(turns*span))
		if math.Mod(turns, 2) != 0 {
			x, slope = span-x, -slope
		}
		x = s.round(x + low)
	}
	switch {
	case x != x && s.dims == 3: // PyTorch's kernels clamp in another order
		return last, 0
	case !(x > 0): // which takes no number for 0
		return 0, 0
	case x >= last:
		return last, 0
	}
	return x, slope
}

// index returns a whole coordinate, -1 outside of the image.
func (s *gridSampler) index(k int, x float64) int {
	if !(x >= 0 && x < float64(s.size[k])) {
		return -1
	}
	return int(x)
}

// cubicSlopes returns the derivatives of cubicWeights.
func cubicSlopes(t float64) [4]float64 {
	near := func(x float64) float64 { return (float64(3.75*x) - 4.5) * x }
	far := func(x float64) float64 { return float64((float64(-2.25*x)+7.5)*x) - 6 }
	return [4]float64{far(t + 1), near(t), -near(1 - t), -far(2 - t)}
}
