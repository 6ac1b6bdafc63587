package pickle

import (
	"bytes"
	"slices"
)

// insert is bytes to put into a pickle before gopickle reads it.
type insert struct {
	at    int
	bytes []byte
}

// wideInt is a length of integers that gopickle does not take for an int.
const wideInt = 9

// signBytes are what makes an integer one of wideInt bytes.
func signBytes(arg []byte) []byte {
	return bytes.Repeat([]byte{byte(int8(arg[len(arg)-1]) >> 7)}, wideInt-len(arg))
}

// orderedDict is the module of OrderedDict as gopickle is to read it: gopickle's own takes no list of pairs and much
// memory. It cannot stand in a file: the pass refuses control characters.
const orderedDict = "\x00ollections"

// rewritten returns the pickle as gopickle is to read it: with the bytes that the pass found to be missing, and without the
// opcodes that note values in the memo which nothing refers to, as most do that PyTorch writes.
func (p *pass) rewritten(data []byte) []byte {
	if len(p.orderedDicts)+len(p.widened) > 0 {
		data = bytes.Clone(data)
	}
	for _, at := range p.orderedDicts {
		data[at+1] = orderedDict[0]
	}
	for _, start := range p.widened {
		data[start-1] = wideInt
	}
	var drop []int32
	if !p.framed && !p.numbered {
		drop = p.memo.unused()
		slices.Sort(drop)
	}
	inserts := p.inserts
	if len(inserts)+len(drop) == 0 {
		return data
	}
	out := make([]byte, 0, len(data)+wideInt*len(inserts))
	from := 0
	for len(inserts)+len(drop) > 0 {
		if len(drop) == 0 || len(inserts) > 0 && inserts[0].at <= int(drop[0]) {
			out = append(append(out, data[from:inserts[0].at]...), inserts[0].bytes...)
			from, inserts = inserts[0].at, inserts[1:]
			continue
		}
		at := int(drop[0])
		out = append(out, data[from:at]...)
		from, drop = at+1+argWidths[data[at]].n, drop[1:]
	}
	return append(out, data[from:]...)
}
