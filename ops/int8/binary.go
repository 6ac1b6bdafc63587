package int8

import (
	"fmt"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// binaryRows divides the elements of two operands and their result into
// outer x rows x cols. One operand, the repeated one, may lack the rows: it has extent 1
// over neighbouring dimensions, as the factors of squeeze-and-excite have over pixels.
type binaryRows struct {
	outer, rows, cols int
	repeated          int // 0 or 1, or -1 when both have all elements
}

// newBinaryRows returns the division, and false where one operand would have to
// be repeated in another way.
func newBinaryRows(a, b tensor.Shape) (r binaryRows, out tensor.Shape, ok bool) {
	r = binaryRows{outer: 1, rows: 1, cols: 1, repeated: -1}
	if len(a) != len(b) {
		return r, nil, false
	}
	shapes := [2]tensor.Shape{a, b}
	first, last := len(a), -1
	for i := range a {
		if a[i] == b[i] {
			continue
		}
		small := 0
		if b[i] == 1 {
			small = 1
		}
		if shapes[small][i] != 1 || r.repeated == 1-small {
			return r, nil, false
		}
		r.repeated = small
		first, last = min(first, i), i
	}
	out = a
	if r.repeated == 0 {
		out = b
	}
	for i, d := range out {
		switch {
		case r.repeated < 0 || i > last:
			r.cols *= d
		case i < first:
			r.outer *= d
		default:
			if shapes[r.repeated][i] != 1 {
				return r, nil, false
			}
			r.rows *= d
		}
	}
	return r, out, true
}

// inferBinary checks the operands of op, which gives qparams q.
func inferBinary(op ops.Op, in []ops.Type, q *tensor.QParams, act ops.Activation) ([]ops.Type, error) {
	if len(in) != 2 {
		return nil, ops.Errorf(op, in, "it takes two values")
	}
	for i := range in {
		if err := activation(op, in, i); err != nil {
			return nil, err
		}
	}
	if err := ops.CheckClamp(op, in, act); err != nil {
		return nil, err
	}
	if q == nil {
		return nil, ops.Errorf(op, in, "its output must be quantized")
	}
	_, shape, ok := newBinaryRows(in[0].Shape, in[1].Shape)
	if !ok {
		return nil, ops.Errorf(op, in, "the shapes differ, other than by dimensions side by side in which one operand has extent 1")
	}
	return []ops.Type{outputType(q, shape)}, nil
}

// Broadcasts reports whether quantized operands of these shapes have a kernel.
func Broadcasts(a, b tensor.Shape) bool {
	_, _, ok := newBinaryRows(a, b)
	return ok
}

// binaryTaskLen is about how many elements one task computes.
const binaryTaskLen = 1 << 14

// prepareBinary prepares kernel k with what args has: the parameters.
func prepareBinary(p *ops.Prepare, k *asm.BinaryU8, args asm.BinaryU8Args) *ops.Kernel {
	r, _, _ := newBinaryRows(p.In[0].Shape, p.In[1].Shape)
	if r.repeated < 0 {
		// Any division will do.
		r.rows, r.cols = (r.cols+binaryTaskLen-1)/binaryTaskLen, binaryTaskLen
	}
	total := p.Out[0].Numel()
	perTask := max(binaryTaskLen/r.cols, 1)
	parts := (r.rows + perTask - 1) / perTask
	args.CStride = r.cols
	args.AStride, args.BStride = r.cols, r.cols
	switch r.repeated {
	case 0:
		args.AStride = 0
	case 1:
		args.BStride = 0
	}
	task := func(c *ops.Call, i int, wk *ops.Worker) {
		outer, row := i/parts, i%parts*perTask
		to := (outer*r.rows + row) * r.cols
		from := [2]int{to, to}
		if r.repeated >= 0 {
			from[r.repeated] = outer * r.cols
		}
		w := &wk.Args.BinaryU8
		*w = args
		w.M, w.N = min(perTask, r.rows-row), min(r.cols, total-to)
		w.A, w.B = &c.In[0].Uint8s()[from[0]], &c.In[1].Uint8s()[from[1]]
		w.C = &c.Out[0].Uint8s()[to]
		k.Run(w)
	}
	tasks := r.outer * parts
	return &ops.Kernel{
		Run:      func(c *ops.Call) error { c.Parallel(tasks, task); return nil },
		Choice:   fmt.Sprintf("%s %s", k.Op, k.Tier),
		Parallel: tasks,
	}
}

// binaryChannelsLast says that an operator of two operands works in any layout.
func binaryChannelsLast(op ops.Op, in []ops.Type) (ops.Op, []int, bool) {
	return op, []int{0, 1}, len(in[0].Shape) >= 3
}
