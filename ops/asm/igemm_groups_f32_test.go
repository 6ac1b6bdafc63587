package asm

import (
	"slices"
	"testing"
	"unsafe"
)

// TestIGemmGroupsF32 compares with one call of the ordinary kernel of the same tier for each group, bit for bit.
func TestIGemmGroupsF32(t *testing.T) {
	forEachKernel(t, igemmGroupsF32Table, func(t *testing.T, k *IGemmF32) {
		rng := newRand(7)
		one := IGemmF32For(k.Tier)
		mem := igemmF32Memory(t)
		inf := float32(1e30)
		rounds := 400
		if quick() {
			rounds = 40
		}
		for range rounds {
			width, groups := GroupColumns*(1+rng.IntN(3)), 1+rng.IntN(7)
			ks, kc, m, n := 1+rng.IntN(4), 1+rng.IntN(12), 1+rng.IntN(2*k.MR+1), width*groups
			strided, residual, gap := rng.IntN(4) == 0, rng.IntN(2) == 0, kc*k.NR*rng.IntN(2)
			if strided {
				ks = 1
			}
			random := func(s []float32) []float32 {
				for i := range s {
					s[i] = float32(rng.NormFloat64())
				}
				return s
			}
			// Pixels of all groups; the last one ends at the guard.
			row := groups * kc
			const pixels = 15
			a, pad := random(atEnd[float32](mem[0], pixels*row)), atEnd[float32](mem[4], row)
			clear(pad)
			table := make([]int32, roundUp(m, k.MR)*ks)
			for i := range table {
				table[i] = int32(4 * row * rng.IntN(pixels+1))
				if table[i] == int32(4*row*pixels) {
					table[i] = -1
				}
			}
			shifts := make([]int32, roundUp(n, k.NR)/GroupColumns)
			for i := range n / GroupColumns {
				shifts[i] = int32(4 * kc * (i * GroupColumns / width))
			}
			w := random(make([]float32, n*ks*kc))
			b := atEnd[float32](mem[1], packedLen(k.NR, ks, kc, n))
			k.PackB(b, w, ks, kc, n)
			if gap > 0 {
				b = spread(b, atEnd[float32](mem[1], len(b)+(roundUp(n, k.NR)/k.NR-1)*gap), k.NR*ks*kc, gap)
			}
			bias := random(make([]float32, roundUp(n, k.NR)+one.NR))
			out := atEnd[float32](mem[2], (m-1)*(n+3)+n)
			fillSentinel(out)
			args := IGemmF32Args{
				A: unsafe.Pointer(&a[0]), Offsets: &table[0], Pad: unsafe.Pointer(&pad[0]), KS: ks, KC: kc, B: &b[0], BGap: 4 * gap,
				Groups: &shifts[0], M: m, N: n, Bias: &bias[0], Lo: -1, Hi: inf, C: &out[0], CStride: 4 * (n + 3),
			}
			if strided {
				args.Offsets, args.AStride, args.M = nil, 4*row, min(m, pixels)
			}
			if residual {
				args.Res, args.ResStride = &random(atEnd[float32](mem[3], (m-1)*n+n))[0], 4*n
			}
			k.Run(&args)
			checkStridedSentinels(t, args.M, asBytes(out), args.M, 4*n, 4*(n+3))

			want := make([]float32, len(out))
			for g := range groups {
				packed := make([]float32, packedLen(one.NR, ks, kc, width))
				one.PackB(packed, w[g*width*ks*kc:], ks, kc, width)
				single := args
				single.Groups, single.B, single.BGap, single.N = nil, &packed[0], 0, width
				single.A = unsafe.Add(args.A, 4*kc*g)
				single.Bias, single.C = &bias[g*width], &want[g*width]
				if residual {
					single.Res = at(args.Res, g*width)
				}
				one.Run(&single)
			}
			for r := range args.M {
				if got, want := out[r*(n+3):][:n], want[r*(n+3):][:n]; !slices.Equal(got, want) {
					t.Fatalf("%d groups of %d, ks %d kc %d, strided %v: row %d of %d is %v, want %v", groups, width, ks, kc, strided, r, m, got, want)
				}
			}
		}
	})
}
