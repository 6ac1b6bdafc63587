package int8

// joinGroups computes groups of few columns several at a time, as one matrix in which weights outside of a column's own group
// are 0: the products are no more than those of columns that would fill up a panel, and rows are longer. The last matrix
// begins early enough to have all its groups, and computes the columns of those that are left. In training, weights may come to have
// zero points, which do not go with it.
func (l *layer) joinGroups() {
	n, channels := l.cols, l.kc
	join := min(l.g.NR/max(n, 1), l.groups)
	// An odd number of channels would pair other weights than WeightPairs says.
	if channels >= 16 || channels%2 != 0 || join < 2 || join*channels%4 != 0 || l.training != nil {
		return
	}
	for _, zero := range l.p.In[1].Q.ZeroPoint {
		if zero != 0 {
			return
		}
	}
	l.join, l.allGroups = join, l.groups
	l.groups, l.cols, l.kc = (l.groups+join-1)/join, join*n, join*channels
}

// firstChannel returns the first input channel that the columns of a matrix read.
func (l *layer) firstChannel(matrix int) int {
	if l.join == 0 {
		return matrix * (l.depth / l.taps)
	}
	return min(matrix*l.join, l.allGroups-l.join) * (l.depth / l.taps)
}

// columnsOf returns how many columns a matrix has.
func (l *layer) columnsOf(matrix int) int { return min(l.cols, l.outChannels-matrix*l.cols) }

// orderedGroups is ordered for columns from output channel first on in a matrix of joined groups.
func (l *layer) orderedGroups(w []int8, first, columns int, memory *[]int8) []int8 {
	channels, size := l.depth/l.taps, l.ks*l.kc
	*memory = append((*memory)[:0], make([]int8, columns*size+l.depth)...)
	dst, column := (*memory)[:columns*size], (*memory)[columns*size:]
	group := l.cols / l.join // columns of one
	for c := range columns {
		channelsLast(column, w[c*l.depth:][:l.depth], l.taps)
		at := (first+c)/group*channels - l.firstChannel(first/l.cols)
		for s := range l.ks {
			copy(dst[c*size+s*l.kc+at:], column[s*channels:][:channels])
		}
	}
	return dst
}
