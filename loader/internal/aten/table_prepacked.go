package aten

import (
	"fmt"
	"math"
	"slices"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
)

// prepackedLayers are the layers that torch.utils.mobile_optimizer.optimize_for_mobile packs for XNNPACK, in float32.
var prepackedLayers = []operator{
	{"prepacked::linear_clamp_run", "X:T W_prepack:v", func(c *call) Value {
		p := c.layerContext("LinearOpContext", 0)
		return p.clamp(c, c.linear(c.tensor(0), p.weight, p.bias))
	}},
	{"prepacked::conv2d_clamp_run", "X:T W_prepack:v", func(c *call) Value {
		p := c.layerContext("Conv2dOpContext", 3)
		return p.clamp(c, c.convolve(c.tensor(0), p.weight, p.bias, ops.Conv{Stride: p.ints[0], Padding: p.ints[1], Dilation: p.ints[2], Groups: p.groups}))
	}},
	{"prepacked::conv2d_transpose_clamp_run", "X:T W_prepack:v", func(c *call) Value {
		p := c.layerContext("TransposeConv2dOpContext", 4)
		op := ops.ConvTranspose{Stride: p.ints[0], Padding: p.ints[1], OutputPadding: p.ints[2], Dilation: p.ints[3], Groups: p.groups}
		return p.clamp(c, c.convolveTransposed(c.tensor(0), p.weight, p.bias, op))
	}},
}

// LayerContext is a layer that optimize_for_mobile packed: weight, bias, settings, groups, and the bounds of what it gives.
type LayerContext struct {
	class        string
	weight, bias *build.Tensor
	ints         [][]int // stride, padding, output padding where it is transposed, dilation; none of a linear layer
	groups       int
	lo, hi       float64
}

// contextSettings are the classes of LayerContext, and how many lists of settings each has.
var contextSettings = map[string]int{"LinearOpContext": 0, "Conv2dOpContext": 3, "TransposeConv2dOpContext": 4}

// unpackContext reads (weight, bias, settings..., groups, least, greatest), a linear layer's without settings and groups.
func unpackContext(class string, items []Value, wrong error) (*LayerContext, error) {
	n := contextSettings[class]
	groups := min(n, 1)
	if len(items) != 4+n+groups {
		return nil, wrong
	}
	p := &LayerContext{class: class, lo: math.Inf(-1), hi: math.Inf(1)}
	var ok bool
	if p.weight, ok = items[0].(*build.Tensor); !ok {
		return nil, wrong
	}
	if p.bias, ok = items[1].(*build.Tensor); !ok && items[1] != nil {
		return nil, wrong
	}
	for _, x := range items[2 : 2+n] {
		list, _ := Items(x)
		ints := make([]int, len(list))
		for i, v := range list {
			k, ok := v.(int64)
			if !ok || k < 0 || k > math.MaxInt32 {
				return nil, wrong
			}
			ints[i] = int(k)
		}
		if len(ints) != 2 {
			return nil, fmt.Errorf("a %s with settings for %d dimensions", class, len(ints))
		}
		p.ints = append(p.ints, ints)
	}
	if groups > 0 {
		g, ok := items[2+n].(int64)
		if !ok || g < 1 || g > math.MaxInt32 {
			return nil, wrong
		}
		p.groups = int(g)
	}
	for i, bound := range []*float64{&p.lo, &p.hi} {
		if v := items[len(items)-2+i]; v != nil {
			if *bound, ok = build.ToFloat(v); !ok {
				return nil, wrong
			}
		}
	}
	return p, nil
}

// layerContext returns argument 1, a layer of a class with so many lists of settings.
func (c *call) layerContext(class string, settings int) *LayerContext {
	p, ok := c.args[1].(*LayerContext)
	if !ok || p.class != class {
		c.fail("a %s where a %s is needed", TypeName(c.args[1]), class)
		return &LayerContext{class: class, weight: c.anything(), ints: slices.Repeat([][]int{{1, 1}}, settings), groups: 1}
	}
	return p
}

// clamp keeps what a layer gives within its bounds.
func (p *LayerContext) clamp(c *call, y Value) Value {
	t, ok := y.(*build.Tensor)
	switch {
	case !ok || c.Err() != nil:
		return nil
	case math.IsInf(p.lo, -1) && math.IsInf(p.hi, 1):
		return t
	case p.lo == 0 && math.IsInf(p.hi, 1):
		return c.unary(ops.Unary{Fn: ops.ReLU}, t)
	}
	return c.unary(ops.Unary{Fn: ops.Clamp, Alpha: p.lo, Beta: p.hi}, t)
}
