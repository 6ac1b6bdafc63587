package int8

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"unsafe"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// matrix is the constant side of an int8 layer: weights in the kernel's order
// and the per-column values of the epilogue.
type matrix struct {
	weights ops.Panels[int8] // a matrix for each group
	bias    []int32          // bias - zx*sum(w) + k*zx*zw
	pre     []float32        // a float32 bias in units of the accumulators, nil without
	zeros   []uint8          // with pre: a row of the output's zero point
	post    []float32        // a float32 bias that is added to a float32 output, nil without
	wsum    []int32          // sum(w) - k*zw, by which a row's own zero point counts; nil without those
	wzero   []int32          // nil when all are 0
	mult    []float32        // to the output's scale
	pairs   []bool           // of each group's panels, whether they are packed for layer.pairs; nil without any
	safe    int              // panels whose products may be summed by pairs in 16 bits, whether or not a kernel does
	// positions are the sums of the weights at each position of a column, one column after the other; nil with one position.
	positions []int32
	largest   int64 // magnitude that a sum of products of uint8 values and weights of a column can have; with onePacking only
}

type matrixKey struct {
	weight, bias *tensor.Tensor
	kernel       asm.Info
	in, out      *tensor.QParams
	groups, join int
	onePacking   bool
}

// pack packs w and computes what goes with each column, on several goroutines.
func (l *layer) pack(w []int8, bias *tensor.Tensor) (*matrix, error) {
	m := l.newMatrix(int8s(tensor.AlignedBytes(l.layout().Len())))
	if l.dynamic && bias != nil {
		m.post = append(slices.Clone(bias.Contiguous().Float32s()), make([]float32, l.g.NR)...)
	}
	k := newPacking(l, m)
	k.start(w, bias)
	l.p.Parallel(len(k.failed), k.panel)
	return m, k.finish()
}

// layout returns how the weights lie in memory.
func (l *layer) layout() ops.PanelLayout {
	return ops.PanelLayout{Packing: l.g.Info, Matrices: l.groups, Depth: l.g.PanelBytes(l.ks, l.kc) / l.g.NR, N: l.cols}
}

// newMatrix returns a matrix whose weights are packed in data.
func (l *layer) newMatrix(data []int8) *matrix {
	n := l.outChannels
	m := &matrix{
		weights: ops.Panels[int8]{PanelLayout: l.layout(), Data: data},
		bias:    make([]int32, n+l.g.NR),
		mult:    make([]float32, n+l.g.NR),
	}
	if l.dynamic {
		m.wsum = make([]int32, n+l.g.NR)
	} else if hasFloatBias(l.hasBias, l.p.In) {
		m.pre = make([]float32, n+l.g.NR)
		if l.out != nil && l.training == nil {
			m.zeros = bytes.Repeat([]byte{uint8(l.zero)}, n)
		}
	}
	if l.ks > 1 {
		m.positions = make([]int32, n*l.ks)
	}
	return m
}

// packing fills in a matrix, a panel at a time.
type packing struct {
	l *layer
	m *matrix

	w    []int8  // [outs, depth/taps, taps]
	bias []int32 // nil where the layer has none, or one in float32
	sx   float32
	zx   int64
	wq   *tensor.QParams

	failed  []error // of each panel of each group
	largest []int64
	safe    []bool
}

//go:noinline
func newPacking(l *layer, m *matrix) *packing {
	n := m.weights.Panels() * l.groups
	return &packing{l: l, m: m, failed: make([]error, n), largest: make([]int64, n), safe: make([]bool, n)}
}

// start takes the weights and the bias, and the parameters that the layer's inputs have now.
func (k *packing) start(w []int8, bias *tensor.Tensor) {
	k.w, k.wq, k.sx = w, k.l.p.In[1].Q, 1
	if x := k.l.p.In[0].Q; x != nil {
		k.sx, k.zx = x.Scale[0], int64(x.ZeroPoint[0])
	}
	if k.m.pre != nil {
		for c, v := range bias.Contiguous().Float32s() {
			k.m.pre[c] = v / float32(k.sx*k.wq.Scale[c%len(k.wq.Scale)])
		}
	} else if bias != nil && !k.l.dynamic {
		k.bias = bias.Contiguous().Int32s()
	}
	hasZero := slices.ContainsFunc(k.wq.ZeroPoint, func(z int32) bool { return z != 0 })
	switch {
	case !hasZero:
		k.m.wzero = nil
	case k.m.wzero == nil:
		k.m.wzero = make([]int32, k.l.outChannels+k.l.g.NR)
	}
}

// columns returns the output channels of a panel, of all groups' panels.
func (k *packing) columns(i int) (first, count int) {
	group, n0 := i/k.m.weights.Panels(), i%k.m.weights.Panels()*k.l.g.NR
	return group*k.l.cols + n0, min(k.l.g.NR, k.l.columnsOf(group)-n0)
}

// panel packs panel i.
func (k *packing) panel(i int) {
	l := k.l
	first, columns := k.columns(i)
	if columns <= 0 {
		return
	}
	memory := takeOrderedMemory()
	defer giveOrderedMemory(memory)
	ordered := l.ordered(k.w[first*l.depth:][:columns*l.depth], first, columns, memory)
	size := l.ks * l.kc
	kernel := l.g
	if l.training == nil {
		if k.safe[i] = asm.PairsFit(ordered, l.most); k.safe[i] && l.pairs != nil {
			kernel = l.pairs
		}
	}
	panels := k.m.weights.Panels()
	kernel.PackB(k.m.weights.Panel(i/panels, i%panels), ordered, l.ks, l.kc, columns)
	for c := range columns {
		column := ordered[c*size:][:size]
		sum := k.m.sumOf(column, first+c, l.ks)
		if l.onePacking {
			positive := positiveSum(column)
			k.largest[i] = max(k.largest[i], 255*positive, 255*(positive-sum))
		}
		if k.failed[i] = k.column(first+c, sum, columnSize(column, l.depth)); k.failed[i] != nil {
			return
		}
	}
}

// column computes the values of output channel c, whose weights add up to sum and, without their signs, to size at most.
func (k *packing) column(c int, sum, size int64) error {
	l, m := k.l, k.m
	i := c % len(k.wq.Scale)
	zw := int64(k.wq.ZeroPoint[i])
	full := -k.zx*sum + int64(l.depth)*k.zx*zw
	if k.bias != nil {
		full += int64(k.bias[c])
	}
	if l.dynamic {
		full = sum - int64(l.depth)*zw
		m.wsum[c] = int32(full)
		full *= 255
	}
	// The largest accumulator the kernel can meet on its way.
	if worst := accumulated(l.depth, size, zw, full); worst > math.MaxInt32 {
		return &ops.UnsupportedError{Op: l.op.Name(), Reason: fmt.Sprintf(
			"output channel %d could overflow its 32-bit accumulator (%d weights, up to %d)", c, l.depth, worst)}
	}
	if !l.dynamic {
		m.bias[c] = int32(full)
	}
	if m.wzero != nil {
		m.wzero[c] = int32(zw)
	}
	sy := float32(1)
	if l.out != nil {
		sy = l.out.Scale[0]
	}
	m.mult[c] = Multiplier(k.sx, k.wq.Scale[i], sy)
	return nil
}

// finish notes what is known of the panels together.
func (k *packing) finish() error {
	for _, err := range k.failed {
		if err != nil {
			return err
		}
	}
	for i, size := range k.largest {
		k.m.largest = max(k.m.largest, size)
		if k.safe[i] {
			k.m.safe++
		}
	}
	if k.l.pairs != nil && k.m.safe > 0 {
		k.m.pairs = k.safe
	}
	return nil
}

func int8s(b []byte) []int8 {
	if len(b) == 0 {
		return nil
	}
	return unsafe.Slice((*int8)(unsafe.Pointer(unsafe.SliceData(b))), len(b))
}

func bytesOf(b []int8) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(b))), len(b))
}
