package aten

import (
	"slices"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// fractionalMaxPool takes the greatest elements of windows that begin where samples [N, C, n] between 0 and 1 say (Graham 2014), and gives where in
// the image they stand.
//
//go:noinline
func fractionalMaxPool(n int) func(*call) Value {
	return func(c *call) Value {
		x, pool, size, samples := c.tensor(0), c.intsFor(1, n), c.intsFor(2, n), c.tensor(3)
		single := x.Rank() == n+1
		if single {
			x = c.op2("unsqueeze", x, int64(0))
		}
		if c.Err() != nil || x.Rank() != n+2 || samples.Rank() != 3 || samples.DType() != x.DType() {
			return c.fail("of %v with samples %v", x.Type(), samples.Type())
		}
		lead := slices.Clone(c.Dims(x)[:2])
		c.assertDims(c.Dims(samples), append(slices.Clone(lead), build.Extent(n)), "samples must be [N, C, dimensions]")
		var at *build.Tensor // of all elements of all windows: [N, C, windows ..., elements ...]
		shape, pixels, windows, elements := slices.Clone(lead), 1, 1, 1
		for i := n - 1; i >= 0 && c.Err() == nil; i-- {
			in := c.extent(x, i+2)
			if pool[i] < 1 || size[i] < 1 || size[i] > in-pool[i]+3-n { // of volumes PyTorch wants one more
				return c.fail("%d windows of %d elements in %d", size[i], pool[i], in)
			}
			axis := i
			if n == 2 { // samples of images begin with the columns
				axis = 1 - i
			}
			starts := c.windowStarts(c.selected(samples, 2, build.Extent(axis)), in-pool[i], size[i])
			w := c.op2("add", c.op2("unsqueeze", starts, int64(-1)), c.count(pool[i], tensor.Int64))
			dims := append(slices.Clone(lead), slices.Repeat([]*build.Number{build.Extent(1)}, 2*n)...)
			dims[2+i], dims[2+n+i] = build.Extent(size[i]), build.Extent(pool[i])
			w = c.reshape(c.op2("mul", w, int64(pixels)), dims)
			if at != nil {
				w = c.op2("add", at, w)
			}
			at, pixels, windows, elements = w, pixels*in, windows*size[i], elements*pool[i]
		}
		for _, s := range size {
			shape = append(shape, build.Extent(s))
		}
		if c.Err() != nil {
			return nil
		}
		at = c.reshape(at, append(slices.Clone(shape), build.Extent(elements)))
		flat := func(t *build.Tensor, n int) *build.Tensor {
			return c.reshape(t, append(slices.Clone(lead), build.Extent(n)))
		}
		values := c.reshape(c.apply(ops.Gather{Axis: 2}, flat(x, pixels), flat(at, windows*elements)), c.Dims(at))
		top := c.apply(ops.ArgMax{Axis: n + 2, KeepDims: true}, values)
		out := &Tuple{}
		for _, t := range []*build.Tensor{values, at} {
			t = c.selected(c.apply(ops.Gather{Axis: n + 2}, t, top), n+2, build.Extent(0))
			if single {
				t = c.op2("squeeze", t, int64(0))
			}
			out.Items = append(out.Items, t)
		}
		return out
	}
}

// windowStarts returns where windows [N, C, windows] of a dimension begin, the last of them at end, given samples [N, C].
func (c *call) windowStarts(samples *build.Tensor, end, windows int) *build.Tensor {
	last := c.fullOf(append(slices.Clone(c.Dims(samples)), build.Extent(1)), float64(end), tensor.Int64)
	if windows == 1 {
		return last
	}
	step := float64(end) / float64(windows-1)
	samples = c.op2("unsqueeze", samples, int64(-1))
	whole := func(t *build.Tensor) *build.Tensor { return c.cast(c.op2("mul", t, step), tensor.Int64) }
	starts := c.op2("sub", whole(c.op2("add", c.count(windows-1, samples.DType()), samples)), whole(samples))
	return c.apply(ops.Concat{Axis: 2}, starts, last)
}

// count returns 0, 1 and so on up to n-1.
func (c *call) count(n int, d tensor.DType) *build.Tensor {
	return c.emit(ops.Arange{End: float64(n), Step: 1, DType: d})[0]
}
