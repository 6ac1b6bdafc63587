package quantize

import "math"

// searchRange returns the part of lo..hi that loses least when it is divided
// into levels integers: PyTorch's _non_linear_param_search, after
// NormMinimization::NonlinearQuantizationParamsSearch of Caffe2. It trims 10^-5
// of the values at a time from the end where that drops more bins, as long as
// the squared error of the histogram falls.
func searchRange(counts []float32, lo, hi float32, levels int) (newLo, newHi float32) {
	if lo == hi {
		return lo, hi
	}
	const step = 1e-5
	total := float64(sumFloat32(counts))
	cumulative := make([]float32, len(counts))
	acc := 0.0
	for i, c := range counts {
		acc += float64(c)
		cumulative[i] = float32(acc)
	}
	e := newErrorSearch(counts, lo, hi, levels)
	start, end := 0, len(counts)-1
	// left and right only move inwards: the thresholds they look for do.
	left, right := start, end
	alpha, beta := 0.0, 1.0
	least := math.Inf(1)
	for alpha < beta {
		nextAlpha, nextBeta := alpha+step, beta-step
		left, right = max(left, start), min(right, end)
		for above := float32(nextAlpha * total); left < end && cumulative[left] < above; {
			left++
		}
		for below := float32(nextBeta * total); right > start && cumulative[right] > below; {
			right--
		}
		l, r := min(left, end), max(right, start)
		nextStart, nextEnd := start, end
		if l-start > end-r {
			nextStart, alpha = l, nextAlpha
		} else {
			nextEnd, beta = r, nextBeta
		}
		if nextStart == start && nextEnd == end {
			continue
		}
		norm := e.norm(nextStart, nextEnd)
		if norm > least {
			break
		}
		least, start, end = norm, nextStart, nextEnd
	}
	width := (hi - lo) / float32(len(counts))
	return lo + float32(width*float32(start)), lo + float32(width*float32(end+1))
}

// errorSearch computes the squared error of quantizing a histogram.
type errorSearch struct {
	density []float32
	terms   []float32
	width   float64 // of a bin
	levels  int
}

func newErrorSearch(counts []float32, lo, hi float32, levels int) *errorSearch {
	e := &errorSearch{levels: levels, width: (float64(hi) - float64(lo)) / float64(len(counts))}
	e.density, e.terms = make([]float32, len(counts)), make([]float32, len(counts))
	for i, c := range counts {
		e.density[i] = c / float32(e.width)
	}
	return e
}

// norm returns the squared error when the bins from start to end, both
// inclusive, become the levels, each value taking the centre of its level, and
// values are spread evenly within a bin: PyTorch's _compute_quantization_error.
// Every operation is rounded to float32 where PyTorch's tensors are.
func (e *errorSearch) norm(start, end int) float64 {
	level := e.width * float64(end-start+1) / float64(e.levels)
	if level == 0 {
		return 0
	}
	width, step, half := float32(e.width), float32(level), float32(level/2)
	last := float32(e.levels - 1)
	halfCubed := cube(half)
	// The error of a level that lies within a bin as a whole.
	whole := (halfCubed + halfCubed) / 3
	for i, density := range e.density {
		if density == 0 {
			e.terms[i] = 0
			continue
		}
		begin := float32(float32(i-start) * width)
		finish := begin + width
		first := floorDiv(begin, step, last)
		final := floorDiv(finish, step, last)
		t := float32(density * ((halfCubed - cube(begin-float32((first+0.5)*step))) / 3))
		t += float32((final - first - 1) * float32(density*whole))
		t += float32(density * ((cube(finish-(float32(final*step)+half)) + halfCubed) / 3))
		e.terms[i] = t
	}
	return float64(sumFloat32(e.terms))
}

func cube(x float32) float32 { return float32(float32(x*x) * x) }

// floorDiv returns floor(a / b) of the exact quotient, clamped to 0..last. The
// quotient of two float32 rounded to float64 is never rounded up to an integer
// it does not reach, in the range that is not clamped.
func floorDiv(a, b, last float32) float32 {
	if a < 0 {
		return 0
	}
	return min(float32(math.Floor(float64(a)/float64(b))), last)
}
