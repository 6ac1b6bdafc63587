package ops

import "github.com/octet-ml/octet/tensor"

// mixIntegers returns the task that resizes perTask rows of a quantized image linearly, in its own parameters. With the weights
// w of rows and v of columns, as of float32 images, and every operation rounded to float32 on its own,
//
//	t = sum over columns of v * (sum over rows of w * (x - zero point))    q = clamp(roundToEven(t) + zero point)
//
// A pixel has unit elements. Plain Go computes it on every tier.
func mixIntegers(q *tensor.QParams, dims [3]*resize, unit, count, perTask int) Task {
	z, y, x := dims[0], dims[1], dims[2]
	inRow, outRow := x.in*unit, x.out*unit
	return func(c *Call, i int, w *Worker) {
		zero, least, most := q.ZeroPoint[0], float32(q.Min-q.ZeroPoint[0]), float32(q.Max-q.ZeroPoint[0])
		mixed, real := scratchOf[float32](w.Scratch, 0, inRow), scratchOf[float32](w.Scratch, 4*inRow, outRow)
		in, out := c.In[0].Uint8s(), c.Out[0].Uint8s()
		for r := i * perTask; r < min((i+1)*perTask, count); r++ {
			iy, iz, plane := r%y.out, r/y.out%z.out, r/(y.out*z.out)
			clear(mixed)
			for kz := iz * z.taps; kz < (iz+1)*z.taps; kz++ {
				for ky := iy * y.taps; ky < (iy+1)*y.taps; ky++ {
					src := in[((plane*z.in+z.at[kz])*y.in+y.at[ky])*inRow:][:inRow]
					addIntegers(mixed, src, zero, z.weight[kz]*y.weight[ky])
				}
			}
			resizeRow(real, mixed, x, unit)
			dst := out[r*outRow:][:outRow]
			for k, v := range real {
				const magic = 3 << 22 // leaves no bits behind the point
				v = float32(min(max(v, least), most)+magic) - magic
				dst[k] = uint8(int32(v) + zero)
			}
		}
	}
}

// addIntegers adds w times the integers less their zero point.
func addIntegers(dst []float32, src []uint8, zero int32, w float32) {
	if w == 0 {
		return
	}
	src = src[:len(dst)]
	for i := range dst {
		dst[i] += float32(float32(int32(src[i])-zero) * w)
	}
}
