package asm

import "unsafe"

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
type WinogradU8S8 struct {
	Info              // NR and KR are those of the packed weights U; MR is the rows that Multiply takes at a time
	T             int // outputs of a tile per dimension: 2 or 4
	packed        int // depths that IGemmU8S8 packs together: its KR
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
	Pixels    *unsafe.Pointer // (T+2)^2 per tile, by rows
	Offset    int             // bytes from where a pixel points to the first channel
	V         *int16          // position pos of tile t is the C values PosStride*pos + 2*C*t bytes from it
	PosStride int             // bytes
}

// WinogradWeightsArgs describes the transformation of some depths of a panel of NR columns.
type WinogradWeightsArgs struct {
	W         *int8 // the panel as IGemmU8S8.PackB of the same tier packs it, from the first of these depths on
	TapStride int   // bytes between positions of the window: NR times the depths of each
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
	Pixels    *unsafe.Pointer // T*T outputs per tile, by rows; nil where there is none
	Residuals *unsafe.Pointer // T*T per tile, or nil
	Offset    int             // bytes from where pixels and residuals point to the first column
	// Row says what becomes of the sums of a pixel, as of those of a row of IGemmU8S8: N is 1 to NR; C and Res are set from Pixels
	// and Residuals, which must not overlap; ASum, WZero, RowScale and PostBias are nil.
	Row IGemmU8S8Args
}

// Positions returns (T+2)^2.
func (k *WinogradU8S8) Positions() int { return (k.T + 2) * (k.T + 2) }

// MinChannels returns the fewest channels that Input takes.
func (k *WinogradU8S8) MinChannels() int { return k.inputChannels }

// Limit returns what the magnitude of every sum of products must stay below.
func (k *WinogradU8S8) Limit() int { return map[int]int{2: 1 << 29, 4: 1 << 25}[k.T] }

// Input transforms tiles of the image.
func (k *WinogradU8S8) Input(args *WinogradInputArgs) { k.input(args) }

// Weights transforms weights; position pos of depth d and column j is U[pos*PosStride/2 + (d/2*NR+j)*2 + d%2].
func (k *WinogradU8S8) Weights(args *WinogradWeightsArgs) { k.weights(args) }

// Multiply computes the sums of products of each position modulo 2^32.
func (k *WinogradU8S8) Multiply(args *WinogradMultiplyArgs) { k.multiply(args) }

// Output transforms products back and stores uint8 outputs as IGemmU8S8.Run does.
func (k *WinogradU8S8) Output(args *WinogradOutputArgs) { k.output(args, outputUint8) }

// Dequantize transforms products back and stores float32 outputs as IGemmU8S8.Dequantize does.
func (k *WinogradU8S8) Dequantize(args *WinogradOutputArgs) { k.output(args, outputFloat32) }

// WinogradU8S8For returns the kernel of tiles of T = 2 or 4 outputs that takes the weights that g packs, nil where there is none.
func WinogradU8S8For(t int, g *IGemmU8S8) *WinogradU8S8 {
	table := winograd2U8S8Table
	if t == 4 {
		table = winograd4U8S8Table
	}
	k := pick(table, g.Tier)
	if k.NR != g.NR || k.packed != g.KR {
		return nil
	}
	return k
}

// The rows of plain Go have the tile of the one of IGemmU8S8.
var winograd2U8S8Table = []WinogradU8S8{winogradU8S8Generic("winograd2_u8s8", 2, igemmU8S8GenericNR, 4)}

var winograd4U8S8Table = []WinogradU8S8{winogradU8S8Generic("winograd4_u8s8", 4, igemmU8S8GenericNR, 4)}

// winogradU8S8Generic returns the plain Go kernel for weights in panels of nr columns and kr depths.
func winogradU8S8Generic(op string, t, nr, kr int) WinogradU8S8 {
	return WinogradU8S8{
		Info: Info{Op: op, Tier: Generic, MR: 1, NR: nr, KR: 2}, T: t, packed: kr, inputChannels: 1,
		input:    func(p *WinogradInputArgs) { winogradInputU8(p, t) },
		weights:  func(p *WinogradWeightsArgs) { winogradWeightsS8(p, t, nr, kr) },
		multiply: func(p *WinogradMultiplyArgs) { winogradMultiplyS16(p, nr) },
		output:   func(p *WinogradOutputArgs, output igemmOutput) { winogradOutputS32(p, t, nr, output) },
	}
}

// inverse9 times 9 is 1 modulo 2^32.
const inverse9 = 0x38E38E39

// The matrices of WinogradU8S8 by T; the input's are those of WinogradF32.
var (
	winogradIntG = map[int][][3]int32{
		2: {{2, 0, 0}, {1, 1, 1}, {1, -1, 1}, {0, 0, 2}},
		4: {{6, 0, 0}, {1, 1, 1}, {1, -1, 1}, {1, 2, 4}, {1, -2, 4}, {0, 0, 6}},
	}
	winogradIntBT = map[int][][6]int32{
		2: {{1, 0, -1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, 1, 0, -1}},
		4: {{4, 0, -5, 0, 1, 0}, {0, -4, -4, 1, 1, 0}, {0, 4, -4, -1, 1, 0}, {0, -2, -1, 2, 1, 0}, {0, 2, -1, -2, 1, 0}, {0, 4, 0, -5, 0, 1}},
	}
	winogradIntAT = map[int][][6]int32{
		2: {{1, 1, 1, 0}, {0, 1, -1, -1}},
		4: {{1, -4, -4, 1, 1, 0}, {0, -2, 2, 1, -1, 0}, {0, -1, -1, 1, 1, 0}, {0, -1, 1, 2, -2, 1}},
	}
	winogradShift = map[int][]int{2: {0, 0}, 4: {0, 1, 2, 2}}
)

// winogradIntBoth returns a d a^T for the first n rows and columns of d.
func winogradIntBoth(a [][6]int32, d *[6][6]int32, n int) (out [6][6]int32) {
	var rows [6][6]int32
	for i := range a {
		for j := range n {
			for k := range n {
				rows[i][j] += a[i][k] * d[k][j]
			}
		}
	}
	for i := range a {
		for j := range a {
			for k := range n {
				out[i][j] += rows[i][k] * a[j][k]
			}
		}
	}
	return out
}

func winogradInputU8(p *WinogradInputArgs, t int) {
	n := t + 2
	bt := winogradIntBT[t]
	pixels := unsafe.Slice(p.Pixels, p.Tiles*n*n)
	for tile := range p.Tiles {
		for c := range p.C {
			var d [6][6]int32
			for i := range n * n {
				d[i/n][i%n] = int32(*(*uint8)(unsafe.Add(pixels[tile*n*n+i], p.Offset+c)))
			}
			v := winogradIntBoth(bt, &d, n)
			for i := range n * n {
				*(*int16)(unsafe.Add(unsafe.Pointer(p.V), i*p.PosStride+2*(p.C*tile+c))) = int16(v[i/n][i%n])
			}
		}
	}
}

func winogradWeightsS8(p *WinogradWeightsArgs, t, nr, kr int) {
	n := t + 2
	g := winogradIntG[t]
	for d := range p.K {
		for j := range nr {
			var rows [6][3]int32 // G g
			for s := range 9 {
				w := int32(*(*int8)(unsafe.Add(unsafe.Pointer(p.W), s*p.TapStride+(d/kr*nr+j)*kr+d%kr)))
				for a := range n {
					rows[a][s%3] += g[a][s/3] * w
				}
			}
			for i := range n * n {
				r, b := &rows[i/n], &g[i%n]
				u := r[0]*b[0] + r[1]*b[1] + r[2]*b[2]
				*(*int16)(unsafe.Add(unsafe.Pointer(p.U), i*p.PosStride+2*((d/2*nr+j)*2+d%2))) = int16(u)
			}
		}
	}
}

func winogradMultiplyS16(p *WinogradMultiplyArgs, nr int) {
	for pos := range p.Positions {
		u := unsafe.Slice((*int16)(unsafe.Add(unsafe.Pointer(p.U), pos*p.UStride)), p.K*nr)
		for m := range p.M {
			v := unsafe.Slice((*int16)(unsafe.Add(unsafe.Pointer(p.V), pos*p.VStride+2*p.K*m)), p.K)
			c := unsafe.Slice((*int32)(unsafe.Add(unsafe.Pointer(p.C), pos*p.CStride+4*nr*m)), nr)
			if !p.Add {
				clear(c)
			}
			for d := 0; d+2 <= len(v); d += 2 {
				x0, x1 := int32(v[d]), int32(v[d+1])
				w := u[d*nr:][:2*nr]
				for j := range c {
					c[j] += x0*int32(w[2*j]) + x1*int32(w[2*j+1])
				}
			}
		}
	}
}

func winogradOutputS32(p *WinogradOutputArgs, t, nr int, output igemmOutput) {
	n := t + 2
	at, shift := winogradIntAT[t], winogradShift[t]
	pixels := unsafe.Slice(p.Pixels, p.Tiles*t*t)
	row := p.Row
	for tile := range p.Tiles {
		for c := range row.N {
			var m [6][6]int32
			for i := range n * n {
				m[i/n][i%n] = *(*int32)(unsafe.Add(unsafe.Pointer(p.M), i*p.PosStride+4*(nr*tile+c)))
			}
			y := winogradIntBoth(at, &m, n)
			for i := range t * t {
				sum := y[i/t][i%t] >> 2
				if t == 4 {
					sum = y[i/t][i%t] * inverse9 >> (6 - shift[i/t] - shift[i%t])
				}
				if pixels[tile*t*t+i] == nil {
					continue
				}
				row.C = unsafe.Add(pixels[tile*t*t+i], p.Offset)
				if p.Residuals != nil {
					row.Res = unsafe.Add(unsafe.Slice(p.Residuals, p.Tiles*t*t)[tile*t*t+i], p.Offset)
				}
				row.finish(output, 0, c, sum)
			}
		}
	}
}
