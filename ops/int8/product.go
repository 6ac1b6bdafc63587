package int8

import (
	"encoding/binary"
	"unsafe"

	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// product multiplies matrices of activations, uint8 on both sides: sums of (a-za)*(b-zb) over a depth, in float32. The right matrix takes
// the place of weights: it is packed when it is known, less 128, and so is its zero point.
type product struct {
	g        *asm.IGemmU8S8
	turn     *asm.TransposeU8
	depth, n int
	kc       int // depth up to a multiple of 4
	at       struct{ bias, zeros, mults, columns, total int }
}

// maxProductDepth is the greatest depth whose sums are sure to hold in 32 bits.
const maxProductDepth = 1 << 14

func newProduct(tier asm.Tier, depth, n int) *product {
	p := &product{g: asm.IGemmU8S8For(tier), turn: asm.TransposeU8For(tier), depth: depth, n: n, kc: (depth + 3) / 4 * 4}
	up := (n + p.g.NR - 1) / p.g.NR * p.g.NR
	p.at.bias = alignUp(up / p.g.NR * p.g.PanelBytes(1, p.kc))
	p.at.zeros = p.at.bias + alignUp(4*up)
	p.at.mults = p.at.zeros + alignUp(4*up)
	p.at.columns = p.at.mults + alignUp(4*up)
	p.at.total = p.at.columns + alignUp(max(n*p.kc, p.g.ScratchBytes(1, p.kc)))
	return p
}

// pack packs a right matrix into memory of p.at.total bytes: n rows of depth integers where it is transposed, else depth rows of n, each
// stride behind the last. za and zb are the zero points, scale the number that sums are multiplied by.
func (p *product) pack(mem []byte, args *asm.TransposeU8Args, b *uint8, stride int, transposed bool, za, zb int32, scale float32) {
	columns := mem[p.at.columns:][:p.n*p.kc]
	if transposed {
		for j := range p.n {
			row := columns[j*p.kc:][:p.kc]
			copy(row, unsafe.Slice((*uint8)(unsafe.Add(unsafe.Pointer(b), j*stride)), p.depth))
			for i := p.depth; i < p.kc; i++ {
				row[i] = 128
			}
		}
	} else {
		*args = asm.TransposeU8Args{M: p.depth, N: p.n, Src: b, SrcStride: stride, Dst: &columns[0], DstStride: p.kc, Pad: p.kc, Fill: 128}
		p.turn.Run(args)
	}
	for i := 0; i+4 <= len(columns); i += 4 {
		binary.LittleEndian.PutUint32(columns[i:], binary.LittleEndian.Uint32(columns[i:])^0x80808080)
	}
	signed := int8s(columns)
	up := (p.at.zeros - p.at.bias) / 4
	bias, zeros := int32s(mem[p.at.bias:], up), int32s(mem[p.at.zeros:], up)
	mults := unsafe.Slice((*float32)(unsafe.Pointer(&mem[p.at.mults])), up)
	for j := range up {
		bias[j], zeros[j], mults[j] = 0, zb-128, scale
		if j < p.n {
			bias[j] = za * (int32(p.depth)*(zb-128) - int32(sumOf(signed[j*p.kc:][:p.kc])))
		}
	}
	p.g.PackB(int8s(mem[:p.at.bias]), signed, 1, p.kc, p.n)
}

// rows computes m rows of the result, float32, ldc apart, with the integers at a, lda apart and each followed by what brings it up to
// kc bytes, whose sums are given. rowScale has a further factor for each row, or is nil. The columns in mem are overwritten.
func (p *product) rows(args *asm.IGemmU8S8Args, mem []byte, a *uint8, lda int, sums *int32, rowScale *float32, m int, c *float32, ldc int) {
	*args = asm.IGemmU8S8Args{
		A: unsafe.Pointer(a), AStride: lda, KS: 1, KC: p.kc, B: &int8s(mem)[0], M: m, N: p.n,
		Bias: &int32s(mem[p.at.bias:], 1)[0], ASum: sums, WZero: &int32s(mem[p.at.zeros:], 1)[0],
		Mult: (*float32)(unsafe.Pointer(&mem[p.at.mults])), RowScale: rowScale, FloatLo: -inf, FloatHi: inf,
		C: unsafe.Pointer(c), CStride: 4 * ldc, Scratch: unsafe.Pointer(&mem[p.at.columns]),
	}
	p.g.Dequantize(args)
}

// padRow copies a row of integers and brings it up to a multiple of 4; the rest counts nothing.
func padRow(dst []uint8, src *uint8, n int) {
	clear(dst[copy(dst, unsafe.Slice(src, n)):])
}

// sumBytes adds up integers, eight at a time.
func sumBytes(x []uint8) int32 {
	const low = 0x00ff00ff00ff00ff
	total := int64(0)
	for len(x) >= 8 {
		// Four sums of 16 bits take 128 words before they could overflow.
		var sums uint64
		for i := 0; i < 128 && len(x) >= 8; i++ {
			v := binary.LittleEndian.Uint64(x)
			sums += v&low + v>>8&low
			x = x[8:]
		}
		for ; sums != 0; sums >>= 16 {
			total += int64(sums & 0xffff)
		}
	}
	for _, v := range x {
		total += int64(v)
	}
	return int32(total)
}

// int32s returns the first n numbers in aligned memory.
func int32s(b []byte, n int) []int32 { return unsafe.Slice((*int32)(unsafe.Pointer(&b[0])), n) }

// float32s returns the first n numbers in aligned memory.
func float32s(b []byte, n int) []float32 { return unsafe.Slice((*float32)(unsafe.Pointer(&b[0])), n) }

// bytesAt returns a pointer to integer i of a tensor.
func bytesAt(t *tensor.Tensor, i int) *uint8 { return (*uint8)(unsafe.Add(base(t), i)) }
