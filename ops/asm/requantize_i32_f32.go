package asm

import "unsafe"

// RequantizeI32F32Args describes the epilogue of M x N accumulators of a quantized layer in
// training, where results stay float32.
type RequantizeI32F32Args struct {
	M, N int // rows and columns, each at least 1

	Acc       *int32 // row 0
	AccStride int    // bytes between rows

	Bias *float32 // one per column, in units of the accumulators, or nil
	Mult *float32 // one multiplier per column: s_x*s_w/s_y

	Res       *float32 // residual of row 0, real values of quantized ones, or nil
	ResStride int      // bytes between rows of the residual
	ResInv    float32  // 1/s_r
	ResMult   float32  // s_r/s_y

	Lo, Hi float32 // bounds of the output's integers less its zero point, within -255 and 255
	Scale  float32 // s_y

	Y, Real *float32 // row 0 of the outputs
	YStride int      // bytes between rows of both
}

// RequantizeI32F32 is a kernel of what IGemmU8S8 does with accumulators, as real
// values, and of the value before it is rounded:
//
//	t    = (float32(Acc[m][n]) + Bias[n]) * Mult[n]
//	t    = t + roundToEven(Res[m][n]*ResInv) * ResMult         when Res is set
//	Real = t * Scale
//	Y    = roundToEven(min(max(t, Lo), Hi)) * Scale
//
// where a nil Bias is left out, and with every float32 operation rounded on its own (no fused multiply-add).
// Nothing outside the M x N elements and the N values per column is read or
// written. Y and Real may be Acc or Res with their strides, but not each other.
type RequantizeI32F32 struct {
	Info
	run func(args *RequantizeI32F32Args)
}

// Run computes the outputs.
func (k *RequantizeI32F32) Run(args *RequantizeI32F32Args) { k.run(args) }

// RequantizeI32F32For returns the kernel for a CPU of the given tier.
func RequantizeI32F32For(tier Tier) *RequantizeI32F32 { return pick(requantizeI32F32Table, tier) }

var requantizeI32F32Table = []RequantizeI32F32{{
	Info: Info{Op: "requantize_i32_f32", Tier: Generic},
	run:  requantizeI32F32Generic,
}}

// roundF32 rounds what is below 2^22 half to even: adding 1.5 * 2^23 leaves no bits behind the point.
func roundF32(v float32) float32 {
	const magic = 3 << 22
	return float32(v+magic) - magic
}

func requantizeI32F32Generic(p *RequantizeI32F32Args) {
	mult := unsafe.Slice(p.Mult, p.N)
	for m := range p.M {
		acc := unsafe.Slice((*int32)(unsafe.Add(unsafe.Pointer(p.Acc), m*p.AccStride)), p.N)
		y, real := rowF32(p.Y, m*p.YStride, p.N), rowF32(p.Real, m*p.YStride, p.N)
		for n, v := range acc {
			t := float32(v)
			if p.Bias != nil {
				t += unsafe.Slice(p.Bias, p.N)[n]
			}
			t = float32(t * mult[n])
			if p.Res != nil {
				r := rowF32(p.Res, m*p.ResStride, p.N)[n]
				t += float32(roundF32(float32(r*p.ResInv)) * p.ResMult)
			}
			real[n] = t * p.Scale
			y[n] = roundF32(min(max(t, p.Lo), p.Hi)) * p.Scale
		}
	}
}
