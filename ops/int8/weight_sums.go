package int8

import (
	"encoding/binary"
	"unsafe"
)

// positiveSum adds up the weights above 0, eight at a time.
func positiveSum(w []int8) int64 {
	const low, signs = 0x00ff00ff00ff00ff, 0x8080808080808080
	total, words := int64(0), len(w)/8
	p := unsafe.Pointer(unsafe.SliceData(w))
	for i := 0; i < words; {
		// Four sums of 16 bits take 128 words before they could overflow.
		var sums uint64
		for end := min(i+128, words); i < end; i++ {
			v := binary.LittleEndian.Uint64((*[8]byte)(unsafe.Add(p, 8*i))[:])
			negative := v & signs
			v &^= negative | (negative - negative>>7)
			sums += v&low + v>>8&low
		}
		for ; sums != 0; sums >>= 16 {
			total += int64(sums & 0xffff)
		}
	}
	for _, v := range w[8*words:] {
		total += max(int64(v), 0)
	}
	return total
}

// sumOf adds up weights, eight at a time as bytes with their sign bit turned over.
func sumOf(w []int8) int64 {
	const low, signs = 0x00ff00ff00ff00ff, 0x8080808080808080
	total, words := int64(0), len(w)/8
	p := unsafe.Pointer(unsafe.SliceData(w))
	for i := 0; i < words; {
		// Four sums of 16 bits take 128 words before they could overflow.
		var sums uint64
		for end := min(i+128, words); i < end; i++ {
			v := binary.LittleEndian.Uint64((*[8]byte)(unsafe.Add(p, 8*i))[:]) ^ signs
			sums += v&low + v>>8&low
		}
		for ; sums != 0; sums >>= 16 {
			total += int64(sums & 0xffff)
		}
	}
	total -= 128 * 8 * int64(words)
	for _, v := range w[8*words:] {
		total += int64(v)
	}
	return total
}

// sizeOf adds up the absolute values of weights.
func sizeOf(w []int8) int64 {
	total := int64(0)
	for _, v := range w {
		total += max(int64(v), -int64(v))
	}
	return total
}
