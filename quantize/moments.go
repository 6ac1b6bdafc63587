package quantize

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// moments are sums over a sample of the rows of inputs that a layer multiplies
// its weights with, a row for each group of channels: what correcting biases and
// learning how to round need to know of the data.
type moments struct {
	mu     sync.Mutex
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

// products returns how many products of a group there are in front of each block, and in all.
func products(bounds []int) []int {
	at := []int{0}
	for i, to := range bounds[1:] {
		n := to - bounds[i]
		at = append(at, at[i]+n*n)
	}
	return at
}

// productsOf returns how many products there are of a row in all.
func productsOf(size int) int {
	at := products(rowBlocks(size))
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
	at := products(bounds)
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

// rowSize is the number of inputs that an output of a layer is the sum over.
func rowSize(n *graph.Node) int {
	return n.Inputs[1].Type.Numel() / max(n.Inputs[1].Type.Shape[0], 1)
}

// fits reports whether the moments are of rows as the layer has them.
func (m *moments) fits(n *graph.Node) bool {
	return m.groups == int8.LayerOf(n.Op).Groups && m.size == rowSize(n)
}

// add takes in other moments of the same layer.
func (m *moments) add(o *moments) error {
	if m.groups != o.groups || m.size != o.size || (m.second == nil) != (o.second == nil) {
		return fmt.Errorf("%w: %d rows of %d and %d of %d", ErrMismatch, m.groups, m.size, o.groups, o.size)
	}
	m.rows += o.rows
	for i, v := range o.sum {
		m.sum[i] += v
	}
	for i, v := range o.second {
		m.second[i] += v
	}
	return nil
}

func (m *moments) clone() *moments {
	return &moments{groups: m.groups, size: m.size, rows: m.rows, sum: append([]float64(nil), m.sum...), second: append([]float32(nil), m.second...)}
}

// momentState is moments in JSON: numbers as base64 of their little-endian bytes.
type momentState struct {
	Groups int    `json:"groups"`
	Size   int    `json:"size"`
	Rows   int64  `json:"rows"`
	Sum    string `json:"sum"`
	Second string `json:"second,omitempty"`
}

func (m *moments) state() momentState {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := momentState{Groups: m.groups, Size: m.size, Rows: m.rows}
	b := make([]byte, 0, 8*len(m.sum))
	for _, v := range m.sum {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	s.Sum = base64.StdEncoding.EncodeToString(b)
	b = b[:0]
	for _, v := range m.second {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	s.Second = base64.StdEncoding.EncodeToString(b)
	return s
}

// moments checks a state, which comes from a file.
func (s momentState) moments() (*moments, error) {
	bad := fmt.Errorf("%w: moments of %d rows of %d", ErrMismatch, s.Groups, s.Size)
	sum, err := base64.StdEncoding.DecodeString(s.Sum)
	if err != nil {
		return nil, err
	}
	second, err := base64.StdEncoding.DecodeString(s.Second)
	if err != nil {
		return nil, err
	}
	const most = min(1<<31, math.MaxInt)
	if s.Groups < 1 || s.Size < 1 || s.Rows < 0 || s.Groups > most || s.Size > most {
		return nil, bad
	}
	n, err := tensor.Shape{s.Groups, productsOf(s.Size)}.Numel()
	if err != nil || len(sum) != 8*s.Groups*s.Size || len(second) != 0 && len(second) != 4*n {
		return nil, bad
	}
	m := &moments{groups: s.Groups, size: s.Size, rows: s.Rows}
	for ; len(sum) > 0; sum = sum[8:] {
		m.sum = append(m.sum, math.Float64frombits(binary.LittleEndian.Uint64(sum)))
	}
	for ; len(second) > 0; second = second[4:] {
		m.second = append(m.second, math.Float32frombits(binary.LittleEndian.Uint32(second)))
	}
	for _, v := range m.sum {
		if v-v != 0 {
			return nil, bad
		}
	}
	for _, v := range m.second {
		if !isFinite(v) {
			return nil, bad
		}
	}
	return m, nil
}

// NeedsData reports whether a model has to run on data before it is quantized: to observe its activations, or what rounds its weights or smooths them.
func (o Options) NeedsData() bool { return !o.Dynamic || o.needsMoments() || o.Smooth != NoSmoothing }

// needsMoments reports whether quantizing the weights takes moments of the inputs.
func (o Options) needsMoments() bool { return o.CorrectBias || o.Rounding == Learned }

// observeMoments adds the nodes that accumulate moments of the input of each
// layer that may be quantized.
func (q *Quantizer) observeMoments(p *prepared, first map[*graph.Value]bool) error {
	for _, n := range p.graph.Nodes {
		if !isLayer(n.Op) || !p.allowed[n] {
			continue
		}
		layer := p.form(n).Layer
		m := &moments{groups: layer.Groups, size: rowSize(n)}
		patch := patchesOp{conv: layer.Conv, weight: n.Inputs[1].Type.Shape, samples: first[n.Inputs[0]]}
		m.sum = make([]float64, m.groups*m.size)
		if q.opts.Rounding == Learned {
			m.second = make([]float32, m.groups*productsOf(m.size))
		}
		name := p.layers[n]
		if have := q.moments[name]; have != nil && have.fits(n) && (have.second == nil) == (m.second == nil) {
			m = have
		}
		q.moments[name] = m
		inputs, err := p.graph.Add(n.Scope, patch, n.Inputs[0])
		if err != nil {
			return err
		}
		rows := inputs[0]
		inputs = slices.Clone(inputs)
		if m.second != nil {
			blocks, err := addProducts(p.graph, n.Scope, rows, m.size)
			if err != nil {
				return err
			}
			inputs = append(inputs, blocks...)
		}
		if _, err := p.graph.Add(n.Scope, momentsOp{m}, inputs...); err != nil {
			return err
		}
	}
	return nil
}

// addProducts adds the products of each two elements of each block of the rows.
func addProducts(g *graph.Graph, scope graph.Scope, rows *graph.Value, size int) ([]*graph.Value, error) {
	bounds := rowBlocks(size)
	out := make([]*graph.Value, len(bounds)-1)
	for i := range out {
		block, err := rows, error(nil)
		if len(out) > 1 {
			if block, err = g.Add1(scope, ops.Slice{Axis: 1, Start: bounds[i], End: bounds[i+1], Step: 1}, rows); err != nil {
				return nil, err
			}
		}
		if out[i], err = g.Add1(scope, ops.MatMul{TransposeB: true}, block, block); err != nil {
			return nil, err
		}
	}
	return out, nil
}
