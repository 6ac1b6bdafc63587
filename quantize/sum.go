package quantize

import "math/bits"

// sumFloat32 adds values in the order torch.sum does on one thread of a machine
// with 8 float32 lanes, so that sums whose terms cancel, and searches that compare
// sums, come out as PyTorch's. Values lie in 4 rows of lanes side by side; each
// column is added up in runs of 2^p, and these again, for up to four levels; then
// the rows, and after the values that fill no lane, the lanes.
func sumFloat32(x []float32) float32 {
	const rows = 4
	lanes := 8
	if len(x) < lanes {
		lanes = 1
	}
	vectors := len(x) / lanes
	var columns [rows * 8]float32
	width := rows * lanes
	sumColumns(columns[:width], x, vectors/rows)
	for v := vectors / rows * rows; v < vectors; v++ {
		for l := range lanes {
			columns[l] += x[v*lanes+l]
		}
	}
	var total float32
	for _, v := range x[vectors*lanes:] {
		total += v
	}
	for l := range lanes {
		for c := l + lanes; c < width; c += lanes {
			columns[l] += columns[c]
		}
		total += columns[l]
	}
	return total
}

// sumColumns sets columns to the sums over n consecutive groups of as many values.
func sumColumns(columns, x []float32, n int) {
	const levels = 4
	power := max(4, ceilLog2(n)/levels)
	run := 1 << power
	var acc [levels][32]float32
	width := len(columns)
	i := 0
	for i+run <= n {
		for end := i + run; i < end; i++ {
			addRow(acc[0][:width], x[i*width:])
		}
		for level := 1; level < levels; level++ {
			addRow(acc[level][:width], acc[level-1][:])
			clear(acc[level-1][:])
			if i&((run-1)<<(level*power)) != 0 {
				break
			}
		}
	}
	for ; i < n; i++ {
		addRow(acc[0][:width], x[i*width:])
	}
	for level := 1; level < levels; level++ {
		addRow(acc[0][:width], acc[level][:])
	}
	copy(columns, acc[0][:width])
}

func addRow(dst, src []float32) {
	for i, v := range src[:len(dst)] {
		dst[i] += v
	}
}

// ceilLog2 returns the least p, at least 1, with n <= 2^p.
func ceilLog2(n int) int {
	if n <= 2 {
		return 1
	}
	return bits.Len(uint(n - 1))
}
