package ops

import (
	"fmt"
	"math"
	"slices"

	"github.com/octet-ml/octet/tensor"
)

// InterpolateMode says how pixels between pixels are found.
type InterpolateMode uint8

// The modes of torch.nn.functional.interpolate. Linearly covers linear, bilinear
// and trilinear, one for each number of spatial dimensions.
const (
	Nearest      InterpolateMode = iota // the pixel at floor(out * scale)
	NearestExact                        // the pixel nearest to the center
	Linearly
	Cubic // of two dimensions, with a = -0.75
	numInterpolateModes
)

var interpolateNames = [numInterpolateModes]string{"nearest", "nearest-exact", "linear", "bicubic"}

// String returns the name.
//
//go:noinline
func (m InterpolateMode) String() string {
	if m < numInterpolateModes {
		return interpolateNames[m]
	}
	return fmt.Sprintf("InterpolateMode(%d)", uint8(m))
}

// MarshalText returns the name.
func (m InterpolateMode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText takes a name that String gives.
func (m *InterpolateMode) UnmarshalText(text []byte) error {
	i := slices.Index(interpolateNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("unknown interpolation %q", text)
	}
	*m = InterpolateMode(i)
	return nil
}

// Interpolate resizes images over one to three spatial dimensions, as
// torch.nn.functional.interpolate does.
//
// Inputs: x [N, C, spatial...], and where neither Size nor Scales is set a known
// vector of extents. With NHWC x and the output have their channels last. The nearest
// modes take any elements, and keep the parameters of quantized ones, as linear ones do; the others take float32.
type Interpolate struct {
	Mode InterpolateMode
	Size []int // extents of the output
	// Scales are output extents per input extent; they give the size where Size
	// is nil. Where they are set, coordinates follow them and not the ratio of
	// the extents, as without recompute_scale_factor in PyTorch.
	Scales       []float64
	AlignCorners bool // the outermost pixels' centers stay; not of nearest modes
	NHWC         bool
}

func (Interpolate) Name() string { return "interpolate" }

func (op Interpolate) Infer(in []Type) ([]Type, error) {
	size, err := op.size(in)
	if err != nil {
		return nil, err
	}
	q := in[0].Q
	if op.Mode == Cubic && q != nil {
		return nil, Errorf(op, in, "pixels of quantized images are copied or mixed linearly, since others may leave the range")
	}
	if op.Mode >= Linearly && q == nil && in[0].DType != tensor.Float32 || q != nil && (in[0].DType != tensor.Uint8 || q.Scheme.PerChannel()) {
		return nil, Errorf(op, in, "input 0 must be float32, or of nearest modes not quantized or uint8 quantized per tensor")
	}
	batch, channels, spatial := SpatialOf(in[0].Shape, op.NHWC)
	for i, d := range size {
		if d < 1 || spatial[i] < 1 {
			return nil, Errorf(op, in, "it cannot resize %v to %v", spatial, size)
		}
	}
	shape := imageShape(batch, channels, size, op.NHWC)
	if _, err := shape.Numel(); err != nil {
		return nil, Errorf(op, in, "%v", err)
	}
	return []Type{{DType: in[0].DType, Shape: shape, Q: in[0].Q}}, nil
}

// size returns the spatial extents of the output.
func (op Interpolate) size(in []Type) ([]int, error) {
	if err := arity(op, in, 1, 2); err != nil {
		return nil, err
	}
	rank := len(in[0].Shape)
	dims := rank - 2
	switch {
	case dims < 1 || dims > 3:
		return nil, Errorf(op, in, "it works on one to three spatial dimensions")
	case op.Mode >= numInterpolateModes:
		return nil, Errorf(op, in, "no such mode")
	case op.Mode == Cubic && dims != 2:
		return nil, Errorf(op, in, "bicubic interpolation is of two dimensions")
	case op.AlignCorners && op.Mode < Linearly:
		return nil, Errorf(op, in, "align_corners is not of nearest modes")
	case op.Scales != nil && len(op.Scales) != dims:
		return nil, Errorf(op, in, "it needs one scale per spatial dimension")
	}
	for _, s := range op.Scales {
		if !(s > 0) || math.IsInf(s, 0) {
			return nil, Errorf(op, in, "scales must be positive, not %v", s)
		}
	}
	size := op.Size
	if size == nil && op.Scales != nil {
		_, _, spatial := SpatialOf(in[0].Shape, op.NHWC)
		for i, d := range spatial {
			n := math.Floor(float64(d) * op.Scales[i])
			if n > 1<<40 {
				return nil, Errorf(op, in, "the scale %v gives too many pixels", op.Scales[i])
			}
			size = append(size, int(n))
		}
	}
	if size != nil {
		if err := arity(op, in, 1, 1); err != nil {
			return nil, err
		}
	} else {
		var err error
		if size, err = shapeInput(op, in, nil); err != nil {
			return nil, err
		}
	}
	if len(size) != dims {
		return nil, Errorf(op, in, "it needs one extent per spatial dimension, not %v", size)
	}
	return size, nil
}

// ChannelsLast keeps a size that is an input as it is.
func (op Interpolate) ChannelsLast(in []Type) (Op, []int, bool) {
	if op.NHWC {
		return nil, nil, false
	}
	op.NHWC = true
	return op, []int{0}, true
}

// resize says, for each output position along one dimension, from which input
// positions with which weights it comes.
type resize struct {
	in, out int
	taps    int
	at      []int // taps for each output position
	weight  []float32
}

// newResize computes the positions from a scale in float32, as PyTorch does; plane says that
// images have two spatial dimensions.
func (op Interpolate) newResize(in, out int, scale float64, plane bool) *resize {
	r := &resize{in: in, out: out, taps: [numInterpolateModes]int{1, 1, 2, 4}[op.Mode]}
	step := float32(in) / float32(out)
	if scale > 0 {
		step = float32(1 / scale)
	}
	if op.AlignCorners {
		step = 0
		if out > 1 {
			step = float32(in-1) / float32(out-1)
		}
	}
	for i := range out {
		switch op.Mode {
		case Nearest:
			// Of images of two dimensions the same and twice the extent do not follow the scale.
			if plane && (out == in || out == 2*in) {
				r.tap(i*in/out, 1)
				continue
			}
			r.tap(int(math.Floor(float64(step*float32(i)))), 1)
			continue
		case NearestExact:
			r.tap(int(math.Floor(float64(step*(float32(i)+0.5)))), 1)
			continue
		}
		// Only the scale is rounded to float32.
		x := float64(step) * float64(i)
		if !op.AlignCorners {
			x = float64(float64(step)*(float64(i)+0.5)) - 0.5
		}
		if op.Mode == Linearly {
			x = max(x, 0)
			first := min(int(x), in-1)
			t := float32(min(x-float64(first), 1))
			r.tap(first, 1-t)
			r.tap(first+1, t)
			continue
		}
		first := math.Floor(x)
		for k, w := range cubicWeights(x - first) {
			r.tap(int(first)-1+k, float32(w))
		}
	}
	return r
}

// tap adds an input position; those outside are the ones at the border.
func (r *resize) tap(at int, weight float32) {
	r.at = append(r.at, min(max(at, 0), r.in-1))
	r.weight = append(r.weight, weight)
}

// cubicWeights returns the weights of the pixels at -1, 0, 1 and 2 for a point
// at t between 0 and 1 (Keys 1981, a = -0.75).
func cubicWeights(t float64) [4]float64 {
	const a = -0.75
	// No product is contracted with what is added to it, so that all CPUs give the same weights.
	near := func(x float64) float64 { return float64((float64((a+2)*x)-(a+3))*x*x) + 1 }
	far := func(x float64) float64 { return float64((float64((float64(a*x)-5*a)*x)+8*a)*x) - 4*a }
	return [4]float64{far(1 + t), near(t), near(1 - t), far(2 - t)}
}

// resizes returns the positions along depth, height and width for an input shape and
// the extents of the output.
func (op Interpolate) resizes(shape tensor.Shape, size []int) (dims [3]*resize) {
	_, _, spatial := SpatialOf(shape, op.NHWC)
	for i := range dims {
		dims[i] = &resize{in: 1, out: 1, taps: 1, at: []int{0}, weight: []float32{1}}
		if k := i - 3 + len(size); k >= 0 {
			scale := 0.0
			if op.Scales != nil {
				scale = op.Scales[k]
			}
			dims[i] = op.newResize(spatial[k], size[k], scale, len(size) == 2)
		}
	}
	return dims
}

// Prepare resizes row by row: the input rows of an output row are mixed into
// one first, then the pixels along it.
func (op Interpolate) Prepare(p *Prepare) (*Kernel, error) {
	size, err := op.size(p.In)
	if err != nil {
		return nil, err
	}
	if p.Out[0].Numel() == 0 {
		return emptyKernel(), nil
	}
	batch, channels, _ := SpatialOf(p.In[0].Shape, op.NHWC)
	dims := op.resizes(p.In[0].Shape, size)
	z, y, x := dims[0], dims[1], dims[2]
	// Channels-first images are planes of one channel each.
	planes, unit := batch*channels, 1
	if op.NHWC {
		planes, unit = batch, channels
	}
	inRow, outRow := x.in*unit, x.out*unit
	count := planes * z.out * y.out
	perTask, tasks := split(count, outRow*x.taps+inRow*z.taps*y.taps)
	task := func(c *Call, i int, w *Worker) {
		mixed := scratchOf[float32](w.Scratch, 0, inRow)
		for r := i * perTask; r < min((i+1)*perTask, count); r++ {
			iy, iz, plane := r%y.out, r/y.out%z.out, r/(y.out*z.out)
			src := element[float32](base(c.In[0]), plane*z.in*y.in*inRow)
			line := mixRows(mixed, src, z, y, iz, iy, inRow)
			resizeRow(row[float32](base(c.Out[0]), r*outRow, outRow), line, x, unit)
		}
	}
	switch {
	case op.Mode < Linearly && p.In[0].DType != tensor.Float32:
		task = copyPixels(p.In[0].DType.Size(), dims, unit, count, perTask)
	case p.In[0].Q != nil:
		task = mixIntegers(p.In[0].Q, dims, unit, count, perTask)
	}
	return &Kernel{
		Interruptible: true,
		Run:           func(c *Call) error { c.Parallel(tasks, task); return nil },
		WorkerScratch: 4 * (inRow + outRow),
		Choice:        "rows",
		Parallel:      tasks,
	}, nil
}

// copyPixels returns the task that copies perTask of the rows of the output. A pixel has unit elements of size bytes.
func copyPixels(size int, dims [3]*resize, unit, count, perTask int) Task {
	z, y, x := dims[0], dims[1], dims[2]
	pixel := unit * size
	return func(c *Call, i int, _ *Worker) {
		in, out := c.In[0].Bytes(), c.Out[0].Bytes()
		for r := i * perTask; r < min((i+1)*perTask, count); r++ {
			iy, iz, plane := r%y.out, r/y.out%z.out, r/(y.out*z.out)
			src := in[((plane*z.in+z.at[iz])*y.in+y.at[iy])*x.in*pixel:][:x.in*pixel]
			dst := out[r*x.out*pixel:][:x.out*pixel]
			for k, at := range x.at {
				copy(dst[k*pixel:(k+1)*pixel], src[at*pixel:])
			}
		}
	}
}
