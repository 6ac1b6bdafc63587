package ops

import (
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// InPlace lets the result lie where a float32 operand of its shape did.
func (op Binary) InPlace(in []Type) []int {
	if in[0].DType != tensor.Float32 || in[1].DType != tensor.Float32 || op.Fn != Add && op.Fn != Sub && op.Fn != Mul && op.Fn != Div {
		return nil
	}
	return []int{0, 1}
}

// prepareFloat32 prepares the arithmetic of float32 values that has a kernel,
// or returns nil.
func (op Binary) prepareFloat32(p *Prepare) *Kernel {
	out := p.Out[0]
	if p.In[0].DType != tensor.Float32 || p.In[1].DType != tensor.Float32 || out.DType != tensor.Float32 {
		return nil
	}
	var fn, reversed asm.BinaryOp
	switch op.Fn {
	case Add:
		fn, reversed = asm.BinaryAdd, asm.BinaryAdd
	case Sub:
		fn, reversed = asm.BinarySub, asm.BinaryRSub
	case Mul:
		fn, reversed = asm.BinaryMul, asm.BinaryMul
	case Div:
		fn, reversed = asm.BinaryDiv, asm.BinaryRDiv
	default:
		return nil
	}
	_, as := align(p.In[0].Shape, len(out.Shape), op.NHWC)
	_, bs := align(p.In[1].Shape, len(out.Shape), op.NHWC)
	r := newRows(out.Shape, as, bs)
	a, b := 0, 1
	if r.step[0] != 1 {
		// The kernels broadcast the second operand only.
		a, b, fn = 1, 0, reversed
	}
	if r.step[a] != 1 && r.n > 1 || r.step[b] > 1 {
		return nil
	}
	kernel := asm.BinaryF32For(fn, p.Tier)
	clamp := asm.UnaryF32For(asm.UnaryClamp, p.Tier)
	lo, hi := op.Act.Bounds()
	scalar := r.step[b] == 0
	aStep, bStep := 4*r.rowStep(a), 4*r.rowStep(b)
	return r.kernel(kernel.Op+" "+kernel.Tier.String(), func(c *Call, i int, w *Worker) {
		pa, pb, po := base(c.In[a]), base(c.In[b]), base(c.Out[0])
		r.eachBlock(i, func(o int, in [maxOperands]int, n, count int) {
			args := &w.Args.BinaryF32
			*args = asm.BinaryF32Args{
				Dst: element[float32](po, o), A: element[float32](pa, in[a]), B: element[float32](pb, in[b]),
				DstStride: 4 * n, AStride: aStep, BStride: bStep, Rows: count, Cols: n, BScalar: scalar,
			}
			kernel.Run(args)
			if op.Act != NoActivation {
				y := row[float32](po, o, n*count)
				clamp.Run(y, y, lo, hi)
			}
		})
	})
}
