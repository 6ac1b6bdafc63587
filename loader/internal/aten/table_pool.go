package aten

import (
	"math"
	"slices"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

const (
	maxPoolParams    = "self:T" + maxPoolWindow
	maxPoolWindow    = " kernel_size:I stride:I=[] padding:I=0 dilation:I=1 ceil_mode:b=False"
	avgPoolParams    = "self:T kernel_size:I stride:I=[] padding:I=0 ceil_mode:b=False count_include_pad:b=True"
	fractionalParams = "self:T kernel_size:I output_size:I random_samples:T"
)

var poolings = []operator{
	{"aten::max_pool1d", maxPoolParams, maxPool(1)},
	{"aten::max_pool2d", maxPoolParams, maxPool(2)},
	{"aten::max_pool3d", maxPoolParams, maxPool(3)},
	{"quantized::max_pool1d", "qx:T" + maxPoolWindow, maxPool(1)},
	{"quantized::max_pool2d", "qx:T" + maxPoolWindow, maxPool(2)},
	{"aten::max_pool1d_with_indices", maxPoolParams, maxPoolIndices(1)},
	{"aten::max_pool2d_with_indices", maxPoolParams, maxPoolIndices(2)},
	{"aten::max_pool3d_with_indices", maxPoolParams, maxPoolIndices(3)},
	{"aten::max_unpool2d", "self:T indices:T output_size:I", maxUnpool(2)},
	{"aten::max_unpool3d", "self:T indices:T output_size:I stride:I padding:I", maxUnpool(3)},
	{"aten::fractional_max_pool2d", fractionalParams, fractionalMaxPool(2)},
	{"aten::fractional_max_pool3d", fractionalParams, fractionalMaxPool(3)},
	{"aten::avg_pool1d", avgPoolParams, avgPool(1)},
	{"aten::avg_pool2d", avgPoolParams + " divisor_override:i?=None", avgPool(2)},
	{"aten::avg_pool3d", avgPoolParams + " divisor_override:i?=None", avgPool(3)},
	{"aten::adaptive_avg_pool1d", "self:T output_size:l", adaptiveAvgPool(1)},
	{"aten::adaptive_avg_pool1d", "self:T output_size:I", adaptiveAvgPool(1)},
	{"aten::adaptive_avg_pool2d", "self:T output_size:l", adaptiveAvgPool(2)},
	{"aten::adaptive_avg_pool2d", "self:T output_size:I", adaptiveAvgPool(2)},
	{"aten::adaptive_avg_pool3d", "self:T output_size:l", adaptiveAvgPool(3)},
	{"aten::adaptive_avg_pool3d", "self:T output_size:I", adaptiveAvgPool(3)},
	{"aten::adaptive_max_pool1d", "self:T output_size:I", adaptiveMaxPool(1)},
	{"aten::adaptive_max_pool2d", "self:T output_size:I", adaptiveMaxPool(2)},
	{"aten::adaptive_max_pool3d", "self:T output_size:I", adaptiveMaxPool(3)},
}

// window returns kernel, stride and padding of a pooling; without a stride it is
// the kernel's extent.
func (c *call) window(n int) (kernel, stride, padding []int) {
	kernel = c.intsFor(1, n)
	stride = kernel
	if len(c.numbers(2)) > 0 {
		stride = c.intsFor(2, n)
	}
	return kernel, stride, c.intsFor(3, n)
}

//go:noinline
func maxPool(n int) func(*call) Value {
	return func(c *call) Value {
		kernel, stride, padding := c.window(n)
		op := ops.MaxPool{Kernel: kernel, Stride: stride, Padding: padding, Dilation: c.intsFor(4, n), CeilMode: c.bool(5)}
		return c.onBatch(c.tensor(0), n, func(x *build.Tensor) *build.Tensor { return c.applyFloat(op, x) })
	}
}

// maxPoolIndices gives the values and where they stand in the image.
//
//go:noinline
func maxPoolIndices(n int) func(*call) Value {
	return func(c *call) Value {
		x := build.NewTensor(c.read(c.tensor(0)))
		return &Tuple{Items: []Value{maxPool(n)(c), c.later(func(c *call) *build.Tensor {
			kernel, stride, padding := c.window(n)
			dilation := c.intsFor(4, n)
			return c.placesOfGreatest(x, n, func(t *build.Tensor, i int, fill float64) []*build.Tensor {
				p := ops.WindowParams{Kernel: kernel[i : i+1], Stride: stride[i : i+1], Padding: padding[i : i+1], Dilation: dilation[i : i+1], CeilMode: c.bool(5)}
				return []*build.Tensor{c.windowsAlong(t, i+2, p, fill)}
			})
		})}}
	}
}

// placesOfGreatest returns where in an image the greatest element of each window stands, the first of equal ones. cut cuts windows of a dimension,
// which lie along a new last one: all at once, or one after the other.
func (c *call) placesOfGreatest(x *build.Tensor, n int, cut func(t *build.Tensor, i int, fill float64) []*build.Tensor) *build.Tensor {
	if !x.DType().IsFloat() {
		x = c.cast(x, tensor.Float64)
	}
	return c.onBatch(x, n, func(x *build.Tensor) *build.Tensor {
		if c.Err() != nil || x.Rank() != n+2 {
			c.fail("an image of %d dimensions", x.Rank())
			return c.anything()
		}
		pixels := 1
		for i := range n {
			pixels *= c.extent(x, i+2)
		}
		at := c.emit(ops.Arange{End: float64(pixels), Step: 1, DType: tensor.Int64})[0]
		at = c.expand(c.reshape(at, c.Dims(x)[2:]), c.Dims(x))
		for i := n - 1; i >= 0 && c.Err() == nil; i-- {
			var values, places []*build.Tensor
			windows := cut(at, i, 0)
			for k, w := range cut(x, i, negInf) {
				last := w.Rank() - 1
				top := c.apply(ops.ArgMax{Axis: last, KeepDims: true}, w)
				take := func(t *build.Tensor) *build.Tensor {
					return c.selected(c.apply(ops.Gather{Axis: last}, t, top), last, build.Extent(0))
				}
				values, places = append(values, take(w)), append(places, take(windows[k]))
			}
			x, at = c.apply(ops.Concat{Axis: i + 2}, values...), c.apply(ops.Concat{Axis: i + 2}, places...)
		}
		return at
	})
}

// adaptiveWindows cuts a dimension into windows that cover it, each of which lies along a new last dimension.
func (c *call) adaptiveWindows(t *build.Tensor, axis, windows int) []*build.Tensor {
	in, order := c.extent(t, axis), identityOrder(t.Rank()+1)
	order[axis], order[t.Rank()] = t.Rank(), axis
	out := make([]*build.Tensor, windows)
	one := slices.Insert(slices.Clone(c.Dims(t)), t.Rank(), build.Extent(1))
	for i := range out {
		start, end := i*in/windows, ((i+1)*in+windows-1)/windows
		one[axis] = build.Extent(end - start)
		w := c.reshape(c.sliced(t, axis, build.Extent(start), build.Extent(end), 1), one)
		out[i] = c.apply(ops.Permute{Order: order}, w)
	}
	return out
}

// maxUnpool puts elements where indices say in images of zeros.
//
//go:noinline
func maxUnpool(n int) func(*call) Value {
	return func(c *call) Value {
		x, at := c.tensor(0), c.cast(c.tensor(1), tensor.Int64)
		if x.Rank() != n+1 && x.Rank() != n+2 || !c.sameShape(x, at) {
			return c.fail("%v at %v", x.Type(), at.Type())
		}
		lead, pixels := slices.Clone(c.Dims(x)[:x.Rank()-n]), 1
		size := c.intsFor(2, n)
		for _, s := range size {
			if pixels *= s; s < 1 || pixels > math.MaxInt32 {
				return c.fail("to %v", size)
			}
		}
		flat := append(slices.Clone(lead), build.Extent(-1))
		zeros := c.fullOf(append(slices.Clone(lead), build.Extent(pixels)), 0, x.DType())
		y := c.apply(ops.Scatter{Axis: len(lead)}, zeros, c.shaped(at, c.resolve(at, flat)), c.shaped(x, c.resolve(x, flat)))
		for _, s := range size {
			lead = append(lead, build.Extent(s))
		}
		return c.reshape(y, lead)
	}
}

//go:noinline
func avgPool(n int) func(*call) Value {
	return func(c *call) Value {
		kernel, stride, padding := c.window(n)
		op := ops.AvgPool{Kernel: kernel, Stride: stride, Padding: padding, CeilMode: c.bool(4), CountIncludePad: c.bool(5)}
		if len(c.args) > 6 && !c.isNone(6) {
			if op.Divisor = c.int(6); op.Divisor == 0 {
				return c.fail("a divisor of 0")
			}
		}
		return c.onBatch(c.tensor(0), n, func(x *build.Tensor) *build.Tensor {
			if q := x.Type().Q; q != nil {
				return c.apply(int8.AvgPool{AvgPoolAttributes: ops.AvgPoolAttributes(op), Out: q}, x)
			}
			return c.applyFloat(op, x)
		})
	}
}

// adaptiveAvgPool keeps the extents that are None.
//
//go:noinline
func adaptiveAvgPool(n int) func(*call) Value {
	return func(c *call) Value {
		x := c.tensor(0)
		size := make([]int, n)
		items, ok := Items(c.args[1])
		if !ok || len(items) == 1 {
			one := c.args[1]
			if ok {
				one = items[0]
			}
			items = nil
			for range n {
				items = append(items, one)
			}
		}
		if len(items) != n {
			return c.fail("%d extents for %d dimensions", len(items), n)
		}
		for i, v := range items {
			if v == nil {
				continue // 0 keeps the extent
			}
			if size[i] = c.plainInt(v); size[i] < 1 {
				return c.unsupported("to %d pixels", size[i])
			}
		}
		return c.onBatch(x, n, func(x *build.Tensor) *build.Tensor { return c.adaptiveAverage(x, size) })
	}
}

func (c *call) adaptiveAverage(x *build.Tensor, size []int) *build.Tensor {
	op := ops.AdaptiveAvgPool{Size: size}
	if q := x.Type().Q; q != nil {
		return c.apply(int8.AdaptiveAvgPool{AdaptiveAvgPoolAttributes: ops.AdaptiveAvgPoolAttributes(op), Out: q}, x)
	}
	return c.applyFloat(op, x)
}

// adaptiveMaxPool takes the greatest elements of windows that cover the input:
// windows of one size, which lie side by side, else those of one dimension after
// the other.
//
//go:noinline
func adaptiveMaxPool(n int) func(*call) Value {
	return func(c *call) Value {
		x, size := c.tensor(0), c.intsFor(1, n)
		op := ops.MaxPool{Padding: make([]int, n), Kernel: make([]int, n), Dilation: make([]int, n)}
		equal := true
		for i, s := range size {
			in := c.extent(x, x.Rank()-n+i)
			if s < 1 {
				return c.unsupported("to %d pixels", s)
			}
			equal = equal && in%s == 0
			op.Kernel[i], op.Dilation[i] = in/s, 1
		}
		op.Stride = op.Kernel
		y := x
		if equal {
			y = c.onBatch(x, n, func(x *build.Tensor) *build.Tensor { return c.applyFloat(op, x) })
		} else {
			for i, s := range size {
				axis := x.Rank() - n + i
				// Of several greatest elements the first has the gradient, as in PyTorch.
				y = c.overWindows(y, axis, s, ops.ArgMax{Axis: axis, KeepDims: true, Values: true})
			}
		}
		x = build.NewTensor(c.read(x))
		return &Tuple{Items: []Value{y, c.later(func(c *call) *build.Tensor {
			return c.placesOfGreatest(x, n, func(t *build.Tensor, i int, _ float64) []*build.Tensor { return c.adaptiveWindows(t, i+2, size[i]) })
		})}}
	}
}

// overWindows divides a dimension into windows, which overlap where they have to, and reduces each to one element.
func (c *call) overWindows(x *build.Tensor, axis, windows int, reduce ops.Op) *build.Tensor {
	in := c.extent(x, axis)
	if windows > build.MaxNodes/2 {
		c.fail("%d windows", windows)
	}
	if c.Err() != nil {
		return c.anything()
	}
	reduced := make([]*build.Tensor, windows)
	for i := range reduced {
		window := c.sliced(x, axis, build.Extent(i*in/windows), build.Extent(((i+1)*in+windows-1)/windows), 1)
		reduced[i] = c.apply(reduce, window)
	}
	return c.apply(ops.Concat{Axis: axis}, reduced...)
}

// spatialMean is the mean over all spatial dimensions of images, which is the
// adaptive pooling to one pixel that kernels and quantization know.
func (c *call) spatialMean(x *build.Tensor, axes []int, keep bool) (*build.Tensor, bool) {
	n := x.Rank() - 2
	if n < 1 || n > 3 || len(axes) != n || x.DType() != tensor.Float32 && x.Type().Q == nil {
		return nil, false
	}
	seen := make([]bool, x.Rank())
	for _, a := range axes {
		if a < 2 || seen[a] {
			return nil, false
		}
		seen[a] = true
	}
	for _, d := range c.Dims(x) {
		if d.Known == int64(0) {
			return nil, false
		}
	}
	size := make([]int, n)
	for i := range size {
		size[i] = 1
	}
	y := c.adaptiveAverage(x, size)
	if !keep && c.Err() == nil {
		y = c.apply(ops.Flatten{Start: 1, End: -1}, y)
	}
	return y, true
}
