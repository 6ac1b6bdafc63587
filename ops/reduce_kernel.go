package ops

import (
	"unsafe"

	"github.com/octet-ml/octet/tensor"
)

// reduceCols is how many accumulators a task keeps side by side.
const reduceCols = 512

// reduceLoops is a reduction as loops over the input: the kept dimensions
// number the outputs, the reduced ones the elements of each. The innermost
// dimension is a row of elements of one output, or of neighbouring outputs.
type reduceLoops struct {
	kept, reduced loops // without the innermost dimension
	n             int   // extent of the innermost dimension
	cols          bool  // it is kept
	count         int   // elements of one output
}

// loops are nested loops, outermost first, with a stride in elements.
type loops struct {
	extent, stride []int
	total          int // iterations
}

// offset returns where iteration i of the loops starts.
func (l *loops) offset(i int) int {
	at := 0
	for d := len(l.extent) - 1; d >= 0; d-- {
		at += i % l.extent[d] * l.stride[d]
		i /= l.extent[d]
	}
	return at
}

func (l *loops) push(extent, stride int) {
	l.extent = append(l.extent, extent)
	l.stride = append(l.stride, stride)
	l.total *= extent
}

func newReduceLoops(s tensor.Shape, reduced []bool) *reduceLoops {
	r := &reduceLoops{kept: loops{total: 1}, reduced: loops{total: 1}, n: 1}
	strides := s.Strides()
	// Neighbouring dimensions of one kind are one loop.
	type loop struct {
		extent, stride int
		reduced        bool
	}
	var all []loop
	for i, d := range s {
		switch k := len(all) - 1; {
		case d == 1:
		case k >= 0 && all[k].reduced == reduced[i]:
			all[k].extent *= d
			all[k].stride = strides[i]
		default:
			all = append(all, loop{d, strides[i], reduced[i]})
		}
	}
	for i, l := range all {
		if i == len(all)-1 {
			r.n, r.cols = l.extent, !l.reduced
			break
		}
		if l.reduced {
			r.reduced.push(l.extent, l.stride)
		} else {
			r.kept.push(l.extent, l.stride)
		}
	}
	r.count = r.reduced.total
	if !r.cols {
		r.count *= r.n
	}
	return r
}

func reduceKernel[W, A compute](p *Prepare, reduced []bool, f reduction[W, A]) *Kernel {
	l := newReduceLoops(p.In[0].Shape, reduced)
	out := p.Out[0]
	if out.Numel() == 0 {
		return emptyKernel()
	}
	src, dst := newSource[W](p.In[0].DType, computeTypeOf[W](), 1), newSink[A](out.DType)
	var task Task
	var tasks int
	if l.cols {
		cols := min(l.n, reduceCols)
		parts := (l.n + cols - 1) / cols
		perTask, n := split(l.kept.total*parts, cols*max(l.reduced.total, 1))
		tasks = n
		task = reduceColsTask(l, f, src, dst, perTask, parts, cols)
	} else {
		perTask, n := split(l.kept.total, l.count)
		tasks = n
		task = reduceRowsTask(l, f, src, dst, perTask)
	}
	return &Kernel{
		Interruptible: true,
		Run:           func(c *Call) error { c.Parallel(tasks, task); return nil },
		WorkerScratch: 4*8*reduceCols + bufferBytes[W](1),
		Choice:        "loops",
		Parallel:      tasks,
	}
}

// reduceColsTask reduces some columns of some outer iterations.
func reduceColsTask[W, A compute](l *reduceLoops, f reduction[W, A], src source[W], dst sink[A], perTask, parts, cols int) Task {
	total := l.kept.total * parts
	return func(c *Call, i int, w *Worker) {
		from, to := base(c.In[0]), base(c.Out[0])
		acc, aux := scratchOf[A](w.Scratch, 0, reduceCols), scratchOf[A](w.Scratch, 8*reduceCols, reduceCols)
		buf, left := scratchOf[W](w.Scratch, 16*reduceCols, reduceCols), scratchOf[A](w.Scratch, 24*reduceCols, reduceCols)
		for u := i * perTask; u < min((i+1)*perTask, total); u++ {
			c0 := u % parts * cols
			m := min(cols, l.n-c0)
			at := l.kept.offset(u/parts) + c0
			acc, aux := acc[:m], aux[:m]
			sweepCols(l, &f.first, &src, from, at, acc, aux, buf)
			if f.second != nil {
				for j, v := range acc {
					aux[j] = f.between(v, l.count)
				}
				sweepCols(l, f.second, &src, from, at, acc, aux, buf)
			}
			if f.third != nil {
				sweepCols(l, f.third, &src, from, at, left[:m], aux, buf)
				copy(aux, left)
			}
			for j := range acc {
				acc[j] = f.finish(acc[j], aux[j], l.count)
			}
			dst.store(to, u/parts*l.n+c0, acc)
		}
	}
}

func sweepCols[W, A compute](l *reduceLoops, p *pass[W, A], src *source[W], from unsafe.Pointer, at int, acc, aux []A, buf []W) {
	fill(acc, p.start)
	for k := range l.reduced.total {
		p.cols(acc, aux, src.take(from, at+l.reduced.offset(k), 0, len(acc), buf))
	}
}

// reduceRowsTask reduces some outputs.
func reduceRowsTask[W, A compute](l *reduceLoops, f reduction[W, A], src source[W], dst sink[A], perTask int) Task {
	return func(c *Call, i int, w *Worker) {
		from, to := base(c.In[0]), base(c.Out[0])
		result := scratchOf[A](w.Scratch, 0, 1)
		buf := scratchOf[W](w.Scratch, 32*reduceCols, bufferLen)
		for o := i * perTask; o < min((i+1)*perTask, l.kept.total); o++ {
			at := l.kept.offset(o)
			var aux A
			acc := sweepRows(l, &f.first, &src, from, at, aux, buf)
			if f.second != nil {
				aux = f.between(acc, l.count)
				acc = sweepRows(l, f.second, &src, from, at, aux, buf)
			}
			if f.third != nil {
				aux = sweepRows(l, f.third, &src, from, at, aux, buf)
			}
			result[0] = f.finish(acc, aux, l.count)
			dst.store(to, o, result)
		}
	}
}

func sweepRows[W, A compute](l *reduceLoops, p *pass[W, A], src *source[W], from unsafe.Pointer, at int, aux A, buf []W) A {
	acc := p.start
	part := bufferLen
	if src.direct {
		part = l.n
	}
	for k := range l.reduced.total {
		start := at + l.reduced.offset(k)
		for i := 0; i < l.n; i += part {
			acc = p.row(acc, aux, src.take(from, start, i, min(part, l.n-i), buf))
		}
	}
	return acc
}
