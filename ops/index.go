package ops

import (
	"slices"

	"github.com/octet-ml/octet/tensor"
)

// Index takes elements by index tensors, as x[i, :, j] does in PyTorch: the
// index tensors broadcast together, and the dimensions they have together
// replace the indexed ones where those lie side by side, else come first.
//
// Inputs: x, then int64 or int32 indices for each dimension of Axes; negative
// ones count from the end. A bool mask is first turned into indices, see NonZero.
type Index struct {
	Axes []int
}

func (Index) Name() string { return "index" }

func (op Index) Infer(in []Type) ([]Type, error) {
	g, err := newIndexing(op, in, op.Axes, 1)
	if err != nil {
		return nil, err
	}
	return fold(op, in, Type{DType: in[0].DType, Shape: g.shape(), Q: in[0].Q})
}

func (op Index) Prepare(p *Prepare) (*Kernel, error) {
	g, err := newIndexing(op, p.In, op.Axes, 1)
	if err != nil {
		return nil, err
	}
	if p.Out[0].Numel() == 0 {
		return emptyKernel(), nil
	}
	return indexKernel(op, p, g), nil
}

// indexing is the geometry of advanced indexing.
type indexing struct {
	axes       []int        // indexed dimensions
	extent     []int        // their extents
	stride     []int        // their strides in x
	index      tensor.Shape // the index tensors broadcast
	order      [][]int      // strides of each index tensor in that shape
	pre, post  tensor.Shape // the other dimensions, before and behind
	preStride  []int
	postStride []int
}

// newIndexing checks inputs of which the index tensors start at first.
func newIndexing(op Op, in []Type, axes []int, first int) (*indexing, error) {
	if err := arity(op, in, first+len(axes), first+len(axes)); err != nil {
		return nil, err
	}
	if len(axes) == 0 {
		return nil, Errorf(op, in, "it needs an index")
	}
	if q := in[0].Q; q != nil && q.Scheme.PerChannel() {
		return nil, Errorf(op, in, "elements quantized per channel differ in scale")
	}
	x := in[0].Shape
	strides := x.Strides()
	g := &indexing{index: tensor.Shape{}}
	for i, a := range axes {
		axis, err := x.Axis(a)
		if err != nil || len(x) == 0 {
			return nil, Errorf(op, in, "it has no dimension %d", a)
		}
		if len(g.axes) > 0 && axis <= g.axes[len(g.axes)-1] {
			return nil, Errorf(op, in, "the indexed dimensions %v are not in order", axes)
		}
		if err := indexInput(op, in, first+i); err != nil {
			return nil, err
		}
		g.axes = append(g.axes, axis)
		g.extent = append(g.extent, x[axis])
		g.stride = append(g.stride, strides[axis])
		if g.index, err = tensor.Broadcast(g.index, in[first+i].Shape); err != nil {
			return nil, Errorf(op, in, "%v", err)
		}
	}
	for i := range axes {
		_, s := align(in[first+i].Shape, len(g.index), false)
		g.order = append(g.order, s)
	}
	adjacent := g.axes[len(g.axes)-1]-g.axes[0] == len(g.axes)-1
	for d, e := range x {
		switch {
		case slices.Contains(g.axes, d):
		case adjacent && d < g.axes[0]:
			g.pre = append(g.pre, e)
			g.preStride = append(g.preStride, strides[d])
		default:
			g.post = append(g.post, e)
			g.postStride = append(g.postStride, strides[d])
		}
	}
	if _, err := g.shape().Numel(); err != nil {
		return nil, Errorf(op, in, "%v", err)
	}
	return g, nil
}

// shape returns the shape of what is indexed.
func (g *indexing) shape() tensor.Shape {
	return slices.Concat(g.pre, g.index, g.post)
}

// places returns how many positions the indices name.
func (g *indexing) places() int {
	n := 1
	for _, d := range g.index {
		n *= d
	}
	return n
}

// offsets writes where in x each position is, after checking the indices.
func (g *indexing) offsets(name string, dst []int64, index []*tensor.Tensor, load []loadFunc[int64], one []int64) error {
	for k, t := range index {
		if err := CheckIndices(name, t, -g.extent[k], g.extent[k]); err != nil {
			return err
		}
	}
	for i := range dst {
		var sum int64
		for k, t := range index {
			at, rest := 0, i
			for d := len(g.index) - 1; d >= 0; d-- {
				at += rest % g.index[d] * g.order[k][d]
				rest /= g.index[d]
			}
			load[k](one, base(t), at, 1)
			v := one[0]
			if v < 0 {
				v += int64(g.extent[k])
			}
			sum += v * int64(g.stride[k])
		}
		dst[i] = sum
	}
	return nil
}

// loaders returns the conversions of the index tensors.
func (g *indexing) loaders(in []Type, first int) []loadFunc[int64] {
	load := make([]loadFunc[int64], len(g.axes))
	for k := range load {
		load[k] = loader[int64](in[first+k].DType)
	}
	return load
}

// blocks is the part of the elements at one position: their loops over x.
func (g *indexing) blocks() (pre loops, post strided, numel int) {
	pre.total = 1
	for i, e := range g.pre {
		pre.push(e, g.preStride[i])
	}
	numel = 1
	for _, e := range g.post {
		numel *= e
	}
	return pre, newStrided(g.post, g.postStride, g.post.Strides()), numel
}

func indexKernel(op Op, p *Prepare, g *indexing) *Kernel {
	places, name := g.places(), op.Name()
	load := g.loaders(p.In, 1)
	pre, post, numel := g.blocks()
	copyBlock := copyRowsOf(p.Tier, post, p.In[0].DType.Size())
	perTask, tasks := split(pre.total*places, numel)
	task := func(c *Call, i int, w *Worker) {
		offsets := scratchOf[int64](c.Scratch, 0, places)
		src, dst := base(c.In[0]), base(c.Out[0])
		for b := i * perTask; b < min((i+1)*perTask, pre.total*places); b++ {
			from := pre.offset(b/places) + int(offsets[b%places])
			copyBlock(w, dst, src, 0, from, b*numel)
		}
	}
	return &Kernel{
		Interruptible: true,
		Run: func(c *Call) error {
			offsets := scratchOf[int64](c.Scratch, 0, places)
			one := scratchOf[int64](c.Scratch, 8*places, 1)
			if err := g.offsets(name, offsets, c.In[1:], load, one); err != nil {
				return err
			}
			c.Parallel(tasks, task)
			return nil
		},
		Scratch:  8 * (places + 1),
		Choice:   "blocks",
		Parallel: tasks,
	}
}

// IndexPut replaces elements of a copy of its first input by index tensors, as
// x[i, j] = values and torch.Tensor.index_put do, or adds to them with Accumulate.
//
// Inputs: x, values of x's type that broadcast to what is indexed, then indices
// as of Index. Where a position is named twice, the last one counts.
type IndexPut struct {
	Axes       []int
	Accumulate bool
}

func (IndexPut) Name() string { return "index_put" }

func (op IndexPut) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 3, len(in)); err != nil {
		return nil, err
	}
	g, err := newIndexing(op, in, op.Axes, 2)
	if err != nil {
		return nil, err
	}
	if in[0].DType != in[1].DType || in[0].Q != nil || in[1].Q != nil {
		return nil, Errorf(op, in, "the values must have the input's type and not be quantized")
	}
	shape := g.shape()
	if together, err := tensor.Broadcast(shape, in[1].Shape); err != nil || !together.Equal(shape) {
		return nil, Errorf(op, in, "values %v do not broadcast to %v", in[1].Shape, shape)
	}
	return fold(op, in, Type{DType: in[0].DType, Shape: in[0].Shape})
}

func (op IndexPut) Prepare(p *Prepare) (*Kernel, error) {
	g, err := newIndexing(op, p.In, op.Axes, 2)
	if err != nil {
		return nil, err
	}
	switch computeType(p.In[0].DType) {
	case tensor.Float32:
		return indexPutKernel[float32](op, p, g), nil
	case tensor.Float64:
		return indexPutKernel[float64](op, p, g), nil
	}
	return indexPutKernel[int64](op, p, g), nil
}

func indexPutKernel[W compute](op IndexPut, p *Prepare, g *indexing) *Kernel {
	places, name := g.places(), op.Name()
	load := g.loaders(p.In, 2)
	shape := g.shape()
	_, from := align(p.In[1].Shape, len(shape), false)
	// Where the elements go, but for the indexed dimensions.
	to := slices.Concat(g.preStride, make([]int, len(g.index)), g.postStride)
	// The rows number positions by the row-major order of the index dimensions.
	number := slices.Concat(make([]int, len(g.pre)), g.index.Strides(), make([]int, len(g.post)))
	r := newRows(shape, to, from, number)
	get, put := loader[W](p.In[0].DType), storer[W](p.In[0].DType)
	return &Kernel{
		Run: func(c *Call) error {
			copy(c.Out[0].Bytes(), c.In[0].Bytes())
			offsets := scratchOf[int64](c.Scratch, 0, places)
			one, two := scratchOf[W](c.Scratch, 8*places, 1), scratchOf[W](c.Scratch, 8*places+8, 1)
			if err := g.offsets(name, offsets, c.In[2:], load, scratchOf[int64](c.Scratch, 8*places, 1)); err != nil {
				return err
			}
			out, values := base(c.Out[0]), base(c.In[1])
			for i := range r.tasks {
				r.each(i, func(_ int, in [maxOperands]int, n int) {
					for j := range n {
						at := in[0] + j*r.step[0] + int(offsets[in[2]+j*r.step[2]])
						get(one, values, in[1]+j*r.step[1], 1)
						if op.Accumulate {
							get(two, out, at, 1)
							one[0] += two[0]
						}
						put(out, at, one)
					}
				})
			}
			return nil
		},
		Scratch:  8 * (places + 2),
		Choice:   "elements",
		Parallel: 1,
	}
}
