package asm

import (
	"fmt"
	"math"
	"testing"
	"unsafe"
)

func forEachWinograd(t *testing.T, body func(t *testing.T, k *WinogradF32)) {
	for _, size := range []int{2, 4} {
		t.Run(fmt.Sprintf("F%dx%d", size, size), func(t *testing.T) {
			table := winograd2F32Table
			if size == 4 {
				table = winograd4F32Table
			}
			forEachKernel(t, table, body)
		})
	}
}

// TestWinogradF32Transforms compares both transformations with the definition in float64.
func TestWinogradF32Transforms(t *testing.T) {
	var mem [5]*guarded
	for i := range mem {
		mem[i] = newGuarded(t, 1<<17)
	}
	inf := float32(math.Inf(1))
	step := 1 // between channels that are compared, the last one among them
	if quick() {
		step = 7
	}
	forEachWinograd(t, func(t *testing.T, k *WinogradF32) {
		n := k.T + 2
		for _, c := range columnSizes() {
			for _, tiles := range []int{1, 3} {
				rnd := newRand(uint64(c))
				fill := func(s []float32) []float32 {
					for i := range s {
						s[i] = float32(rnd.NormFloat64())
					}
					return s
				}
				const gap = 3 // floats between the positions
				posLen := tiles*c + gap
				matrix := atEnd[float32](mem[1], n*n*posLen-gap)
				pixels := func(mem *guarded, count int) ([]float32, []unsafe.Pointer) {
					data := fill(atEnd[float32](mem, count*c))
					ptrs := make([]unsafe.Pointer, count)
					for i := range ptrs {
						ptrs[i] = unsafe.Pointer(&data[(count-1-i)*c])
					}
					return data, ptrs
				}
				name := fmt.Sprintf("%d channels, %d tiles", c, tiles)
				check := func(got float32, a [][6]float32, d func(y, x int) float32, i, j int, bias, lo, hi float64) {
					t.Helper()
					want, bound := bias, math.Abs(bias)
					for y := range n {
						for x := range n {
							v := float64(a[i][y]) * float64(a[j][x]) * float64(d(y, x))
							want += v
							bound += math.Abs(v)
						}
					}
					if want = min(max(want, lo), hi); !closeF32(got, want, 8*0x1p-24*bound) {
						t.Fatalf("%s: element %d %d is %v, want %v", name, i, j, got, want)
					}
				}

				_, in := pixels(mem[0], tiles*n*n)
				fillSentinel(matrix)
				args := WinogradF32Args{Tiles: tiles, C: c, Pixels: &in[0], Matrix: &matrix[0], PosStride: 4 * posLen}
				k.Input(&args)
				checkStridedSentinels(t, name, asBytes(matrix), n*n, 4*tiles*c, 4*posLen)
				for tile := range tiles {
					for ch := (c - 1) % step; ch < c; ch += step {
						d := func(y, x int) float32 { return *(*float32)(unsafe.Add(in[(tile*n+y)*n+x], 4*ch)) }
						for i := range n * n {
							check(matrix[i*posLen+tile*c+ch], winogradBT[k.T], d, i/n, i%n, 0, math.Inf(-1), math.Inf(1))
						}
					}
				}
				checkNoAllocs(t, func() { k.Input(&args) })

				fill(matrix)
				outData, out := pixels(mem[2], tiles*k.T*k.T)
				_, res := pixels(mem[3], tiles*k.T*k.T)
				bias := fill(atEnd[float32](mem[4], c))
				for form := range 3 {
					fillSentinel(outData)
					args := WinogradF32Args{
						Tiles: tiles, C: c, Pixels: &out[0], Matrix: &matrix[0], PosStride: 4 * posLen, Bias: &bias[0], Lo: -inf, Hi: inf,
					}
					if form >= 1 {
						args.Res = &res[0]
					}
					if form == 2 {
						args.Lo, args.Hi = 0, 6
					}
					k.Output(&args)
					for tile := range tiles {
						for ch := (c - 1) % step; ch < c; ch += step {
							m := func(y, x int) float32 { return matrix[(y*n+x)*posLen+tile*c+ch] }
							for i := range k.T * k.T {
								at := func(p []unsafe.Pointer) float32 { return *(*float32)(unsafe.Add(p[tile*k.T*k.T+i], 4*ch)) }
								b := float64(bias[ch])
								if args.Res != nil {
									b += float64(at(res))
								}
								check(at(out), winogradAT[k.T], m, i/k.T, i%k.T, b, float64(args.Lo), float64(args.Hi))
							}
						}
					}
					checkNoAllocs(t, func() { k.Output(&args) })
				}
			}
		}
	})
}

// TestWinogradF32Convolution runs a whole convolution and checks the accuracy that WinogradF32 states.
func TestWinogradF32Convolution(t *testing.T) {
	forEachWinograd(t, func(t *testing.T, k *WinogradF32) {
		h, w, c, n := 9, 10, 256, 24
		if quick() {
			h, w, c, n = 6, 5, 64, 17
		}
		conv := newConvF32(IGemmF32For(k.Tier), h, w, c, n, 3)
		wino := newWinogradConv(k, conv)
		wino.run()
		conv.run()
		worst, direct, largest := 0.0, 0.0, 0.0
		for p := range h * w {
			for j := range n {
				want := 0.0
				for s := range 9 {
					y, x := p/w+s/3-1, p%w+s%3-1
					if y < 0 || y >= h || x < 0 || x >= w {
						continue
					}
					for i := range c {
						want += float64(conv.in[(y*w+x)*c+i]) * float64(conv.weights[(j*9+s)*c+i])
					}
				}
				want = max(want, 0)
				largest = max(largest, math.Abs(want))
				worst = max(worst, math.Abs(float64(wino.out[p*n+j])-want))
				direct = max(direct, math.Abs(float64(conv.out[p*n+j])-want))
			}
		}
		bound := map[int]float64{2: 1e-6, 4: 1e-5}[k.T]
		t.Logf("largest error relative to the largest output: %.3g, directly %.3g", worst/largest, direct/largest)
		if !(worst/largest <= bound) {
			t.Errorf("largest error relative to the largest output is %g, want at most %g", worst/largest, bound)
		}
	})
}

// winogradConv runs a whole convolution, given as convF32, in the Winograd way.
type winogradConv struct {
	k                  *WinogradF32
	gemm               *IGemmF32
	inArgs, outArgs    WinogradF32Args
	gemmArgs           IGemmF32Args
	tiles, c, n        int
	u, v, m, bias, out []float32
}

func newWinogradConv(k *WinogradF32, conv *convF32) *winogradConv {
	h, w, c, n, size := conv.h, conv.w, conv.kc, conv.n, k.T
	p := &winogradConv{k: k, gemm: IGemmF32For(k.Tier), c: c, n: n}
	down, across := (h+size-1)/size, (w+size-1)/size
	p.tiles = down * across
	pos := k.Positions()
	flat := make([]float32, pos*n*c)
	k.Weights(flat, conv.weights, c, n)
	packed := packedLen(p.gemm.NR, 1, c, n)
	p.u = make([]float32, pos*packed)
	for i := range pos {
		p.gemm.PackB(p.u[i*packed:][:packed], flat[i*n*c:], 1, c, n)
	}
	p.v = make([]float32, pos*p.tiles*c)
	p.m = make([]float32, pos*p.tiles*n)
	p.bias = make([]float32, roundUp(n, p.gemm.NR))
	p.out = make([]float32, h*w*n)
	zero, junk := make([]float32, c), make([]float32, n)
	var in, out []unsafe.Pointer
	for tile := range p.tiles {
		y0, x0 := tile/across*size, tile%across*size
		for i := range pos {
			y, x := y0+i/(size+2)-1, x0+i%(size+2)-1
			ptr := unsafe.Pointer(&zero[0])
			if y >= 0 && y < h && x >= 0 && x < w {
				ptr = unsafe.Pointer(&conv.in[(y*w+x)*c])
			}
			in = append(in, ptr)
		}
		for i := range size * size {
			y, x := y0+i/size, x0+i%size
			ptr := unsafe.Pointer(&junk[0])
			if y < h && x < w {
				ptr = unsafe.Pointer(&p.out[(y*w+x)*n])
			}
			out = append(out, ptr)
		}
	}
	inf := float32(math.Inf(1))
	p.inArgs = WinogradF32Args{Tiles: p.tiles, C: c, Pixels: &in[0], Matrix: &p.v[0], PosStride: 4 * p.tiles * c}
	p.outArgs = WinogradF32Args{
		Tiles: p.tiles, C: n, Pixels: &out[0], Matrix: &p.m[0], PosStride: 4 * p.tiles * n, Bias: &p.bias[0], Lo: 0, Hi: inf,
	}
	return p
}

func (p *winogradConv) run() {
	p.k.Input(&p.inArgs)
	inf := float32(math.Inf(1))
	packed, block := packedLen(p.gemm.NR, 1, p.c, p.n), p.gemm.BlockN(1, p.c)
	for i := range p.k.Positions() {
		for n0 := 0; n0 < p.n; n0 += block {
			p.gemmArgs = IGemmF32Args{
				A: unsafe.Pointer(&p.v[i*p.tiles*p.c]), AStride: 4 * p.c, KS: 1, KC: p.c, B: &p.u[i*packed+n0*p.c], M: p.tiles, N: min(block, p.n-n0),
				Bias: &p.bias[n0], Lo: -inf, Hi: inf, C: &p.m[i*p.tiles*p.n+n0], CStride: 4 * p.n,
			}
			p.gemm.Run(&p.gemmArgs)
		}
	}
	p.k.Output(&p.outArgs)
}

func BenchmarkWinogradF32(b *testing.B) {
	for _, s := range []struct{ hw, c int }{{56, 64}, {28, 128}, {14, 256}, {7, 512}} {
		b.Run(fmt.Sprintf("%dx%dx%d", s.hw, s.hw, s.c), func(b *testing.B) {
			ops := 2 * s.hw * s.hw * s.c * s.c * 9
			for _, size := range []int{2, 4} {
				table := winograd2F32Table
				if size == 4 {
					table = winograd4F32Table
				}
				b.Run(fmt.Sprintf("F%d", size), func(b *testing.B) {
					benchEachKernel(b, table, func(b *testing.B, k *WinogradF32) {
						conv := newWinogradConv(k, newConvF32(IGemmF32For(k.Tier), s.hw, s.hw, s.c, s.c, 3))
						for b.Loop() {
							conv.run()
						}
						reportGops(b, ops) // of the direct convolution
						reportF32Limit(b, k.Tier, ops)
					})
				})
			}
			b.Run("direct", func(b *testing.B) {
				benchEachKernel(b, igemmF32Table, func(b *testing.B, k *IGemmF32) {
					conv := newConvF32(k, s.hw, s.hw, s.c, s.c, 3)
					for b.Loop() {
						conv.run()
					}
					reportGops(b, ops)
					reportF32Limit(b, k.Tier, ops)
				})
			})
		})
	}
}
