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

// momentSums add up the moments of runs, so that the sums do not depend on which process ran which batch.
type momentSums struct {
	mu           sync.Mutex
	groups, size int // see moments
	rows         int64
	sum          *binned
	// products are those of each two elements of a block, the first at or before the second; nil where only biases are corrected.
	products *binned
}

func newMomentSums(groups, size int, products bool) *momentSums {
	m := &momentSums{groups: groups, size: size, sum: newBinned(groups, size)}
	if products {
		bounds := pairsBefore(rowBlocks(size))
		m.products = newBinned(groups, bounds[len(bounds)-1])
	}
	return m
}

// pairsBefore returns how many products of two elements of a block there are in a group in front of each block, and in all.
func pairsBefore(bounds []int) []int {
	at := []int{0}
	for i, to := range bounds[1:] {
		n := to - bounds[i]
		at = append(at, at[i]+n*(n+1)/2)
	}
	return at
}

// fits reports whether the moments are of rows as the layer has them.
func (m *momentSums) fits(n *graph.Node) bool {
	return m.groups == int8.LayerOf(n.Op).Groups && m.size == rowSize(n)
}

// moments returns what has been added up.
func (m *momentSums) moments() *moments {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := &moments{groups: m.groups, size: m.size, rows: m.rows, sum: make([]float64, m.groups*m.size)}
	for i := range out.sum {
		out.sum[i] = m.sum.sum(i)
	}
	if m.products == nil {
		return out
	}
	out.second = make([]float32, m.groups*productsOf(m.size))
	bounds := rowBlocks(m.size)
	from, to := 0, 0
	for range m.groups {
		for b := range bounds[1:] {
			n := bounds[b+1] - bounds[b]
			for i := range n {
				for j := i; j < n; j++ {
					v := float32(m.products.sum(from))
					out.second[to+i*n+j], out.second[to+j*n+i] = v, v
					from++
				}
			}
			to += n * n
		}
	}
	return out
}

// addSums counts a run by its sums of rows.
func (m *momentSums) addSums(sums []float32, rows int64) error {
	largest := make([]float64, m.groups)
	for g := range largest {
		if largest[g] = largestOf(sums[g*m.size:][:m.size]); math.IsInf(largest[g], 1) {
			return ErrNotFinite
		}
	}
	if err := m.sum.begin(largest); err != nil {
		return err
	}
	for g := range m.groups {
		d := m.sum.division(g)
		m.sum.addRow(g*m.size, &d, sums[g*m.size:][:m.size])
	}
	m.rows += rows
	return nil
}

// largestOf returns the largest magnitude, which is infinite where one is not finite.
func largestOf(x []float32) float64 {
	most := uint32(0)
	for _, v := range x {
		most = max(most, math.Float32bits(v)&^(1<<31))
	}
	if v := math.Float32frombits(most); isFinite(v) {
		return float64(v)
	}
	return math.Inf(1)
}

// addProducts adds the products of each block in a run, [groups, block, block].
func (m *momentSums) addProducts(blocks [][]float32) error {
	bounds := rowBlocks(m.size)
	at := pairsBefore(bounds)
	largest := make([]float64, m.groups)
	for b, block := range blocks {
		each := (bounds[b+1] - bounds[b]) * (bounds[b+1] - bounds[b])
		for g := range largest {
			largest[g] = max(largest[g], largestOf(block[g*each:][:each]))
		}
	}
	if err := m.products.begin(largest); err != nil {
		return err
	}
	for b, block := range blocks {
		n := bounds[b+1] - bounds[b]
		for g := range m.groups {
			d := m.products.division(g)
			to := g*at[len(at)-1] + at[b]
			for i := range n {
				m.products.addRow(to, &d, block[(g*n+i)*n+i:][:n-i])
				to += n - i
			}
		}
	}
	return nil
}

// add takes in other moments of the same layer.
func (m *momentSums) add(o *momentSums) error {
	if m.groups != o.groups || m.size != o.size || (m.products == nil) != (o.products == nil) {
		return fmt.Errorf("%w: %d rows of %d and %d of %d", ErrMismatch, m.groups, m.size, o.groups, o.size)
	}
	m.rows += o.rows
	if err := m.sum.add(o.sum); err != nil || m.products == nil {
		return err
	}
	return m.products.add(o.products)
}

// momentState is moments in JSON. Sum and Second are of versions 1 to 3: base64 of the little-endian bytes of moments.
type momentState struct {
	Groups   int          `json:"groups"`
	Size     int          `json:"size"`
	Rows     int64        `json:"rows"`
	Sums     *binnedState `json:"sums,omitempty"`
	Products *binnedState `json:"products,omitempty"`
	Sum      string       `json:"sum,omitempty"`
	Second   string       `json:"second,omitempty"`
}

func (m *momentSums) state() momentState {
	m.mu.Lock()
	defer m.mu.Unlock()
	return momentState{Groups: m.groups, Size: m.size, Rows: m.rows, Sums: m.sum.state(), Products: m.products.state()}
}

// moments checks a state, which comes from a file.
func (s momentState) moments() (*momentSums, error) {
	bad := fmt.Errorf("%w: moments of %d rows of %d", ErrMismatch, s.Groups, s.Size)
	const most = min(1<<31, math.MaxInt)
	if s.Groups < 1 || s.Size < 1 || s.Rows < 0 || s.Groups > most || s.Size > most {
		return nil, bad
	}
	n, err := tensor.Shape{s.Groups, productsOf(s.Size)}.Numel()
	if err != nil {
		return nil, bad
	}
	if s.Sums == nil {
		return s.older(n, bad)
	}
	m := &momentSums{groups: s.Groups, size: s.Size, rows: s.Rows}
	if m.sum, err = s.Sums.binned(s.Groups, s.Size); err != nil || s.Products == nil {
		return m, err
	}
	at := pairsBefore(rowBlocks(s.Size))
	m.products, err = s.Products.binned(s.Groups, at[len(at)-1])
	return m, err
}

// older reads the form of versions 1 to 3, in which there are n products. It counts as one run.
func (s momentState) older(n int, bad error) (*momentSums, error) {
	sum, err := base64.StdEncoding.DecodeString(s.Sum)
	if err != nil {
		return nil, err
	}
	second, err := base64.StdEncoding.DecodeString(s.Second)
	if err != nil {
		return nil, err
	}
	if len(sum) != 8*s.Groups*s.Size || len(second) != 0 && len(second) != 4*n {
		return nil, bad
	}
	m := newMomentSums(s.Groups, s.Size, len(second) > 0)
	var sums []float32
	for ; len(sum) > 0; sum = sum[8:] {
		sums = append(sums, float32(math.Float64frombits(binary.LittleEndian.Uint64(sum))))
	}
	if err := m.addSums(sums, s.Rows); err != nil {
		return nil, bad
	}
	if m.products == nil {
		return m, nil
	}
	products := make([]float32, n)
	for i := range products {
		products[i] = math.Float32frombits(binary.LittleEndian.Uint32(second[4*i:]))
	}
	// A group has all of its blocks; a run has a block of all groups.
	at := productsBefore(rowBlocks(s.Size))
	var blocks [][]float32
	for b := range at[1:] {
		var block []float32
		for g := range s.Groups {
			block = append(block, products[g*at[len(at)-1]+at[b]:][:at[b+1]-at[b]]...)
		}
		blocks = append(blocks, block)
	}
	if err := m.addProducts(blocks); err != nil {
		return nil, bad
	}
	return m, nil
}

// observeMoments adds the nodes that accumulate moments of the input of each
// layer that may be quantized.
func (q *Quantizer) observeMoments(p *prepared, first map[*graph.Value]bool) error {
	for _, n := range p.graph.Nodes {
		if !isLayer(n.Op) || !p.allowed[n] {
			continue
		}
		layer := p.form(n).Layer
		m := newMomentSums(layer.Groups, rowSize(n), q.opts.Rounding == Learned)
		patch := patchesOp{conv: layer.Conv, weight: n.Inputs[1].Type.Shape, samples: first[n.Inputs[0]]}
		name := p.layers[n]
		if have := q.moments[name]; have != nil && have.fits(n) && (have.products == nil) == (m.products == nil) {
			m = have
		}
		q.moments[name] = m
		inputs, err := p.graph.Add(n.Scope, patch, n.Inputs[0])
		if err != nil {
			return err
		}
		rows := inputs[0]
		inputs = slices.Clone(inputs)
		if m.products != nil {
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
