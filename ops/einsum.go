package ops

import (
	"fmt"
	"slices"
	"strings"

	"github.com/octet-ml/octet/tensor"
)

// Einsum sums products of elements over named dimensions, as torch.einsum
// does: "bij,bjk->bik". Operands are contracted from left to right. It is lowered
// to sums, permutations and matrix multiplications.
type Einsum struct {
	Equation string
}

func (Einsum) Name() string { return "einsum" }

// String shows the equation in dumps.
func (op Einsum) String() string { return fmt.Sprintf("einsum(%s)", op.Equation) }

func (op Einsum) Infer(in []Type) ([]Type, error) { return lowerInfer(op, in) }

func (op Einsum) Prepare(p *Prepare) (*Kernel, error) { return lowerPrepare(op, p) }

// einsumOperand is a value with the labels of its dimensions, each once.
type einsumOperand struct {
	value  int
	labels []rune
}

// ellipsis is the label of the first of the dimensions that "..." stands for;
// further ones follow it. Letters are below.
const ellipsis rune = 1 << 16

// parse returns the labels of each operand's dimensions, and the output's.
func (op Einsum) parse(in []Type) (operands [][]rune, out []rune, err error) {
	fail := func(format string, args ...any) ([][]rune, []rune, error) {
		return nil, nil, Errorf(op, in, format, args...)
	}
	left, right, arrow := strings.Cut(strings.ReplaceAll(op.Equation, " ", ""), "->")
	terms := strings.Split(left, ",")
	if len(terms) != len(in) {
		return fail("%q has %d operands, not %d", op.Equation, len(terms), len(in))
	}
	wide := 0 // the most dimensions an ellipsis stands for
	counts := map[rune]int{}
	for i, term := range terms {
		letters := strings.Replace(term, "...", "", 1)
		hidden := len(in[i].Shape) - len(letters)
		if hidden < 0 || hidden > 0 && letters == term {
			return fail("%q does not name the dimensions of operand %d", term, i)
		}
		if letters != term {
			wide = max(wide, hidden)
		}
	}
	expand := func(term string, hidden int) ([]rune, bool) {
		var labels []rune
		for len(term) > 0 {
			switch r := rune(term[0]); {
			case strings.HasPrefix(term, "..."):
				for k := range hidden {
					labels = append(labels, ellipsis+rune(wide-hidden+k))
				}
				term = term[3:]
				hidden = 0
			case r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z':
				labels = append(labels, r)
				term = term[1:]
			default:
				return nil, false
			}
		}
		return labels, true
	}
	for i, term := range terms {
		hidden := len(in[i].Shape) - len(strings.Replace(term, "...", "", 1))
		labels, ok := expand(term, hidden)
		if !ok || len(labels) != len(in[i].Shape) {
			return fail("%q does not name the dimensions of operand %d", term, i)
		}
		for _, l := range labels {
			counts[l]++
		}
		operands = append(operands, labels)
	}
	if arrow {
		labels, ok := expand(right, wide)
		if !ok {
			return fail("%q does not name dimensions", right)
		}
		for i, l := range labels {
			if counts[l] == 0 || slices.Contains(labels[:i], l) {
				return fail("%q names dimensions twice or that no operand has", right)
			}
		}
		return operands, labels, nil
	}
	// Without an output: the ellipsis, then what stands once, in order.
	for k := range wide {
		out = append(out, ellipsis+rune(k))
	}
	var once []rune
	for l, n := range counts {
		if n == 1 && l < ellipsis {
			once = append(once, l)
		}
	}
	slices.Sort(once)
	return operands, append(out, once...), nil
}

// MACs counts those of the operators it is lowered to.
func (op Einsum) MACs(in, _ []Type) int64 { return loweredMACs(op, in) }

// Lower returns the contractions.
func (op Einsum) Lower(in []Type) ([]Step, error) {
	if len(in) == 0 {
		return nil, Errorf(op, in, "it needs at least one input")
	}
	integers := in[0].DType.IsInteger()
	for _, t := range in {
		if integers && t.DType != in[0].DType {
			return nil, Errorf(op, in, "integers must all be of one type")
		}
	}
	if !integers {
		if err := singleOrDouble(op, in); err != nil {
			return nil, err
		}
	}
	labels, out, err := op.parse(in)
	if err != nil {
		return nil, err
	}
	b := &einsumBuilder{lowering: newLowering(in), product: MatMul{}, out: out}
	switch {
	case in[0].DType == tensor.Float64:
		b.product = MatMul64{}
	case integers:
		b.product = nil
	}
	for i, l := range labels {
		o, err := b.diagonals(einsumOperand{i, l})
		if err != nil {
			return nil, Errorf(op, in, "%v", err)
		}
		b.operands = append(b.operands, o)
	}
	acc, rest := b.operands[0], b.operands[1:]
	for len(rest) > 0 && err == nil {
		b.operands = rest[1:]
		acc, err = b.contract(acc, rest[0])
		rest = rest[1:]
	}
	b.operands = nil
	if err == nil {
		err = b.finish(acc)
	}
	if err != nil {
		return nil, Errorf(op, in, "%v", err)
	}
	return b.steps, nil
}

// einsumBuilder lowers an equation.
type einsumBuilder struct {
	*lowering
	product  Op // of two matrices, nil of integers
	out      []rune
	operands []einsumOperand // that are still to come
}

// needed reports whether the output or a later operand has the label.
func (b *einsumBuilder) needed(l rune) bool {
	if slices.Contains(b.out, l) {
		return true
	}
	return slices.ContainsFunc(b.operands, func(o einsumOperand) bool { return slices.Contains(o.labels, l) })
}

//go:noinline
func (b *einsumBuilder) extent(o einsumOperand, l rune) int {
	return b.types[o.value].Shape[slices.Index(o.labels, l)]
}

// diagonals makes one dimension of those with the same label.
func (b *einsumBuilder) diagonals(o einsumOperand) (einsumOperand, error) {
	for i := 0; i < len(o.labels); i++ {
		j := slices.Index(o.labels[:i], o.labels[i])
		if j < 0 {
			continue
		}
		if b.types[o.value].Shape[i] != b.types[o.value].Shape[j] {
			return o, fmt.Errorf("dimensions of one name have extents %d and %d", b.types[o.value].Shape[j], b.types[o.value].Shape[i])
		}
		v, err := b.add(Diagonal{Axis1: j, Axis2: i}, o.value)
		if err != nil {
			return o, err
		}
		label := o.labels[i]
		kept := slices.Delete(slices.Delete(slices.Clone(o.labels), i, i+1), j, j+1)
		o = einsumOperand{v, append(kept, label)}
		i = -1
	}
	return o, nil
}

// reduce sums an operand over the labels that say so.
func (b *einsumBuilder) reduce(o einsumOperand, sum func(l rune) bool) (einsumOperand, error) {
	var axes []int
	var kept []rune
	for i, l := range o.labels {
		if sum(l) {
			axes = append(axes, i)
		} else {
			kept = append(kept, l)
		}
	}
	v, err := b.sum(o.value, axes, false)
	return einsumOperand{v, kept}, err
}

// contract multiplies two operands and sums over what nothing else needs.
func (b *einsumBuilder) contract(x, y einsumOperand) (einsumOperand, error) {
	fail := func(err error) (einsumOperand, error) { return einsumOperand{}, err }
	// What only one of them has, or only one has with more than one element, is
	// summed before.
	only := func(o, other einsumOperand) func(l rune) bool {
		return func(l rune) bool {
			return !b.needed(l) && (!slices.Contains(other.labels, l) || b.extent(other, l) == 1 || b.extent(o, l) == 1)
		}
	}
	sumX, sumY := only(x, y), only(y, x)
	for _, l := range x.labels {
		if slices.Contains(y.labels, l) && b.extent(x, l) != b.extent(y, l) && b.extent(x, l) != 1 && b.extent(y, l) != 1 {
			return fail(fmt.Errorf("dimensions of one name have extents %d and %d", b.extent(x, l), b.extent(y, l)))
		}
	}
	x, err := b.reduce(x, sumX)
	if err != nil {
		return fail(err)
	}
	if y, err = b.reduce(y, sumY); err != nil {
		return fail(err)
	}
	var batch, sum, left, right []rune
	for _, l := range x.labels {
		switch {
		case !slices.Contains(y.labels, l):
			left = append(left, l)
		case b.needed(l):
			batch = append(batch, l)
		default:
			sum = append(sum, l)
		}
	}
	for _, l := range y.labels {
		if !slices.Contains(x.labels, l) {
			right = append(right, l)
		}
	}
	a, err := b.matrix(x, batch, left, sum)
	if err != nil {
		return fail(err)
	}
	c, err := b.matrix(y, batch, sum, right)
	if err != nil {
		return fail(err)
	}
	v, err := b.multiply(a, c)
	if err != nil {
		return fail(err)
	}
	v, err = b.split(v, x, y, batch, left, right)
	return einsumOperand{v, slices.Concat(batch, left, right)}, err
}

// multiply multiplies two values of matrices, those of integers element by element: the kernels of matrices compute in floats.
func (b *einsumBuilder) multiply(x, y int) (int, error) {
	if b.product != nil {
		return b.add(b.product, x, y)
	}
	n := len(b.types[x].Shape) - 2
	order := make([]int, n+2)
	for i := range order {
		order[i] = i
	}
	order[n], order[n+1] = n+1, n
	y, err := b.permute(y, order)
	if err != nil {
		return 0, err
	}
	one, last := Extent{}, extentOf(n+1)
	if x, err = b.add(DynamicReshape{Extents: append(sameExtents(0, n), extentOf(n), one, last)}, x); err != nil {
		return 0, err
	}
	if y, err = b.add(DynamicReshape{Extents: append(sameExtents(0, n), one, extentOf(n), last)}, y); err != nil {
		return 0, err
	}
	v, err := b.add(Binary{Fn: Mul}, x, y)
	if err != nil {
		return 0, err
	}
	return b.sum(v, []int{n + 2}, false)
}

// matrix orders an operand's dimensions as batch, rows and columns, and joins
// the rows, and the columns, to one dimension.
func (b *einsumBuilder) matrix(o einsumOperand, batch, rows, columns []rune) (int, error) {
	v, err := b.order(o, slices.Concat(batch, rows, columns))
	if err != nil || len(rows) == 1 && len(columns) == 1 {
		return v, err
	}
	n := len(batch)
	axes := make([]int, n+len(rows)+len(columns))
	for i := range axes {
		axes[i] = i
	}
	joined := append(sameExtents(0, n), extentOf(axes[n:n+len(rows)]...), extentOf(axes[n+len(rows):]...))
	return b.add(DynamicReshape{Extents: joined}, v)
}

// split gives a product the dimensions that were joined: the rows of x, the
// columns of y.
func (b *einsumBuilder) split(product int, x, y einsumOperand, batch, rows, columns []rune) (int, error) {
	if len(rows) == 1 && len(columns) == 1 {
		return product, nil
	}
	extents := sameExtents(0, len(batch))
	for i, part := range [][]rune{rows, columns} {
		o := []einsumOperand{x, y}[i]
		for _, l := range part {
			extents = append(extents, Extent{Of: []Dimension{{Input: i + 1, Axis: slices.Index(o.labels, l)}}})
		}
	}
	return b.add(DynamicReshape{Extents: extents}, product, x.value, y.value)
}

func (b *einsumBuilder) order(o einsumOperand, labels []rune) (int, error) {
	order := make([]int, len(labels))
	for i, l := range labels {
		order[i] = slices.Index(o.labels, l)
	}
	return b.permute(o.value, order)
}

// finish sums what the output does not have and puts its dimensions in order.
func (b *einsumBuilder) finish(o einsumOperand) error {
	o, err := b.reduce(o, func(l rune) bool { return !b.needed(l) })
	if err != nil {
		return err
	}
	v, err := b.order(o, b.out)
	if err != nil {
		return err
	}
	if d := b.types[0].DType; err == nil && b.types[v].DType != d { // sums of integers are int64
		v, err = b.add(Cast{DType: d}, v)
	}
	if err == nil && v < b.inputs {
		_, err = b.add(DynamicReshape{Extents: sameExtents(0, len(b.types[v].Shape))}, v)
	}
	return err
}
