package asm

import (
	"cmp"
	"unsafe"
)

// WinogradU8S8 is a kernel of Winograd's minimal filtering F(T x T, 3x3) on integers (see WinogradF32), by which a 3x3
// convolution of stride 1 of uint8 values and int8 weights becomes (T+2)^2 matrix multiplications, one per position. All
// factors are whole numbers, so that what comes out is the sum of products of the direct form itself, not something near it:
//
//	V = B^T d B                             Input, of each (T+2) x (T+2) tile d of the image, int16
//	U = G g G^T                             Weights, of each 3x3 window g, int16
//	M[pos] = sum over channels V[pos]*U[pos]  Multiply, modulo 2^32
//	Y = A^T M A                             Output, of each T x T tile, modulo 2^32
//
//	T = 2: B^T =  1  0 -1  0    G = 2  0  0    A^T = 1  1  1  0
//	              0  1  1  0        1  1  1          0  1 -1 -1
//	              0 -1  1  0        1 -1  1
//	              0  1  0 -1        0  0  2
//
//	T = 4: B^T =  4  0 -5  0  1  0    G = 6  0  0    A^T = 1 -4 -4  1  1  0
//	              0 -4 -4  1  1  0        1  1  1          0 -2  2  1 -1  0
//	              0  4 -4 -1  1  0        1 -1  1          0 -1 -1  1  1  0
//	              0 -2 -1  2  1  0        1  2  4          0 -1  1  2 -2  1
//	              0  2 -1 -2  1  0        1 -2  4
//	              0  4  0 -5  0  1        0  0  6
//
// With T = 2, |V| <= 1020 and |U| <= 1152, and Y is 4 times the sum of products. With T = 4, |V| <= 17340 and |U| <= 6272,
// and element i, j of Y is 9 * 2^s(i,j) times the sum, s(i,j) = 6 - e(i) - e(j), e = 0, 1, 2, 2: multiplied by the inverse of 9
// modulo 2^32 and shifted right by s it is the sum. So the result is exact for sums below Limit in magnitude, whatever
// overflows on the way.
//
// F(4, 3) of one dimension does the same with lines of six pixels and three weights: V = B^T d, U = G g, Y = A^T M, six positions. Then
// |V| <= 2040 and |U| <= 896, and element i of Y is 3 * 2^(3-e(i)) times the sum of products.
type WinogradU8S8 struct {
	Info               // NR and KR are those of the transformed weights U; MR is the rows that Multiply takes at a time
	T             int  // outputs of a tile per dimension: 2 or 4
	line          bool // of one dimension
	packed        int  // depths that IGemmU8S8 packs together: its KR
	order         igemmU8S8Order
	input         func(args *WinogradInputArgs)
	weights       func(args *WinogradWeightsArgs)
	multiply      func(args *WinogradMultiplyArgs)
	output        func(args *WinogradOutputArgs, output igemmOutput)
	inputChannels int // fewest that Input takes
}

// WinogradInputArgs describes the transformation of some tiles of an image.
type WinogradInputArgs struct {
	Tiles     int             // at least 1
	C         int             // channels, at least WinogradU8S8.MinChannels
	Pixels    *unsafe.Pointer // Positions per tile, by rows
	Offset    int             // bytes from where a pixel points to the first channel
	V         *int16          // position pos of tile t is the C values PosStride*pos + 2*C*t bytes from it
	PosStride int             // bytes
}

// WinogradWeightsArgs describes the transformation of some depths of a panel of NR columns.
type WinogradWeightsArgs struct {
	W         *int8 // the first of these depths in a panel of IGemmU8S8.PackB of the same tier, see WinogradU8S8.WeightsFrom
	TapStride int   // weights of a position of the window: NR times its depths
	K         int   // depths, a multiple of 4
	U         *int16
	PosStride int // bytes
}

// WinogradMultiplyArgs describes M x NR outputs of a matrix multiplication per position.
type WinogradMultiplyArgs struct {
	Positions int
	M         int    // rows: tiles
	K         int    // depths, a multiple of 4
	V         *int16 // position pos of row m is the K values VStride*pos + 2*K*m bytes from it
	VStride   int    // bytes between positions
	U         *int16 // what Weights wrote
	UStride   int
	C         *int32 // position pos of row m is the NR values CStride*pos + 4*NR*m bytes from it
	CStride   int
	Add       bool // adds to what C holds
}

// WinogradOutputArgs describes the transformation of some tiles of products back into outputs.
type WinogradOutputArgs struct {
	Tiles     int
	M         *int32          // what Multiply wrote
	PosStride int             // bytes
	Pixels    *unsafe.Pointer // Outputs per tile, by rows; nil where there is none
	Residuals *unsafe.Pointer // Outputs per tile, or nil
	Offset    int             // bytes from where pixels and residuals point to the first column
	// Row says what becomes of the sums of a pixel, as of those of a row of IGemmU8S8: N is 1 to NR; C and Res are set from Pixels
	// and Residuals, which must not overlap; ASum, WZero, RowScale and PostBias are nil.
	Row IGemmU8S8Args
}

// Positions returns (T+2)^2, or T+2 of one dimension.
func (k *WinogradU8S8) Positions() int { return k.power(k.T + 2) }

// Outputs returns the outputs of a tile, T^2 or T.
func (k *WinogradU8S8) Outputs() int { return k.power(k.T) }

// taps returns those of the window, 9 or 3.
func (k *WinogradU8S8) taps() int { return k.power(3) }

// power returns n for each dimension, multiplied.
func (k *WinogradU8S8) power(n int) int {
	if k.line {
		return n
	}
	return n * n
}

// MinChannels returns the fewest channels that Input takes.
func (k *WinogradU8S8) MinChannels() int { return k.inputChannels }

// Limit returns what the magnitude of every sum of products must stay below.
func (k *WinogradU8S8) Limit() int {
	if k.line {
		return 1 << 28
	}
	return map[int]int{2: 1 << 29, 4: 1 << 25}[k.T]
}

// Input transforms tiles of the image.
func (k *WinogradU8S8) Input(args *WinogradInputArgs) { k.input(args) }

// WeightsFrom returns where the weights of a panel begin from a depth of each position on, which is a multiple of 16.
func (k *WinogradU8S8) WeightsFrom(panel []int8, depth int) *int8 {
	return &panel[k.order.head+depth*k.block()]
}

// block returns the columns of a panel that lie side by side.
func (k *WinogradU8S8) block() int { return cmp.Or(k.order.block, k.NR) }

// Weights transforms weights; position pos of depth d and column j is U[pos*PosStride/2 + (d/KR*NR+j)*KR + d%KR].
func (k *WinogradU8S8) Weights(args *WinogradWeightsArgs) { k.weights(args) }

// Multiply computes the sums of products of each position modulo 2^32.
func (k *WinogradU8S8) Multiply(args *WinogradMultiplyArgs) { k.multiply(args) }

// Output transforms products back and stores uint8 outputs as IGemmU8S8.Run does.
func (k *WinogradU8S8) Output(args *WinogradOutputArgs) { k.output(args, outputUint8) }

// Dequantize transforms products back and stores float32 outputs as IGemmU8S8.Dequantize does.
func (k *WinogradU8S8) Dequantize(args *WinogradOutputArgs) { k.output(args, outputFloat32) }

// WinogradU8S8For returns the kernel of tiles of T outputs in each of some dimensions that takes the weights that g packs, nil where
// there is none: T is 2 or 4 in two dimensions, 4 in one.
func WinogradU8S8For(t, dimensions int, g *IGemmU8S8) *WinogradU8S8 {
	var table []WinogradU8S8
	switch {
	case t == 2 && dimensions == 2:
		table = winograd2U8S8Table
	case t == 4 && dimensions == 2:
		table = winograd4U8S8Table
	case t == 4 && dimensions == 1:
		table = winograd1DU8S8Table
	default:
		return nil
	}
	k := pick(table, g.Tier)
	if k.NR != g.NR || k.packed != g.KR {
		return nil
	}
	return k
}

// The rows of plain Go have the tile of the one of IGemmU8S8.
var winograd2U8S8Table = []WinogradU8S8{winogradU8S8Generic(WinogradU8S8{
	Info: Info{Op: "winograd2_u8s8", NR: igemmU8S8GenericNR, KR: 2}, T: 2, packed: 4,
})}

var winograd4U8S8Table = []WinogradU8S8{winogradU8S8Generic(WinogradU8S8{
	Info: Info{Op: "winograd4_u8s8", NR: igemmU8S8GenericNR, KR: 2}, T: 4, packed: 4,
})}

var winograd1DU8S8Table = []WinogradU8S8{winogradU8S8Generic(WinogradU8S8{
	Info: Info{Op: "winograd4_1d_u8s8", NR: igemmU8S8GenericNR, KR: 2}, T: 4, line: true, packed: 4,
})}

// winogradU8S8Generic returns the plain Go kernel that takes and makes the same memory as k.
func winogradU8S8Generic(k WinogradU8S8) WinogradU8S8 {
	k.Tier, k.MR, k.inputChannels = Generic, 1, 1
	nr, layout := k.NR, k
	k.input = func(p *WinogradInputArgs) { winogradInputU8(p, &layout) }
	k.weights = func(p *WinogradWeightsArgs) { winogradWeightsS8(p, &layout) }
	k.multiply = func(p *WinogradMultiplyArgs) { winogradMultiplyS16(p, nr) }
	if k.KR == 1 {
		k.multiply = func(p *WinogradMultiplyArgs) { winogradMultiplyDepthsS16(p, nr) }
	}
	k.output = func(p *WinogradOutputArgs, output igemmOutput) { winogradOutputS32(p, &layout, output) }
	return k
}

// inverse9 times 9, and inverse3 times 3, is 1 modulo 2^32.
const (
	inverse9 = 0x38E38E39
	inverse3 = 0xAAAAAAAB
)

// winogradLine is a one-dimensional transformation, of as many values as it looks at into as many as it makes.
type winogradLine func(x [6]int32) [6]int32

// The transformations by T; each line of numbers is one of the matrix in the comment on WinogradU8S8.
var (
	winogradLinesB = map[int]winogradLine{
		2: func(x [6]int32) [6]int32 { return [6]int32{x[0] - x[2], x[1] + x[2], x[2] - x[1], x[1] - x[3]} },
		4: func(x [6]int32) [6]int32 {
			return [6]int32{
				4*x[0] - 5*x[2] + x[4],
				-4*x[1] - 4*x[2] + x[3] + x[4],
				4*x[1] - 4*x[2] - x[3] + x[4],
				-2*x[1] - x[2] + 2*x[3] + x[4],
				2*x[1] - x[2] - 2*x[3] + x[4],
				4*x[1] - 5*x[3] + x[5],
			}
		},
	}
	winogradLinesG = map[int]winogradLine{
		2: func(x [6]int32) [6]int32 { return [6]int32{2 * x[0], x[0] + x[1] + x[2], x[0] - x[1] + x[2], 2 * x[2]} },
		4: func(x [6]int32) [6]int32 {
			return [6]int32{
				6 * x[0],
				x[0] + x[1] + x[2],
				x[0] - x[1] + x[2],
				x[0] + 2*x[1] + 4*x[2],
				x[0] - 2*x[1] + 4*x[2],
				6 * x[2],
			}
		},
	}
	winogradLinesA = map[int]winogradLine{
		2: func(x [6]int32) [6]int32 { return [6]int32{x[0] + x[1] + x[2], x[1] - x[2] - x[3]} },
		4: func(x [6]int32) [6]int32 {
			return [6]int32{
				x[0] - 4*x[1] - 4*x[2] + x[3] + x[4],
				-2*x[1] + 2*x[2] + x[3] - x[4],
				-x[1] - x[2] + x[3] + x[4],
				-x[1] + x[2] + 2*x[3] - 2*x[4] + x[5],
			}
		},
	}
)

// transform applies f to the first columns of x, then to the first rows of what comes out; of one dimension to the first row.
func (k *WinogradU8S8) transform(f winogradLine, x *[6][6]int32, columns, rows int) {
	if k.line {
		x[0] = f(x[0])
		return
	}
	for j := range columns {
		column := [6]int32{x[0][j], x[1][j], x[2][j], x[3][j], x[4][j], x[5][j]}
		for i, v := range f(column) {
			x[i][j] = v
		}
	}
	for i := range rows {
		x[i] = f(x[i])
	}
}

func winogradInputU8(p *WinogradInputArgs, k *WinogradU8S8) {
	n, positions, line := k.T+2, k.Positions(), winogradLinesB[k.T]
	pixels := unsafe.Slice(p.Pixels, p.Tiles*positions)
	for tile := range p.Tiles {
		for c := range p.C {
			var d [6][6]int32
			for i := range positions {
				d[i/n][i%n] = int32(*(*uint8)(unsafe.Add(pixels[tile*positions+i], p.Offset+c)))
			}
			k.transform(line, &d, n, n)
			to := unsafe.Add(unsafe.Pointer(p.V), 2*(p.C*tile+c))
			for i := range positions {
				*(*int16)(unsafe.Add(to, i*p.PosStride)) = int16(d[i/n][i%n])
			}
		}
	}
}

func winogradWeightsS8(p *WinogradWeightsArgs, k *WinogradU8S8) {
	n, line, nr, kr, block := k.T+2, winogradLinesG[k.T], k.NR, k.packed, k.block()
	depth := roundUp(k.taps()*p.TapStride/nr, max(k.order.step, 1)) // of a column in the panel
	for d := range p.K {
		for j := range nr {
			var w [6][6]int32
			for s := range k.taps() {
				i := s*p.TapStride/nr + d
				w[s/3][s%3] = int32(*at(p.W, j/block*block*depth+(i/kr*block+j%block)*kr+i%kr))
			}
			k.transform(line, &w, 3, n)
			to := unsafe.Add(unsafe.Pointer(p.U), 2*((d/k.KR*nr+j)*k.KR+d%k.KR))
			for i := range k.Positions() {
				*(*int16)(unsafe.Add(to, i*p.PosStride)) = int16(w[i/n][i%n])
			}
		}
	}
}

// winogradMultiplyS16 computes two rows by four columns at a time, as igemmU8S8Generic does.
func winogradMultiplyS16(p *WinogradMultiplyArgs, nr int) {
	for pos := range p.Positions {
		u, v, c := unsafe.Add(unsafe.Pointer(p.U), pos*p.UStride), unsafe.Add(unsafe.Pointer(p.V), pos*p.VStride), unsafe.Add(unsafe.Pointer(p.C), pos*p.CStride)
		for n := 0; n < nr; n += 4 {
			for m := 0; m < p.M; m += 2 {
				last := min(m+1, p.M-1) // m itself where one row is left
				out, outLast := (*[4]int32)(unsafe.Add(c, 4*(nr*m+n))), (*[4]int32)(unsafe.Add(c, 4*(nr*last+n)))
				var sums [2][4]int32
				if p.Add {
					sums = [2][4]int32{*out, *outLast}
				}
				addProductsS16(&sums, unsafe.Add(v, 2*p.K*m), unsafe.Add(v, 2*p.K*last), unsafe.Add(u, 4*n), nr, p.K)
				*out, *outLast = sums[0], sums[1]
			}
		}
	}
}

// winogradMultiplyDepthsS16 is winogradMultiplyS16 of weights with KR = 1.
func winogradMultiplyDepthsS16(p *WinogradMultiplyArgs, nr int) {
	for pos := range p.Positions {
		u := unsafe.Slice((*int16)(unsafe.Add(unsafe.Pointer(p.U), pos*p.UStride)), p.K*nr)
		for m := range p.M {
			v := unsafe.Slice((*int16)(unsafe.Add(unsafe.Pointer(p.V), pos*p.VStride+2*p.K*m)), p.K)
			c := unsafe.Slice((*int32)(unsafe.Add(unsafe.Pointer(p.C), pos*p.CStride+4*nr*m)), nr)
			if !p.Add {
				clear(c)
			}
			for d, x := range v {
				for j, w := range u[d*nr:][:nr] {
					c[j] += int32(x) * int32(w)
				}
			}
		}
	}
}

// addProductsS16 adds the products of k values at x and at y with four columns of a panel of nr, whose weights begin at w: of each two
// depths 8 values, column by column, and then as many of the panel's other columns.
func addProductsS16(sums *[2][4]int32, x, y, w unsafe.Pointer, nr, k int) {
	x0, x1, x2, x3 := sums[0][0], sums[0][1], sums[0][2], sums[0][3]
	y0, y1, y2, y3 := sums[1][0], sums[1][1], sums[1][2], sums[1][3]
	for i := 0; i < k; i += 2 {
		a, b, q := (*[2]int16)(unsafe.Add(x, 2*i)), (*[2]int16)(unsafe.Add(y, 2*i)), (*[8]int16)(unsafe.Add(w, 2*nr*i))

		u, v := int32(a[0]), int32(b[0])
		w0, w1, w2, w3 := int32(q[0]), int32(q[2]), int32(q[4]), int32(q[6])
		x0, x1, x2, x3 = x0+u*w0, x1+u*w1, x2+u*w2, x3+u*w3
		y0, y1, y2, y3 = y0+v*w0, y1+v*w1, y2+v*w2, y3+v*w3

		u, v = int32(a[1]), int32(b[1])
		w0, w1, w2, w3 = int32(q[1]), int32(q[3]), int32(q[5]), int32(q[7])
		x0, x1, x2, x3 = x0+u*w0, x1+u*w1, x2+u*w2, x3+u*w3
		y0, y1, y2, y3 = y0+v*w0, y1+v*w1, y2+v*w2, y3+v*w3
	}
	*sums = [2][4]int32{{x0, x1, x2, x3}, {y0, y1, y2, y3}}
}

func winogradOutputS32(p *WinogradOutputArgs, k *WinogradU8S8, output igemmOutput) {
	t, n, nr, outputs, line := k.T, k.T+2, k.NR, k.Outputs(), winogradLinesA[k.T]
	pixels := unsafe.Slice(p.Pixels, p.Tiles*outputs)
	row := p.Row
	for tile := range p.Tiles {
		for c := range row.N {
			var m [6][6]int32
			for i := range k.Positions() {
				m[i/n][i%n] = *(*int32)(unsafe.Add(unsafe.Pointer(p.M), i*p.PosStride+4*(nr*tile+c)))
			}
			k.transform(line, &m, n, t)
			for i := range outputs {
				if pixels[tile*outputs+i] == nil {
					continue
				}
				row.C = unsafe.Add(pixels[tile*outputs+i], p.Offset)
				if p.Residuals != nil {
					row.Res = unsafe.Add(unsafe.Slice(p.Residuals, p.Tiles*outputs)[tile*outputs+i], p.Offset)
				}
				row.finish(output, 0, c, k.sumOfProducts(m[i/t][i%t], i))
			}
		}
	}
}

// sumOfProducts returns the sum that element i of Y stands for.
func (k *WinogradU8S8) sumOfProducts(y int32, i int) int32 {
	if k.T == 2 {
		return y >> 2
	}
	e := [4]int{0, 1, 2, 2}
	if k.line {
		inverse := uint32(inverse3)
		return y * int32(inverse) >> (3 - e[i])
	}
	return y * inverse9 >> (6 - e[i/4] - e[i%4])
}
