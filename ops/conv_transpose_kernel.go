package ops

import (
	"fmt"
	"math"
	"unsafe"

	"github.com/octet-ml/octet/ops/asm"
)

type packedTransposeKey struct {
	groups      int
	stride, pad string
	kernel      asm.Info
}

// Prepare packs the weights of each phase and runs its rows as matrix
// multiplications.
func (op ConvTranspose) Prepare(p *Prepare) (*Kernel, error) {
	if !op.NHWC {
		return nil, &UnsupportedError{Op: op.Name(), Reason: "kernels need the channels last; compile the graph, or permute its input"}
	}
	if p.Out[0].Numel() == 0 {
		return emptyKernel(), nil
	}
	if op.isDepthwise(p.In, p.Out) {
		return op.prepareDepthwise(p), nil
	}
	t := &transposedKernel{op: op, g: op.geometry(p.In, p.Out), kernel: asm.IGemmF32For(p.Tier)}
	t.layout()
	if t.imageBytes > math.MaxInt32 {
		return nil, &UnsupportedError{Op: op.Name(), Reason: fmt.Sprintf("an image of %d bytes is above the 2 GiB that offsets reach", t.imageBytes)}
	}
	t.pad = alignedFloats(max(t.kc, 1))
	key := packedTransposeKey{op.Groups, fmt.Sprint(op.Stride, op.Dilation), fmt.Sprint(op.Padding, p.Out[0].Shape), t.kernel.Info}
	t.weights.start(p, key)
	task := t.run
	return &Kernel{
		Interruptible: true,
		Run: func(c *Call) error {
			t.weights.fill(c)
			c.Parallel(t.tasks*op.Groups, task)
			return nil
		},
		Scratch:       t.weights.scratch(),
		WorkerScratch: 4 * t.offsets,
		Parallel:      t.tasks * op.Groups,
		Choice:        fmt.Sprintf("%s %s %dx%d in %d phases", t.kernel.Op, t.kernel.Tier, t.kernel.MR, t.kernel.NR, len(t.g.phases)),
	}, nil
}

// transposedKernel is a prepared transposed convolution.
type transposedKernel struct {
	op      ConvTranspose
	g       *transposedGeometry
	kernel  *asm.IGemmF32
	weights *prepack  // panels of the phases, one after the other, then the bias
	pad     []float32 // zeros, one pixel of a group

	kc, n       int   // channels of a group, in and out
	biasAt      int   // in the packed weights
	offsets     int   // of a row of pixels, at most
	imageBytes  int   // of an input image
	rowsPerTask []int // of each phase
	firstTask   []int // of each phase
	tasks       int   // of each group
}

// layout places packed weights and divides the rows of the phases into tasks.
func (t *transposedKernel) layout() {
	g := t.g
	t.kc, t.n = g.channels/t.op.Groups, g.outs/t.op.Groups
	order := 0
	for i := range g.phases {
		ph := &g.phases[i]
		ph.at = t.biasAt
		taps := len(ph.taps)
		t.biasAt += t.phaseLayout(ph).Len()
		order = max(order, taps*t.kc*t.n)
		t.offsets = max(t.offsets, roundUp(ph.count[2], t.kernel.MR)*max(taps, 1))
		rows := g.batch * ph.count[0] * ph.count[1]
		perTask, tasks := split(rows, ph.count[2]*max(taps, 1)*t.kc*t.n/16)
		t.rowsPerTask = append(t.rowsPerTask, perTask)
		t.firstTask = append(t.firstTask, t.tasks)
		t.tasks += tasks
	}
	t.imageBytes = 4 * g.in[0] * g.in[1] * g.in[2] * g.channels
	t.weights = &prepack{inputs: weightAndBias(t.op.HasBias), size: t.biasAt + g.outs + t.kernel.NR, order: order, pack: t.pack}
}

// phaseLayout is that of the weights of a phase, a matrix for each group.
func (t *transposedKernel) phaseLayout(ph *phase) PanelLayout {
	return PanelLayout{Packing: t.kernel.Info, Matrices: t.op.Groups, Depth: len(ph.taps) * t.kc, N: t.n}
}

// pack arranges the weight [C, n, taps] of each group as the phases read it;
// order has room for the weights of one phase.
func (t *transposedKernel) pack(dst, order []float32, in packInputs, _ int) {
	w := in[0].Float32s()
	for i := range t.g.phases {
		ph := &t.g.phases[i]
		if len(ph.taps) == 0 || t.kc == 0 {
			continue
		}
		panels, _ := panelsOf(t.phaseLayout(ph), dst[ph.at:])
		for group := range t.op.Groups {
			k := 0
			for o := range t.n {
				for _, tap := range ph.taps {
					for c := range t.kc {
						order[k] = w[((group*t.kc+c)*t.n+o)*t.g.kernelTaps+tap.kernel]
						k++
					}
				}
			}
			t.kernel.PackB(panels.Data[panels.Index(group, 0):], order, len(ph.taps), t.kc, t.n)
		}
	}
	copyBias(dst[t.biasAt:], in[1])
}

// run computes the rows of one task.
func (t *transposedKernel) run(c *Call, i int, w *Worker) {
	g, group := t.g, i/t.tasks
	i %= t.tasks
	at := len(t.firstTask) - 1
	for t.firstTask[at] > i {
		at--
	}
	ph := &g.phases[at]
	values := t.weights.values(c)
	panels, _ := panelsOf(t.phaseLayout(ph), values[ph.at:])
	lo, hi := t.op.Act.Bounds()
	args := &w.Args.IGemmF32
	*args = asm.IGemmF32Args{
		Pad: unsafe.Pointer(&t.pad[0]), KS: len(ph.taps), KC: t.kc, N: t.n, B: panels.At(group, 0),
		Bias: &values[t.biasAt+group*t.n], Lo: lo, Hi: hi, CStride: 4 * g.stride[2] * g.outs,
	}
	empty := len(ph.taps) == 0 || t.kc == 0
	input := unsafe.Add(base(c.In[0]), 4*group*t.kc)
	offsets := scratchOf[int32](w.Scratch, 0, t.offsets)
	rows := g.batch * ph.count[0] * ph.count[1]
	first := (i - t.firstTask[at]) * t.rowsPerTask[at]
	for r := first; r < min(first+t.rowsPerTask[at], rows); r++ {
		y, z, n := r%ph.count[1], r/ph.count[1]%ph.count[0], r/(ph.count[1]*ph.count[0])
		outZ, outY := ph.first[0]+z*g.stride[0], ph.first[1]+y*g.stride[1]
		output := unsafe.Add(base(c.Out[0]), 4*((((n*g.out[0]+outZ)*g.out[1]+outY)*g.out[2]+ph.first[2])*g.outs+group*t.n))
		args.M = ph.count[2]
		args.C = (*float32)(output)
		if empty {
			t.fillBias(args)
			continue
		}
		args.A = unsafe.Add(input, n*t.imageBytes)
		args.Offsets = &offsets[0]
		g.fill(offsets, ph, t.kernel.MR, args.M, z, y, 0)
		t.kernel.Run(args)
	}
}

// fillBias computes pixels that no tap reaches.
func (t *transposedKernel) fillBias(args *asm.IGemmF32Args) {
	bias := unsafe.Slice(args.Bias, args.N)
	for m := range args.M {
		for j, b := range bias {
			*element[float32](unsafe.Add(unsafe.Pointer(args.C), m*args.CStride), j) = min(max(b, args.Lo), args.Hi)
		}
	}
}
