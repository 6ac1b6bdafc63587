package ops

import (
	"unsafe"

	"github.com/octet-ml/octet/tensor"
)

// Unfold lays out the values under each position of a kernel as a column, as
// torch.nn.functional.unfold does: [N, C, H, W] gives [N, C*KH*KW, positions].
// Parameters are those of a convolution of two dimensions. Values are float32 or float64.
type Unfold struct {
	Kernel, Stride, Padding, Dilation []int
}

func (Unfold) Name() string { return "unfold" }

func (op Unfold) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 1, 1); err != nil {
		return nil, err
	}
	if err := singleOrDouble(op, in); err != nil {
		return nil, err
	}
	w, err := op.window(in)
	if err != nil {
		return nil, err
	}
	return []Type{{DType: in[0].DType, Shape: tensor.Shape{w.Batch, in[0].Shape[1] * w.Taps(), w.Out[1] * w.Out[2]}}}, nil
}

func (op Unfold) window(in []Type) (*Window, error) {
	s := in[0].Shape
	if len(s) != 4 || s[1] == 0 || s[2] == 0 || s[3] == 0 {
		return nil, Errorf(op, in, "it works on images [N, C, H, W]")
	}
	w, reason := NewWindow(max(s[0], 1), s[2:], WindowParams{Kernel: op.Kernel, Stride: op.Stride, Padding: op.Padding, Dilation: op.Dilation})
	if w == nil {
		return nil, Errorf(op, in, "%s", reason)
	}
	w.Batch = s[0]
	return w, nil
}

func (op Unfold) Prepare(p *Prepare) (*Kernel, error) {
	w, err := op.window(p.In)
	if err != nil {
		return nil, err
	}
	if p.In[0].DType == tensor.Float64 {
		return unfoldKernel[float64](w, p.In[0].Shape[1]), nil
	}
	return unfoldKernel[float32](w, p.In[0].Shape[1]), nil
}

func unfoldKernel[T float32 | float64](w *Window, channels int) *Kernel {
	columns := columns[T]{w}
	image, positions := w.In[1]*w.In[2], w.Out[1]*w.Out[2]
	perTask, tasks := split(w.Batch*channels, w.Taps()*positions)
	task := func(c *Call, i int, _ *Worker) {
		src, dst := base(c.In[0]), base(c.Out[0])
		for plane := i * perTask; plane < min((i+1)*perTask, w.Batch*channels); plane++ {
			columns.each(func(tap, y, x, n, from int) {
				out := row[T](dst, (plane*w.Taps()+tap)*positions+y*w.Out[2], w.Out[2])
				clear(out[:x])
				clear(out[x+n:])
				columns.gather(out[x:x+n], element[T](src, plane*image+from))
			}, func(tap, y int) {
				clear(row[T](dst, (plane*w.Taps()+tap)*positions+y*w.Out[2], w.Out[2]))
			})
		}
	}
	return &Kernel{
		Interruptible: true,
		Run:           func(c *Call) error { c.Parallel(tasks, task); return nil },
		Choice:        "rows",
		Parallel:      tasks,
	}
}

// Fold adds up columns where they come from, as torch.nn.functional.fold does:
// [N, C*KH*KW, positions] gives [N, C, Size[0], Size[1]]. Values are float32 or float64.
type Fold struct {
	Size                              []int
	Kernel, Stride, Padding, Dilation []int
}

func (Fold) Name() string { return "fold" }

func (op Fold) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 1, 1); err != nil {
		return nil, err
	}
	if err := singleOrDouble(op, in); err != nil {
		return nil, err
	}
	w, err := op.window(in)
	if err != nil {
		return nil, err
	}
	return []Type{{DType: in[0].DType, Shape: tensor.Shape{in[0].Shape[0], in[0].Shape[1] / w.Taps(), op.Size[0], op.Size[1]}}}, nil
}

func (op Fold) window(in []Type) (*Window, error) {
	s := in[0].Shape
	if len(s) != 3 || len(op.Size) != 2 || op.Size[0] < 1 || op.Size[1] < 1 {
		return nil, Errorf(op, in, "it makes images of a size of at least 1 of columns [N, C, positions]")
	}
	w, reason := NewWindow(1, op.Size, WindowParams{Kernel: op.Kernel, Stride: op.Stride, Padding: op.Padding, Dilation: op.Dilation})
	if w == nil {
		return nil, Errorf(op, in, "%s", reason)
	}
	if s[1] == 0 || s[1]%w.Taps() != 0 || s[2] != w.Pixels() {
		return nil, Errorf(op, in, "it needs %d positions of a multiple of %d values", w.Pixels(), w.Taps())
	}
	w.Batch = s[0]
	return w, nil
}

func (op Fold) Prepare(p *Prepare) (*Kernel, error) {
	w, err := op.window(p.In)
	if err != nil {
		return nil, err
	}
	planes := w.Batch * p.Out[0].Shape[1]
	if p.In[0].DType == tensor.Float64 {
		return foldKernel[float64](w, planes), nil
	}
	return foldKernel[float32](w, planes), nil
}

func foldKernel[T float32 | float64](w *Window, planes int) *Kernel {
	columns := columns[T]{w}
	image, positions := w.In[1]*w.In[2], w.Out[1]*w.Out[2]
	perTask, tasks := split(planes, w.Taps()*positions)
	task := func(c *Call, i int, _ *Worker) {
		src, dst := base(c.In[0]), base(c.Out[0])
		for plane := i * perTask; plane < min((i+1)*perTask, planes); plane++ {
			clear(row[T](dst, plane*image, image))
			columns.each(func(tap, y, x, n, at int) {
				in := row[T](src, (plane*w.Taps()+tap)*positions+y*w.Out[2]+x, n)
				columns.scatter(element[T](dst, plane*image+at), in)
			}, func(tap, y int) {})
		}
	}
	return &Kernel{
		Interruptible: true,
		Run:           func(c *Call) error { c.Parallel(tasks, task); return nil },
		Choice:        "rows",
		Parallel:      tasks,
	}
}

// columns walks the taps of a window over a plane of two dimensions.
type columns[T float32 | float64] struct{ w *Window }

// each calls inside for every tap and output row y with the n positions from x
// on that lie inside the image, the first of them at from; and outside where none does.
func (k columns[T]) each(inside func(tap, y, x, n, from int), outside func(tap, y int)) {
	w := k.w
	for tap := range w.Taps() {
		ky, kx := tap/w.Kernel[2]*w.Dilation[1]-w.Pad[1], tap%w.Kernel[2]*w.Dilation[2]-w.Pad[2]
		// Positions x with 0 <= x*stride + kx < extent.
		x := max((-kx+w.Stride[2]-1)/w.Stride[2], 0)
		end := min((w.In[2]-kx+w.Stride[2]-1)/w.Stride[2], w.Out[2])
		for y := range w.Out[1] {
			iy := y*w.Stride[1] + ky
			if iy < 0 || iy >= w.In[1] || x >= end {
				outside(tap, y)
				continue
			}
			inside(tap, y, x, end-x, iy*w.In[2]+x*w.Stride[2]+kx)
		}
	}
}

func (k columns[T]) gather(dst []T, src *T) {
	for i := range dst {
		dst[i] = *element[T](unsafe.Pointer(src), i*k.w.Stride[2])
	}
}

func (k columns[T]) scatter(dst *T, src []T) {
	for i, v := range src {
		*element[T](unsafe.Pointer(dst), i*k.w.Stride[2]) += v
	}
}
