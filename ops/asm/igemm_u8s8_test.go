package asm

import (
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"
)

// igemmU8S8Guards is the guarded memory of one test's operands.
type igemmU8S8Guards struct {
	a, pad, b, bias, wzero, mult, pre, post, scale, asum, res, c, table, scratch *guarded
}

func newIGemmU8S8Guards(t *testing.T, size int) *igemmU8S8Guards {
	g := &igemmU8S8Guards{}
	for _, p := range []**guarded{&g.a, &g.pad, &g.b, &g.bias, &g.wzero, &g.mult, &g.pre, &g.post, &g.scale, &g.asum, &g.res, &g.c, &g.table, &g.scratch} {
		*p = newGuarded(t, size)
	}
	return g
}

type igemmU8S8Case struct {
	m, n, ks, kc int
	fill         string // of A and B; "pairs": random, of weights that PairsFit
	strided      bool   // rows are a stride apart, not at offsets
	res, inPlace bool
	wzero        bool
	pre, post    bool
	rowScale     bool
	output       igemmOutput
	hugeMult     bool
	gap          int // bytes between the positions of a panel and the next panel
}

// rows places the left matrix of a case and returns the bytes of each row and position.
func (tc igemmU8S8Case) rows(k *IGemmU8S8, g *igemmU8S8Guards, rng *rand.Rand, args *IGemmU8S8Args) [][][]uint8 {
	value := func() uint8 {
		if tc.fill == "random" || tc.fill == "pairs" && rng.IntN(2) == 0 {
			return uint8(rng.Uint32())
		}
		if tc.fill == "low" {
			return 0
		}
		return 255
	}
	fill := func(mem []uint8) []uint8 {
		for i := range mem {
			mem[i] = value()
		}
		return mem
	}
	rows := make([][][]uint8, tc.m)
	if tc.strided {
		args.AStride = tc.kc + rng.IntN(9)
		mem := fill(atEnd[uint8](g.a, (tc.m-1)*args.AStride+tc.kc))
		args.A = unsafe.Pointer(&mem[0])
		for m := range rows {
			rows[m] = [][]uint8{mem[m*args.AStride:][:tc.kc]}
		}
		return rows
	}
	// Pixels overlap at odd distances; the last one ends at a guard page. Offsets count from one of them.
	const pixels = 7
	distance := 1 + rng.IntN(tc.kc)
	mem := fill(atEnd[uint8](g.a, (pixels-1)*distance+tc.kc))
	args.A = unsafe.Pointer(&mem[0])
	pad := fill(atEnd[uint8](g.pad, tc.kc))
	args.Pad = unsafe.Pointer(&pad[0])
	table := atEnd[int32](g.table, roundUp(tc.m, k.MR)*tc.ks)
	args.Offsets = &table[0]
	for i := range table {
		m, s := i/(k.MR*tc.ks)*k.MR+i%k.MR, i/k.MR%tc.ks
		pixel := rng.IntN(pixels)
		table[i] = int32(pixel * distance)
		p := mem[pixel*distance:][:tc.kc]
		if rng.IntN(4) == 0 {
			table[i], p = -1-int32(rng.IntN(1<<30)), pad
		}
		if m < tc.m {
			if rows[m] == nil {
				rows[m] = make([][]uint8, tc.ks)
			}
			rows[m][s] = p
		}
	}
	return rows
}

// checkIGemmU8S8 runs one case and compares it with the formula of the contract.
func checkIGemmU8S8(t *testing.T, k *IGemmU8S8, g *igemmU8S8Guards, rng *rand.Rand, tc igemmU8S8Case) {
	t.Helper()
	depth := tc.ks * tc.kc
	w := make([]int8, tc.n*depth)
	for i := range w {
		switch tc.fill {
		case "min":
			w[i] = -128
		case "max":
			w[i] = 127
		case "low": // with values of 0, products that are largest where bytes are made signed; only some columns have many
			w[i] = int8(rng.Uint32())
			if i/depth%7 == 3 || i%97 == 0 {
				w[i] = -128
			}
		case "alternate":
			w[i] = int8(127 - 255*(i&1))
		case "pairs":
			w[i] = int8(rng.Uint32())
			if i&1 == 1 && !PairsFit(w[i-1:i+1], 255) { // as large as it may be
				w[i] = 127 - w[i-1] + 1
				if w[i-1] < 0 {
					w[i] = -128 - w[i-1]
				}
			}
		default:
			w[i] = int8(rng.Uint32())
		}
	}
	b := atEnd[int8](g.b, ceil(tc.n, k.NR)*k.PanelBytes(tc.ks, tc.kc))
	k.PackB(b, w, tc.ks, tc.kc, tc.n)
	if tc.gap > 0 {
		b = spread(b, atEnd[int8](g.b, len(b)+(roundUp(tc.n, k.NR)/k.NR-1)*tc.gap), k.NR*depth, tc.gap)
	}

	padded := roundUp(tc.n, k.NR)
	args := IGemmU8S8Args{
		KS: tc.ks, KC: tc.kc, B: &b[0], BGap: tc.gap, M: tc.m, N: tc.n,
		ResZero: int32(rng.IntN(256)), ResMult: float32(rng.NormFloat64()) * 0.5,
		Zero: int32(rng.IntN(256)), Lo: 0, Hi: 255,
		FloatLo: float32(math.Inf(-1)), FloatHi: float32(math.Inf(1)),
	}
	rows := tc.rows(k, g, rng, &args)
	if rng.IntN(2) == 0 {
		args.Lo, args.Hi = int32(rng.IntN(100)), int32(150+rng.IntN(106))
		args.FloatLo, args.FloatHi = 0, 6
	}
	if rng.IntN(2) == 0 {
		k.Ahead(&args, unsafe.Slice((*byte)(unsafe.Pointer(&b[0])), len(b)))
	}
	bias := atEnd[int32](g.bias, padded)
	mult, pre, post := atEnd[float32](g.mult, padded), atEnd[float32](g.pre, padded), atEnd[float32](g.post, padded)
	wzero := atEnd[int32](g.wzero, padded)
	for j := range padded {
		bias[j] = int32(rng.IntN(20001) - 10000)
		wzero[j] = int32(rng.IntN(256) - 128)
		pre[j], post[j] = float32(rng.NormFloat64())*1000, float32(rng.NormFloat64())
		switch {
		case tc.hugeMult:
			mult[j] = float32(rng.NormFloat64()) * 20 // far beyond the output's range, within int32
		case j%3 == 0:
			mult[j] = 1.0 / 2048 // exact, so that ties occur
		default:
			mult[j] = float32(rng.Float64()) * 0.02 / float32(math.Sqrt(float64(depth)))
		}
	}
	args.Bias, args.Mult = &bias[0], &mult[0]
	if tc.pre {
		args.PreBias = &pre[0]
	}
	if tc.post {
		args.PostBias = &post[0]
	}
	asum, scale := atEnd[int32](g.asum, tc.m), atEnd[float32](g.scale, tc.m)
	for m := range rows {
		asum[m] = 0
		for _, p := range rows[m] {
			for _, v := range p {
				asum[m] += int32(v)
			}
		}
		scale[m] = rng.Float32()
	}
	if tc.wzero {
		args.ASum, args.WZero = &asum[0], &wzero[0]
	}
	if tc.rowScale {
		args.RowScale = &scale[0]
	}
	size := 4
	if tc.output == outputUint8 {
		size = 1
	}
	width := tc.n * size
	args.CStride = width + size*rng.IntN(3)
	out := atEnd[uint8](g.c, (tc.m-1)*args.CStride+width)
	fillSentinel(out)
	args.C = unsafe.Pointer(&out[0])
	var res []uint8
	if tc.res {
		args.ResStride = width + size*rng.IntN(5)
		res = atEnd[uint8](g.res, (tc.m-1)*args.ResStride+width)
		if tc.inPlace {
			args.ResStride = args.CStride
			res = out
		}
		for m := range tc.m {
			row := res[m*args.ResStride:][:width]
			for j := range row {
				row[j] = uint8(rng.Uint32())
				if size == 4 && j%4 == 3 {
					row[j] = 0x3f // a float around 1
				}
			}
		}
		args.Res = unsafe.Pointer(&res[0])
		res = append([]uint8(nil), res...)
	}
	if n := k.ScratchBytes(tc.ks, tc.kc); n > 0 {
		scratch := atEnd[uint8](g.scratch, n)
		fillSentinel(scratch)
		if uintptr(unsafe.Pointer(&scratch[0]))%64 != 0 {
			t.Fatalf("scratch of %d bytes is not a multiple of 64", n)
		}
		args.Scratch = unsafe.Pointer(&scratch[0])
	}

	before := args
	k.compute(&args, tc.output)
	if args != before {
		t.Fatalf("%+v: the arguments were changed", tc)
	}

	for m := range tc.m {
		for j := range tc.n {
			acc := int64(bias[j])
			for s, p := range rows[m] {
				for c, v := range p {
					acc += int64(v) * int64(w[(j*tc.ks+s)*tc.kc+c])
				}
			}
			if tc.wzero {
				acc -= int64(asum[m]) * int64(wzero[j])
			}
			if acc != int64(int32(acc)) {
				t.Fatalf("%+v: the case overflows int32", tc)
			}
			at := out[m*args.CStride+j*size:]
			if tc.output == outputInt32 {
				if got := *(*int32)(unsafe.Pointer(&at[0])); int64(got) != acc {
					t.Fatalf("%+v: accumulator (%d, %d) = %d, want %d", tc, m, j, got, acc)
				}
				continue
			}
			v := float32(acc)
			if tc.pre {
				v += pre[j]
			}
			if tc.output == outputFloat32 {
				factor := mult[j]
				if tc.rowScale {
					factor *= scale[m]
				}
				v = float32(v * factor)
				if tc.post {
					v += post[j]
				}
				if tc.res {
					v += *(*float32)(unsafe.Pointer(&res[m*args.ResStride+4*j]))
				}
				want := min(max(v, args.FloatLo), args.FloatHi)
				if got := *(*float32)(unsafe.Pointer(&at[0])); got != want && (got == got || want == want) {
					t.Fatalf("%+v: output (%d, %d) = %v, want %v (accumulator %d)", tc, m, j, got, want, acc)
				}
				continue
			}
			v = float32(v * mult[j])
			if tc.res {
				v += float32(float32(int32(res[m*args.ResStride+j])-args.ResZero) * args.ResMult)
			}
			v = max(v, float32(args.Lo-args.Zero))
			v = min(v, float32(args.Hi-args.Zero))
			want := uint8(int32(math.RoundToEven(float64(v))) + args.Zero)
			if got := at[0]; got != want {
				t.Fatalf("%+v: output (%d, %d) = %d, want %d (accumulator %d)", tc, m, j, got, want, acc)
			}
		}
	}
	checkStridedSentinels(t, tc, out, tc.m, width, args.CStride)
}

func TestIGemmU8S8(t *testing.T) { testIGemmU8S8(t, igemmU8S8Table, "random") }

func TestIGemmU8S8Pairs(t *testing.T) { testIGemmU8S8(t, igemmU8S8PairsTable, "pairs") }

func testIGemmU8S8(t *testing.T, table []IGemmU8S8, fill string) {
	forEachKernel(t, table, func(t *testing.T, k *IGemmU8S8) {
		rng := newRand(1)
		g := newIGemmU8S8Guards(t, 1<<19)
		step := 1
		if quick() {
			step = 7
		}
		kcs := []int{4, 8, 12, 16, 20, 28, 32, 36, 60, 64, 68}
		flip := func() bool { return rng.IntN(2) == 0 }
		for m := 1; m <= 2*k.MR+1; m++ {
			for n := 1; n <= 2*igemmU8S8Block(k)+1; n += 1 + rng.IntN(step) {
				for range 6 / min(step, 6) {
					tc := igemmU8S8Case{
						m: m, n: n, ks: 1 + rng.IntN(3), kc: kcs[rng.IntN(len(kcs))], fill: fill,
						res: flip(), inPlace: flip(), wzero: flip(), pre: flip(), post: flip(), rowScale: flip(),
						output: igemmOutput(rng.IntN(3)), hugeMult: rng.IntN(8) == 0,
					}
					if k.TakesGaps() {
						tc.gap = rng.IntN(3) * k.NR * tc.kc
					}
					if tc.strided = rng.IntN(3) == 0; tc.strided {
						tc.ks = 1
					}
					checkIGemmU8S8(t, k, g, rng, tc)
				}
			}
		}
		for _, kc := range kcs {
			for ks := 1; ks <= 25; ks += 1 + 3*rng.IntN(step) {
				checkIGemmU8S8(t, k, g, rng, igemmU8S8Case{m: k.MR, n: k.NR + 1, ks: ks, kc: kc, fill: fill})
			}
		}
	})
}

// TestIGemmGapOfOtherKernels checks that kernels that take no gap give the same results panel by panel.
func TestIGemmGapOfOtherKernels(t *testing.T) {
	g, rng := newIGemmU8S8Guards(t, 1<<19), newRand(5)
	k := igemmU8S8Table[0]
	k.gaps = false
	for i := range 60 {
		checkIGemmU8S8(t, &k, g, rng, igemmU8S8Case{
			m: 1 + i%7, n: 1 + i, ks: 1 + i%3, kc: 8, fill: "random", gap: 8 * k.NR * (1 + i%2), output: igemmOutput(i % 3),
			res: i%2 == 0, wzero: i%5 == 0, pre: i%4 == 0, post: i%7 == 0, rowScale: i%8 == 0,
		})
	}
	f, mem := igemmF32Table[0], igemmF32Memory(t)
	f.gaps = false
	for i := range 40 {
		igemmF32Case{ks: 1 + i%3, kc: 5, m: 1 + i%7, n: 1 + i, res: i%2 == 0, lo: float32(math.Inf(-1)), hi: float32(math.Inf(1)), gap: 5 * f.NR}.run(t, &f, mem)
	}
}

// TestPairsFit checks the bound with all pairs of weights and the values that make the largest and the smallest sum.
func TestPairsFit(t *testing.T) {
	for a := -128; a < 128; a++ {
		for b := -128; b < 128; b++ {
			for _, most := range []int{1, 126, 127, 128, 200, 255} {
				fits := true
				for _, x := range [][2]int{{most, most}, {most, 0}, {0, most}} {
					sum := x[0]*a + x[1]*b
					fits = fits && sum == int(int16(sum))
				}
				if got := PairsFit([]int8{0, 0, int8(a), int8(b)}, most); got != fits {
					t.Fatalf("weights %d and %d, values up to %d: %v, want %v", a, b, most, got, fits)
				}
			}
		}
	}
}

// igemmU8S8Block is the number of columns the widest inner loop handles at once.
func igemmU8S8Block(k *IGemmU8S8) int {
	if k.Tier == AVX512VNNI || k.Tier == AVX512 {
		return 4 * k.NR
	}
	return k.NR
}

// TestIGemmU8S8Extremes multiplies the largest operands over the largest depth that int32 holds.
func TestIGemmU8S8Extremes(t *testing.T) {
	testIGemmU8S8Extremes(t, igemmU8S8Table, "min", "max", "alternate", "low")
	testIGemmU8S8Extremes(t, igemmU8S8PairsTable, "alternate")
}

func testIGemmU8S8Extremes(t *testing.T, table []IGemmU8S8, fills ...string) {
	forEachKernel(t, table, func(t *testing.T, k *IGemmU8S8) {
		rng := newRand(2)
		g := newIGemmU8S8Guards(t, 1<<22)
		for _, fill := range fills {
			for _, kc := range []int{4, 16, 36, 65536} {
				if quick() {
					kc = min(kc, 4096)
				}
				for _, m := range []int{1, k.MR} {
					for output := range outputFloat32 + 1 {
						checkIGemmU8S8(t, k, g, rng, igemmU8S8Case{
							m: m, n: k.NR + 1, ks: 1, kc: kc, fill: fill, output: output})
					}
				}
			}
		}
	})
}

func TestIGemmU8S8NoAllocs(t *testing.T) {
	forEachKernel(t, igemmU8S8Table, func(t *testing.T, k *IGemmU8S8) {
		args := newIGemmU8S8Bench(k, k.MR, 32, 1, 64)
		checkNoAllocs(t, func() { k.Run(args) })
		args.CStride *= 4
		checkNoAllocs(t, func() { k.Accumulate(args) })
	})
}

// newIGemmU8S8Bench returns the arguments of one call with m rows, over few different pixels.
func newIGemmU8S8Bench(k *IGemmU8S8, m, n, ks, kc int) *IGemmU8S8Args {
	padded := roundUp(n, k.NR)
	a := aligned(ks * k.MR * kc)
	rng := newRand(3)
	for i := range a {
		a[i] = uint8(rng.Uint32())
	}
	table := make([]int32, ks*roundUp(m, k.MR))
	for i := range table {
		table[i] = int32(i % (ks * k.MR) * kc)
	}
	b := aligned(ceil(n, k.NR) * k.PanelBytes(ks, kc))
	w := make([]int8, n*ks*kc)
	for i := range w {
		w[i] = int8(rng.Uint32())
	}
	packed := unsafe.Slice((*int8)(unsafe.Pointer(&b[0])), len(b))
	k.PackB(packed, w, ks, kc, n)
	mult := make([]float32, padded)
	for i := range mult {
		mult[i] = 1e-4
	}
	scratch := aligned(max(64, k.ScratchBytes(ks, kc)))
	out := aligned(m * n * 4)
	return &IGemmU8S8Args{
		A: unsafe.Pointer(&a[0]), Offsets: &table[0], KS: ks, KC: kc, B: &packed[0], M: m, N: n, Bias: &make([]int32, padded)[0], Mult: &mult[0],
		Hi: 255, Zero: 100, C: unsafe.Pointer(&out[0]), CStride: n, Scratch: unsafe.Pointer(&scratch[0]),
	}
}

func BenchmarkIGemmU8S8(b *testing.B) {
	for _, s := range []struct {
		name         string
		m, n, ks, kc int
	}{
		{"1x1_16x96", 0, 96, 1, 16},
		{"1x1_64x256", 0, 256, 1, 64},
		{"1x1_256x64", 0, 64, 1, 256},
		{"1x1_1024x256", 0, 256, 1, 1024},
		{"1x1_144x24", 0, 24, 1, 144},
		{"3x3_64x64", 0, 64, 9, 64},
		{"3x3_128x128", 0, 128, 9, 128},
		{"3x3_512x512", 0, 512, 9, 512},
		{"7x7_4x64", 0, 64, 49, 4},
		{"linear1_512x1000", 1, 1000, 1, 512},
	} {
		b.Run(s.name, func(b *testing.B) {
			benchEachKernel(b, igemmU8S8Table, func(b *testing.B, k *IGemmU8S8) {
				m := s.m
				if m == 0 {
					m = k.MR
				}
				args := newIGemmU8S8Bench(k, m, s.n, s.ks, s.kc)
				for b.Loop() {
					k.Run(args)
				}
				reportU8S8Share(b, k.Tier, 2*m*s.n*s.ks*s.kc)
			})
		})
	}
}
