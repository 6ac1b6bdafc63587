package tensor

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Format prints the tensor as String does for %v and %s. For %+v its elements follow, as PyTorch prints them: with four digits, and of
// more than 1000 elements the first and last three of each dimension. Those of a quantized tensor are what its integers stand for.
func (t *Tensor) Format(f fmt.State, verb rune) {
	type plain Tensor // without methods
	switch {
	case verb != 'v' && verb != 's' && verb != 'q' || f.Flag('#'):
		fmt.Fprintf(f, fmt.FormatString(f, verb), (*plain)(t))
	case f.Flag('+') && t != nil:
		fmt.Fprint(f, t.elements())
	default:
		fmt.Fprintf(f, fmt.FormatString(f, verb), t.String())
	}
}

// What PyTorch's print options are by themselves.
const (
	printThreshold = 1000
	printEdge      = 3
	printLine      = 80
)

// elements returns the description of a tensor, and its elements on the lines below.
func (t *Tensor) elements() string {
	text := t.String()
	if t.q != nil {
		text += " " + t.q.String()
	}
	if !t.IsBound() {
		return text
	}
	values := t
	if t.q != nil {
		v, err := t.Dequantize()
		if err != nil {
			return text
		}
		values = v
	}
	p := printer{tensor: values.Contiguous(), edges: values.Numel() > printThreshold}
	p.choose()
	p.b.WriteString(text + "\n")
	p.write(0, 0, 0)
	return p.b.String()
}

// printer writes elements in the form that torch._tensor_str gives them.
type printer struct {
	b      strings.Builder
	tensor *Tensor // contiguous
	edges  bool    // only the first and last of each dimension
	verb   byte    // of floats: e, f with digits, or i for whole numbers
	width  int
}

// indices returns the indices along an axis that are written, -1 where some are left out.
func (p *printer) indices(axis int) []int {
	n := p.tensor.shape[axis]
	var out []int
	for i := 0; i < n; i++ {
		if p.edges && n > 2*printEdge && i == printEdge {
			out = append(out, -1)
			i = n - printEdge
		}
		out = append(out, i)
	}
	return out
}

// each calls f with the place of each element that is written.
func (p *printer) each(axis, at int, f func(at int)) {
	if axis == len(p.tensor.shape) {
		f(at)
		return
	}
	for _, i := range p.indices(axis) {
		if i >= 0 {
			p.each(axis+1, at+i*p.tensor.strides[axis], f)
		}
	}
}

// choose finds the form and width that fit all elements that are written.
func (p *printer) choose() {
	if p.tensor.Numel() == 0 {
		return
	}
	if p.verb = 'i'; p.tensor.dtype.IsFloat() {
		least, most := math.Inf(1), 0.0
		p.each(0, 0, func(at int) {
			if v := p.float(at); v != 0 && !math.IsInf(v, 0) && !math.IsNaN(v) {
				least, most = min(least, math.Abs(v)), max(most, math.Abs(v))
				if v != math.Trunc(v) {
					p.verb = 'f'
				}
			}
		})
		if most > 0 && (most/least > 1000 || most > 1e8 || p.verb == 'f' && least < 1e-4) {
			p.verb = 'e'
		}
	}
	p.each(0, 0, func(at int) {
		if v := p.float(at); !p.tensor.dtype.IsFloat() || v != 0 && !math.IsInf(v, 0) && !math.IsNaN(v) {
			p.width = max(p.width, len(p.text(at)))
		}
	})
	p.width = max(p.width, 1)
}

func (p *printer) float(at int) float64 {
	var v [1]float64
	if p.tensor.dtype.IsFloat() {
		widenFloat(v[:], p.tensor, at)
	}
	return v[0]
}

// text returns an element as it is written.
func (p *printer) text(at int) string {
	switch d := p.tensor.dtype; {
	case d == Bool:
		if Data[bool](p.tensor)[at] {
			return "True"
		}
		return "False"
	case d == Complex64:
		return strconv.FormatComplex(complex128(Data[complex64](p.tensor)[at]), 'f', 4, 64)
	case d == Complex128:
		return strconv.FormatComplex(Data[complex128](p.tensor)[at], 'f', 4, 128)
	case !d.IsFloat():
		var v [1]int64
		widenInt(v[:], p.tensor, at)
		return strconv.FormatInt(v[0], 10)
	}
	switch v := p.float(at); {
	case math.IsNaN(v):
		return "nan"
	case math.IsInf(v, 0):
		return strings.TrimPrefix(strings.ToLower(strconv.FormatFloat(v, 'f', 0, 64)), "+")
	case p.verb == 'i':
		return strconv.FormatFloat(v, 'f', 0, 64) + "."
	default:
		return strconv.FormatFloat(v, p.verb, 4, 64)
	}
}

// write writes the part of the tensor that begins at an element, from an axis on.
func (p *printer) write(axis, at, indent int) {
	rank := len(p.tensor.shape)
	if axis == rank {
		p.b.WriteString(fmt.Sprintf("%*s", p.width, p.text(at)))
		return
	}
	p.b.WriteByte('[')
	defer p.b.WriteByte(']')
	if p.tensor.Numel() == 0 {
		return
	}
	perLine := max(1, (printLine-indent)/(p.width+2))
	separator := "," + strings.Repeat("\n", rank-axis-1) + strings.Repeat(" ", indent+1)
	for n, i := range p.indices(axis) {
		switch {
		case n == 0:
		case axis < rank-1:
			p.b.WriteString(separator)
		case n%perLine == 0:
			p.b.WriteString(",\n" + strings.Repeat(" ", indent+1))
		default:
			p.b.WriteString(", ")
		}
		switch {
		case i >= 0:
			p.write(axis+1, at+i*p.tensor.strides[axis], indent+1)
		case axis == rank-1:
			p.b.WriteString(" ...")
		default:
			p.b.WriteString("...")
		}
	}
}
