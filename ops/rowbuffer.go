package ops

import (
	"math"
	"unsafe"

	"github.com/x448/float16"

	"github.com/octet-ml/octet/tensor"
)

// source gives rows of an operand in the type it is computed in: the memory of
// the tensor itself where it has that type, else converted into a buffer.
type source[W compute] struct {
	load   loadFunc[W]
	step   int
	direct bool
}

// newSource returns the source of an operand of type d whose elements are step
// apart. They are rounded to common first, where that is a narrower type than W.
func newSource[W compute](d, common tensor.DType, step int) source[W] {
	s := source[W]{load: loader[W](d), step: step, direct: d == computeTypeOf[W]() && step <= 1}
	if narrow := narrower[W](common); narrow != nil && d != common {
		load := s.load
		s.direct = false
		s.load = func(dst []W, src unsafe.Pointer, at, stride int) {
			load(dst, src, at, stride)
			narrow(dst)
		}
	}
	return s
}

// narrower returns the function that rounds, or wraps, to the values of d; nil
// where W has no others.
func narrower[W compute](d tensor.DType) func([]W) {
	var f func(W) W
	switch d {
	case tensor.Float16:
		f = func(v W) W { return W(float16.Fromfloat32(float32(v)).Float32()) }
	case tensor.BFloat16:
		f = func(v W) W { return W(math.Float32frombits(uint32(bfloat16Bits(float32(v))) << 16)) }
	case tensor.Int8:
		f = func(v W) W { return W(int8(v)) }
	case tensor.Uint8:
		f = func(v W) W { return W(uint8(v)) }
	case tensor.Int32:
		f = func(v W) W { return W(int32(v)) }
	default:
		return nil
	}
	return func(x []W) {
		for i, v := range x {
			x[i] = f(v)
		}
	}
}

// take returns n elements from at on, or one where the operand is the same
// along the row. offset is where in the row it starts.
func (s *source[W]) take(base unsafe.Pointer, at, offset, n int, buf []W) []W {
	if s.step == 0 {
		n = 1
	}
	at += offset * s.step
	if s.direct {
		return row[W](base, at, n)
	}
	s.load(buf[:n], base, at, s.step)
	return buf[:n]
}

// sink takes rows of results: in the memory of the tensor itself where it has
// the type they are computed in, else converted from a buffer.
type sink[W compute] struct {
	store  storeFunc[W]
	direct bool
	same   bool // the element type is W
}

func newSink[W compute](d tensor.DType) sink[W] {
	same := d == computeTypeOf[W]()
	return sink[W]{store: storer[W](d), direct: same, same: same}
}

// room returns where to compute n elements from at on; put finishes them.
func (s *sink[W]) room(base unsafe.Pointer, at, n int, buf []W) []W {
	if s.direct {
		return row[W](base, at, n)
	}
	return buf[:n]
}

func (s *sink[W]) put(base unsafe.Pointer, at int, values []W) {
	if !s.direct {
		s.store(base, at, values)
	}
}

// buffers returns worker scratch as count buffers of bufferLen elements.
func buffers[W compute](w *Worker, count int) []W { return scratchOf[W](w.Scratch, 0, count*bufferLen) }

func bufferBytes[W compute](count int) int {
	var zero W
	return count * bufferLen * int(unsafe.Sizeof(zero))
}
