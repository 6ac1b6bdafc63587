package container

import (
	"archive/zip"
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"
)

// What begins the parts of a zip file, and how many bytes each has before what varies in length.
const (
	localSignature, localHeader     = 0x04034b50, 30
	centralSignature, centralEntry  = 0x02014b50, 46
	endSignature, endRecord         = 0x06054b50, 22
	end64Signature, end64Record     = 0x06064b50, 56
	locatorSignature, locatorRecord = 0x07064b50, 20

	zip64Tag           = 1                    // of the extra field with numbers of 64 bits
	absent16, absent32 = 1<<16 - 1, 1<<32 - 1 // of numbers that stand elsewhere, in 64 bits
	flagEncrypted      = 1
	maxComment         = 1<<16 - 1
)

// entry is what the directory says of a record. archive/zip takes 300 bytes for each, of which there may be millions.
type entry struct {
	name         string
	stored, size uint64 // bytes in the file and as read
	header       uint64 // where its local header is
	crc          uint32
	method       uint16
	encrypted    bool
}

// readDirectory returns the entries of the directory of a zip file in its order, and zip.ErrFormat where there is none.
func readDirectory(r io.ReaderAt, size int64) ([]entry, error) {
	at, bytes, n, err := findDirectory(r, size)
	if err != nil {
		return nil, err
	}
	d := directory{r: bufio.NewReaderSize(io.NewSectionReader(r, at, bytes), 64<<10)}
	entries := make([]entry, 0, n)
	for range n {
		e, err := d.next()
		if err != nil {
			return nil, fmt.Errorf("entry %d of the directory: %w", len(entries), err)
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// findDirectory returns where the directory lies, its bytes, and its entries, as many as fit in those.
func findDirectory(r io.ReaderAt, size int64) (at, length int64, n int, err error) {
	tail := make([]byte, min(size, endRecord+maxComment))
	if _, err := r.ReadAt(tail, size-int64(len(tail))); err != nil && err != io.EOF {
		return 0, 0, 0, err
	}
	end := findEnd(tail)
	if end < 0 {
		return 0, 0, 0, zip.ErrFormat
	}
	le, last := binary.LittleEndian, size-int64(len(tail)-end)
	count, bytes, offset := uint64(le.Uint16(tail[end+10:])), uint64(le.Uint32(tail[end+12:])), uint64(le.Uint32(tail[end+16:]))
	if count == absent16 || bytes == absent32 || offset == absent32 {
		if record := findEnd64(r, last); record != nil {
			count, bytes, offset = le.Uint64(record[32:]), le.Uint64(record[40:]), le.Uint64(record[48:])
		}
	}
	if offset > uint64(last) || bytes > uint64(last)-offset || count > min(bytes/centralEntry, maxRecords) {
		return 0, 0, 0, fmt.Errorf("a directory of %d entries in %d bytes at %d does not fit in the file: %w", count, bytes, offset, zip.ErrFormat)
	}
	return int64(offset), int64(bytes), int(count), nil
}

// findEnd returns where the end record is in the last bytes of a file, -1 where there is none.
func findEnd(tail []byte) int {
	for i := len(tail) - endRecord; i >= 0; i-- {
		if is(tail[i:], endSignature) && i+endRecord+int(binary.LittleEndian.Uint16(tail[i+20:])) <= len(tail) {
			return i
		}
	}
	return -1
}

// findEnd64 returns the end record of 64 bits, which a locator in front of the other one knows, nil where there is none.
func findEnd64(r io.ReaderAt, end int64) []byte {
	locator, record := make([]byte, locatorRecord), make([]byte, end64Record)
	if end < locatorRecord {
		return nil
	}
	if _, err := r.ReadAt(locator, end-locatorRecord); err != nil || !is(locator, locatorSignature) {
		return nil
	}
	at := binary.LittleEndian.Uint64(locator[8:])
	if end < end64Record || at > uint64(end-end64Record) {
		return nil
	}
	if _, err := r.ReadAt(record, int64(at)); err != nil || !is(record, end64Signature) {
		return nil
	}
	return record
}

func is(b []byte, signature uint32) bool { return binary.LittleEndian.Uint32(b) == signature }

// directory reads entries one after the other.
type directory struct {
	r     *bufio.Reader
	rest  []byte          // of the entry at hand: its name and extra fields
	names strings.Builder // of many entries: one allocation for all of them
}

func (d *directory) next() (entry, error) {
	b, err := d.r.Peek(centralEntry)
	if err != nil {
		return entry{}, noEOF(err)
	}
	if !is(b, centralSignature) {
		return entry{}, zip.ErrFormat
	}
	le := binary.LittleEndian
	e := entry{
		encrypted: le.Uint16(b[8:])&flagEncrypted != 0, method: le.Uint16(b[10:]), crc: le.Uint32(b[16:]),
		stored: uint64(le.Uint32(b[20:])), size: uint64(le.Uint32(b[24:])), header: uint64(le.Uint32(b[42:])),
	}
	nameLen, extraLen, commentLen := int(le.Uint16(b[28:])), int(le.Uint16(b[30:])), int(le.Uint16(b[32:]))
	if _, err := d.r.Discard(centralEntry); err != nil {
		return entry{}, err
	}
	d.rest = slices.Grow(d.rest[:0], nameLen+extraLen)[:nameLen+extraLen]
	if _, err := io.ReadFull(d.r, d.rest); err != nil {
		return entry{}, noEOF(err)
	}
	if _, err := d.r.Discard(commentLen); err != nil {
		return entry{}, noEOF(err)
	}
	e.name = d.keep(d.rest[:nameLen])
	return e, e.widen(d.rest[nameLen:])
}

// keep returns a name as a string.
func (d *directory) keep(name []byte) string {
	if d.names.Cap()-d.names.Len() < len(name) {
		d.names = strings.Builder{}
		d.names.Grow(max(len(name), 16<<10))
	}
	start := d.names.Len()
	d.names.Write(name)
	return d.names.String()[start:]
}

// widen takes from the extra fields the numbers that have no room in an entry.
func (e *entry) widen(extra []byte) error {
	le := binary.LittleEndian
	for len(extra) >= 4 {
		tag, n := le.Uint16(extra), int(le.Uint16(extra[2:]))
		if extra = extra[4:]; n > len(extra) {
			break
		}
		field := extra[:n]
		extra = extra[n:]
		if tag != zip64Tag {
			continue
		}
		for _, v := range []*uint64{&e.size, &e.stored, &e.header} {
			if *v == absent32 {
				if len(field) < 8 {
					return zip.ErrFormat
				}
				*v, field = le.Uint64(field), field[8:]
			}
		}
	}
	return nil
}

// dataOffset returns where the data of a record begins: behind its local header, which is read into b, with a name and extra
// fields of its own.
func dataOffset(r io.ReaderAt, b []byte, e *entry, size int64) (int64, error) {
	if size < localHeader || e.header > uint64(size-localHeader) {
		return 0, zip.ErrFormat
	}
	if _, err := r.ReadAt(b, int64(e.header)); err != nil {
		return 0, err
	}
	if !is(b, localSignature) {
		return 0, zip.ErrFormat
	}
	le := binary.LittleEndian
	return int64(e.header) + localHeader + int64(le.Uint16(b[26:])) + int64(le.Uint16(b[28:])), nil
}

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
