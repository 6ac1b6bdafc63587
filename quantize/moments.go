package quantize

import (
	"slices"

	"github.com/octet-ml/octet/graph"
)

// moments are sums over a sample of the rows of inputs that a layer multiplies
// its weights with, a row for each group of channels: what correcting biases and
// learning how to round need to know of the data.
type moments struct {
	groups int
	size   int       // of a row
	rows   int64     // of each group
	sum    []float64 // [groups][size]
	// second is the sum of products of each two elements of a block, for each group and block
	// [block][block]; nil where only biases are corrected.
	second []float32
}

// Rows of up to wholeRow elements are one block. Longer ones are cut into blocks, so that the products of a layer take
// memory in proportion to its row: what two weights in different blocks do to each other is not looked at.
const (
	wholeRow = 4096
	rowBlock = 1024
)

// rowBlocks returns the bounds of the blocks of a row: 0, the end of the first, and so on.
//
//go:noinline
func rowBlocks(size int) []int {
	if size <= wholeRow {
		return []int{0, size}
	}
	bounds := []int{0}
	for from := rowBlock; from < size; from += rowBlock {
		bounds = append(bounds, from)
	}
	return append(bounds, size)
}

// productsBefore returns how many products of a group there are in front of each block, and in all.
func productsBefore(bounds []int) []int {
	at := []int{0}
	for i, to := range bounds[1:] {
		n := to - bounds[i]
		at = append(at, at[i]+n*n)
	}
	return at
}

// productsOf returns how many products there are of a row in all.
func productsOf(size int) int {
	at := productsBefore(rowBlocks(size))
	return at[len(at)-1]
}

// momentRows is how many rows of a run are looked at, evenly apart.
const momentRows = 1024

// mean returns the mean row of a group.
func (m *moments) mean(group int) []float64 {
	out := make([]float64, m.size)
	for i := range out {
		out[i] = m.sum[group*m.size+i] / float64(max(m.rows, 1))
	}
	return out
}

// covariance returns the mean product of each two elements of a block of a group's rows, less,
// when centered, that of their means.
func (m *moments) covariance(group, block int, centered bool) []float32 {
	bounds := rowBlocks(m.size)
	at := productsBefore(bounds)
	k := bounds[block+1] - bounds[block]
	second := m.second[group*at[len(at)-1]+at[block]:]
	out := make([]float32, k*k)
	mean := m.mean(group)[bounds[block]:]
	n := float64(max(m.rows, 1))
	for i := range k {
		for j := range k {
			v := float64(second[i*k+j]) / n
			if centered {
				v -= float64(mean[i] * mean[j])
			}
			out[i*k+j] = float32(v)
		}
	}
	return out
}

func (m *moments) clone() *moments {
	c := *m
	c.sum, c.second = slices.Clone(m.sum), slices.Clone(m.second)
	return &c
}

// rowSize is the number of inputs that an output of a layer is the sum over.
func rowSize(n *graph.Node) int {
	return n.Inputs[1].Type.Numel() / max(n.Inputs[1].Type.Shape[0], 1)
}

// NeedsData reports whether a model has to run on data before it is quantized: to observe its activations, or what rounds its weights or smooths them.
func (o Options) NeedsData() bool { return !o.Dynamic || o.needsMoments() || o.Smooth != NoSmoothing }

// needsMoments reports whether quantizing the weights takes moments of the inputs.
func (o Options) needsMoments() bool { return o.CorrectBias || o.Rounding == Learned }
