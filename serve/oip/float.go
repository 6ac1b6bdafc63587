package oip

import "math"

var powersOf10 = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19}

// shortFloat32 reads a number that text begins with, of few digits and without an exponent, as most numbers are, and returns the nearest
// float32 and the bytes that it took; n is 0 for others. Digits and power of ten are exact in float64, so their quotient is rounded
// once (Clinger: How to read floating point numbers accurately, 1990). Rounding that to float32 is right unless it lies in the
// middle of two float32 values, where the digits decide.
func shortFloat32(text []byte) (v float32, n int) {
	i := 0
	negative := len(text) > 0 && text[0] == '-'
	if negative {
		i = 1
	}
	first := i
	digits := uint64(0)
	for ; i < len(text) && text[i]-'0' <= 9; i++ {
		digits = digits*10 + uint64(text[i]-'0')
	}
	if i == first || text[first] == '0' && i > first+1 {
		return 0, 0
	}
	decimals := 0
	if i < len(text) && text[i] == '.' {
		point := i
		for i++; i < len(text) && text[i]-'0' <= 9; i++ {
			digits = digits*10 + uint64(text[i]-'0')
		}
		if decimals = i - point - 1; decimals == 0 {
			return 0, 0
		}
	}
	const most = 19 // digits and a point, so that digits did not overflow
	if i-first > most || digits >= 1<<53 || i < len(text) && text[i]|0x20 == 'e' {
		return 0, 0
	}
	wide := float64(digits) / powersOf10[decimals]
	const dropped = 1<<29 - 1 // bits of a float64 that a normal float32 lacks
	if math.Float64bits(wide)&dropped == 1<<28 || wide < 0x1p-126 && digits != 0 {
		return 0, 0
	}
	if negative {
		wide = math.Copysign(wide, -1)
	}
	return float32(wide), i
}

// moreFloat32s reads values that stand behind a comma each, with or without a blank, until all are read or one is of another form. It
// returns how many it has read.
func (s *scanner) moreFloat32s(values []float32) int {
	for i := range values {
		rest := s.data[s.at:]
		if len(rest) < 2 || rest[0] != ',' {
			return i
		}
		first := 1
		if rest[1] == ' ' {
			first = 2
		}
		v, n := shortFloat32(rest[first:])
		if n == 0 {
			return i
		}
		values[i] = v
		s.at += first + n
	}
	return len(values)
}
