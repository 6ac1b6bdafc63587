package container

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/tensor"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func isFileError(err error, reason string) bool {
	var fe *tensor.FileError
	return errors.As(err, &fe) && strings.Contains(err.Error(), reason)
}

type member struct {
	name    string
	data    string
	deflate bool
}

func archive(members ...member) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, m := range members {
		method := zip.Store
		if m.deflate {
			method = zip.Deflate
		}
		w := must(z.CreateHeader(&zip.FileHeader{Name: m.name, Method: method}))
		must(w.Write([]byte(m.data)))
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func open(raw []byte) (*Archive, error) { return Open(bytes.NewReader(raw), int64(len(raw))) }

func TestOpen(t *testing.T) {
	long := strings.Repeat("weights ", 50000)
	a, err := open(archive(member{name: "m/"}, member{"m/data.pkl", "pickle", false}, member{"m/data/0", long, true}, member{"m/empty", "", false}))
	if err != nil {
		t.Fatal(err)
	}
	if a.Root() != "m" || !slices.Equal(a.Names(), []string{"data.pkl", "data/0", "empty"}) {
		t.Errorf("root %q, names %v", a.Root(), a.Names())
	}
	for name, want := range map[string]string{"data.pkl": "pickle", "data/0": long, "empty": ""} {
		got, err := a.Read(name, int64(len(want)))
		if err != nil || string(got) != want || !a.Has(name) || a.Size(name) != int64(len(want)) {
			t.Errorf("%s: read %d bytes (%v), want %d", name, len(got), err, len(want))
		}
		if _, err := a.Read(name, int64(len(want))-1); !isFileError(err, "at most") {
			t.Errorf("%s: read over the limit gives %v", name, err)
		}
	}
	if _, err := a.Read("data/1", 10); !isFileError(err, "no such record") || a.Has("data/1") || a.Size("data/1") != -1 {
		t.Errorf("absent record gives %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	zeros := strings.Repeat("\x00", 32<<20)
	for name, c := range map[string]struct {
		raw    []byte
		reason string
	}{
		"not a zip":    {[]byte("PK\x03\x04 and then something else"), "damaged zip archive"},
		"no records":   {archive(), "without records"},
		"only folders": {archive(member{name: "m/"}), "without records"},
		"no folder":    {archive(member{name: "data.pkl"}), "not in a folder"},
		"two folders":  {archive(member{name: "m/a"}, member{name: "n/a"}), `outside the archive's folder "m"`},
		"twice":        {archive(member{name: "m/a"}, member{name: "m/a"}), "two records"},
		"absolute":     {archive(member{name: "/m/a"}), "not a plain record name"},
		"upwards":      {archive(member{name: "m/../../a"}), "not a plain record name"},
		"from above":   {archive(member{name: "../a"}), "not in a folder"},
		"backslash":    {archive(member{name: `m/a\b`}), "not a plain record name"},
		"not UTF-8":    {archive(member{name: "m/\xff"}), "not a plain record name"},
		"NUL":          {archive(member{name: "m/a\x00"}), "not a plain record name"},
		"bomb":         {archive(member{"m/a", zeros, true}), "deflated records claim"},
		"many bombs":   {archive(member{"m/a", zeros[:600<<10], true}, member{"m/b", zeros[:600<<10], true}), "m/b: deflated records claim"},
		"encrypted":    {changed(archive(member{name: "m/a"}), centralFlags, 1), "encrypted"},
		"method":       {changed(archive(member{name: "m/a"}), centralMethod, 14), "compression method 14"},
		"two sizes":    {changed(archive(member{"m/a", "abcd", false}), centralSize, 3), "stored with two sizes, 4 and 3"},
		"past the end": {changed(changed(archive(member{"m/a", "abcd", false}), centralSize, 0x70000000), centralStored, 0x70000000), "reach past the file's end"},
		"overlap":      {overlapping(), "m/b: overlaps another record"},
		"in directory": {changed(changed(archive(member{"m/a", "abcd", false}), centralSize, 60), centralStored, 60), "overlaps the archive's directory"},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := open(c.raw)
		runtime.ReadMemStats(&after)
		if !isFileError(err, c.reason) {
			t.Errorf("%s: got %v, want a rejection with %q", name, err, c.reason)
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
			t.Errorf("%s: allocated %d bytes for %d", name, grown, len(c.raw))
		}
	}
}

// Places of fields after the signature of an entry of the central directory.
const (
	centralFlags  = 8
	centralMethod = 10
	centralStored = 20
	centralSize   = 24
	centralOffset = 42
)

// changed sets a field of the first entry of the central directory.
func changed(raw []byte, field int, value uint32) []byte {
	at := bytes.Index(raw, []byte("PK\x01\x02")) + field
	if field == centralFlags || field == centralMethod {
		binary.LittleEndian.PutUint16(raw[at:], uint16(value))
	} else {
		binary.LittleEndian.PutUint32(raw[at:], value)
	}
	return raw
}

// overlapping makes an archive whose second entry is the first under another
// name.
func overlapping() []byte {
	raw := archive(member{"m/a", "abcd", false}, member{"m/b", "efgh", false})
	first := bytes.Index(raw, []byte("PK\x01\x02"))
	second := first + 4 + bytes.Index(raw[first+4:], []byte("PK\x01\x02"))
	copy(raw[second+centralOffset:second+centralOffset+4], raw[first+centralOffset:])
	return raw
}

func TestReadDamaged(t *testing.T) {
	for _, deflate := range []bool{false, true} {
		data := strings.Repeat("0123456789", 10)
		raw := archive(member{"m/a", data, deflate})
		raw[bytes.Index(raw, []byte("m/a"))+6] ^= 1
		a, err := open(raw)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := a.Read("a", 1000); !isFileError(err, "a: damaged record") {
			t.Errorf("deflated %v: damaged record gives %q, %v", deflate, got, err)
		}
	}
	for _, size := range []uint32{99, 101, 1 << 20} {
		raw := changed(archive(member{"m/a", strings.Repeat("0123456789", 10), true}), centralSize, size)
		a, err := open(raw)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.Read("a", 1<<30); !isFileError(err, "a: ") {
			t.Errorf("100 bytes that claim to be %d give %v", size, err)
		}
	}
}

func TestIsZip(t *testing.T) {
	for head, want := range map[string]bool{"PK\x03\x04abc": true, "PK\x05\x06": true, "PK": false, "": false, "\x80\x02": false} {
		if IsZip([]byte(head)) != want {
			t.Errorf("IsZip(%q) is %v", head, !want)
		}
	}
}

func FuzzContainer(f *testing.F) {
	files := must(filepath.Glob("../../testdata/*.pt*"))
	for _, file := range files {
		if raw := must(os.ReadFile(file)); IsZip(raw) {
			f.Add(raw)
		}
	}
	f.Add(overlapping())
	f.Add(archive(member{"m/a", strings.Repeat("a", 10000), true}, member{"m/b", "b", false}))
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := open(raw)
		if err != nil {
			if !isFileError(err, "") {
				t.Errorf("untyped error %v", err)
			}
			return
		}
		total := 0
		for _, name := range a.Names() {
			data, err := a.Read(name, a.Size(name))
			if err != nil && !isFileError(err, "") {
				t.Errorf("untyped error %v", err)
			}
			if err == nil && int64(len(data)) != a.Size(name) {
				t.Errorf("%s: %d bytes, not %d", name, len(data), a.Size(name))
			}
			total += len(data)
		}
		if total > len(raw)*(maxExpansion+1)+deflateAllowed {
			t.Errorf("%d bytes of records from a file of %d", total, len(raw))
		}
	})
}

func TestOpenFlat(t *testing.T) {
	flat := func(members ...member) (*Archive, error) {
		raw := archive(members...)
		return OpenFlat(bytes.NewReader(raw), int64(len(raw)), 1<<40)
	}
	a, err := flat(member{name: "program.json", data: "{}"}, member{name: "extra/a", data: "note"}, member{name: "deflated", data: "abcabcabc", deflate: true})
	if err != nil {
		t.Fatal(err)
	}
	if a.Root() != "" || !slices.Equal(a.Names(), []string{"program.json", "extra/a", "deflated"}) {
		t.Errorf("root %q, names %v", a.Root(), a.Names())
	}
	for name, want := range map[string]string{"program.json": "{}", "extra/a": "note", "deflated": "abcabcabc"} {
		r, n, err := a.Section(name, 100)
		if err != nil || n != int64(len(want)) {
			t.Errorf("%s: section of %d bytes (%v)", name, n, err)
			continue
		}
		got := make([]byte, n)
		if _, err := r.ReadAt(got, 0); err != nil || string(got) != want {
			t.Errorf("%s: section %q (%v), want %q", name, got, err, want)
		}
	}
	if _, _, err := a.Section("deflated", 3); !isFileError(err, "at most 3") {
		t.Errorf("a section over the limit gives %v", err)
	}
	if _, _, err := a.Section("absent", 3); !isFileError(err, "no such record") {
		t.Errorf("a section of an absent record gives %v", err)
	}
	for _, name := range []string{"..", "../a", "/a", "a/../b", `a\b`, "a\x00", "\xff"} {
		if _, err := flat(member{name: name}); !isFileError(err, "not a plain record name") {
			t.Errorf("%q: got %v", name, err)
		}
	}
	if _, err := flat(member{name: "a"}, member{name: "a"}); !isFileError(err, "two records") {
		t.Errorf("two records of one name: got %v", err)
	}
}

// TestDirectory holds what is read of a directory to archive/zip: names, places and sizes, also where the numbers take 64 bits and
// a comment follows.
func TestDirectory(t *testing.T) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := range 70000 { // more than 16 bits count
		method := zip.Store
		if i%100 == 1 {
			method = zip.Deflate
		}
		h := &zip.FileHeader{Name: fmt.Sprintf("top/r%d", i), Method: method, Comment: strings.Repeat("c", i%5), Extra: make([]byte, i%7/6*8)}
		out, err := w.CreateHeader(h)
		if err == nil {
			_, err = out.Write(make([]byte, i%11))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.SetComment("of the archive"), w.Close()); err != nil {
		t.Fatal(err)
	}
	r, size := bytes.NewReader(b.Bytes()), int64(b.Len())
	z, err := zip.NewReader(r, size)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := readDirectory(r, size)
	if err != nil || len(entries) != len(z.File) {
		t.Fatalf("%d entries, want %d: %v", len(entries), len(z.File), err)
	}
	header := make([]byte, localHeader)
	for i, f := range z.File {
		at, err := dataOffset(r, header, &entries[i], size)
		want, err2 := f.DataOffset()
		if err != nil || err2 != nil || at != want {
			t.Fatalf("%s is at %d, want %d: %v, %v", f.Name, at, want, err, err2)
		}
		e := entries[i]
		if e.header = 0; e != (entry{name: f.Name, stored: f.CompressedSize64, size: f.UncompressedSize64, crc: f.CRC32, method: f.Method}) {
			t.Fatalf("%+v, want %+v", e, f.FileHeader)
		}
	}
}

// TestWideNumbers reads sizes and a place that take 64 bits.
func TestWideNumbers(t *testing.T) {
	le := binary.LittleEndian
	e := entry{size: absent32, stored: absent32, header: absent32}
	field := le.AppendUint16(le.AppendUint16(nil, zip64Tag), 24)
	for _, v := range []uint64{1 << 33, 1 << 34, 1 << 35} {
		field = le.AppendUint64(field, v)
	}
	if err := e.widen(append([]byte{9, 9, 1, 0, 0}, field...)); err != nil || e != (entry{size: 1 << 33, stored: 1 << 34, header: 1 << 35}) {
		t.Errorf("%+v, %v", e, err)
	}
	short := entry{size: absent32, header: absent32}
	if err := short.widen(append([]byte{1, 0, 8, 0}, make([]byte, 8)...)); err == nil {
		t.Error("a number that is missing is not refused")
	}
}
