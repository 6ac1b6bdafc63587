package asm

import (
	"slices"
	"testing"
	"unsafe"
)

func forEachWinogradU8S8(t *testing.T, body func(t *testing.T, k *WinogradU8S8)) {
	for _, table := range [][]WinogradU8S8{winograd2U8S8Table, winograd4U8S8Table, winograd1DU8S8Table} {
		t.Run(table[0].Op, func(t *testing.T) { forEachKernel(t, table, body) })
	}
}

// plainWinograd returns the definition in plain Go with the tile and packing of a row.
func plainWinograd(k *WinogradU8S8) WinogradU8S8 {
	return winogradU8S8Generic(*k)
}

// pixelPointers returns pointers to count pixels of the given bytes, the last one first.
func pixelPointers(mem []byte, count, bytes int) []unsafe.Pointer {
	ptrs := make([]unsafe.Pointer, count)
	for i := range ptrs {
		ptrs[i] = unsafe.Pointer(&mem[(count-1-i)*bytes])
	}
	return ptrs
}

func TestWinogradU8S8Input(t *testing.T) {
	in, out := newGuarded(t, 1<<17), newGuarded(t, 1<<20)
	forEachWinogradU8S8(t, func(t *testing.T, k *WinogradU8S8) {
		plain := plainWinograd(k)
		positions := k.Positions()
		rnd := newRand(1)
		step := 1
		if quick() {
			step = 7
		}
		for c := k.MinChannels(); c < 70; c += step {
			for _, tiles := range []int{1, 3} {
				offset := c % 5
				pixels := atEnd[byte](in, tiles*positions*c+offset)
				for i := range pixels {
					pixels[i] = byte(rnd.IntN(256))
					if c%3 == 0 { // the largest transformed values
						pixels[i] = byte(255 * rnd.IntN(2))
					}
				}
				ptrs := pixelPointers(pixels, tiles*positions, c)
				posLen := tiles*c + 3
				run := func(k *WinogradU8S8, v []int16) {
					fillSentinel(v)
					args := WinogradInputArgs{Tiles: tiles, C: c, Pixels: &ptrs[0], Offset: offset, V: &v[0], PosStride: 2 * posLen}
					k.Input(&args)
					checkNoAllocs(t, func() { k.Input(&args) })
				}
				got, want := atEnd[int16](out, positions*posLen-3), make([]int16, positions*posLen-3)
				run(k, got)
				run(&plain, want)
				if !slices.Equal(got, want) {
					t.Fatalf("%d tiles of %d channels differ from plain Go", tiles, c)
				}
			}
		}
	})
}

func TestWinogradU8S8Weights(t *testing.T) {
	in, out := newGuarded(t, 1<<17), newGuarded(t, 1<<20)
	forEachWinogradU8S8(t, func(t *testing.T, k *WinogradU8S8) {
		plain := plainWinograd(k)
		rnd := newRand(2)
		for depth := 4; depth <= 40; depth += 4 {
			// The last depths of a panel of more.
			const before = 16
			w := atEnd[int8](in, IGemmU8S8For(k.Tier).PanelBytes(k.taps(), before+depth))
			for i := range w {
				w[i] = int8(rnd.IntN(256))
				if depth%3 == 0 { // the largest transformed values
					w[i] = []int8{-128, 127}[rnd.IntN(2)]
				}
			}
			posLen := depth*k.NR + 7
			run := func(k *WinogradU8S8, u []int16) {
				fillSentinel(u)
				args := WinogradWeightsArgs{
					W: k.WeightsFrom(w, before), TapStride: k.NR * (before + depth), K: depth, U: &u[0], PosStride: 2 * posLen,
				}
				k.Weights(&args)
				checkNoAllocs(t, func() { k.Weights(&args) })
			}
			n := k.Positions()*posLen - 7
			got, want := atEnd[int16](out, n), make([]int16, n)
			run(k, got)
			run(&plain, want)
			if !slices.Equal(got, want) {
				t.Fatalf("%d depths differ from plain Go", depth)
			}
		}
	})
}

func TestWinogradU8S8Multiply(t *testing.T) {
	var mem [3]*guarded
	for i := range mem {
		mem[i] = newGuarded(t, 1<<17)
	}
	forEachWinogradU8S8(t, func(t *testing.T, k *WinogradU8S8) {
		plain := plainWinograd(k)
		rnd := newRand(3)
		fill := func(s []int16) []int16 {
			for i := range s {
				s[i] = int16(rnd.IntN(1 << 16))
			}
			return s
		}
		for m := 1; m <= 15; m++ {
			for _, depth := range []int{4, 8, 12, 36} {
				const positions = 3
				gaps := [3]int{8, 4, 2}
				v := fill(atEnd[int16](mem[0], positions*(depth*m+gaps[0])-gaps[0]))
				u := fill(atEnd[int16](mem[1], positions*(depth*k.NR+gaps[1])-gaps[1]))
				start := make([]int32, positions*(k.NR*m+gaps[2])-gaps[2])
				fillSentinel(start)
				run := func(k *WinogradU8S8, c []int32) {
					copy(c, start)
					args := WinogradMultiplyArgs{
						Positions: positions, M: m, K: depth, V: &v[0], VStride: 2 * (depth*m + gaps[0]), U: &u[0], UStride: 2 * (depth*k.NR + gaps[1]),
						C: &c[0], CStride: 4 * (k.NR*m + gaps[2]),
					}
					k.Multiply(&args)
					args.Add = true
					k.Multiply(&args)
				}
				got, want := atEnd[int32](mem[2], len(start)), make([]int32, len(start))
				run(k, got)
				run(&plain, want)
				if !slices.Equal(got, want) {
					t.Fatalf("%d rows of %d depths differ from plain Go", m, depth)
				}
			}
		}
	})
}

// TestWinogradU8S8Output compares all forms of outputs with plain Go, of random sums.
func TestWinogradU8S8Output(t *testing.T) {
	var mem [3]*guarded
	for i := range mem {
		mem[i] = newGuarded(t, 1<<17)
	}
	forEachWinogradU8S8(t, func(t *testing.T, k *WinogradU8S8) {
		plain := plainWinograd(k)
		rnd := newRand(4)
		const tiles = 3
		pixels := tiles * k.Outputs()
		posLen := tiles*k.NR + 5
		sums := make([]int32, k.Positions()*posLen)
		for i := range sums {
			sums[i] = rnd.Int32()
		}
		bias, mult, pre := make([]int32, k.NR), make([]float32, k.NR), make([]float32, k.NR)
		for i := range bias {
			bias[i], mult[i], pre[i] = rnd.Int32N(2000)-1000, 1e-6*rnd.Float32(), 100*rnd.Float32()
		}
		step := 1
		if quick() {
			step = 3
		}
		for n := 1; n <= k.NR; n += step {
			for form := range 8 {
				float, residual := form&1 != 0, form&2 != 0
				size := 1
				if float {
					size = 4
				}
				args := WinogradOutputArgs{Tiles: tiles, M: &sums[0], PosStride: 4 * posLen, Offset: size * (n % 3), Row: IGemmU8S8Args{
					N: n, Bias: &bias[0], Mult: &mult[0], Zero: 17, Lo: 17, Hi: 250, ResZero: 60, ResMult: 0.4, FloatLo: -1, FloatHi: 6,
				}}
				if form&4 != 0 {
					args.Row.PreBias = &pre[0]
				}
				bytes := size * (n + n%3)
				if residual {
					res := atEnd[byte](mem[0], pixels*bytes)
					for i := range res {
						res[i] = byte(rnd.IntN(256))
					}
					if float {
						for i := range len(res) / 4 {
							*(*float32)(unsafe.Pointer(&res[4*i])) = rnd.Float32()
						}
					}
					args.Residuals = &pixelPointers(res, pixels, bytes)[0]
				}
				run := func(k *WinogradU8S8, out []byte) {
					fillSentinel(out)
					ptrs := pixelPointers(out, pixels, bytes)
					ptrs[n%pixels] = nil
					args.Pixels = &ptrs[0]
					store := k.Output
					if float {
						store = k.Dequantize
					}
					store(&args)
					checkNoAllocs(t, func() { store(&args) })
				}
				got, want := atEnd[byte](mem[1], pixels*bytes), make([]byte, pixels*bytes)
				run(k, got)
				run(&plain, want)
				if !slices.Equal(got, want) {
					t.Fatalf("%d columns, float32 %v, residual %v differ from plain Go", n, float, residual)
				}
			}
		}
	})
}

// tileU8S8 computes one tile of a convolution with one column of weights.
type tileU8S8 struct {
	k      *WinogradU8S8
	c      int
	pixels []uint8 // [positions, c]
	window []int8  // [9, c]
}

// direct returns the sum of products of output i.
func (x *tileU8S8) direct(i int) int {
	n, sum := x.k.T+2, 0
	for s := range x.k.taps() {
		at := (i/x.k.T+s/3)*n + i%x.k.T + s%3
		for ch := range x.c {
			sum += int(x.pixels[at*x.c+ch]) * int(x.window[s*x.c+ch])
		}
	}
	return sum
}

// run returns the sums of products of all outputs, each less its entry of near, where that is 0 to 255.
func (x *tileU8S8) run(near []int) []uint8 {
	k, positions := x.k, x.k.Positions()
	g := IGemmU8S8For(k.Tier)
	panel := make([]int8, g.PanelBytes(k.taps(), x.c))
	g.PackB(panel, x.window, k.taps(), x.c, 1)
	v, u, m := make([]int16, positions*x.c), make([]int16, positions*x.c*k.NR), make([]int32, positions*k.NR)
	var in []unsafe.Pointer
	for i := range positions {
		in = append(in, unsafe.Pointer(&x.pixels[i*x.c]))
	}
	k.Input(&WinogradInputArgs{Tiles: 1, C: x.c, Pixels: &in[0], V: &v[0], PosStride: 2 * x.c})
	k.Weights(&WinogradWeightsArgs{W: k.WeightsFrom(panel, 0), TapStride: k.NR * x.c, K: x.c, U: &u[0], PosStride: 2 * x.c * k.NR})
	k.Multiply(&WinogradMultiplyArgs{
		Positions: positions, M: 1, K: x.c, V: &v[0], VStride: 2 * x.c, U: &u[0], UStride: 2 * x.c * k.NR, C: &m[0], CStride: 4 * k.NR,
	})
	mult := slices.Repeat([]float32{1}, k.NR)
	out := make([]uint8, k.Outputs())
	for i := range out {
		bias := make([]int32, k.NR)
		bias[0] = int32(-near[i])
		ptrs := make([]unsafe.Pointer, len(out))
		ptrs[i] = unsafe.Pointer(&out[i])
		k.Output(&WinogradOutputArgs{Tiles: 1, M: &m[0], PosStride: 4 * k.NR, Pixels: &ptrs[0], Row: IGemmU8S8Args{
			N: 1, Bias: &bias[0], Mult: &mult[0], Hi: 255,
		}})
	}
	return out
}

// TestWinogradU8S8Exact checks that sums of products are those of the direct form, of random values and weights, of the largest
// and the smallest ones.
func TestWinogradU8S8Exact(t *testing.T) {
	forEachWinogradU8S8(t, func(t *testing.T, k *WinogradU8S8) {
		rnd := newRand(5)
		values := []func() (uint8, int8){
			func() (uint8, int8) { return uint8(rnd.IntN(256)), int8(rnd.IntN(256)) },
			func() (uint8, int8) { return uint8(255 * rnd.IntN(2)), []int8{-128, 127}[rnd.IntN(2)] },
			func() (uint8, int8) { return 255, 127 },
			func() (uint8, int8) { return 255, -128 },
		}
		for trial := range 60 {
			x := &tileU8S8{k: k, c: max(16+4*rnd.IntN(24), k.MinChannels())}
			next := values[trial%len(values)]
			for range k.Positions() * x.c {
				p, _ := next()
				x.pixels = append(x.pixels, p)
			}
			for range k.taps() * x.c {
				_, w := next()
				x.window = append(x.window, w)
			}
			var near []int
			for i := range k.Outputs() {
				near = append(near, x.direct(i)-7)
			}
			for i, got := range x.run(near) {
				if got != 7 {
					t.Fatalf("trial %d, %d channels: output %d is off by %d or more", trial, x.c, i, int(got)-7)
				}
			}
		}
	})
}

// TestWinogradU8S8Limit checks that sums just below the limit are exact, and that just above it the first output, whose
// sum comes out with the most bits, is not: the limit is not drawn too narrow.
func TestWinogradU8S8Limit(t *testing.T) {
	if quick() {
		t.Skip("2000 channels take long")
	}
	forEachWinogradU8S8(t, func(t *testing.T, k *WinogradU8S8) {
		limit := k.Limit()
		for _, tc := range []struct {
			sum   int
			exact bool
		}{{limit - 1, true}, {1 - limit, true}, {limit, false}, {-limit - 1, false}} {
			x := tileWithSum(k, tc.sum)
			if got := x.direct(0); got != tc.sum {
				t.Fatalf("the sum is %d, want %d", got, tc.sum)
			}
			near := make([]int, k.Outputs())
			near[0] = tc.sum - 7
			if got := x.run(near)[0]; (got == 7) != tc.exact {
				t.Errorf("a sum of %d: %d for 7, want it exact: %v", tc.sum, got, tc.exact)
			}
		}
	})
}

// tileWithSum returns a tile whose first output has a given sum of products.
func tileWithSum(k *WinogradU8S8, sum int) *tileU8S8 {
	weight, left := int8(127), sum
	if sum < 0 {
		weight, left = -128, -sum
	}
	size := max(int(weight), -int(weight))
	x := &tileU8S8{k: k, c: (left/(255*size*k.taps()) + 2 + 3) / 4 * 4}
	x.c = max(x.c, k.MinChannels())
	x.pixels, x.window = make([]uint8, k.Positions()*x.c), make([]int8, k.taps()*x.c)
	n := k.T + 2
	for s := range k.taps() {
		for ch := range x.c {
			x.window[s*x.c+ch] = weight
			at := (s/3*n+s%3)*x.c + ch
			switch v := min(left/size, 255); {
			case v > 0:
				x.pixels[at] = uint8(v)
				left -= v * size
			case left > 0: // what no whole weight is left for
				x.pixels[at], x.window[s*x.c+ch] = 1, int8(left)
				if sum < 0 {
					x.window[s*x.c+ch] = int8(-left)
				}
				left = 0
			}
		}
	}
	return x
}
