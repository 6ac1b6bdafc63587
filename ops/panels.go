package ops

import (
	"unsafe"

	"github.com/octet-ml/octet/ops/asm"
)

// PanelLayout says where weights are in the order that a matrix kernel reads them in: one matrix after the other, each in
// panels of NR columns, which hold the weights of these columns depth by depth.
type PanelLayout struct {
	Packing  asm.Info // the kernel whose order it is
	Matrices int      // of one shape: the groups of a convolution, the gates of a cell, the positions of a transform
	Depth, N int      // weights of a column, with what the kernel keeps beside them, and columns of a matrix
}

// Panels returns how many panels a matrix has.
func (l *PanelLayout) Panels() int { return (l.N + l.Packing.NR - 1) / l.Packing.NR }

// PanelLen returns the weights of a panel; in the last one, columns that the matrix lacks have some too.
func (l *PanelLayout) PanelLen() int { return l.Packing.NR * l.Depth }

// Len returns the weights of all matrices.
//
//go:noinline
func (l PanelLayout) Len() int { return l.Matrices * l.Panels() * l.PanelLen() }

// Index returns where column n of a matrix begins, which is the first of a panel. Behind the last panel the next matrix begins.
func (l *PanelLayout) Index(matrix, n int) int {
	panel := (n + l.Packing.NR - 1) / l.Packing.NR
	return (matrix*l.Panels() + min(panel, l.Panels())) * l.PanelLen()
}

// Panels are weights in such an order.
type Panels[T float32 | int8] struct {
	PanelLayout
	Data []T
}

// At returns column n of a matrix, which is the first of a panel, and nil where there are no weights.
func (p *Panels[T]) At(matrix, n int) *T {
	if len(p.Data) == 0 {
		return nil
	}
	return &p.Data[p.Index(matrix, n)]
}

// Position returns column n of a matrix, which is the first of a panel, from position s of ks on that its depths are divided into.
func (p *Panels[T]) Position(matrix, n, s, ks int) *T {
	if len(p.Data) == 0 {
		return nil
	}
	return &p.Data[p.Index(matrix, n)+p.PanelLen()/ks*s]
}

// Gap returns the bytes from the end of the positions of a panel, of ks, that are read to the next panel.
func (p *Panels[T]) Gap(read, ks int) int {
	return p.PanelLen() / ks * (ks - read) * int(unsafe.Sizeof(*new(T)))
}

// Panel returns panel i of a matrix.
func (p *Panels[T]) Panel(matrix, i int) []T {
	at := p.Index(matrix, i*p.Packing.NR)
	return p.Data[at : at+p.PanelLen()]
}

// Bytes returns the memory of all weights.
func (p *Panels[T]) Bytes() []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(p.Data))), len(p.Data)*int(unsafe.Sizeof(*new(T))))
}

// Next returns the weights that are read after those of the columns before n of a matrix: the next ones, or those of
// the layer behind.
func (p *Panels[T]) Next(c *Call, matrix, n int) []byte {
	if at := p.Index(matrix, n); at < len(p.Data) {
		return p.Bytes()[at*int(unsafe.Sizeof(*new(T))):]
	}
	return c.Next[:min(len(c.Next), asm.WeightBlock())]
}

// panelsOf divides values into panels and what follows.
//
//go:noinline
func panelsOf(l PanelLayout, values []float32) (Panels[float32], []float32) {
	n := l.Len()
	return Panels[float32]{l, values[:n:n]}, values[n:]
}
