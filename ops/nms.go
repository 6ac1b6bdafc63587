package ops

import (
	"cmp"
	"slices"
	"unsafe"

	"github.com/octet-ml/octet/tensor"
)

// NMS is non-maximum suppression, as torchvision.ops.nms: boxes in falling order of their scores, equal ones in their own order,
// without those that overlap one that is kept by more than Threshold: intersection over union.
//
// Inputs: boxes [N, 4] as x1, y1, x2, y2 and scores [N], float32 or float64.
// Outputs: an int64 [N] that begins with the indices of the boxes that are kept, 0 behind them, and an int64 without dimensions, how
// many these are.
type NMS struct{ Threshold float64 }

func (NMS) Name() string { return "nms" }

func (op NMS) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 2, 2); err != nil {
		return nil, err
	}
	b, s := in[0], in[1]
	if b.DType != tensor.Float32 && b.DType != tensor.Float64 || s.DType != b.DType {
		return nil, Errorf(op, in, "boxes and scores must be float32 or float64")
	}
	if len(b.Shape) != 2 || b.Shape[1] != 4 || len(s.Shape) != 1 || s.Shape[0] != b.Shape[0] {
		return nil, Errorf(op, in, "it takes boxes [N, 4] and scores [N]")
	}
	return []Type{{DType: tensor.Int64, Shape: s.Shape}, {DType: tensor.Int64, Shape: tensor.Shape{}}}, nil
}

func (op NMS) Prepare(p *Prepare) (*Kernel, error) {
	if p.In[0].DType == tensor.Float64 {
		return nmsKernel[float64](op, p), nil
	}
	return nmsKernel[float32](op, p), nil
}

// candidate is a box that may still be kept, with its area.
type candidate[F float32 | float64] struct {
	x1, y1, x2, y2, area F
	index                int64
}

// nmsKernel sorts once, and then goes over those boxes only that no kept one has suppressed: they stay together in memory.
func nmsKernel[F float32 | float64](op NMS, p *Prepare) *Kernel {
	n := p.In[1].Shape[0]
	size := int(unsafe.Sizeof(candidate[F]{}))
	return &Kernel{
		Interruptible: true,
		Run: func(c *Call) error {
			boxes, scores := row[F](base(c.In[0]), 0, 4*n), row[F](base(c.In[1]), 0, n)
			kept := c.Out[0].Int64s()
			for i := range kept {
				kept[i] = int64(i)
			}
			slices.SortStableFunc(kept, func(a, b int64) int { return -compareScores(scores[a], scores[b]) })
			left := scratchOf[candidate[F]](c.Scratch, 0, n)
			for i, k := range kept {
				b := boxes[4*k : 4*k+4]
				left[i] = candidate[F]{b[0], b[1], b[2], b[3], (b[2] - b[0]) * (b[3] - b[1]), k}
			}
			count := 0
			for len(left) > 0 && !c.interrupted() {
				kept[count] = left[0].index
				count++
				left = suppress(left[0], left[1:], op.Threshold)
			}
			clear(kept[count:])
			c.Out[1].Int64s()[0] = int64(count)
			return nil
		},
		Scratch:  size * n,
		Choice:   "sorted",
		Parallel: 1,
	}
}

// compareScores orders a NaN behind everything, as sorting does.
func compareScores[F float32 | float64](a, b F) int {
	if a != a || b != b {
		return -cmp.Compare(a, b) // which has it in front
	}
	return cmp.Compare(a, b)
}

// suppress moves the candidates that do not overlap b by more than the threshold to the front and returns them.
func suppress[F float32 | float64](b candidate[F], left []candidate[F], threshold float64) []candidate[F] {
	n := 0
	for i := range left {
		o := &left[i]
		w := min(b.x2, o.x2) - max(b.x1, o.x1)
		h := min(b.y2, o.y2) - max(b.y1, o.y1)
		if w > 0 && h > 0 {
			inter := F(w * h) // rounded, on CPUs that could contract too
			if float64(inter/(b.area+o.area-inter)) > threshold {
				continue
			}
		}
		left[n] = *o
		n++
	}
	return left[:n]
}
