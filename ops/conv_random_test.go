package ops_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
)

// TestConvRandom compares convolutions of random shapes with the definition: windows mostly in the padding, taps beyond
// the image, groups of any size, channels that fill no vector.
func TestConvRandom(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	cases := 300
	if testing.Short() {
		cases = 60
	}
	for range cases {
		c := randomConv(rng)
		if c.h+2*c.pad < c.dilation*(c.kh-1)+1 || c.w+2*c.pad < c.dilation*(c.kw-1)+1 {
			continue
		}
		t.Run(c.String(), c.check)
	}
}

func randomConv(rng *rand.Rand) convCase {
	flip := func() bool { return rng.IntN(2) == 0 }
	c := convCase{
		n: 1 + rng.IntN(2), h: 1 + rng.IntN(12), w: 1 + rng.IntN(12), kh: 1 + rng.IntN(3), kw: 1 + rng.IntN(3),
		stride: 1 + rng.IntN(2), pad: rng.IntN(4), dilation: 1, groups: 1, bias: flip(), residual: flip(),
	}
	if flip() {
		c.dilation = 1 + rng.IntN(9)
		c.pad = rng.IntN(2 * c.dilation)
	}
	c.act = []ops.Activation{ops.NoActivation, ops.ActReLU, ops.ActReLU6}[rng.IntN(3)]
	if flip() {
		c.groups = 2 + rng.IntN(6)
	}
	perIn, perOut := 1+rng.IntN(40), 1+rng.IntN(40)
	if c.groups > 1 && flip() {
		perIn = []int{4, 8, 16, 24, 32}[rng.IntN(5)]
		perOut = perIn
	}
	c.c, c.outs = perIn*c.groups, perOut*c.groups
	return c
}

// TestConvInfiniteWeight checks that a weight that is not finite makes padding count, as 0 times it is a NaN.
func TestConvInfiniteWeight(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 14))
	c := convCase{n: 1, h: 6, w: 6, c: 20, outs: 20, kh: 3, kw: 3, stride: 1, pad: 8, dilation: 8, groups: 1}
	x, w := random(t, rng, 1, 6, 6, 20), random(t, rng, 20, 20, 3, 3)
	w.Float32s()[0] = float32(math.Inf(1)) // the first tap, which lies in the padding everywhere
	for _, tier := range asm.Supported() {
		for _, constant := range []bool{true, false} {
			out, choice := runOp(t, c.op(), tier, 1, constant, x, w)
			for i, v := range out.Float32s() {
				if nan := v != v; nan != (i%20 == 0) {
					t.Fatalf("%v, %s: element %d is %v", tier, choice, i, v)
				}
			}
		}
	}
}
