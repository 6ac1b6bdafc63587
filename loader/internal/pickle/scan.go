package pickle

import (
	"bytes"
	"fmt"
)

// Limits bound what a pickle may hold. A small pickle can ask for many objects,
// each of which takes some hundred bytes.
type Limits struct {
	Bytes      int // of the pickle
	Values     int // of any kind, also those of the memo
	Containers int // tuples, lists, dicts, classes, objects
	Depth      int // of nesting
}

// defaultLimits let through state_dicts of some ten thousand tensors.
var defaultLimits = Limits{Bytes: 64 << 20, Values: 2 << 20, Containers: 256 << 10, Depth: 500}

// maxLimit keeps positions within an int32.
const maxLimit = 1 << 30

// orDefault fills in the limits that are not set.
func (l Limits) orDefault() Limits {
	for _, l := range []struct{ set, def *int }{
		{&l.Bytes, &defaultLimits.Bytes}, {&l.Values, &defaultLimits.Values},
		{&l.Containers, &defaultLimits.Containers}, {&l.Depth, &defaultLimits.Depth},
	} {
		if *l.set <= 0 || *l.set > maxLimit {
			*l.set = *l.def
		}
	}
	return l
}

// How many bytes PyTorch spends, at the least, on a value, on a container and on
// an entry of the memo. What has more of them per byte, beyond a small number, is
// made to take memory.
const (
	bytesPerValue     = 2
	bytesPerContainer = 4
	bytesPerMemo      = 4
	freeOfBytes       = 1 << 10
)

const maxGlobal = 512 // bytes of a module or class name

// scanner reads the opcodes of a pickle, and makes nothing of them: where the pickle ends, whether frames and arguments
// fit, how much there will be, and which entries of the memo anything refers to. Most that PyTorch writes are not.
type scanner struct {
	data       []byte
	limits     Limits
	pos        int // of the opcode at hand
	frameEnd   int // 0 outside of frames
	values     int
	containers int
	entries    int // of the memo
	set, used  bits
}

// bits is a set of small numbers.
type bits []uint64

func (b bits) has(i uint32) bool { return int(i/64) < len(b) && b[i/64]>>(i%64)&1 != 0 }

// add adds a number, and makes room for it.
func (b *bits) add(i uint32) {
	if need := int(i/64) + 1; need > len(*b) {
		grown := make(bits, max(need, 2*len(*b)))
		copy(grown, *b)
		*b = grown
	}
	(*b)[i/64] |= 1 << (i % 64)
}

func newScanner(data []byte, limits Limits) *scanner {
	return &scanner{data: data, limits: limits}
}

// scan reads to the end of the pickle at the beginning of the data and returns the bytes it takes.
func (s *scanner) scan() (n int, err error) {
	if len(s.data) > 0 && s.data[0] != opProto {
		return 0, s.fail("does not begin with a protocol number: not a pickle of protocol 2 or later")
	}
	for {
		if s.pos >= s.limits.Bytes {
			return 0, s.fail("longer than the %d bytes that are read", s.limits.Bytes)
		}
		if s.frameEnd != 0 && s.pos == s.frameEnd {
			s.frameEnd = 0
		}
		op, start, end, err := s.fetch()
		if err != nil {
			return 0, err
		}
		if op == opStop {
			if s.frameEnd != 0 && s.frameEnd != end {
				return 0, s.fail("ends before its frame does")
			}
			return end, nil
		}
		if err := s.count(op, s.data[start:end], end); err != nil {
			return 0, err
		}
		s.pos = end
	}
}

func (s *scanner) fail(format string, args ...any) error { return failAt(s.pos, format, args...) }

//go:noinline
func failAt(pos int, format string, args ...any) error {
	return &Error{Offset: pos, Reason: fmt.Sprintf(format, args...)}
}

func (s *scanner) truncated() error {
	if s.frameEnd != 0 {
		return s.fail("opcode reaches past the end of its frame")
	}
	return &Error{Offset: s.pos, Reason: "the bytes end within the pickle", Truncated: true}
}

// fetch reads the opcode at pos and returns where its argument lies: of counted
// ones, the bytes after the count. It reads nothing past the bytes or the frame.
func (s *scanner) fetch() (op byte, start, end int, err error) {
	rest := s.data[s.pos:]
	if s.frameEnd != 0 {
		rest = s.data[s.pos:s.frameEnd]
	}
	if len(rest) == 0 {
		return 0, 0, 0, s.truncated()
	}
	op = rest[0]
	o := &opcodes[op]
	if o.makes == unknown {
		return 0, 0, 0, s.fail("opcode %#02x is not one PyTorch writes", op)
	}
	if op == opGlobal {
		n, err := s.lines(rest[1:])
		return op, s.pos + 1, s.pos + 1 + n, err
	}
	width := int(o.n)
	if len(rest) < 1+width {
		return 0, 0, 0, s.truncated()
	}
	start = s.pos + 1 + width
	if !o.counted {
		return op, s.pos + 1, start, nil
	}
	n := littleEndian(rest[1 : 1+width])
	if n > uint64(s.limits.Bytes) {
		return 0, 0, 0, s.fail("claims %d bytes", n)
	}
	if uint64(len(rest)-1-width) < n {
		return 0, 0, 0, s.truncated()
	}
	return op, start, start + int(n), nil
}

// lines returns the length of the two lines that name a global.
func (s *scanner) lines(rest []byte) (int, error) {
	n := 0
	for range 2 {
		i := bytes.IndexByte(rest[n:min(len(rest), n+maxGlobal+1)], '\n')
		if i < 0 && len(rest)-n > maxGlobal {
			return 0, s.fail("a global's name is longer than %d bytes", maxGlobal)
		}
		if i < 0 {
			return 0, s.truncated()
		}
		n += i + 1
	}
	return n, nil
}

func littleEndian(b []byte) (v uint64) {
	for i, c := range b {
		v |= uint64(c) << (8 * i)
	}
	return v
}

// count counts what an opcode will make, and follows frames and the memo.
func (s *scanner) count(op byte, arg []byte, end int) error {
	switch op {
	case opProto:
		if s.pos != 0 || arg[0] < 2 || arg[0] > 5 {
			return s.fail("protocol %d: only one protocol number from 2 to 5 may stand, at the beginning", arg[0])
		}
	case opFrame:
		return s.frame(littleEndian(arg), end)
	case opBinPut, opLongBinPut:
		return s.put(uint32(littleEndian(arg)))
	case opMemoize:
		return s.put(uint32(s.entries))
	case opBinGet, opLongBinGet:
		at := uint32(littleEndian(arg))
		if !s.set.has(at) {
			return s.fail("refers to entry %d of the memo, which is not set", at)
		}
		s.used.add(at)
	}
	makes := opcodes[op].makes
	if makes == nothing {
		return nil
	}
	if s.values++; s.values > s.allowed(s.limits.Values, bytesPerValue) {
		return s.fail("more than %d values", s.values-1)
	}
	if makes == container {
		if s.containers++; s.containers > s.allowed(s.limits.Containers, bytesPerContainer) {
			return s.fail("more than %d containers and objects", s.containers-1)
		}
	}
	return nil
}

func (s *scanner) frame(n uint64, end int) error {
	if s.frameEnd != 0 {
		return s.fail("a frame within a frame")
	}
	if n == 0 || n > uint64(s.limits.Bytes) {
		return s.fail("a frame of %d bytes", n)
	}
	if n > uint64(len(s.data)-end) {
		return s.truncated()
	}
	s.frameEnd = end + int(n)
	return nil
}

// put follows an opcode that sets an entry of the memo. Picklers number entries one after another, with few left out.
func (s *scanner) put(at uint32) error {
	if s.set.has(at) {
		return s.fail("sets entry %d of the memo a second time", at)
	}
	if s.entries >= s.allowed(s.limits.Values, bytesPerMemo) {
		return s.fail("more than %d entries in the memo", s.entries)
	}
	if uint64(at) > uint64(freeOfBytes+s.pos) {
		return s.fail("sets entry %d of the memo, far more than there can be", at)
	}
	s.entries++
	s.set.add(at)
	return nil
}

// allowed is the limit that holds at pos.
func (s *scanner) allowed(limit, bytesPer int) int { return min(limit, freeOfBytes+s.pos/bytesPer) }
