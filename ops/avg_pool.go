package ops

import (
	"fmt"
	"unsafe"

	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// AvgPool takes the mean of each window, as torch.nn.functional.avg_pool1d, 2d
// and 3d do. Padding counts as zeros when CountIncludePad is set; Divisor, when
// not 0, replaces the number of elements.
type AvgPool struct {
	Kernel, Stride, Padding   []int
	CeilMode, CountIncludePad bool
	Divisor                   int
	NHWC                      bool
}

// AvgPoolAttributes are the attributes of AvgPool without its methods, for operators that share only those.
type AvgPoolAttributes AvgPool

//go:noinline
func (op AvgPool) Name() string { return fmt.Sprintf("avg_pool%dd", len(op.Kernel)) }

func (op AvgPool) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 1, 1); err != nil {
		return nil, err
	}
	if err := floatInputs(op, in); err != nil {
		return nil, err
	}
	w, err := op.Window(op, in)
	if err != nil {
		return nil, err
	}
	return []Type{F32(op.OutShape(w, in)...)}, nil
}

// Window returns the geometry, for self, which is this operator or its int8 counterpart.
func (op AvgPool) Window(self Op, in []Type) (*Window, error) {
	ones := make([]int, len(op.Kernel))
	fill(ones, 1)
	return poolWindow(self, in, op.NHWC, WindowParams{op.Kernel, op.Stride, op.Padding, ones, op.CeilMode})
}

// OutShape returns the shape of the output.
func (op AvgPool) OutShape(w *Window, in []Type) []int {
	_, c, spatial := SpatialOf(in[0].Shape, op.NHWC)
	return imageShape(w.Batch, c, w.OutSpatial(len(spatial)), op.NHWC)
}

// Count returns what the sum over the window of output pixel i is divided by.
func (op AvgPool) Count(w *Window, i int) int {
	switch {
	case op.Divisor != 0:
		return op.Divisor
	case op.CountIncludePad:
		return w.count(i, w.Pad)
	}
	return w.count(i, [3]int{})
}

func (op AvgPool) ChannelsLast(in []Type) (Op, []int, bool) {
	if op.NHWC {
		return nil, nil, false
	}
	op.NHWC = true
	return op, []int{0}, true
}

// WantsChannelsLast is true: all kernels work on NHWC.
func (AvgPool) WantsChannelsLast() bool { return true }

// Prepare runs one kernel call per row of the output.
func (op AvgPool) Prepare(p *Prepare) (*Kernel, error) {
	if !op.NHWC {
		return nil, &UnsupportedError{Op: op.Name(), Reason: "kernels need the channels last; compile the graph, or permute its input"}
	}
	w, err := op.Window(op, p.In)
	if err != nil {
		return nil, err
	}
	c := p.In[0].Shape[len(p.In[0].Shape)-1]
	if w.Pixels()*c == 0 {
		return &Kernel{Run: func(*Call) error { return nil }, Choice: "empty", Parallel: 1}, nil
	}
	div := make([]float32, w.Pixels())
	for i := range div {
		div[i] = float32(op.Count(w, i))
	}
	k := asm.PoolF32For(p.Tier)
	rows, pad := NewRowTaps(w, 4*c), tensor.AlignedBytes(4*c)
	return rowKernel(p, rows, 4*c, pad, k.Info, func(wk *Worker, row int, out unsafe.Pointer) {
		args := &wk.Args.PoolF32
		*args = asm.PoolF32Args{
			A: &wk.Pointers[0], AStep: rows.Step, KS: w.Taps(), C: c, P: rows.Pixels,
			Div: &div[row*rows.Pixels], Out: (*float32)(out), OutStride: 4 * c,
		}
		k.Average(args)
	}), nil
}

// AdaptiveAvgPool takes means over windows chosen so that the output has the
// given spatial extents, as torch.nn.functional.adaptive_avg_pool1d, 2d and 3d do:
// output i covers floor(i*in/out) to ceil((i+1)*in/out). An extent of 0 keeps the input's.
type AdaptiveAvgPool struct {
	Size []int
	NHWC bool
}

// AdaptiveAvgPoolAttributes are the attributes of AdaptiveAvgPool without its methods, for operators that share only those.
type AdaptiveAvgPoolAttributes AdaptiveAvgPool

//go:noinline
func (op AdaptiveAvgPool) Name() string { return fmt.Sprintf("adaptive_avg_pool%dd", len(op.Size)) }

func (op AdaptiveAvgPool) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 1, 1); err != nil {
		return nil, err
	}
	if err := floatInputs(op, in); err != nil {
		return nil, err
	}
	r, err := op.Regions(op, in)
	if err != nil {
		return nil, err
	}
	return []Type{F32(op.OutShape(r, in)...)}, nil
}

// Regions is the geometry of adaptive pooling, filled up in front to three
// spatial dimensions.
type Regions struct {
	Batch   int
	In, Out [3]int
}

// Regions returns the geometry, for self, which is this operator or its int8 counterpart.
func (op AdaptiveAvgPool) Regions(self Op, in []Type) (*Regions, error) {
	n := len(op.Size)
	if n < 1 || n > 3 || len(in[0].Shape) != n+2 {
		return nil, Errorf(self, in, "the input must have %d dimensions", n+2)
	}
	batch, _, spatial := SpatialOf(in[0].Shape, op.NHWC)
	r := &Regions{Batch: batch, In: [3]int{1, 1, 1}, Out: [3]int{1, 1, 1}}
	for i, size := range op.Size {
		d := 3 - n + i
		r.In[d], r.Out[d] = spatial[i], size
		if size == 0 {
			r.Out[d] = spatial[i]
		}
		if size < 0 || spatial[i] == 0 {
			return nil, Errorf(self, in, "cannot pool extent %d to %d", spatial[i], size)
		}
	}
	return r, nil
}

// OutShape returns the shape of the output.
func (op AdaptiveAvgPool) OutShape(r *Regions, in []Type) []int {
	_, c, _ := SpatialOf(in[0].Shape, op.NHWC)
	return imageShape(r.Batch, c, r.Out[3-len(op.Size):], op.NHWC)
}

// Pixels returns the number of output pixels of the whole batch.
func (r *Regions) Pixels() int { return r.Batch * r.Out[0] * r.Out[1] * r.Out[2] }

// MaxTaps returns the largest number of input pixels under one output pixel.
func (r *Regions) MaxTaps() int {
	n := 1
	for d := range r.In {
		n *= (r.In[d]+r.Out[d]-1)/r.Out[d] + 1
	}
	return n
}

// Fill writes pointers to the input pixels of output pixel i and returns their number. They have the order of RowTaps, so
// that a mean over a whole image has the same bits from AvgPool.
func (r *Regions) Fill(dst []unsafe.Pointer, input unsafe.Pointer, pixelBytes, i int) int {
	at := [3]int{}
	for d := 2; d >= 0; d-- {
		at[d] = i % r.Out[d]
		i /= r.Out[d]
	}
	span := func(d int) (int, int) {
		return at[d] * r.In[d] / r.Out[d], ((at[d]+1)*r.In[d] + r.Out[d] - 1) / r.Out[d]
	}
	z0, z1 := span(0)
	y0, y1 := span(1)
	x0, x1 := span(2)
	n := 0
	add := func(z, y, x int) {
		dst[n] = unsafe.Add(input, pixelBytes*(((i*r.In[0]+z)*r.In[1]+y)*r.In[2]+x))
		n++
	}
	if z1-z0 == 1 {
		for x := x0; x < x1; x++ {
			for y := y0; y < y1; y++ {
				add(z0, y, x)
			}
		}
		return n
	}
	for z := z0; z < z1; z++ {
		for y := y0; y < y1; y++ {
			for x := x0; x < x1; x++ {
				add(z, y, x)
			}
		}
	}
	return n
}

func (op AdaptiveAvgPool) ChannelsLast(in []Type) (Op, []int, bool) {
	if op.NHWC {
		return nil, nil, false
	}
	op.NHWC = true
	return op, []int{0}, true
}

// WantsChannelsLast is true: all kernels work on NHWC.
func (AdaptiveAvgPool) WantsChannelsLast() bool { return true }

func (op AdaptiveAvgPool) Prepare(p *Prepare) (*Kernel, error) {
	if !op.NHWC {
		return nil, &UnsupportedError{Op: op.Name(), Reason: "kernels need the channels last; compile the graph, or permute its input"}
	}
	r, err := op.Regions(op, p.In)
	if err != nil {
		return nil, err
	}
	c := p.In[0].Shape[len(p.In[0].Shape)-1]
	if r.Pixels()*c == 0 {
		return &Kernel{Run: func(*Call) error { return nil }, Choice: "empty", Parallel: 1}, nil
	}
	k := asm.PoolF32For(p.Tier)
	pixels := r.Pixels()
	tasks := PixelTasks(pixels, c*r.MaxTaps(), p.Threads)
	task := func(call *Call, i int, wk *Worker) {
		in, out := base(call.In[0]), base(call.Out[0])
		div := floatsOf(wk.Scratch, 0, 1)
		for px := i * pixels / tasks; px < (i+1)*pixels/tasks; px++ {
			n := r.Fill(wk.Pointers, in, 4*c, px)
			div[0] = float32(n)
			args := &wk.Args.PoolF32
			*args = asm.PoolF32Args{A: &wk.Pointers[0], KS: n, C: c, P: 1, Div: &div[0], Out: (*float32)(unsafe.Add(out, 4*px*c)), OutStride: 4 * c}
			k.Average(args)
		}
	}
	return &Kernel{
		Interruptible:  true,
		Run:            func(call *Call) error { call.Parallel(tasks, task); return nil },
		WorkerScratch:  4,
		WorkerPointers: r.MaxTaps(),
		Choice:         fmt.Sprintf("%s %s", k.Op, k.Tier),
		Parallel:       tasks,
	}, nil
}
