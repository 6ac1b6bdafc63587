package ops

import (
	"github.com/octet-ml/octet/tensor"
)

// maxOperands is how many inputs an elementwise operator has at most.
const maxOperands = 3

// align returns the shape of an operand of an elementwise operator with an
// output of the given rank, and its strides there, 0 where it has extent 1. The
// operand of lower rank gets dimensions of extent 1 in front; with nhwc its
// dimensions are those of NCHW and follow the output's order.
func align(s tensor.Shape, rank int, nhwc bool) (tensor.Shape, []int) {
	shape, strides := make(tensor.Shape, rank), make([]int, rank)
	own := s.Strides()
	for i := range rank {
		to := i
		if nhwc && len(s) < rank {
			to = ChannelsLastAxis(i, rank)
		}
		shape[to] = 1
		if k := i - rank + len(s); k >= 0 {
			shape[to] = s[k]
			if s[k] != 1 {
				strides[to] = own[k]
			}
		}
	}
	return shape, strides
}

// broadcastShape returns the shape the operands have together.
func broadcastShape(in []Type, nhwc bool) (tensor.Shape, error) {
	rank := 0
	for _, t := range in {
		rank = max(rank, len(t.Shape))
	}
	out := make(tensor.Shape, rank)
	for i := range out {
		out[i] = 1
	}
	for _, t := range in {
		shape, _ := align(t.Shape, rank, nhwc)
		var err error
		if out, err = tensor.Broadcast(out, shape); err != nil {
			return nil, err
		}
	}
	if _, err := out.Numel(); err != nil {
		return nil, err
	}
	return out, nil
}

// channelsLastInputs lists the inputs that are permuted with an output of rank
// three or more: those of its rank. The others still align with NCHW.
//
//go:noinline
func channelsLastInputs(in []Type) ([]int, bool) {
	rank := 0
	for _, t := range in {
		rank = max(rank, len(t.Shape))
	}
	if rank < 3 {
		return nil, false
	}
	var inputs []int
	for i, t := range in {
		if len(t.Shape) == rank {
			inputs = append(inputs, i)
		}
	}
	return inputs, true
}

// rows walks the elements of a contiguous output and what they take from each
// operand, in rows along which every operand has one stride, split into tasks
// that do not depend on the number of threads.
type rows struct {
	extent  []int              // outer loops, outermost first
	strides [maxOperands][]int // of the outer loops, for each operand
	n       int                // length of a row
	step    [maxOperands]int   // stride of each operand along the row
	count   int                // rows
	chunk   int                // elements of a row that one task takes
	parts   int                // tasks for one row
	group   int                // rows of one task
	tasks   int
}

// rowTaskLen is the number of elements of one task of elementwise work.
const rowTaskLen = 1 << 14

func newRows(shape tensor.Shape, strides ...[]int) *rows {
	r := &rows{n: 1, count: 1}
	var extent []int
	var merged [maxOperands][]int
	for d, e := range shape {
		if e == 1 {
			continue
		}
		last := len(extent) - 1
		join := last >= 0
		for k := range strides {
			join = join && merged[k][last] == e*strides[k][d]
		}
		if join {
			extent[last] *= e
		} else {
			extent = append(extent, e)
			last++
		}
		for k := range strides {
			merged[k] = append(merged[k][:last], strides[k][d])
		}
	}
	if last := len(extent) - 1; last >= 0 {
		r.n = extent[last]
		r.extent = extent[:last]
		for k := range strides {
			r.step[k] = merged[k][last]
			r.strides[k] = merged[k][:last]
		}
	}
	for _, e := range r.extent {
		r.count *= e
	}
	if r.n == 0 || r.count == 0 {
		return r
	}
	r.chunk = min(r.n, rowTaskLen)
	r.parts = (r.n + r.chunk - 1) / r.chunk
	r.group = max(rowTaskLen/r.n, 1)
	r.tasks = (r.count + r.group - 1) / r.group * r.parts
	return r
}

// each calls f for the rows, or the part of a row, of one task: with the first
// element of the output and of each operand, and the number of elements.
func (r *rows) each(task int, f func(out int, in [maxOperands]int, n int)) {
	from := task % r.parts * r.chunk
	n := min(r.chunk, r.n-from)
	first := task / r.parts * r.group
	for i := first; i < min(first+r.group, r.count); i++ {
		var in [maxOperands]int
		for k := range in {
			in[k] = from * r.step[k]
		}
		for rest, d := i, len(r.extent)-1; d >= 0; d-- {
			at := rest % r.extent[d]
			rest /= r.extent[d]
			for k := range in {
				if s := r.strides[k]; s != nil {
					in[k] += at * s[d]
				}
			}
		}
		f(i*r.n+from, in, n)
	}
}

// eachBlock is each with neighbouring rows together: count rows of n elements,
// from the first element of the output and of each operand on. rowStep gives the operand's
// distance between them.
func (r *rows) eachBlock(task int, f func(out int, in [maxOperands]int, n, count int)) {
	if len(r.extent) == 0 || r.parts > 1 {
		r.each(task, func(out int, in [maxOperands]int, n int) { f(out, in, n, 1) })
		return
	}
	last := len(r.extent) - 1
	first := task * r.group
	end := min(first+r.group, r.count)
	for first < end {
		m := min(r.extent[last]-first%r.extent[last], end-first)
		var in [maxOperands]int
		for rest, d := first, last; d >= 0; d-- {
			at := rest % r.extent[d]
			rest /= r.extent[d]
			for k := range in {
				if s := r.strides[k]; s != nil {
					in[k] += at * s[d]
				}
			}
		}
		f(first*r.n, in, r.n, m)
		first += m
	}
}

// rowStep returns the distance of an operand's rows within a block.
func (r *rows) rowStep(operand int) int {
	if s := r.strides[operand]; len(s) > 0 {
		return s[len(s)-1]
	}
	return 0
}

// kernel returns a kernel that runs the task for all parts.
//
//go:noinline
func (r *rows) kernel(choice string, task Task) *Kernel {
	n := r.tasks
	return &Kernel{
		Interruptible: true,
		Run:           func(c *Call) error { c.Parallel(n, task); return nil },
		Choice:        choice,
		Parallel:      n,
	}
}
