package ops

import "unsafe"

// mixRows returns the weighted sum of the input rows of n values that an output
// row comes from: dst, or the row itself where there is only one.
func mixRows(dst []float32, src *float32, z, y *resize, iz, iy, n int) []float32 {
	if z.taps*y.taps == 1 {
		return row[float32](unsafe.Pointer(src), (z.at[iz]*y.in+y.at[iy])*n, n)
	}
	// Taps are mixed two at a time; there are one, two or four in each dimension.
	pending, weight, mixed := []float32(nil), float32(0), false
	for kz := range z.taps {
		for ky := range y.taps {
			w := z.weight[iz*z.taps+kz] * y.weight[iy*y.taps+ky]
			x := row[float32](unsafe.Pointer(src), (z.at[iz*z.taps+kz]*y.in+y.at[iy*y.taps+ky])*n, n)
			switch {
			case pending == nil:
				pending, weight = x, w
			case mixed:
				addTwo(dst, pending, x, weight, w)
				pending = nil
			default:
				mixTwo(dst, pending, x, weight, w)
				pending, mixed = nil, true
			}
		}
	}
	return dst
}

// mixTwo computes dst = a*p + b*q, addTwo dst += a*p + b*q.

func mixTwo(dst, a, b []float32, p, q float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = float32(a[i]*p) + float32(b[i]*q)
	}
}

func addTwo(dst, a, b []float32, p, q float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] += float32(a[i]*p) + float32(b[i]*q)
	}
}

// resizeRow resizes a row of pixels of unit values each.
func resizeRow(dst, src []float32, x *resize, unit int) {
	switch {
	case unit == 1 && x.taps == 1:
		for i, at := range x.at {
			dst[i] = src[at]
		}
	case unit == 1 && x.taps == 2:
		for i := range dst {
			at, w := x.at[2*i:2*i+2], x.weight[2*i:2*i+2]
			dst[i] = float32(src[at[0]]*w[0]) + float32(src[at[1]]*w[1])
		}
	case x.taps == 1:
		for i, at := range x.at {
			copy(dst[i*unit:(i+1)*unit], src[at*unit:])
		}
	default:
		for i := range x.out {
			pixel := dst[i*unit : (i+1)*unit]
			at, w := x.at[i*x.taps:(i+1)*x.taps], x.weight[i*x.taps:(i+1)*x.taps]
			mixTwo(pixel, src[at[0]*unit:], src[at[1]*unit:], w[0], w[1])
			if x.taps == 4 {
				addTwo(pixel, src[at[2]*unit:], src[at[3]*unit:], w[2], w[3])
			}
		}
	}
}
