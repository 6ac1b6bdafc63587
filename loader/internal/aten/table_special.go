package aten

import (
	"math"

	"github.com/octet-ml/octet/ops"
)

// specials are the functions of torch.special that others do not make up.
var specials = []operator{
	{"aten::erfinv", "self:T", unary(ops.ErfInv)},
	{"aten::i0", "self:T", unary(ops.I0)},
	{"aten::polygamma", "n:i self:T", polygamma},
	{"aten::mvlgamma", "self:T p:i", logMultiGamma},
	{"aten::special_erfcx", "self:T", unary(ops.Erfcx)},
	{"aten::special_entr", "self:T", unary(ops.Entr)},
	{"aten::special_ndtr", "self:T", func(c *call) Value {
		return c.op2("mul", c.op1("erfc", c.op2("mul", c.tensor(0), -math.Sqrt2/2)), 0.5)
	}},
	{"aten::special_ndtri", "self:T", unary(ops.Ndtri)},
	{"aten::special_log_ndtr", "self:T", unary(ops.LogNdtr)},
	{"aten::special_i0e", "self:T", unary(ops.I0e)},
	{"aten::special_i1", "self:T", unary(ops.I1)},
	{"aten::special_i1e", "self:T", unary(ops.I1e)},
	{"aten::special_bessel_j0", "self:T", unary(ops.J0)},
	{"aten::special_bessel_j1", "self:T", unary(ops.J1)},
	{"aten::special_bessel_y0", "self:T", unary(ops.Y0)},
	{"aten::special_bessel_y1", "self:T", unary(ops.Y1)},
	{"aten::special_spherical_bessel_j0", "x:T", unary(ops.SphericalJ0)},
}

func polygamma(c *call) Value {
	n := c.int(0)
	if n < 0 || n > 170 { // from where factorials are beyond float64
		return c.fail("of order %d", n)
	}
	return c.unary(ops.Unary{Fn: ops.Polygamma, Alpha: float64(n)}, c.tensor(1))
}

// logMultiGamma is the logarithm of the multivariate gamma function (torch.mvlgamma).
func logMultiGamma(c *call) Value {
	p := c.int(1)
	if p < 1 || p > 1<<10 {
		return c.fail("of %d dimensions", p)
	}
	y := c.op1("lgamma", c.tensor(0))
	for i := 1; i < p && c.Err() == nil; i++ {
		y = c.op2("add", y, c.op1("lgamma", c.op2("sub", c.tensor(0), float64(i)/2)))
	}
	return c.op2("add", y, float64(p*(p-1))/4*math.Log(math.Pi))
}
