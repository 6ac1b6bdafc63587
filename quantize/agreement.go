package quantize

import "github.com/octet-ml/octet/tensor"

// argmax returns the index of the greatest element of each row of the last
// dimension; x is float32.
func argmax(x *tensor.Tensor) []int64 {
	v := x.Contiguous().Float32s()
	n := 1
	if x.Rank() > 0 {
		n = x.Dim(x.Rank() - 1)
	}
	if n == 0 {
		return nil
	}
	out := make([]int64, len(v)/n)
	for r := range out {
		row := v[r*n : (r+1)*n]
		for i, e := range row {
			if e > row[out[r]] {
				out[r] = int64(i)
			}
		}
	}
	return out
}
