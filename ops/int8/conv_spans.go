package int8

import "github.com/octet-ml/octet/ops"

// sumOf adds up the weights of a column, and keeps the sums at its positions where there are several.
func (m *matrix) sumOf(column []int8, channel, ks int) int64 {
	if m.positions == nil {
		return sumOf(column)
	}
	total, kc := int64(0), len(column)/ks
	for s := range ks {
		sum := sumOf(column[s*kc:][:kc])
		m.positions[channel*ks+s] = int32(sum)
		total += sum
	}
	return total
}

// spanBias is what accumulators start from where a call reads the positions from first on.
type spanBias struct {
	first, taps int
	bias        []int32 // of all columns
}

// mayLeaveOut reports whether taps in the padding may be left out: then padding counts as the zero point that it is, so that
// only the bias changes.
func (l *layer) mayLeaveOut() bool {
	return l.training == nil && l.g.TakesGaps() && l.packed.wzero == nil && l.packed.positions != nil
}

// spanBiases returns the biases of all spans of a convolution that do not read every tap: bias - zx*sum(w), of the weights that are read.
func (l *layer) spanBiases(tiles *ops.Tiles) []spanBias {
	zero := int64(0)
	if x := l.p.In[0].Q; x != nil {
		zero = int64(x.ZeroPoint[0])
	}
	var all []spanBias
	for _, s := range tiles.Spans() {
		if s.Taps == l.ks || biasOf(all, &s) != nil {
			continue
		}
		bias := make([]int32, len(l.packed.bias))
		for c := range bias[:l.outChannels] {
			sums := l.packed.positions[c*l.ks:][:l.ks]
			b := int64(l.packed.bias[c])
			for i, sum := range sums {
				if i < s.First || i >= s.First+s.Taps {
					b += zero * int64(sum)
				}
			}
			bias[c] = int32(b)
		}
		all = append(all, spanBias{s.First, s.Taps, bias})
	}
	return all
}

// biasOf returns the bias of a span, nil where it is that of all positions.
func biasOf(all []spanBias, s *ops.Span) []int32 {
	for i := range all {
		if all[i].first == s.First && all[i].taps == s.Taps {
			return all[i].bias
		}
	}
	return nil
}
