package int8

import (
	"fmt"
	"math"
	"unsafe"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// RangeRule says what range a DynamicLinear quantizes its input to, and how scale and zero point follow from it.
type RangeRule uint8

// The rules.
const (
	// EachRow has a range for each row, as asm.QuantizeRowsF32U8 chooses.
	EachRow RangeRule = iota
	// WholeInput has one range for all rows, as quantized::linear_dynamic of PyTorch chooses (fbgemm's
	// ChooseQuantizationParams, in float64).
	WholeInput
	// WholeInputEps is one range for all rows, as quantized_decomposed::choose_qparams.tensor
	// (torch.ao.quantization.utils.determine_qparams, in float32) chooses: a scale is at least Eps.
	WholeInputEps
)

// InputRange is how a DynamicLinear quantizes its input, to integers from Lo to Hi; the zero value is EachRow, to all of uint8.
type InputRange struct {
	Rule   RangeRule
	Lo, Hi int32
	Eps    float64
}

// check says what is wrong with a rule, "" where nothing is.
func (r InputRange) check() string {
	switch {
	case r.Rule == EachRow:
		return ""
	case r.Rule > WholeInputEps:
		return fmt.Sprintf("there is no range rule %d", r.Rule)
	case r.Lo < 0 || r.Hi > 255 || r.Lo >= r.Hi:
		return fmt.Sprintf("the range of integers %d to %d is none of uint8", r.Lo, r.Hi)
	case r.Rule == WholeInputEps && !(r.Eps >= 0x1p-126 && r.Eps <= math.MaxFloat32):
		return fmt.Sprintf("a least scale of %v", r.Eps)
	}
	return ""
}

// choose returns scale and zero point for values from least to most.
func (r InputRange) choose(least, most float32) (scale float32, zero int32) {
	least, most = max(min(least, 0), -math.MaxFloat32), min(max(most, 0), math.MaxFloat32)
	if r.Rule == WholeInput {
		return ops.ChooseFBGEMM(least, most, r.Lo, r.Hi)
	}
	scale = max((most-least)/float32(r.Hi-r.Lo), float32(r.Eps))
	if math.IsInf(float64(scale), 0) { // the span is beyond float32
		scale = float32((float64(most) - float64(least)) / float64(r.Hi-r.Lo))
	}
	low := max(min(math.RoundToEven(float64(least/scale)), 0), float64(r.Lo-r.Hi))
	return scale, r.Lo - int32(low)
}

// inputQuantizer quantizes rows of k floats to uint8 on all workers.
type inputQuantizer struct {
	of         InputRange
	rows, k    int
	stride     int // bytes between rows of integers
	parts      int
	scaleAt    int // in the scratch memory, behind the integers; then zero points, then the extremes of each part
	zeroAt     int
	extremesAt int
	eachRow    *asm.QuantizeRowsF32U8
	minmax     *asm.MinMaxF32
	quantize   *asm.QuantizeF32U8
}

// newInputQuantizer returns what quantizes rows of k values, which lie stride bytes apart then.
func newInputQuantizer(of InputRange, p *ops.Prepare, rows, k, stride int) *inputQuantizer {
	q := &inputQuantizer{of: of, rows: rows, k: k, stride: stride, parts: ops.PixelTasks(rows, k, p.Threads)}
	q.scaleAt = (rows*stride + tensor.Alignment - 1) / tensor.Alignment * tensor.Alignment
	q.zeroAt = q.scaleAt + 4*rows
	q.extremesAt = q.zeroAt + 4*rows
	q.eachRow, q.minmax, q.quantize = asm.QuantizeRowsF32U8For(p.Tier), asm.MinMaxF32For(p.Tier), asm.QuantizeF32U8For(p.Tier)
	return q
}

// scratch returns the bytes of memory that a call needs: integers, scales, zero points, extremes.
func (q *inputQuantizer) scratch() int { return q.extremesAt + 8*q.parts }

func (q *inputQuantizer) choice() string {
	if q.of.Rule == EachRow {
		return "rows quantized"
	}
	return "input quantized"
}

// run quantizes the first input of a call into its scratch memory.
func (q *inputQuantizer) run(c *ops.Call) {
	switch {
	case q.k == 0:
		clear(c.Scratch)
	case q.of.Rule == EachRow:
		c.Parallel(q.parts, q.rowTask)
	default:
		c.Parallel(q.parts, q.extremesTask)
		q.choose(c)
		c.Parallel(q.parts, q.wholeTask)
	}
}

// part returns the rows of a task.
func (q *inputQuantizer) part(i int) (from, to int) {
	return i * q.rows / q.parts, (i + 1) * q.rows / q.parts
}

func (q *inputQuantizer) scales(c *ops.Call) []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(&c.Scratch[q.scaleAt])), q.rows)
}

func (q *inputQuantizer) zeros(c *ops.Call) []int32 {
	return unsafe.Slice((*int32)(unsafe.Pointer(&c.Scratch[q.zeroAt])), q.rows)
}

// extremes are the least and the greatest value of each part.
func (q *inputQuantizer) extremes(c *ops.Call) [][2]float32 {
	return unsafe.Slice((*[2]float32)(unsafe.Pointer(&c.Scratch[q.extremesAt])), q.parts)
}

// rowTask quantizes rows to their own ranges.
func (q *inputQuantizer) rowTask(c *ops.Call, i int, w *ops.Worker) {
	from, to := q.part(i)
	if from == to {
		return
	}
	w.Args.QuantizeRowsF32U8 = asm.QuantizeRowsF32U8Args{
		M: to - from, N: q.k, X: &c.In[0].Float32s()[from*q.k], XStride: 4 * q.k, Q: &c.Scratch[from*q.stride], QStride: q.stride,
		Scale: &q.scales(c)[from], Zero: &q.zeros(c)[from],
	}
	q.eachRow.Run(&w.Args.QuantizeRowsF32U8)
}

func (q *inputQuantizer) extremesTask(c *ops.Call, i int, _ *ops.Worker) {
	from, to := q.part(i)
	e := &q.extremes(c)[i]
	e[0], e[1], _ = q.minmax.Run(c.In[0].Float32s()[from*q.k : to*q.k])
}

// wholeTask quantizes rows to the range of all.
func (q *inputQuantizer) wholeTask(c *ops.Call, i int, w *ops.Worker) {
	from, to := q.part(i)
	scale, zero, hi := q.scales(c)[0], q.zeros(c)[0], q.of.Hi
	if q.of.Rule == WholeInput {
		hi = math.MaxUint8 // fbgemm bounds to the type, also where the range has 7 bits
	}
	for r := from; r < to; r++ {
		w.Args.QuantizeF32U8 = asm.QuantizeF32U8Args{
			N: q.k, X: &c.In[0].Float32s()[r*q.k], Q: &c.Scratch[r*q.stride], Inv: min(1/scale, math.MaxFloat32), Zero: zero, Lo: q.of.Lo, Hi: hi,
		}
		q.quantize.Run(&w.Args.QuantizeF32U8)
	}
}

// choose takes the range of all parts.
func (q *inputQuantizer) choose(c *ops.Call) {
	least, most := float32(0), float32(0)
	for _, e := range q.extremes(c) {
		least, most = min(least, e[0]), max(most, e[1])
	}
	scale, zero := q.of.choose(least, most)
	scales, zeros := q.scales(c), q.zeros(c)
	for i := range scales {
		scales[i], zeros[i] = scale, zero
	}
}
