package aten

import (
	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// grids sample images at places that the program computes.
var grids = []operator{
	{"aten::grid_sampler", "input:T grid:T interpolation_mode:i padding_mode:i align_corners:b", gridSample},
	{"aten::grid_sampler_2d", "input:T grid:T interpolation_mode:i padding_mode:i align_corners:b", gridSample},
	{"aten::affine_grid_generator", "theta:T size:I align_corners:b", affineGrid},
}

// singleOrDouble reports whether a tensor is float32 or float64.
func singleOrDouble(t *build.Tensor) bool {
	return t.DType() == tensor.Float32 || t.DType() == tensor.Float64
}

// gridSample is torch.nn.functional.grid_sample of images [N, C, H, W] at places
// [N, H', W', 2], x first, from -1 to 1: bilinear or of the nearest pixel, with zeros
// or the border's pixels outside.
func gridSample(c *call) Value {
	x, grid := c.tensor(0), c.tensor(1)
	mode, padding, align := c.int(2), c.int(3), c.bool(4)
	if x.Rank() != 4 || mode != 0 && mode != 1 || padding != 0 && padding != 1 || !singleOrDouble(x) || grid.DType() != x.DType() {
		return c.unsupported("mode %d with padding %d of %v: of float32 and float64 images bilinear (0) and nearest (1), with zeros (0) and the border (1)", mode, padding, x.Type())
	}
	if grid.Rank() != 4 || c.extent(grid, 3) != 2 {
		return c.fail("a grid of shape %v", grid.Type().Shape)
	}
	dims, places := c.Dims(x), c.Dims(grid)
	if !build.SameExtent(dims[0], places[0]) && c.plainInt(dims[0]) != c.plainInt(places[0]) {
		return c.fail("a batch of %d images and %d grids", c.plainInt(dims[0]), c.plainInt(places[0]))
	}
	h, w := c.extent(x, 2), c.extent(x, 3)
	n := c.extent(grid, 1) * c.extent(grid, 2)
	if h < 1 || w < 1 || c.Err() != nil {
		return c.fail("images of %d by %d pixels", h, w)
	}
	// pixel gives a coordinate in pixels.
	pixel := func(axis, size int) *build.Tensor {
		at := c.arithNumber(ops.Add, c.selected(grid, 3, build.Extent(axis)), 1.0)
		if align {
			at = c.arithNumber(ops.Mul, at, float64(size-1)/2)
		} else {
			at = c.arithNumber(ops.Sub, c.arithNumber(ops.Mul, at, float64(size)/2), 0.5)
		}
		if padding == 1 { // which takes no number for 0
			number := c.arith(ops.Eq, at, at)
			at = c.apply(ops.Where{BNumber: true}, number, c.apply(ops.Unary{Fn: ops.Clamp, Beta: float64(size - 1)}, at), c.lift(0.0))
		}
		return at
	}
	px, py := pixel(0, w), pixel(1, h)
	var y *build.Tensor
	if mode == 1 {
		y = c.pixelsAt(x, c.apply(ops.Unary{Fn: ops.Round}, px), c.apply(ops.Unary{Fn: ops.Round}, py), c.likeOf(px, 1, px.DType()), n)
	} else {
		y = c.bilinear(x, px, py, n)
	}
	return c.reshape(y, []*build.Number{dims[0], dims[1], places[1], places[2]})
}

// pixelsAt gives the pixels [N, C, n] of images [N, C, H, W] at n whole coordinates of each image, 0 outside, times weights, which
// are NaN where a coordinate is NaN or infinite.
func (c *call) pixelsAt(x, ix, iy, weight *build.Tensor, n int) *build.Tensor {
	dims, h, w := c.Dims(x), c.extent(x, 2), c.extent(x, 3)
	inside := func(at *build.Tensor, size int) *build.Tensor {
		return c.arith(ops.LogicalAnd, c.arithNumber(ops.Ge, at, int64(0)), c.arithNumber(ops.Le, at, int64(size-1)))
	}
	clamped := func(at *build.Tensor, size int) *build.Tensor {
		return c.cast(c.apply(ops.Unary{Fn: ops.Clamp, Beta: float64(size - 1)}, at), tensor.Int64)
	}
	valid := c.arith(ops.LogicalAnd, inside(ix, w), inside(iy, h))
	index := c.arith(ops.Add, c.arithNumber(ops.Mul, clamped(iy, h), int64(w)), clamped(ix, w))
	index = c.apply(ops.Where{BNumber: true}, valid, index, c.lift(int64(0)))
	row := []*build.Number{dims[0], build.Extent(1), build.Extent(n)}
	index = c.expand(c.reshape(index, row), []*build.Number{dims[0], dims[1], build.Extent(n)})
	flat := c.reshape(x, []*build.Number{dims[0], dims[1], build.Extent(h * w)})
	pixels := c.apply(ops.Where{BNumber: true}, c.reshape(valid, row), c.apply(ops.Gather{Axis: 2}, flat, index), c.lift(0.0))
	return c.arith(ops.Mul, pixels, c.reshape(weight, row))
}

// bilinear samples images [N, C, H, W] at n places of each, in pixels, between which it interpolates: [N, C, n].
func (c *call) bilinear(x, px, py *build.Tensor, n int) *build.Tensor {
	x0, y0 := c.apply(ops.Unary{Fn: ops.Floor}, px), c.apply(ops.Unary{Fn: ops.Floor}, py)
	right, below := c.arith(ops.Sub, px, x0), c.arith(ops.Sub, py, y0)
	left, above := c.binaryValues(ops.Sub, 1.0, right), c.binaryValues(ops.Sub, 1.0, below)
	x1, y1 := c.arithNumber(ops.Add, x0, 1.0), c.arithNumber(ops.Add, y0, 1.0)
	y := c.pixelsAt(x, x0, y0, c.arith(ops.Mul, left, above), n)
	y = c.arith(ops.Add, y, c.pixelsAt(x, x1, y0, c.arith(ops.Mul, right, above), n))
	y = c.arith(ops.Add, y, c.pixelsAt(x, x0, y1, c.arith(ops.Mul, left, below), n))
	return c.arith(ops.Add, y, c.pixelsAt(x, x1, y1, c.arith(ops.Mul, right, below), n))
}

// affineGrid is torch.nn.functional.affine_grid: the places that matrices [N, 2, 3]
// give for the pixels of images of a size [N, C, H, W].
func affineGrid(c *call) Value {
	theta, size := c.tensor(0), c.numbers(1)
	if theta.Rank() != 3 || len(size) != 4 || !singleOrDouble(theta) {
		return c.unsupported("of %v for a size of %d numbers", theta.Type(), len(size))
	}
	h, w := c.plainInt(size[2]), c.plainInt(size[3])
	if h < 1 || w < 1 || w > maxComputed/h {
		return c.fail("images of %d by %d pixels", h, w)
	}
	at := func(i, n int) float64 {
		switch {
		case !c.bool(2):
			return float64(2*i+1)/float64(n) - 1
		case n == 1:
			return 0
		}
		return 2*float64(i)/float64(n-1) - 1
	}
	base := make([]float64, 0, h*w*3)
	for i := range h {
		for j := range w {
			base = append(base, at(j, w), at(i, h), 1)
		}
	}
	y := c.matmul(c.constOf(base, theta.DType(), h*w, 3), c.apply(ops.Permute{Order: []int{0, 2, 1}}, theta))
	return c.reshape(y, []*build.Number{c.Dims(theta)[0], build.Extent(h), build.Extent(w), build.Extent(2)})
}
