package ops

import (
	"fmt"
	"math"

	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// BatchNormTrain normalises each channel with the statistics of the batch, as
// torch.nn.functional.batch_norm does in training mode.
//
// Inputs: x [N, C, ...], weight, bias, running mean, running variance, each [C].
// Outputs: y, the batch's mean and (biased) variance, and the running mean and
// variance to keep: (1-Momentum) * running + Momentum * batch, with the unbiased variance.
type BatchNormTrain struct {
	Eps      float64
	Momentum float64
	NHWC     bool
}

func (BatchNormTrain) Name() string { return "batch_norm_train" }

func (op BatchNormTrain) Infer(in []Type) ([]Type, error) {
	out, err := BatchNorm{Eps: op.Eps, NHWC: op.NHWC}.Infer(in)
	if err != nil {
		return nil, err
	}
	channel := in[1]
	if out[0].Numel() <= channel.Numel() {
		return nil, Errorf(op, in, "one value per channel has no variance")
	}
	c := F32(channel.Shape...)
	return []Type{out[0], c, c, c, c}, nil
}

// ChannelsLast normalises the last dimension.
func (op BatchNormTrain) ChannelsLast(in []Type) (Op, []int, bool) {
	if op.NHWC || len(in[0].Shape) < 3 {
		return nil, nil, false
	}
	op.NHWC = true
	return op, []int{0}, true
}

// ImageOutputs says that only the first output is an image.
func (BatchNormTrain) ImageOutputs() int { return 1 }

func (op BatchNormTrain) Prepare(p *Prepare) (*Kernel, error) {
	m := newChannelMatrix(p.In[0].Shape, op.NHWC)
	c := m.channels
	count := float64(m.rows()) * float64(m.inner)
	sums := func(call *Call, i int, _ *Worker) {
		part := scratchOf[float64](call.Scratch, 16*i*c, 2*c)
		clear(part)
		m.momentsOf(part, call.In[0].Float32s(), i)
	}
	kernel := asm.ScaleShiftF32For(p.Tier)
	apply := func(call *Call, i int, w *Worker) {
		scale, shift := m.coefficients(call.Scratch)
		m.scaleShift(w, kernel, call.Out[0].Float32s(), call.In[0].Float32s(), scale, shift, i)
	}
	return &Kernel{
		Scratch: m.scratch(),
		Run: func(call *Call) error {
			call.Parallel(m.tasks, sums)
			total := m.total(call.Scratch)
			mean, variance := call.Out[1].Float32s(), call.Out[2].Float32s()
			runMean, runVar := call.In[3].Float32s(), call.In[4].Float32s()
			newMean, newVar := call.Out[3].Float32s(), call.Out[4].Float32s()
			scale, shift := m.coefficients(call.Scratch)
			for ch := range c {
				above := total[ch] / count
				mu := float64(call.In[0].Float32s()[ch*m.inner]) + above
				v := max(total[c+ch]/count-float64(above*above), 0)
				mean[ch], variance[ch] = float32(mu), float32(v)
				newMean[ch] = float32(float64((1-op.Momentum)*float64(runMean[ch])) + float64(op.Momentum*mu))
				newVar[ch] = float32(float64((1-op.Momentum)*float64(runVar[ch])) + float64(op.Momentum*v*count/(count-1)))
				s := float64(call.In[1].Float32s()[ch]) / math.Sqrt(v+op.Eps)
				scale[ch] = float32(s)
				shift[ch] = float32(float64(call.In[2].Float32s()[ch]) - float64(mu*s))
			}
			call.Parallel(m.tasks, apply)
			return nil
		},
		Choice:   "batch statistics",
		Parallel: m.tasks,
	}, nil
}

// channelMatrix views an image value as [outer, channels, inner]; inner is 1
// with the channels last. It is divided into tasks that do not depend on the number of threads.
type channelMatrix struct {
	outer, channels, inner int
	perTask, tasks         int
}

func newChannelMatrix(s tensor.Shape, nhwc bool) *channelMatrix {
	m := &channelMatrix{}
	axis := 1
	if nhwc {
		axis = len(s) - 1
	}
	m.outer, m.channels, m.inner = axisSplit(s, axis)
	m.perTask, m.tasks = splitSums(m.outer, m.channels*m.inner)
	return m
}

func (m *channelMatrix) rows() int { return m.outer }

func (m *channelMatrix) bounds(task int) (from, to int) {
	return task * m.perTask, min((task+1)*m.perTask, m.outer)
}

// scratch is memory for two float64 sums per channel of each task and of all of
// them, and for three float32 coefficients.
func (m *channelMatrix) scratch() int { return 16*m.channels*(m.tasks+1) + 12*m.channels }

// coefficients returns the memory of two of the coefficients.
func (m *channelMatrix) coefficients(scratch []byte) (a, b []float32) {
	at := 4 * m.channels * (m.tasks + 1)
	return floatsOf(scratch, at, m.channels), floatsOf(scratch, at+m.channels, m.channels)
}

// third returns the memory of the third.
func (m *channelMatrix) third(scratch []byte) []float32 {
	return floatsOf(scratch, 4*m.channels*(m.tasks+1)+2*m.channels, m.channels)
}

// total adds up the sums of the tasks.
func (m *channelMatrix) total(scratch []byte) []float64 {
	n := 2 * m.channels
	total := scratchOf[float64](scratch, 8*m.tasks*n, n)
	clear(total)
	for i := range m.tasks {
		for ch, v := range scratchOf[float64](scratch, 8*i*n, n) {
			total[ch] += v
		}
	}
	return total
}

// momentsOf adds the sums of d and d*d per channel to part, d being what x is above the channel's first value: sums of x
// itself would cancel where the mean is far from 0.
func (m *channelMatrix) momentsOf(part []float64, x []float32, task int) {
	from, to := m.bounds(task)
	c := m.channels
	sum, squares := part[:c], part[c:2*c]
	if m.inner > 1 {
		for o := from; o < to; o++ {
			for ch := range c {
				first := float64(x[ch*m.inner])
				var s, q float64
				for _, v := range x[(o*c+ch)*m.inner:][:m.inner] {
					d := float64(v) - first
					s += d
					q += float64(d * d)
				}
				sum[ch] += s
				squares[ch] += q
			}
		}
		return
	}
	for o := from; o < to; o++ {
		for ch, v := range x[o*c:][:c] {
			d := float64(v) - float64(x[ch])
			sum[ch] += d
			squares[ch] += float64(d * d)
		}
	}
}

// scaleShift writes x*scale[c] + shift[c].
func (m *channelMatrix) scaleShift(w *Worker, kernel *asm.ScaleShiftF32, y, x, scale, shift []float32, task int) {
	from, to := m.bounds(task)
	c := m.channels
	if m.inner == 1 {
		w.Args.ScaleShiftF32 = asm.ScaleShiftF32Args{
			Dst: &y[from*c], Src: &x[from*c], DstStride: 4 * c, SrcStride: 4 * c, Scale: &scale[0], Shift: &shift[0],
			Rows: to - from, Cols: c, Lo: -inf, Hi: inf,
		}
		kernel.Run(&w.Args.ScaleShiftF32)
		return
	}
	for o := from; o < to; o++ {
		for ch := range c {
			at := (o*c + ch) * m.inner
			a, b := scale[ch], shift[ch]
			dst := y[at:][:m.inner]
			for j, v := range x[at:][:m.inner] {
				dst[j] = float32(v*a) + b
			}
		}
	}
}

// String shows the attributes in dumps.
func (op BatchNormTrain) String() string {
	return fmt.Sprintf("batch_norm_train(eps=%g, momentum=%g)", op.Eps, op.Momentum)
}
