package int8_test

import (
	"math/rand/v2"
	"testing"

	"github.com/octet-ml/octet/ops"
)

// TestConvRandom compares convolutions of random shapes with the definition, bit for bit: windows mostly in the padding, taps
// beyond the image, groups of any size, channels that fill no vector, weights with zero points.
func TestConvRandom(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	flip := func() bool { return rng.IntN(2) == 0 }
	trials := 300
	if testing.Short() {
		trials = 100
	}
	for range trials {
		c := layerCase{
			n: 1 + rng.IntN(2), h: 1 + rng.IntN(12), w: 1 + rng.IntN(12), kh: 1 + rng.IntN(3), kw: 1 + rng.IntN(3),
			stride: 1 + rng.IntN(2), pad: rng.IntN(4), dilation: 1, groups: 1,
			bias: flip(), residual: flip(), affine: rng.IntN(6) == 0, float: rng.IntN(4) == 0,
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
		if c.h+2*c.pad < c.dilation*(c.kh-1)+1 || c.w+2*c.pad < c.dilation*(c.kw-1)+1 {
			continue
		}
		t.Run(c.String(), func(t *testing.T) { c.check(t, 0.3) })
	}
}
