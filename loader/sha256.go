package loader

import (
	"encoding/binary"
	"encoding/hex"
	"math/bits"
)

// sha256Hex returns the SHA-256 of a text in hexadecimal digits (FIPS 180-4, section 6.2). It is for the few kB that a file says of its
// graph: crypto/sha256 is several times as fast, but links the self-tests of every cipher in Go, 150 kB of a program that only runs models.
func sha256Hex(text string) string {
	const block = 64
	data := append([]byte(text), 0x80)
	for len(data)%block != block-8 {
		data = append(data, 0)
	}
	data = binary.BigEndian.AppendUint64(data, 8*uint64(len(text)))
	state := [8]uint32{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}
	for ; len(data) > 0; data = data[block:] {
		sha256Block(&state, data)
	}
	var sum []byte
	for _, word := range state {
		sum = binary.BigEndian.AppendUint32(sum, word)
	}
	return hex.EncodeToString(sum)
}

// sha256Block takes one block of 64 bytes into the state.
func sha256Block(state *[8]uint32, block []byte) {
	var w [64]uint32
	for i := range w {
		if i < 16 {
			w[i] = binary.BigEndian.Uint32(block[4*i:])
			continue
		}
		x, y := w[i-15], w[i-2]
		w[i] = w[i-16] + (rotate(x, 7) ^ rotate(x, 18) ^ x>>3) + w[i-7] + (rotate(y, 17) ^ rotate(y, 19) ^ y>>10)
	}
	s := *state
	for i, word := range w {
		a, e := s[0], s[4]
		t := s[7] + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + (e&s[5] ^ ^e&s[6]) + sha256Constants[i] + word
		u := (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + (a&s[1] ^ a&s[2] ^ s[1]&s[2])
		s = [8]uint32{t + u, a, s[1], s[2], s[3] + t, e, s[5], s[6]}
	}
	for i := range state {
		state[i] += s[i]
	}
}

// rotate turns the bits of x right by n.
func rotate(x uint32, n int) uint32 { return bits.RotateLeft32(x, -n) }

// sha256Constants are the first 32 bits of the fractions of the cube roots of the first 64 primes.
var sha256Constants = [64]uint32{
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
}
