package int8

import (
	"encoding/binary"
	"slices"
)

// orderedMemory holds what ordered needs, since models have many layers: of as many calls as run beside each other, up to 16. It is
// no sync.Pool, which the garbage collector empties, so that a step of training allocates nothing.
var orderedMemory = make(chan *[]int8, 16)

// takeOrderedMemory returns memory for ordered, empty if there is none. giveOrderedMemory takes it back.
func takeOrderedMemory() *[]int8 {
	select {
	case memory := <-orderedMemory:
		return memory
	default:
		return new([]int8)
	}
}

func giveOrderedMemory(memory *[]int8) {
	select {
	case orderedMemory <- memory:
	default:
	}
}

// ordered returns weights of columns from output channel first on, [columns, depth/taps, taps], as the kernel counts
// depths: [columns, ks, kc], with the channels of a tap side by side. They are in w or in
// memory, which grows as needed.
func (l *layer) ordered(w []int8, first, columns int, memory *[]int8) []int8 {
	if l.join > 0 {
		return l.orderedGroups(w, first, columns, memory)
	}
	size := columns * l.ks * l.kc
	reorder, pad := l.taps > 1 && l.taps < l.depth, l.ks*l.kc != l.depth
	*memory = slices.Grow((*memory)[:0], len(w)+size)[:len(w)+size]
	if reorder {
		dst := (*memory)[size:]
		for i := 0; i < len(w); i += l.depth {
			channelsLast(dst[i:][:l.depth], w[i:][:l.depth], l.taps)
		}
		w = dst
	}
	if !pad {
		return w
	}
	// What fills a row of the window, or a column, up to a multiple of 4 is 0.
	row, have := l.ks*l.kc, l.depth
	if l.rowTail > 0 {
		row, have = l.kc, l.kc-l.rowTail
	}
	padded := (*memory)[:size]
	for i := 0; i*row < size; i++ {
		clear(padded[i*row:][copy(padded[i*row:], w[i*have:][:have]):row])
	}
	return padded
}

// channelsLast reorders the weights of one column from [channels, taps] to [taps, channels],
// eight channels at a time.
func channelsLast(dst, src []int8, taps int) {
	channels := len(src) / taps
	c, d, s := 0, bytesOf(dst), bytesOf(src)
	for ; c+8 <= channels; c += 8 {
		in := s[c*taps:][:8*taps]
		for t := range taps {
			v := uint64(in[t]) | uint64(in[t+taps])<<8 | uint64(in[t+2*taps])<<16 | uint64(in[t+3*taps])<<24 |
				uint64(in[t+4*taps])<<32 | uint64(in[t+5*taps])<<40 | uint64(in[t+6*taps])<<48 | uint64(in[t+7*taps])<<56
			binary.LittleEndian.PutUint64(d[t*channels+c:], v)
		}
	}
	for ; c < channels; c++ {
		for t := range taps {
			d[t*channels+c] = s[c*taps+t]
		}
	}
}
