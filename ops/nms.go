package ops

import (
	"math"
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

// keptBox is a box that is kept, with its area, and the box that was kept before it in the same cell.
type keptBox[F float32 | float64] struct {
	x1, y1, x2, y2, area F
	before               int32
}

// nmsCells is the most cells that the boxes are divided into.
const nmsCells = 1 << 12

// nmsKernel sorts once, and then compares each box with those that are kept so far and near enough.
func nmsKernel[F float32 | float64](op NMS, p *Prepare) *Kernel {
	n := p.In[1].Shape[0]
	size := int(unsafe.Sizeof(keptBox[F]{}))
	return &Kernel{
		Interruptible: true,
		Run: func(c *Call) error {
			boxes, scores := row[F](base(c.In[0]), 0, 4*n), row[F](base(c.In[1]), 0, n)
			order, line := c.Out[0].Int64s(), scratchOf[ranked](c.Scratch, size*n+4*nmsCells, n)
			for i, s := range scores {
				line[i] = ranked{^orderOf(float64(s)), int64(i)} // the greatest first, a NaN in front of it
			}
			sortRanked(c, line)
			kept, count := scratchOf[keptBox[F]](c.Scratch, 0, n), 0
			last := scratchOf[int32](c.Scratch, size*n, nmsCells) // of each cell, -1 in an empty one
			for i := range last {
				last[i] = -1
			}
			axis := newNMSLine(boxes, op.Threshold)
			for i, e := range line {
				k := e.index
				if i%64 == 0 && c.interrupted() {
					break
				}
				b := boxes[4*k : 4*k+4]
				box := keptBox[F]{b[0], b[1], b[2], b[3], (b[2] - b[0]) * (b[3] - b[1]), -1}
				at, from, to := axis.cells(float64(b[0]), float64(b[2]))
				if !box.overlaps(kept, last[from:to+1], op.Threshold) {
					box.before, last[at] = last[at], int32(count)
					kept[count], order[count] = box, k
					count++
				}
			}
			clear(order[count:])
			c.Out[1].Int64s()[0] = int64(count)
			return nil
		},
		Scratch:  (size+16)*n + 4*nmsCells,
		Choice:   "sorted",
		Parallel: 1,
	}
}

// nmsLine divides the x axis into cells, of which each has the boxes whose middles lie there. Two boxes of widths a and b whose intersection over union is
// above t have b <= a/t, and middles less than (a+b)/2 * (1-t)/(1+t) apart, since that is so of intervals and what two boxes have in common
// along one axis bounds it: so boxes further than a*(1-t)/(2*t) away need not be looked at.
type nmsLine struct{ start, perUnit, reach float64 }

// newNMSLine chooses cells about as wide as most boxes reach, and one for all where rounding may make what was said above untrue.
func newNMSLine[F float32 | float64](boxes []F, threshold float64) nmsLine {
	if !(threshold >= 0.01 && threshold < 1) {
		return nmsLine{}
	}
	least, most, width := math.Inf(1), math.Inf(-1), 0.0
	for i := 0; i < len(boxes); i += 4 {
		x1, y1, x2, y2 := float64(boxes[i]), float64(boxes[i+1]), float64(boxes[i+2]), float64(boxes[i+3])
		far := max(math.Abs(x1), math.Abs(y1), math.Abs(x2), math.Abs(y2))
		if w, h := x2-x1, y2-y1; !(far < 1e15) || w > 0 && h > 0 && w*h < 1e-30 {
			return nmsLine{}
		}
		least, most, width = min(least, (x1+x2)/2), max(most, (x1+x2)/2), width+math.Abs(x2-x1)
	}
	t := float64(threshold * (1 - 1e-5)) // areas are rounded
	l := nmsLine{start: least, reach: (1 - t) / (2 * t)}
	cell := max(l.reach*width*4/float64(len(boxes)+1), (most-least)/(nmsCells-1))
	if cell > 0 {
		l.perUnit = 1 / cell
	}
	return l
}

// cells returns the cell of a box and those of the boxes that it is to be compared with.
func (l nmsLine) cells(x1, x2 float64) (at, from, to int) {
	middle, reach := float64((x1+x2)/2), float64(l.reach*math.Abs(x2-x1))
	return l.cell(middle), l.cell(middle - reach), l.cell(middle + reach)
}

func (l nmsLine) cell(x float64) int {
	if l.perUnit == 0 {
		return 0
	}
	return int(min(max(float64((x-l.start)*l.perUnit), 0), nmsCells-1))
}

// overlaps reports whether the box overlaps one of the kept ones in some cells by more than the threshold.
func (b *keptBox[F]) overlaps(kept []keptBox[F], cells []int32, threshold float64) bool {
	for _, k := range cells {
		for k >= 0 {
			o := &kept[k]
			k = o.before
			if !(o.x1 < b.x2 && b.x1 < o.x2 && o.y1 < b.y2 && b.y1 < o.y2) {
				continue
			}
			w, h := min(b.x2, o.x2)-max(b.x1, o.x1), min(b.y2, o.y2)-max(b.y1, o.y1)
			inter := F(w * h) // rounded, on CPUs that could contract too
			// A box whose corners are exchanged has no width.
			if w > 0 && h > 0 && float64(inter/(o.area+b.area-inter)) > threshold {
				return true
			}
		}
	}
	return false
}
