package int8

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// winogradCase is a 3x3, 1x3 or 3x1 convolution of a [n, h, w, c] image.
type winogradCase struct {
	row, column                  bool // 1x3, 3x1
	n, h, w, c, outs, padY, padX int
	dilateY, dilateX             int // less 1
	bias, residual, float        bool
	realBias                     bool
	act                          ops.Activation
	zero                         uint8
}

// window returns the taps along both dimensions.
func (c winogradCase) window() (y, x int) {
	y, x = 3, 3
	if c.row {
		y = 1
	}
	if c.column {
		x = 1
	}
	return y, x
}

func (c winogradCase) String() string {
	ky, kx := c.window()
	return fmt.Sprintf("%dx%dx%dx%d/%dx%d,out%d,pad%d,%d,dilation%d,%d,bias%v,real%v,res%v,float%v,act%v,zero%d",
		c.n, c.h, c.w, c.c, ky, kx, c.outs, c.padY, c.padX, c.dilateY+1, c.dilateX+1, c.bias, c.realBias, c.residual, c.float, c.act, c.zero)
}

// build returns the operator and its inputs.
func (c winogradCase) build(rng *rand.Rand) (Conv, []*tensor.Tensor) {
	op := Conv{ConvAttributes: ops.ConvAttributes{
		Stride: []int{1, 1}, Padding: []int{c.padY, c.padX}, Dilation: []int{c.dilateY + 1, c.dilateX + 1}, Groups: 1,
		HasBias: c.bias, HasResidual: c.residual, Act: c.act, NHWC: true,
	}}
	if !c.float {
		op.Out = tensor.PerTensor(tensor.Uint8, 0.3, 17)
	}
	integers := func(q *tensor.QParams, shape ...int) *tensor.Tensor {
		t, _ := tensor.New(q.DType, shape...)
		for i := range t.Bytes() {
			t.Bytes()[i] = byte(rng.IntN(256))
		}
		return t.WithQParams(q)
	}
	ky, kx := c.window()
	wq := &tensor.QParams{DType: tensor.Int8, Scheme: tensor.PerChannelSymmetric, Min: -128, Max: 127}
	for range c.outs {
		wq.Scale = append(wq.Scale, 0.001+0.004*rng.Float32())
		wq.ZeroPoint = append(wq.ZeroPoint, 0)
	}
	in := []*tensor.Tensor{integers(tensor.PerTensor(tensor.Uint8, 0.02, int32(c.zero)), c.n, c.h, c.w, c.c), integers(wq, c.outs, c.c, ky, kx)}
	if c.bias {
		b, _ := tensor.New(tensor.Int32, c.outs)
		if c.realBias {
			b, _ = tensor.New(tensor.Float32, c.outs)
		}
		for i := range c.outs {
			if c.realBias {
				b.Float32s()[i] = 40 * (rng.Float32() - 0.5)
			} else {
				b.Int32s()[i] = int32(rng.IntN(200000) - 100000)
			}
		}
		in = append(in, b)
	}
	if c.residual {
		res := integers(tensor.PerTensor(tensor.Uint8, 0.15, 60), c.n, c.h+2*c.padY-(ky-1)*(c.dilateY+1), c.w+2*c.padX-(kx-1)*(c.dilateX+1), c.outs)
		if c.float {
			f, _ := tensor.New(tensor.Float32, res.Shape()...)
			for i, q := range res.Uint8s() {
				f.Float32s()[i] = 0.15 * float32(int32(q)-60)
			}
			res = f
		}
		in = append(in, res)
	}
	return op, in
}

// randomWinograd returns a case of any extents, forms of bias, residual and output.
func randomWinograd(rng *rand.Rand) winogradCase {
	flip := func() bool { return rng.IntN(2) == 0 }
	c := winogradCase{
		n: 1 + rng.IntN(3), h: 1 + rng.IntN(20), w: 1 + rng.IntN(20), c: 16 + 4*rng.IntN(40), outs: 1 + rng.IntN(70),
		padY: rng.IntN(3), padX: rng.IntN(3), bias: flip(), float: flip(), zero: uint8(rng.IntN(256)),
		act: []ops.Activation{ops.NoActivation, ops.ActReLU, ops.ActReLU6}[rng.IntN(3)],
	}
	if c.float && flip() {
		c.act = ops.ActGELU
	}
	if flip() {
		c.row = flip()
		c.column = !c.row
	}
	if flip() {
		c.dilateY, c.dilateX = rng.IntN(6), rng.IntN(6)
		c.padY, c.padX = rng.IntN(2*c.dilateY+3), rng.IntN(2*c.dilateX+3)
	}
	c.realBias = c.bias && flip()
	c.residual = !c.realBias && flip()
	c.h, c.w = max(c.h, 2*c.dilateY+3-2*c.padY), max(c.w, 2*c.dilateX+3-2*c.padX)
	return c
}

// TestWinogradIsDirect checks that Winograd's algorithm gives the bits of the direct form on every tier, for any shapes and for
// one to four threads.
func TestWinogradIsDirect(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	trials, size := 60, 56
	if testing.Short() {
		trials, size = 10, 28
	}
	cases := []winogradCase{
		{n: 1, h: size, w: size, c: 64, outs: 64, padY: 1, padX: 1, bias: true, act: ops.ActReLU, zero: 3},
		{n: 2, h: 7, w: 7, c: 300, outs: 33, padY: 1, padX: 1, bias: true, residual: true, act: ops.ActReLU, zero: 128},
	}
	for range trials {
		cases = append(cases, randomWinograd(rng))
	}
	for _, c := range cases {
		t.Run(c.String(), func(t *testing.T) {
			op, in := c.build(rng)
			want := runWinograd(t, op, in, asm.Generic, 1, 0)
			for _, tier := range asm.Supported() {
				if !c.act.IsClamp() { // float32 functions have bits of their own on each tier
					want = runWinograd(t, op, in, tier, 1, 0)
				}
				for threads := 1; threads <= 4; threads++ {
					for _, size := range []int{2, 4} {
						if got := runWinograd(t, op, in, tier, threads, size); got != nil && !bytes.Equal(got, want) {
							t.Errorf("%v, %d threads: F(%dx%d) differs from the direct form", tier, threads, size, size)
						}
					}
				}
			}
		})
	}
}

// runWinograd returns the output for tiles of some outputs, 0 for the direct form; nil where the tier has no such kernel.
func runWinograd(t *testing.T, op Conv, in []*tensor.Tensor, tier asm.Tier, threads, size int) []byte {
	t.Helper()
	types := make([]ops.Type, len(in))
	for i, x := range in {
		types[i] = ops.TypeOf(x)
	}
	types[0].Known = nil
	outTypes, err := op.Infer(types)
	if err != nil {
		t.Fatal(err)
	}
	k, err := op.prepare(&ops.Prepare{In: types, Out: outTypes, Tier: tier, Threads: threads}, onlyWinograd(size))
	if err != nil {
		t.Fatal(err)
	}
	if size > 0 && !strings.HasPrefix(k.Choice, "winograd") {
		if hasWinograd(tier, size, in[0], in[1]) {
			t.Fatalf("%v computes it as %s", tier, k.Choice)
		}
		return nil
	}
	out, _ := tensor.New(outTypes[0].DType, outTypes[0].Shape...)
	for i := range out.Bytes() {
		out.Bytes()[i] = 0xA5
	}
	pool := ops.NewPool(threads)
	defer pool.Close()
	if err := ops.RunKernel(k, pool, in, []*tensor.Tensor{out}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// onlyWinograd chooses tiles of some outputs, 0 for the direct form.
func onlyWinograd(size int) func(*layer, *ops.Window) []*winograd {
	return func(l *layer, w *ops.Window) []*winograd {
		if size > 0 {
			if v := newWinograd(l, w, size); v != nil {
				return []*winograd{v}
			}
		}
		return nil
	}
}

// hasWinograd reports whether a tier has the kernel of tiles of some outputs for an image.
func hasWinograd(tier asm.Tier, size int, image, weight *tensor.Tensor) bool {
	dims := 0
	for _, taps := range weight.Shape()[2:] {
		dims += (taps - 1) / 2
	}
	k := asm.WinogradU8S8For(size, dims, asm.IGemmU8S8For(tier))
	return k != nil && image.Shape()[3] >= k.MinChannels()
}

// TestWinogradTiers checks that all tiers of x86 have the kernels, and of arm64 the one without products of bytes those of images.
func TestWinogradTiers(t *testing.T) {
	for _, tier := range []asm.Tier{asm.AVX2, asm.AVXVNNI, asm.AVX512, asm.AVX512VNNI, asm.NEON} {
		for _, form := range []struct{ size, dimensions int }{{2, 2}, {4, 2}, {4, 1}} {
			if tier == asm.NEON && form.dimensions == 1 {
				continue
			}
			if asm.IGemmU8S8For(tier).Tier == tier && asm.WinogradU8S8For(form.size, form.dimensions, asm.IGemmU8S8For(tier)) == nil {
				t.Errorf("%v has no kernel of %d outputs in each of %d dimensions", tier, form.size, form.dimensions)
			}
		}
	}
}

// TestWinogradLimit checks that layers whose sums of products could leave the range in which a form is exact take another one, and
// that what they take gives the bits of the direct form on the inputs that come nearest.
func TestWinogradLimit(t *testing.T) {
	for _, tc := range []struct {
		channels  int
		value     int8
		four, two bool
	}{
		{112, 127, true, true},   // 9 * 112 * 127 * 255 is below 2^25
		{116, 127, false, true},  // and 9 * 116 * 127 * 255 is not
		{116, -128, false, true}, // neither is the magnitude of the smallest sum
		{1840, 127, false, true}, // below 2^29
		{1844, 127, false, false},
	} {
		c := winogradCase{n: 1, h: 4, w: 5, c: tc.channels, outs: 3, padY: 1, padX: 1, zero: 255}
		rng := rand.New(rand.NewPCG(1, 1))
		op, in := c.build(rng)
		for i := range in[0].Uint8s() {
			in[0].Uint8s()[i] = uint8(255 - rng.IntN(2))
		}
		for i := range in[1].Int8s() {
			in[1].Int8s()[i] = tc.value
		}
		want := runWinograd(t, op, in, asm.Generic, 1, 0)
		for _, tier := range asm.Supported() {
			for _, size := range []int{2, 4} {
				exact := map[int]bool{2: tc.two, 4: tc.four}[size]
				if v := planWinograd(t, op, in, tier, size); v != nil && !exact {
					t.Errorf("%v: %d channels of %d take F(%dx%d), which could overflow", tier, tc.channels, tc.value, size, size)
				} else if v == nil && exact && hasWinograd(tier, size, in[0], in[1]) {
					t.Errorf("%v: %d channels of %d do not take F(%dx%d)", tier, tc.channels, tc.value, size, size)
				} else if v != nil && !bytes.Equal(runWinograd(t, op, in, tier, 1, size), want) {
					t.Errorf("%v: %d channels of %d: F(%dx%d) differs from the direct form", tier, tc.channels, tc.value, size, size)
				}
			}
		}
	}
}

// TestWinogradNeedsSymmetricWeights checks that weights with zero points take the direct form.
func TestWinogradNeedsSymmetricWeights(t *testing.T) {
	op, in := winogradCase{n: 1, h: 8, w: 8, c: 32, outs: 32, padY: 1, padX: 1}.build(rand.New(rand.NewPCG(1, 1)))
	in[1].QParams().ZeroPoint[7] = 1
	for _, size := range []int{2, 4} {
		if planWinograd(t, op, in, asm.AVX2, size) != nil {
			t.Errorf("weights with a zero point take F(%dx%d)", size, size)
		}
	}
}

// TestWinogradChoice checks on which tiers 3x3 convolutions take Winograd's algorithm: where it multiplies fewer times than the direct
// form, unless few tiles share each transformed weight.
func TestWinogradChoice(t *testing.T) {
	for _, tc := range []struct {
		size, channels int
		tier           asm.Tier
		want           string
	}{
		{56, 64, asm.NEON, "winograd4_u8s8 neon"},
		{28, 128, asm.NEON, "winograd4_u8s8 neon"},
		{14, 256, asm.NEON, "winograd4_u8s8 neon"},
		{7, 512, asm.NEON, "winograd4_u8s8 neon"},
		{3, 64, asm.NEON, "igemm_u8s8 neon"},
		{56, 64, asm.DotProd, "igemm_u8s8 dotprod"},
		{56, 64, asm.I8MM, "igemm_u8s8 i8mm"},
	} {
		if asm.IGemmU8S8For(tc.tier).Tier != tc.tier {
			continue
		}
		op, in := winogradCase{n: 1, h: tc.size, w: tc.size, c: tc.channels, outs: tc.channels, padY: 1, padX: 1}.build(rand.New(rand.NewPCG(1, 1)))
		for i := range in[1].Int8s() {
			in[1].Int8s()[i] /= 4 // uniformly random ones are larger than those of models
		}
		if got := prepareConv(t, op, in, tc.tier).Choice; !strings.HasPrefix(got, tc.want) {
			t.Errorf("%d channels of %dx%d on %v: %s, want %s", tc.channels, tc.size, tc.size, tc.tier, got, tc.want)
		}
	}
}

// planWinograd returns the plan for tiles of some outputs, nil where there is none.
func planWinograd(t *testing.T, op Conv, in []*tensor.Tensor, tier asm.Tier, size int) (plan *winograd) {
	t.Helper()
	types := make([]ops.Type, len(in))
	for i, x := range in {
		types[i] = ops.TypeOf(x)
	}
	out, err := op.Infer(types)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := op.prepare(&ops.Prepare{In: types, Out: out, Tier: tier, Threads: 1}, func(l *layer, w *ops.Window) []*winograd {
		plans := onlyWinograd(size)(l, w)
		if len(plans) > 0 {
			plan = plans[0]
		}
		return plans
	}); err != nil {
		t.Fatal(err)
	}
	if plan != nil {
		plan = exact([]*winograd{plan})
	}
	return plan
}

// TestWinogradOfDilated checks which convolutions take Winograd's algorithm without dot products of bytes.
func TestWinogradOfDilated(t *testing.T) {
	for _, tc := range []struct {
		size, dilation int
		line, want     bool
	}{
		{28, 1, false, true}, {28, 2, false, true}, {56, 4, false, true}, {14, 12, false, false}, {14, 36, false, false},
		{300, 1, true, true}, {300, 4, true, true}, {4, 4, true, false},
	} {
		c := winogradCase{
			n: 1, h: tc.size, w: tc.size, c: 64, outs: 64, padY: tc.dilation, padX: tc.dilation, dilateY: tc.dilation - 1, dilateX: tc.dilation - 1,
		}
		if tc.line {
			c.h, c.row, c.padY, c.dilateY, c.c, c.outs = 1, true, 0, 0, 256, 256
		}
		op, in := c.build(rand.New(rand.NewPCG(1, 1)))
		for _, tier := range asm.Supported() {
			if tier != asm.AVX2 && tier != asm.AVX512 {
				continue
			}
			if k := prepareConv(t, op, in, tier); strings.HasPrefix(k.Choice, "winograd") != tc.want {
				t.Errorf("%d pixels with dilation %d, of one dimension %v, %v: %s", tc.size, tc.dilation, tc.line, tier, k.Choice)
			}
		}
	}
}
