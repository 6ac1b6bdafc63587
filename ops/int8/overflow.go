package int8

import (
	"math"

	"github.com/octet-ml/octet/tensor"
)

// safeDepth is the number of weights of an output up to which no accumulator can overflow, whatever they are.
const safeDepth = 1 << 13

// MayOverflow reports whether a layer of so many weights an output could overflow its accumulators with some weights.
func MayOverflow(depth int) bool { return depth > safeDepth }

// accumulated returns the largest magnitude that an accumulator can have on its way: of an output with
// depth weights of zero point zw whose sizes add up to size, and full being added to the products at last.
func accumulated(depth int, size, zw, full int64) int64 {
	return 255*size + 255*int64(depth)*max(zw, -zw) + max(full, -full)
}

// columnSize returns what the sizes of an output's weights add up to at most: exactly only where that matters.
func columnSize(column []int8, depth int) int64 {
	if most := 128 * int64(depth); 255*most <= math.MaxInt32/2 {
		return most
	}
	return sizeOf(column)
}

// Overflows reports whether the int8 form of a layer could overflow its 32-bit accumulators with the weight w, int8
// with its parameters, outputs first, for some input and zero point, and a bias with scales of at least
// LeastWeightScale. It allows each integer of w to be larger by slack.
func Overflows(w *tensor.Tensor, slack int) bool {
	outs := w.Dim(0)
	depth := w.Numel() / max(outs, 1)
	if !MayOverflow(depth) {
		return false
	}
	q, all := w.QParams(), w.Contiguous().Int8s()
	for c := range outs {
		column := all[c*depth : (c+1)*depth]
		zw := int64(q.ZeroPoint[c%len(q.ZeroPoint)])
		sum, more := sumOf(column), int64(slack)*int64(depth)
		full := sum - int64(depth)*zw
		full = 255*(max(full, -full)+more) + biasLimit
		if accumulated(depth, columnSize(column, depth)+more, zw, full) > math.MaxInt32 {
			return true
		}
	}
	return false
}
