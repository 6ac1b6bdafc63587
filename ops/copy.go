package ops

import (
	"unsafe"

	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// strided describes a copy between two layouts of the same elements: the
// extents of a loop nest, outermost first, with the input and output strides of
// each loop in elements. Dimensions that can be walked as one are merged.
type strided struct {
	extent, in, out []int
}

// newStrided merges neighbouring dimensions and drops those of extent 1.
func newStrided(extent, in, out []int) strided {
	var s strided
	for i, e := range extent {
		if e == 1 {
			continue
		}
		k := len(s.extent) - 1
		if k >= 0 && s.in[k] == e*in[i] && s.out[k] == e*out[i] {
			s.extent[k] *= e
			s.in[k], s.out[k] = in[i], out[i]
			continue
		}
		s.extent = append(s.extent, e)
		s.in = append(s.in, in[i])
		s.out = append(s.out, out[i])
	}
	if len(s.extent) == 0 {
		s = strided{[]int{1}, []int{1}, []int{1}}
	}
	return s
}

// permuteKernel copies the first input with its dimensions reordered.
func permuteKernel(p *Prepare, order []int) *Kernel {
	inStrides := p.In[0].Shape.Strides()
	is := make([]int, len(order))
	for i, o := range order {
		is[i] = inStrides[o]
	}
	s := newStrided(p.Out[0].Shape, is, p.Out[0].Shape.Strides())
	return stridedKernel(p.Tier, s, p.In[0].DType.Size(), p.Out[0].Numel(), 0, 0)
}

// stridedKernel copies elements as s says, starting at the given offsets.
func stridedKernel(tier asm.Tier, s strided, size, numel, inOffset, outOffset int) *Kernel {
	if numel == 0 {
		return &Kernel{Run: func(*Call) error { return nil }, Choice: "empty", Parallel: 1}
	}
	outer, n := outerSplit(s.extent, numel)
	copyRows := copyRowsOf(tier, s, size)
	task := func(c *Call, i int, wk *Worker) {
		src, dst := base(c.In[0]), base(c.Out[0])
		in, out := inOffset, outOffset
		for d := outer - 1; d >= 0; d-- {
			k := i % s.extent[d]
			i /= s.extent[d]
			in += k * s.in[d]
			out += k * s.out[d]
		}
		copyRows(wk, dst, src, outer, in, out)
	}
	return &Kernel{
		Interruptible: true,
		Run:           func(c *Call) error { c.Parallel(n, task); return nil },
		Choice:        "strided copy",
		Parallel:      n,
	}
}

// copyRowsOf returns the function that copies elements of the given size, from
// loop d on and at the given offsets.
func copyRowsOf(tier asm.Tier, s strided, size int) func(wk *Worker, dst, src unsafe.Pointer, d, in, out int) {
	cp := newCopier(tier, s)
	switch size {
	case 1:
		cp.plane = cp.planeU8
		return func(wk *Worker, dst, src unsafe.Pointer, d, in, out int) {
			copyLoops[uint8](cp, wk, dst, src, d, in, out)
		}
	case 2:
		return func(wk *Worker, dst, src unsafe.Pointer, d, in, out int) {
			copyLoops[uint16](cp, wk, dst, src, d, in, out)
		}
	case 4:
		cp.plane = cp.planeF32
		return func(wk *Worker, dst, src unsafe.Pointer, d, in, out int) {
			copyLoops[uint32](cp, wk, dst, src, d, in, out)
		}
	}
	return func(wk *Worker, dst, src unsafe.Pointer, d, in, out int) {
		copyLoops[uint64](cp, wk, dst, src, d, in, out)
	}
}

// outerSplit returns how many outer loops become tasks, and the number of
// tasks: few enough that each moves a useful amount.
func outerSplit(extent []int, numel int) (outer, tasks int) {
	tasks = 1
	if numel < 1<<14 {
		return 0, 1
	}
	for outer < len(extent)-2 && tasks*extent[outer] <= 256 {
		tasks *= extent[outer]
		outer++
	}
	return outer, tasks
}

// copier runs the loops of a strided copy.
type copier struct {
	strided
	f32 *asm.TransposeF32
	u8  *asm.TransposeU8
	// plane transposes a matrix of rows x cols, or is nil: dst[c*dstStride+r] = src[r*srcStride+c].
	plane func(wk *Worker, dst, src unsafe.Pointer, rows, cols, dstStride, srcStride int)
}

func newCopier(tier asm.Tier, s strided) *copier {
	return &copier{strided: s, f32: asm.TransposeF32For(tier), u8: asm.TransposeU8For(tier)}
}

func (cp *copier) planeF32(_ *Worker, dst, src unsafe.Pointer, rows, cols, dstStride, srcStride int) {
	d := unsafe.Slice((*float32)(dst), (cols-1)*dstStride+rows)
	s := unsafe.Slice((*float32)(src), (rows-1)*srcStride+cols)
	cp.f32.Run(d, s, rows, cols, dstStride, srcStride)
}

func (cp *copier) planeU8(wk *Worker, dst, src unsafe.Pointer, rows, cols, dstStride, srcStride int) {
	args := &wk.Args.TransposeU8
	*args = asm.TransposeU8Args{
		M: rows, N: cols, Src: (*uint8)(src), SrcStride: srcStride, Dst: (*uint8)(dst), DstStride: dstStride, Pad: rows,
	}
	cp.u8.Run(args)
}

// copyLoops runs the loops from dimension d on.
func copyLoops[T any](cp *copier, wk *Worker, dst, src unsafe.Pointer, d, in, out int) {
	var zero T
	size := int(unsafe.Sizeof(zero))
	n, is, os := cp.extent[d], cp.in[d], cp.out[d]
	last := d == len(cp.extent)-1
	switch {
	case last && is == 1 && os == 1:
		copy(unsafe.Slice((*T)(unsafe.Add(dst, out*size)), n), unsafe.Slice((*T)(unsafe.Add(src, in*size)), n))
	case last:
		for ; n > 0; n-- {
			*(*T)(unsafe.Add(dst, out*size)) = *(*T)(unsafe.Add(src, in*size))
			in += is
			out += os
		}
	case cp.plane != nil && d == len(cp.extent)-2 && is == 1 && cp.out[d+1] == 1:
		cp.plane(wk, unsafe.Add(dst, out*size), unsafe.Add(src, in*size), cp.extent[d+1], n, os, cp.in[d+1])
	case cp.plane != nil && d == len(cp.extent)-2 && os == 1 && cp.in[d+1] == 1:
		cp.plane(wk, unsafe.Add(dst, out*size), unsafe.Add(src, in*size), n, cp.extent[d+1], cp.out[d+1], is)
	default:
		for ; n > 0; n-- {
			copyLoops[T](cp, wk, dst, src, d+1, in, out)
			in += is
			out += os
		}
	}
}

// base returns the address of a contiguous tensor's first element.
//
//go:noinline
func base(t *tensor.Tensor) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(t.Bytes())) }
