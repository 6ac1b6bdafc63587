package pickle

// nodeList holds nodes that never move: a pickle may have tens of millions.
type nodeList struct{ chunks [][]node }

const nodesPerChunk = 1 << 10

func (l *nodeList) len() int {
	if len(l.chunks) == 0 {
		return 0
	}
	last := len(l.chunks) - 1
	return last*nodesPerChunk + len(l.chunks[last])
}

func (l *nodeList) add(n node) int32 {
	last := len(l.chunks) - 1
	if last < 0 || len(l.chunks[last]) == nodesPerChunk {
		l.chunks = append(l.chunks, make([]node, 0, nodesPerChunk))
		last++
	}
	l.chunks[last] = append(l.chunks[last], n)
	return int32(l.len() - 1)
}

func (l *nodeList) at(i int32) *node { return &l.chunks[i/nodesPerChunk][i%nodesPerChunk] }

// memo holds which node an entry of a pickle's memo is. Picklers number entries one after another.
type memo struct {
	dense  []memoEntry
	sparse map[uint32]memoEntry // those that are far from where the dense ones end
	count  int
}

// memoEntry is an entry, set where put is not 0.
type memoEntry struct {
	id  int32
	put int32 // the position of the opcode that sets it, negative once the entry was used
}

// sparseFrom is how far beyond the number of entries one is that is not kept with the dense ones.
const sparseFrom = 1 << 10

func (m *memo) get(at uint32) (memoEntry, bool) {
	if int64(at) < int64(len(m.dense)) && m.dense[at].put != 0 {
		return m.dense[at], true
	}
	e, ok := m.sparse[at]
	return e, ok
}

func (m *memo) set(at uint32, e memoEntry) {
	if _, there := m.get(at); !there {
		m.count++
	}
	_, sparse := m.sparse[at]
	switch {
	case !sparse && int64(at) < int64(m.count+sparseFrom):
		for int64(len(m.dense)) <= int64(at) {
			m.dense = append(m.dense, memoEntry{})
		}
		m.dense[at] = e
	default:
		if m.sparse == nil {
			m.sparse = make(map[uint32]memoEntry)
		}
		m.sparse[at] = e
	}
}

// use returns an entry and notes that it was used.
func (m *memo) use(at uint32) (id int32, ok bool) {
	e, ok := m.get(at)
	if ok && e.put > 0 {
		e.put = -e.put
		m.set(at, e)
	}
	return e.id, ok
}

// unused returns where the opcodes are that set entries which nothing refers to.
func (m *memo) unused() []int32 {
	var at []int32
	for _, e := range m.dense {
		if e.put > 0 {
			at = append(at, e.put)
		}
	}
	for _, e := range m.sparse {
		if e.put > 0 {
			at = append(at, e.put)
		}
	}
	return at
}
