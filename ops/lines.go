package ops

import (
	"unsafe"

	"github.com/octet-ml/octet/tensor"
)

// axisSplit views a shape as [outer, n, inner] around one dimension. A 0-d
// value has one line of one element.
//
//go:noinline
func axisSplit(s tensor.Shape, axis int) (outer, n, inner int) {
	outer, n, inner = 1, 1, 1
	for i, d := range s {
		switch {
		case i < axis:
			outer *= d
		case i == axis:
			n = d
		default:
			inner *= d
		}
	}
	return outer, n, inner
}

// split divides count independent items of the given cost into tasks of
// perTask items. It does not depend on the number of threads.
//
//go:noinline
func split(count, cost int) (perTask, tasks int) {
	perTask = max(rowTaskLen/max(cost, 1), 1)
	return perTask, (count + perTask - 1) / perTask
}

// emptyKernel is for outputs without elements.
//
//go:noinline
func emptyKernel() *Kernel {
	return &Kernel{Run: func(*Call) error { return nil }, Choice: "empty", Parallel: 1}
}

// lineAxis checks the dimension of an operator that works along one.
func lineAxis(op Op, in []Type, axis int) (int, error) {
	a, err := in[0].Shape.Axis(axis)
	if err != nil {
		return 0, Errorf(op, in, "it has no dimension %d", axis)
	}
	return a, nil
}

// lineKernel computes each line along a dimension by itself: f gets the line
// in a type that holds its elements, and where to put as many results. Both may be the
// memory of the tensors or of the worker; they are the same slice where the
// worker's is used.
func lineKernel[W compute](p *Prepare, axis int, choice string, f func(w *Worker, dst, src []W)) *Kernel {
	outer, n, inner := axisSplit(p.In[0].Shape, axis)
	count := outer * inner
	if count*n == 0 {
		return emptyKernel()
	}
	src := newSource[W](p.In[0].DType, computeTypeOf[W](), inner)
	src.direct = src.direct && inner == 1
	dst := newLineSink[W](p.Out[0].DType, inner)
	perTask, tasks := split(count, n)
	task := func(c *Call, i int, w *Worker) {
		buf := scratchOf[W](w.Scratch, 0, n)
		from, to := base(c.In[0]), base(c.Out[0])
		for line := i * perTask; line < min((i+1)*perTask, count); line++ {
			at := line/inner*n*inner + line%inner
			x := src.take(from, at, 0, n, buf)
			y := dst.room(to, at, n, buf)
			f(w, y, x)
			dst.put(to, at, y)
		}
	}
	var zero W
	return &Kernel{
		Interruptible: true,
		Run:           func(c *Call) error { c.Parallel(tasks, task); return nil },
		WorkerScratch: n * int(unsafe.Sizeof(zero)),
		Choice:        choice,
		Parallel:      tasks,
	}
}

// lineSink is a sink for lines whose elements are stride apart.
type lineSink[W compute] struct {
	sink[W]
	stride int
}

func newLineSink[W compute](d tensor.DType, stride int) lineSink[W] {
	s := lineSink[W]{sink: newSink[W](d), stride: stride}
	s.direct = s.direct && stride == 1
	return s
}

func (s *lineSink[W]) put(base unsafe.Pointer, at int, values []W) {
	switch {
	case s.direct:
	case s.stride == 1:
		s.store(base, at, values)
	case s.same:
		for i, v := range values {
			*element[W](base, at+i*s.stride) = v
		}
	default:
		for i := range values {
			s.store(base, at+i*s.stride, values[i:i+1])
		}
	}
}
