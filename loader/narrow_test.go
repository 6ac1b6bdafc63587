package loader

import "math"

// narrow says that ints have 32 bits.
const narrow = math.MaxInt == math.MaxInt32

// narrowReasons say how what no int holds is refused where ints have 32 bits: before the check that a case is about.
var narrowReasons = map[string]string{
	"stride huge":                           "the stride of a tensor holds the number",
	"size huge":                             "the size of a tensor holds the number",
	"strides that wrap":                     "the stride of a tensor holds the number",
	"expanded bomb":                         "the size of a tensor holds the number",
	"claims much":                           "",
	"shape product":                         "at most 2147483647 can be addressed",
	`"shape":[1,3,99999999999,99999999]`:    "where a number of type int should be",
	`"shape":[0,3,9999999999,999999]`:       "where a number of type int should be",
	"fft_fft(x, 1099511627776)":             "is too large",
	"fft_fft(x, 9223372036854775807)":       "is too large",
	"fft_irfft(x, 4611686018427387904)":     "is too large",
	"fft_fft(x, None, 9223372036854775807)": "is too large",
}

// reasonHere returns the reason for which a case is refused on this machine.
func reasonHere(name, reason string) string {
	if other, ok := narrowReasons[name]; ok && narrow {
		return other
	}
	return reason
}
