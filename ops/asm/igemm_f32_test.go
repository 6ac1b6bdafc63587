package asm

import (
	"fmt"
	"math"
	"testing"
	"unsafe"
)

// igemmF32Case is one call of an IGemmF32 kernel on guarded memory.
type igemmF32Case struct {
	ks, kc, m, n int
	res          bool
	lo, hi       float32
	inPlace      bool // the residual is the output
	strided      bool // rows are a stride apart, not at offsets
	gap          int  // values between the positions of a panel and the next panel
}

func (c igemmF32Case) String() string {
	return fmt.Sprintf("ks%d kc%d m%d n%d res=%v inplace=%v strided=%v", c.ks, c.kc, c.m, c.n, c.res, c.inPlace, c.strided)
}

// run compares the kernel with float64 and checks what it touches.
func (c igemmF32Case) run(t *testing.T, k *IGemmF32, mem *[5]*guarded) {
	t.Helper()
	rnd := newRand(uint64(c.ks*1000003 + c.kc*10007 + c.m*101 + c.n))
	depth := c.ks * c.kc
	fill := func(s []float32) []float32 {
		for i := range s {
			s[i] = float32(rnd.NormFloat64())
		}
		return s
	}
	// Every position of every row has its own place, the last of which ends at the guard; some are padding.
	a := fill(atEnd[float32](mem[0], c.ks*c.m*c.kc))
	pad := fill(atEnd[float32](mem[4], c.kc))
	table := make([]int32, c.ks*roundUp(c.m, k.MR))
	place := make([][]float32, c.m*c.ks)
	for i := range table {
		m, s := min(i/(k.MR*c.ks)*k.MR+i%k.MR, c.m-1), i/k.MR%c.ks
		at := (s*c.m + m) * c.kc
		table[i], place[m*c.ks+s] = int32(4*at), a[at:][:c.kc]
		if !c.strided && (m+s)%3 == 0 {
			table[i], place[m*c.ks+s] = -1-int32(i), pad
		}
	}
	w := fill(make([]float32, c.n*depth))
	b := atEnd[float32](mem[1], packedLen(k.NR, c.ks, c.kc, c.n))
	k.PackB(b, w, c.ks, c.kc, c.n)
	if c.gap > 0 {
		b = spread(b, atEnd[float32](mem[1], len(b)+(roundUp(c.n, k.NR)/k.NR-1)*c.gap), k.NR*depth, c.gap)
	}
	bias := make([]float32, roundUp(c.n, k.NR))
	fill(bias[:c.n])
	// The last row of the output ends at the guard; rows are an odd number of floats apart.
	stride := c.n + 3
	out := atEnd[float32](mem[2], (c.m-1)*stride+c.n)
	fillSentinel(out)
	args := IGemmF32Args{
		A: unsafe.Pointer(&a[0]), Offsets: &table[0], Pad: unsafe.Pointer(&pad[0]), KS: c.ks, KC: c.kc,
		B: &b[0], M: c.m, N: c.n, Bias: &bias[0], Lo: c.lo, Hi: c.hi, C: &out[0], CStride: 4 * stride,
	}
	args.BGap = 4 * c.gap
	if c.strided {
		args.Offsets, args.Pad, args.AStride = nil, nil, 4*c.kc
	}
	var res []float32
	resStride := c.n + 1
	if c.res {
		mem := mem[3]
		if c.inPlace {
			resStride = stride
		}
		res = fill(atEnd[float32](mem, (c.m-1)*resStride+c.n))
		args.Res, args.ResStride = &res[0], 4*resStride
		if c.inPlace {
			args.Res = args.C
			for m := range c.m {
				copy(out[m*stride:][:c.n], res[m*resStride:])
			}
		}
	}
	if c.n%2 == 0 {
		k.Ahead(&args, asBytes(b))
	}
	before := args
	k.Run(&args)
	if args != before {
		t.Fatalf("%v: the arguments were changed", c)
	}
	for m := range c.m {
		for n := range c.n {
			want, bound := float64(bias[n]), math.Abs(float64(bias[n]))
			for d := range depth {
				p := float64(place[m*c.ks+d/c.kc][d%c.kc]) * float64(w[n*depth+d])
				want += p
				bound += math.Abs(p)
			}
			if c.res {
				want += float64(res[m*resStride+n])
				bound += math.Abs(float64(res[m*resStride+n]))
			}
			want = min(max(want, float64(c.lo)), float64(c.hi))
			got := float64(out[m*stride+n])
			if !(math.Abs(got-want) <= float64(depth+3)*0x1p-24*bound) {
				t.Fatalf("%v: row %d column %d is %v, want %v", c, m, n, got, want)
			}
		}
	}
	checkStridedSentinels(t, c.String(), asBytes(out), c.m, 4*c.n, 4*stride)
}

// spread copies packed panels to dst with a gap behind each but the last.
func spread[T any](packed, dst []T, panel, gap int) []T {
	packed = append([]T(nil), packed...)
	for i := 0; i*panel < len(packed); i++ {
		copy(dst[i*(panel+gap):], packed[i*panel:][:panel])
	}
	return dst
}

func igemmF32Memory(t *testing.T) *[5]*guarded {
	var mem [5]*guarded
	for i := range mem {
		mem[i] = newGuarded(t, 1<<20)
	}
	return &mem
}

func TestIGemmF32Sizes(t *testing.T) {
	forEachKernel(t, igemmF32Table, func(t *testing.T, k *IGemmF32) {
		mem := igemmF32Memory(t)
		inf := float32(math.Inf(1))
		step := 1
		if quick() {
			step = 5
		}
		i := 0
		for m := 1; m <= 2*k.MR+1; m++ {
			for n := 1; n <= 6*k.NR+1; n += step {
				for kc := 1; kc <= 9; kc++ {
					if i++; m > k.MR && i%4 != 0 {
						continue
					}
					c := igemmF32Case{ks: i%3 + 1, kc: kc, m: m, n: n, res: i%2 == 0, inPlace: i%4 == 0, lo: -inf, hi: inf}
					if i%5 == 0 {
						c.lo, c.hi = 0, 6
					}
					if i%3 == 0 {
						c.gap = c.kc * k.NR * (i%2 + 1)
					}
					if i%7 < 3 {
						c.strided, c.ks = true, 1
					}
					c.run(t, k, mem)
				}
			}
		}
		for _, c := range []igemmF32Case{{ks: 9, kc: 64}, {ks: 1, kc: 577}, {ks: 49, kc: 3}, {ks: 25, kc: 17}} {
			c.m, c.n, c.lo, c.hi, c.res = k.MR, 2*k.NR+3, -1, inf, true
			c.run(t, k, mem)
		}
	})
}

func TestIGemmF32SpecialValues(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	forEachKernel(t, igemmF32Table, func(t *testing.T, k *IGemmF32) {
		for _, n := range []int{k.NR - 1, k.NR, 2 * k.NR, 3*k.NR + 1} {
			for m := 1; m <= k.MR; m++ {
				x := []float32{nan, inf, -inf, 3, -3, 0, 1, 2, 5, 9, -1}
				w := make([]float32, n)
				for i := range w {
					w[i] = 1
				}
				b := make([]float32, packedLen(k.NR, 1, 1, n))
				k.PackB(b, w, 1, 1, n)
				bias := make([]float32, roundUp(n, k.NR))
				out := make([]float32, m*n)
				k.Run(&IGemmF32Args{
					A: unsafe.Pointer(&x[0]), AStride: 4, KS: 1, KC: 1, B: &b[0], M: m, N: n, Bias: &bias[0], Lo: 0, Hi: 6, C: &out[0], CStride: 4 * n,
				})
				for i, got := range out {
					want := min(max(x[i/n], 0), 6)
					if got != want && !(got != got && want != want) {
						t.Fatalf("m %d n %d: the clamp of %v to 0 and 6 is %v", m, n, x[i/n], got)
					}
				}
			}
		}
	})
}

// TestIGemmF32Tiling checks that an element's bits do not depend on the
// rows and columns computed with it.
func TestIGemmF32Tiling(t *testing.T) {
	forEachKernel(t, igemmF32Table, func(t *testing.T, k *IGemmF32) {
		const ks, kc = 3, 37
		n := 7*k.NR + 5
		rnd := newRand(1)
		a := make([]float32, k.MR*ks*kc)
		w := make([]float32, n*ks*kc)
		for _, s := range [][]float32{a, w} {
			for i := range s {
				s[i] = float32(rnd.NormFloat64())
			}
		}
		b := make([]float32, packedLen(k.NR, ks, kc, n))
		k.PackB(b, w, ks, kc, n)
		bias := make([]float32, roundUp(n, k.NR))
		run := func(m, n0, n1 int) []float32 {
			table := make([]int32, ks*k.MR)
			for i := range table {
				table[i] = int32(4 * (i/k.MR*k.MR + min(i%k.MR, m-1)) * kc)
			}
			out := make([]float32, m*(n1-n0))
			k.Run(&IGemmF32Args{
				A: unsafe.Pointer(&a[0]), Offsets: &table[0], KS: ks, KC: kc, B: &b[n0*ks*kc], M: m, N: n1 - n0, Bias: &bias[n0],
				Lo: -math.MaxFloat32, Hi: math.MaxFloat32, C: &out[0], CStride: 4 * (n1 - n0),
			})
			return out
		}
		all := run(k.MR, 0, n)
		for m := 1; m <= k.MR; m++ {
			for n0 := 0; n0 < n; n0 += k.NR {
				for n1 := min(n0+k.NR, n); n1 <= n; n1 += k.NR {
					for i, got := range run(m, n0, n1) {
						row, col := i/(n1-n0), n0+i%(n1-n0)
						if want := all[row*n+col]; got != want {
							t.Fatalf("row %d column %d of %d rows and columns %d to %d is %v, of all %v", row, col, m, n0, n1, got, want)
						}
					}
				}
			}
		}
	})
}

func TestIGemmF32Allocs(t *testing.T) {
	forEachKernel(t, igemmF32Table, func(t *testing.T, k *IGemmF32) {
		conv := newConvF32(k, 4, 4, 5, 20, 3)
		checkNoAllocs(t, conv.run)
	})
}

// convF32 runs a whole 'same' convolution of a h x w image as an operator would.
type convF32 struct {
	k           *IGemmF32
	args        IGemmF32Args
	h, w        int
	in, weights []float32 // weights as PackB takes them
	b, bias     []float32
	table       []int32
	zero        []float32
	out         []float32
	pixels, n   int
	ks, kc      int
	columns     int // columns per call
}

func newConvF32(k *IGemmF32, h, w, c, n, window int) *convF32 {
	rnd := newRand(2)
	p := &convF32{k: k, h: h, w: w, pixels: h * w, n: n, ks: window * window, kc: c}
	p.in = make([]float32, h*w*c)
	p.weights = make([]float32, n*p.ks*c)
	for _, s := range [][]float32{p.in, p.weights} {
		for i := range s {
			s[i] = float32(rnd.NormFloat64())
		}
	}
	p.zero = make([]float32, c)
	p.b = make([]float32, packedLen(k.NR, p.ks, c, n))
	k.PackB(p.b, p.weights, p.ks, c, n)
	p.bias = make([]float32, roundUp(n, k.NR))
	p.out = make([]float32, h*w*n)
	for m := 0; m < p.pixels; m += k.MR {
		for s := range p.ks {
			for i := range k.MR {
				pixel := min(m+i, p.pixels-1)
				y, x := pixel/w+s/window-window/2, pixel%w+s%window-window/2
				offset := int32(-1)
				if y >= 0 && y < h && x >= 0 && x < w {
					offset = int32(4 * (y*w + x) * c)
				}
				p.table = append(p.table, offset)
			}
		}
	}
	if p.columns = k.BlockN(p.ks, c); p.pixels <= k.MR {
		p.columns = n
	}
	return p
}

func (p *convF32) run() {
	inf := float32(math.Inf(1))
	for n0 := 0; n0 < p.n; n0 += p.columns {
		p.args = IGemmF32Args{
			A: unsafe.Pointer(&p.in[0]), Offsets: &p.table[0], Pad: unsafe.Pointer(&p.zero[0]), KS: p.ks, KC: p.kc,
			B: &p.b[n0*p.ks*p.kc], M: p.pixels, N: min(p.columns, p.n-n0), Bias: &p.bias[n0], Lo: 0, Hi: inf,
			C: &p.out[n0], CStride: 4 * p.n,
		}
		p.k.Run(&p.args)
	}
}

func BenchmarkIGemmF32(b *testing.B) {
	for _, s := range []struct {
		name               string
		h, w, c, n, window int
	}{
		{"conv1x1_56x56_64_256", 56, 56, 64, 256, 1},
		{"conv3x3_56x56_64_64", 56, 56, 64, 64, 3},
		{"conv3x3_14x14_256_256", 14, 14, 256, 256, 3},
		{"conv3x3_7x7_512_512", 7, 7, 512, 512, 3},
		{"conv1x1_112x112_32_16", 112, 112, 32, 16, 1},
		{"conv1x1_14x14_576_96", 14, 14, 576, 96, 1},
		{"conv7x7_112x112_3_64", 112, 112, 3, 64, 7},
		{"gemm_128x768x3072", 128, 1, 768, 3072, 1},
		{"gemm_128x3072x768", 128, 1, 3072, 768, 1},
		{"gemm_1x2048x1000", 1, 1, 2048, 1000, 1},
	} {
		b.Run(s.name, func(b *testing.B) {
			benchEachKernel(b, igemmF32Table, func(b *testing.B, k *IGemmF32) {
				conv := newConvF32(k, s.h, s.w, s.c, s.n, s.window)
				for b.Loop() {
					conv.run()
				}
				ops := 2 * s.h * s.w * s.n * s.c * s.window * s.window
				reportGops(b, ops)
				reportF32Limit(b, k.Tier, ops)
			})
		})
	}
}
