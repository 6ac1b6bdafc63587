// Package wave reads WAV files.
package wave

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Sound is what a file holds.
type Sound struct {
	Rate     int // samples per second
	Channels int
	Samples  []float32 // in -1 to 1: all of the first channel, then those of the next
}

// The formats of samples.
const (
	formatPCM        = 1
	formatFloat      = 3
	formatExtensible = 0xfffe
)

type layout struct {
	format, channels, rate, bits, frame int
}

// Decode reads the bytes of a WAV file as torchaudio.load does: PCM of 8 bits (unsigned), 16, 24 and 32 (signed) over the greatest value of the
// type, floats of 32 and 64 bits as they are. The samples take at most budget bytes; 0 is no bound.
func Decode(data []byte, budget int64) (*Sound, error) {
	if len(data) < 12 || string(data[:4]) != "RIFF" || string(data[8:12]) != "WAVE" {
		return nil, errors.New("not a WAV file")
	}
	var l *layout
	for at := 12; at+8 <= len(data); {
		id, n := string(data[at:at+4]), int64(binary.LittleEndian.Uint32(data[at+4:]))
		body := data[at+8:]
		whole := n <= int64(len(body))
		if whole {
			body = body[:n]
		}
		switch id {
		case "fmt ":
			var err error
			if l, err = readLayout(body); err != nil {
				return nil, err
			}
		case "data":
			if l == nil {
				return nil, errors.New("WAV: its samples come before their format")
			}
			// Programs that write to a pipe do not know the size, and leave 0xffffffff.
			if !whole && n != math.MaxUint32 {
				return nil, fmt.Errorf("WAV: it claims %d bytes of samples and has %d", n, len(body))
			}
			return l.decode(body, budget)
		}
		if !whole {
			break
		}
		at += 8 + int(n) + int(n)%2
	}
	return nil, errors.New("WAV: it has no samples")
}

func readLayout(b []byte) (*layout, error) {
	if len(b) < 16 {
		return nil, errors.New("WAV: its format has less than 16 bytes")
	}
	u16 := func(at int) int { return int(binary.LittleEndian.Uint16(b[at:])) }
	l := &layout{format: u16(0), channels: u16(2), rate: int(binary.LittleEndian.Uint32(b[4:])), frame: u16(12), bits: u16(14)}
	if l.format == formatExtensible && len(b) >= 26 {
		l.format = u16(24)
	}
	switch {
	case l.format == formatPCM && (l.bits == 8 || l.bits == 16 || l.bits == 24 || l.bits == 32):
	case l.format == formatFloat && (l.bits == 32 || l.bits == 64):
	default:
		return nil, fmt.Errorf("WAV: samples of format %d with %d bits are not read: PCM of 8, 16, 24 or 32 bits and floats are", l.format, l.bits)
	}
	if l.channels == 0 || l.rate == 0 || l.frame != l.channels*l.bits/8 {
		return nil, fmt.Errorf("WAV: %d channels of %d bits at %d Hz, %d bytes for all channels", l.channels, l.bits, l.rate, l.frame)
	}
	return l, nil
}

func (l *layout) decode(b []byte, budget int64) (*Sound, error) {
	frames := len(b) / l.frame
	if need := 4 * int64(frames) * int64(l.channels); budget > 0 && need > budget {
		return nil, fmt.Errorf("WAV: its samples take %d bytes and %d are allowed", need, budget)
	}
	s := &Sound{Rate: l.rate, Channels: l.channels, Samples: make([]float32, frames*l.channels)}
	size, one := l.bits/8, l.sample()
	for i := range frames {
		for c := range l.channels {
			s.Samples[c*frames+i] = one(b)
			b = b[size:]
		}
	}
	return s, nil
}

// sample returns how one is read.
func (l *layout) sample() func(b []byte) float32 {
	switch {
	case l.format == formatFloat && l.bits == 32:
		return func(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) }
	case l.format == formatFloat:
		return func(b []byte) float32 { return float32(math.Float64frombits(binary.LittleEndian.Uint64(b))) }
	case l.bits == 8:
		return func(b []byte) float32 { return (float32(b[0]) - 128) / 128 }
	case l.bits == 16:
		return func(b []byte) float32 { return float32(int16(binary.LittleEndian.Uint16(b))) / (1 << 15) }
	case l.bits == 24:
		return func(b []byte) float32 {
			return float32(int32(uint32(b[0])<<8|uint32(b[1])<<16|uint32(b[2])<<24)>>8) / (1 << 23)
		}
	}
	return func(b []byte) float32 { return float32(int32(binary.LittleEndian.Uint32(b))) / (1 << 31) }
}
