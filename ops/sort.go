package ops

import (
	"math"
	"slices"

	"github.com/octet-ml/octet/tensor"
)

// Sort orders the elements along one dimension, as torch.sort with stable=True
// does: equal elements keep their order, and a NaN is greater than everything.
//
// Outputs: the elements and the int64 indices they had.
type Sort struct {
	Axis       int
	Descending bool
}

func (Sort) Name() string { return "sort" }

func (op Sort) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 1, 1); err != nil {
		return nil, err
	}
	if _, err := sortable(op, in, op.Axis); err != nil {
		return nil, err
	}
	return fold(op, in, Type{DType: in[0].DType, Shape: in[0].Shape, Q: in[0].Q}, Type{DType: tensor.Int64, Shape: in[0].Shape})
}

func sortable(op Op, in []Type, axis int) (int, error) {
	if q := in[0].Q; q != nil && q.Scheme.PerChannel() {
		return 0, Errorf(op, in, "elements quantized per channel do not compare")
	}
	return lineAxis(op, in, axis)
}

func (op Sort) Prepare(p *Prepare) (*Kernel, error) {
	axis, err := lineAxis(op, p.In, op.Axis)
	if err != nil {
		return nil, err
	}
	_, n, _ := axisSplit(p.In[0].Shape, axis)
	return sortKernel(p, axis, n, op.Descending), nil
}

// TopK gives the K greatest elements along one dimension, or the K least, with
// the greatest, or least, first, as torch.topk does. Of equal elements the
// first are taken.
//
// Outputs: the elements and the int64 indices they had.
type TopK struct {
	K, Axis int
	Least   bool
}

func (TopK) Name() string { return "topk" }

func (op TopK) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 1, 1); err != nil {
		return nil, err
	}
	axis, err := sortable(op, in, op.Axis)
	if err != nil {
		return nil, err
	}
	_, n, _ := axisSplit(in[0].Shape, axis)
	if op.K < 0 || op.K > n || op.K == 0 && len(in[0].Shape) == 0 {
		return nil, Errorf(op, in, "it cannot take %d of %d elements", op.K, n)
	}
	if in[0].DType == tensor.Bool {
		return nil, Errorf(op, in, "it is not defined on bool")
	}
	shape := in[0].Shape.Clone()
	if len(shape) > 0 {
		shape[axis] = op.K
	}
	return fold(op, in, Type{DType: in[0].DType, Shape: shape, Q: in[0].Q}, Type{DType: tensor.Int64, Shape: shape})
}

func (op TopK) Prepare(p *Prepare) (*Kernel, error) {
	axis, err := lineAxis(op, p.In, op.Axis)
	if err != nil {
		return nil, err
	}
	return sortKernel(p, axis, op.K, !op.Least), nil
}

func sortKernel(p *Prepare, axis, k int, descending bool) *Kernel {
	switch computeType(p.In[0].DType) {
	case tensor.Float32:
		return sortLines(p, axis, k, descending, func(v float32) uint64 { return orderOf(float64(v)) })
	case tensor.Float64:
		return sortLines(p, axis, k, descending, orderOf)
	}
	return sortLines(p, axis, k, descending, func(v int64) uint64 { return uint64(v) ^ 1<<63 })
}

// orderOf returns a number that is as great among others as v is among floats: the two zeros are equal, and a NaN is behind everything.
func orderOf(v float64) uint64 {
	switch b := math.Float64bits(v + 0); { // -0 + 0 is 0
	case v != v:
		return math.MaxUint64
	case b>>63 != 0:
		return ^b
	default:
		return b | 1<<63
	}
}

// ranked is the place of an element among others, and the index it has.
type ranked struct {
	key   uint64
	index int64
}

// compareRanked leaves equal elements in their order.
func compareRanked(a, b ranked) int {
	switch {
	case a.key < b.key:
		return -1
	case a.key > b.key:
		return 1
	}
	return int(a.index - b.index)
}

// sortLines sorts every line by the keys of its elements and keeps the first k.
func sortLines[W compute](p *Prepare, axis, k int, descending bool, key func(W) uint64) *Kernel {
	outer, n, inner := axisSplit(p.In[0].Shape, axis)
	if k*outer*inner == 0 {
		return emptyKernel()
	}
	src, dst := newSource[W](p.In[0].DType, computeTypeOf[W](), inner), newLineSink[W](p.Out[0].DType, inner)
	src.direct = src.direct && inner == 1
	flip := uint64(0)
	if descending {
		flip = math.MaxUint64
	}
	perTask, tasks := split(outer*inner, 8*n)
	task := func(c *Call, i int, w *Worker) {
		line := scratchOf[ranked](w.Scratch, 0, n)
		buf, kept := scratchOf[W](w.Scratch, 16*n, n), scratchOf[W](w.Scratch, 24*n, k)
		for l := i * perTask; l < min((i+1)*perTask, outer*inner); l++ {
			values := src.take(base(c.In[0]), l/inner*n*inner+l%inner, 0, n, buf)
			for j, v := range values {
				line[j] = ranked{key(v) ^ flip, int64(j)}
			}
			top := line
			if k < n/8 {
				top = selectTop(line, k)
			}
			sortRanked(c, top)
			at := l/inner*k*inner + l%inner
			for j, e := range top[:k] {
				kept[j] = values[e.index]
				*element[int64](base(c.Out[1]), at+j*inner) = e.index
			}
			if dst.direct {
				copy(row[W](base(c.Out[0]), at, k), kept)
			} else {
				dst.put(base(c.Out[0]), at, kept)
			}
		}
	}
	return &Kernel{
		Interruptible: true,
		Run:           func(c *Call) error { c.Parallel(tasks, task); return nil },
		WorkerScratch: scratchBytes(32, n),
		Choice:        "sort",
		Parallel:      tasks,
	}
}

// longLine is how many elements are sorted with looks at the context in between.
const longLine = 1 << 18

// sortRanked sorts elements by their places, equal ones by their indices.
func sortRanked(c *Call, line []ranked) {
	if len(line) < longLine {
		slices.SortFunc(line, compareRanked)
	} else {
		slices.SortFunc(line, untilEnded(c, compareRanked))
	}
}

// untilEnded is an order of which all elements are equal once the context has ended, so that sorting comes to its end.
func untilEnded(c *Call, order func(a, b ranked) int) func(a, b ranked) int {
	compared, ended := 0, false
	return func(a, b ranked) int {
		if compared++; compared%longLine == 0 {
			ended = ended || c.interrupted()
		}
		if ended {
			return 0
		}
		return order(a, b)
	}
}

// selectTop moves the first k elements to the front, with a heap whose root is the last of them.
func selectTop(line []ranked, k int) []ranked {
	heap := line[:k]
	down := func(i int) {
		for {
			c := 2*i + 1
			if c >= k {
				return
			}
			if c+1 < k && compareRanked(heap[c+1], heap[c]) > 0 {
				c++
			}
			if compareRanked(heap[c], heap[i]) <= 0 {
				return
			}
			heap[i], heap[c] = heap[c], heap[i]
			i = c
		}
	}
	for i := k/2 - 1; i >= 0; i-- {
		down(i)
	}
	for _, e := range line[k:] {
		if e.key < heap[0].key { // of equal ones the first is kept
			heap[0] = e
			down(0)
		}
	}
	return heap
}
