package quantize

import (
	"encoding/binary"
	"fmt"
	"math"
)

// binned are sums of vectors of numbers that do not depend on the order of the vectors, nor on how parts of them are added up
// first: Ahrens, Demmel and Nguyen, "Algorithms for Efficient Reproducible Floating Point Summation" (2020). An element is a multiple
// of a high unit, the rest one of a middle unit, which is 2^binBits times smaller, and the rest of that one of a low unit. Where a
// larger element needs larger units, the high ones become the middle ones and these the low ones, as if it had come first: an element
// before has none of the new high ones, and what it had of the low ones, half a unit now at most, is rounded off.
// So a sum is exact up to 2^-30 of the largest element for each vector.
type binned struct {
	group     int // elements that share their units
	exponents []int
	// units of each element, the low ones first: of 2^exponent, 2^(exponent + binBits) and 2^(exponent + 2*binBits).
	units   [binLevels][]int32
	vectors int64
}

const (
	binLevels = 3
	binBits   = 15
	// maxVectors is how many vectors of up to 2^(binBits-1) units add up to an int32.
	maxVectors = 1 << (31 - binBits)
	// lowestExponent is that of the low units before there is an element but 0.
	lowestExponent = -990 / binBits * binBits
	// maxElement bounds elements, so that no power of two overflows.
	maxElement = 0x1p900
)

func newBinned(groups, group int) *binned {
	b := &binned{group: group, exponents: make([]int, groups)}
	for i := range b.units {
		b.units[i] = make([]int32, groups*group)
	}
	for i := range b.exponents {
		b.exponents[i] = lowestExponent
	}
	return b
}

// exponentFor returns the exponent of the low units where no element of a group is larger.
func exponentFor(largest float64) int {
	if largest == 0 {
		return lowestExponent
	}
	_, e := math.Frexp(largest)
	e -= binLevels*binBits - 1
	return max(lowestExponent, (e-lowestExponent+binBits-1)/binBits*binBits+lowestExponent)
}

// raise makes the units of a group those of an exponent, if they are smaller.
func (b *binned) raise(group, exponent int) {
	steps := (exponent - b.exponents[group]) / binBits
	if steps <= 0 {
		return
	}
	for level := range b.units {
		to := b.units[level][group*b.group:][:b.group]
		if from := level + steps; from < binLevels {
			copy(to, b.units[from][group*b.group:])
		} else {
			clear(to)
		}
	}
	b.exponents[group] = exponent
}

// begin counts a vector of which no element of a group is larger than this. The elements follow, by addRow.
func (b *binned) begin(largest []float64) error {
	if b.vectors == maxVectors {
		return fmt.Errorf("more than %d batches: calibrate with larger ones, or fewer", maxVectors)
	}
	b.vectors++
	for group, v := range largest {
		if !(v <= maxElement) {
			return ErrRange
		}
		b.raise(group, exponentFor(v))
	}
	return nil
}

// division is how the elements of a group are divided into units: a number this large added to an element rounds it to multiples of
// a unit, and per is 1 over the unit.
type division struct{ round, per [binLevels]float64 }

func (b *binned) division(group int) division {
	var d division
	for level := range d.round {
		e := b.exponents[group] + level*binBits
		d.round[level], d.per[level] = math.Ldexp(3, e+51), math.Ldexp(1, -e)
	}
	return d
}

// addRow adds elements that follow each other from an index on.
func (b *binned) addRow(at int, d *division, row []float32) {
	low, middle, high := b.units[0][at:][:len(row)], b.units[1][at:][:len(row)], b.units[2][at:][:len(row)]
	for i, x := range row {
		v := float64(x)
		rounded := v + d.round[2]
		rounded -= d.round[2]
		high[i] += int32(rounded * d.per[2])
		v -= rounded
		rounded = v + d.round[1]
		rounded -= d.round[1]
		middle[i] += int32(rounded * d.per[1])
		v -= rounded
		rounded = v + d.round[0]
		rounded -= d.round[0]
		low[i] += int32(rounded * d.per[0])
	}
}

// sum returns the sum of an element.
func (b *binned) sum(i int) float64 {
	e, sum := b.exponents[i/b.group], 0.0
	for level := binLevels - 1; level >= 0; level-- {
		sum += math.Ldexp(float64(b.units[level][i]), e+level*binBits)
	}
	return sum
}

// add takes in other sums of as many groups and elements.
func (b *binned) add(o *binned) error {
	if b.vectors+o.vectors > maxVectors {
		return fmt.Errorf("more than %d batches in all: calibrate with larger ones, or fewer", maxVectors)
	}
	b.vectors += o.vectors
	for group, exponent := range o.exponents {
		b.raise(group, exponent)
		from := (b.exponents[group] - exponent) / binBits
		for level := 0; level+from < binLevels; level++ {
			for i := group * b.group; i < (group+1)*b.group; i++ {
				b.units[level][i] += o.units[level+from][i]
			}
		}
	}
	return nil
}

// binnedState is sums in JSON: units by their little-endian bytes, the low ones of all elements first.
type binnedState struct {
	Vectors   int64  `json:"vectors"`
	Exponents []int  `json:"exponents"`
	Units     []byte `json:"units"`
}

func (b *binned) state() *binnedState {
	if b == nil {
		return nil
	}
	data := make([]byte, 0, 4*binLevels*len(b.units[0]))
	for _, all := range b.units {
		for _, v := range all {
			data = binary.LittleEndian.AppendUint32(data, uint32(v))
		}
	}
	return &binnedState{b.vectors, b.exponents, data}
}

// binned checks a state, which comes from a file, for so many groups of elements.
func (s *binnedState) binned(groups, group int) (*binned, error) {
	data := s.Units
	bad := fmt.Errorf("%w: sums of %d bytes in %d groups", ErrMismatch, len(data), len(s.Exponents))
	if s.Vectors < 0 || s.Vectors > maxVectors || len(s.Exponents) != groups || int64(len(data)) != 4*binLevels*int64(groups)*int64(group) {
		return nil, bad
	}
	b := newBinned(groups, group)
	b.vectors = s.Vectors
	for i, e := range s.Exponents {
		if e < lowestExponent || e > exponentFor(maxElement) || (e-lowestExponent)%binBits != 0 {
			return nil, bad
		}
		b.exponents[i] = e
	}
	limit := s.Vectors << (binBits - 1)
	for _, all := range b.units {
		for i := range all {
			v := int32(binary.LittleEndian.Uint32(data[4*i:]))
			if int64(v) > limit || int64(v) < -limit {
				return nil, bad
			}
			all[i] = v
		}
		data = data[4*len(all):]
	}
	return b, nil
}
