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
	{"aten::grid_sampler_3d", "input:T grid:T interpolation_mode:i padding_mode:i align_corners:b", gridSample},
	{"aten::affine_grid_generator", "theta:T size:I align_corners:b", affineGrid},
}

// singleOrDouble reports whether a tensor is float32 or float64.
func singleOrDouble(t *build.Tensor) bool {
	return t.DType() == tensor.Float32 || t.DType() == tensor.Float64
}

// gridSample is torch.nn.functional.grid_sample.
func gridSample(c *call) Value {
	x, grid := c.tensor(0), c.tensor(1)
	mode, padding := c.int(2), c.int(3)
	if mode < 0 || mode > int(ops.GridCubic) || padding < 0 || padding > int(ops.GridReflection) {
		return c.fail("mode %d with padding %d", mode, padding)
	}
	if !singleOrDouble(x) || grid.DType() != x.DType() {
		return c.unsupported("of %v at places of %v: of float32 and float64 images at places of their type", x.Type(), grid.Type())
	}
	return c.apply(ops.GridSample{Mode: ops.GridMode(mode), Padding: ops.GridPadding(padding), AlignCorners: c.bool(4)}, x, grid)
}

// affineGrid is torch.nn.functional.affine_grid: the places that matrices [N, 2, 3] or [N, 3, 4]
// give for the pixels of images of a size [N, C, H, W] or [N, C, D, H, W].
func affineGrid(c *call) Value {
	theta, size := c.tensor(0), c.numbers(1)
	dims := len(size) - 2
	if theta.Rank() != 3 || dims != 2 && dims != 3 || !singleOrDouble(theta) {
		return c.unsupported("of %v for a size of %d numbers", theta.Type(), len(size))
	}
	n, extents := 1, make([]int, dims)
	for i := range extents {
		extents[i] = c.plainInt(size[2+i])
		if extents[i] < 1 || extents[i] > maxComputed/n {
			return c.fail("images of %v pixels", extents)
		}
		n *= extents[i]
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
	base := make([]float64, 0, n*(dims+1))
	for i := range n {
		for k := dims - 1; k >= 0; k-- {
			base = append(base, at(i%extents[k], extents[k]))
			i /= extents[k]
		}
		base = append(base, 1)
	}
	y := c.matmul(c.constOf(base, theta.DType(), n, dims+1), c.apply(ops.Permute{Order: []int{0, 2, 1}}, theta))
	out := []*build.Number{c.Dims(theta)[0]}
	for _, n := range extents {
		out = append(out, build.Extent(n))
	}
	return c.reshape(y, append(out, build.Extent(dims)))
}
