package int8

import (
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// WeightPairs returns which weights of an output channel the kernels multiply side by side: at an even depth and the odd
// one behind it. The result has two indices into the channel's weights for each pair, the second one -1 where a weight of 0 fills
// the pair up. It depends on the layer, ops.Conv or ops.Linear, and its weight's shape, not on the images or the CPU. It is nil for
// other operators, and for depthwise convolutions, which add up no pairs.
func WeightPairs(layer ops.Op, weight tensor.Shape) []int32 {
	switch op := layer.(type) {
	case ops.Linear:
		if len(weight) == 2 {
			return pairRows(1, weight[1], 1)
		}
	case ops.Conv:
		if len(weight) < 3 || op.Groups > 1 && op.Groups == weight[0] && weight[1] == 1 {
			return nil
		}
		taps, err := weight[2:].Numel()
		if err != nil {
			return nil
		}
		// As newConvGemm has it: with few channels each row of the window begins at an even depth.
		width, last := weight[len(weight)-1], len(op.Dilation)-1
		if weight[1] < 16 && op.Groups <= 1 && width > 1 && (last < 0 || op.Dilation[last] == 1) {
			return pairRows(taps/width, weight[1], width)
		}
		return pairRows(1, weight[1], taps)
	}
	return nil
}

// pairRows pairs the weights of rows of taps, the channels of a tap side by side; in the weight, [channels, rows, width], they are not.
func pairRows(rows, channels, width int) []int32 {
	pairs := make([]int32, 0, rows*(channels*width+1))
	for r := range rows {
		for t := r * width; t < (r+1)*width; t++ {
			for c := range channels {
				pairs = append(pairs, int32(c*rows*width+t))
			}
		}
		if len(pairs)%2 != 0 {
			pairs = append(pairs, -1)
		}
	}
	return pairs
}

// pairPanel is how many output channels the kernel that adds pairs takes as one panel.
const pairPanel = 16

// SafePanels returns how many of a layer's panels of 16 output channels, of each group on its own, have no pair of weights whose
// products with integers from 0 to most exceed 16 bits, and how many panels there are: 0 where there are no pairs. The
// weight is int8, [outs, ...].
func SafePanels(layer ops.Op, weight *tensor.Tensor, most int) (safe, of int) {
	order := WeightPairs(layer, weight.Shape())
	if order == nil || weight.Numel() == 0 {
		return 0, 0
	}
	groups := 1
	if conv, ok := layer.(ops.Conv); ok {
		groups = max(conv.Groups, 1)
	}
	w, outs := weight.Contiguous().Int8s(), weight.Dim(0)/groups
	size, row := len(w)/weight.Dim(0), make([]int8, len(order))
	for first := 0; first < weight.Dim(0); first += outs {
		for n0 := 0; n0 < outs; n0 += pairPanel {
			fits := true
			for o := first + n0; o < first+min(n0+pairPanel, outs); o++ {
				for i, at := range order {
					row[i] = 0
					if at >= 0 {
						row[i] = w[o*size+int(at)]
					}
				}
				fits = fits && asm.PairsFit(row, most)
			}
			of++
			if fits {
				safe++
			}
		}
	}
	return safe, of
}

// PairLimits returns the least sum of the negative and the largest sum of the positive weights of a pair whose products with
// integers from 0 to most fit 16 bits.
func PairLimits(most int) (least, largest int) { return -(1 << 15) / most, (1<<15 - 1) / most }
