package quantize

import (
	"math"
	"unsafe"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
)

// binning says in which bin a value lies: floor((x-sub)*mul/div) - first, in
// float32, and at most the last.
type binning struct {
	sub, mul, div float32
	first         int32
	bins          int
}

// counter adds the number of a batch's values in each bin to counts.
type counter func(b binning, counts []int64)

// countAll returns a counter of values.
func countAll(v []float32) counter {
	return func(b binning, counts []int64) {
		tables := make([]uint32, asm.HistogramTables*b.bins)
		k := asm.HistogramF32For(asm.Generic)
		for len(v) > 0 {
			part := v[:min(len(v), mostCounted)]
			v = v[len(part):]
			k.Run(b.args(part, tables))
			addTables(counts, tables)
			clear(tables)
		}
	}
}

// mostCounted values are counted in a table of 32 bits at a time.
const mostCounted = math.MaxInt32

// args returns the arguments that count at least one value.
func (b binning) args(v []float32, tables []uint32) *asm.HistogramF32Args {
	return &asm.HistogramF32Args{
		X: &v[0], N: len(v), Sub: b.sub, Mul: b.mul, Div: b.div, First: b.first, Bins: int32(b.bins), Counts: &tables[0], Stride: b.bins,
	}
}

// addTables adds what tables side by side have counted.
func addTables(counts []int64, tables []uint32) {
	for ; len(tables) > 0; tables = tables[len(counts):] {
		for i, n := range tables[:len(counts)] {
			counts[i] += int64(n)
		}
	}
}

// parallelCounter counts an operator's input on its workers: in a few parts, each with
// tables of its own, whose sums do not depend on how many there are.
type parallelCounter struct {
	kernel *asm.HistogramF32
	parts  int
}

// mostBins is how many bins counters are asked for at most.
const mostBins = max(gridBins, histogramBins)

func newParallelCounter(p *ops.Prepare) *parallelCounter {
	n := p.In[0].Numel()
	return &parallelCounter{asm.HistogramF32For(p.Tier), max(min(p.Threads, n/chunk, 64), 1)}
}

// scratch is the shared memory it needs.
func (p *parallelCounter) scratch() int { return 4 * asm.HistogramTables * mostBins * p.parts }

// counter returns the counter of a call's first n values, with scratch memory.
func (p *parallelCounter) counter(c *ops.Call, n int, scratch []byte) counter {
	return func(b binning, counts []int64) {
		size := asm.HistogramTables * b.bins
		all := unsafe.Slice((*uint32)(unsafe.Pointer(unsafe.SliceData(scratch))), size*p.parts)
		clear(all)
		c.Parallel(p.parts, func(c *ops.Call, i int, w *ops.Worker) {
			v := c.In[0].Float32s()[i*n/p.parts : (i+1)*n/p.parts]
			if len(v) == 0 {
				return
			}
			w.Args.HistogramF32 = *b.args(v, all[i*size:(i+1)*size])
			p.kernel.Run(&w.Args.HistogramF32)
		})
		addTables(counts, all)
	}
}
