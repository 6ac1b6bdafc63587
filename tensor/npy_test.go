package tensor

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// counted is what gen/npy.py writes: 0, 1, 2, ... in row-major order.
func counted(t *testing.T, dtype DType, shape Shape) *Tensor {
	t.Helper()
	n, err := shape.Numel()
	if err != nil {
		t.Fatal(err)
	}
	values := make([]int64, n)
	for i := range values {
		values[i] = int64(i)
		if dtype == Bool {
			values[i] = int64(i % 2)
		}
	}
	v := must(FromSlice(values, shape...))
	return must(v.To(dtype))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func same(a, b *Tensor) bool {
	return a.DType() == b.DType() && a.Shape().Equal(b.Shape()) && bytes.Equal(a.Contiguous().Bytes(), b.Contiguous().Bytes())
}

func TestReadNPZ(t *testing.T) {
	want := []struct {
		name  string
		dtype DType
		shape Shape
	}{
		{"float16", Float16, Shape{2, 3, 4}}, {"float32", Float32, Shape{2, 3, 4}}, {"float64", Float64, Shape{2, 3, 4}},
		{"int8", Int8, Shape{2, 3, 4}}, {"uint8", Uint8, Shape{2, 3, 4}}, {"int32", Int32, Shape{2, 3, 4}},
		{"int64", Int64, Shape{2, 3, 4}}, {"bool", Bool, Shape{2, 3, 4}},
		{"fortran", Float32, Shape{3, 5}}, {"fortran3", Int64, Shape{2, 3, 4}},
		{"scalar", Float32, Shape{}}, {"vector", Int32, Shape{7}}, {"empty", Float32, Shape{0, 3}},
	}
	for _, file := range []string{"arrays.npz", "arrays_deflated.npz"} {
		arrays, err := ReadNPZ(filepath.Join("testdata", file), 0)
		if err != nil {
			t.Fatal(err)
		}
		if len(arrays) != len(want) {
			t.Fatalf("%s: %d arrays, want %d", file, len(arrays), len(want))
		}
		for i, w := range want {
			if arrays[i].Name != w.name {
				t.Errorf("%s: array %d is %q, want %q", file, i, arrays[i].Name, w.name)
			}
			if got := arrays.Get(w.name); got == nil || !same(got, counted(t, w.dtype, w.shape)) || !got.IsContiguous() {
				t.Errorf("%s: %s is %v, want %v%v counting up", file, w.name, got, w.dtype, w.shape)
			}
		}
		if got := arrays.Get("absent"); got != nil {
			t.Errorf("%s: absent array is %v", file, got)
		}
	}
}

func TestReadNPY(t *testing.T) {
	for _, file := range []string{"array.npy", "array_v2.npy"} {
		raw := must(os.ReadFile(filepath.Join("testdata", file)))
		got, err := ReadNPY(bytes.NewReader(raw), 24)
		if err != nil || !same(got, counted(t, Float32, Shape{2, 3})) {
			t.Errorf("%s: %v, %v", file, got, err)
		}
		if _, err := ReadNPY(bytes.NewReader(raw), 23); !isFileError(err, "24 bytes and 23 are allowed") {
			t.Errorf("%s: over budget gives %v", file, err)
		}
		for n := range raw {
			if _, err := ReadNPY(bytes.NewReader(raw[:n]), 0); !isFileError(err, "") {
				t.Errorf("%s cut to %d bytes gives %v", file, n, err)
			}
		}
		if _, err := ReadNPY(bytes.NewReader(append(raw, 0)), 0); !isFileError(err, "bytes follow") {
			t.Errorf("%s with a byte more gives %v", file, err)
		}
	}
}

func isFileError(err error, reason string) bool {
	var fe *FileError
	return errors.As(err, &fe) && strings.Contains(err.Error(), reason)
}

func TestNPYComplex(t *testing.T) {
	raw := must(os.ReadFile(filepath.Join("testdata", "complex64.npy")))
	x := must(ReadNPY(bytes.NewReader(raw), 0))
	var again bytes.Buffer
	if err := WriteNPY(&again, x); err != nil || x.DType() != Complex64 || !bytes.Equal(again.Bytes(), raw) {
		t.Errorf("%+v is not written as it was read: %v", x, err)
	}
}

// TestReadNPYWidened reads types that tensors do not have, in all orders, at the ends of what they hold.
func TestReadNPYWidened(t *testing.T) {
	for _, c := range []struct {
		file, descr string
		dtype       DType
		data        []byte
		want        []int64
	}{
		{"int16", "<i2", Int32, []byte{0xff, 0x7f, 0, 0x80, 0xff, 0xff, 1, 0}, []int64{1<<15 - 1, -1 << 15, -1, 1}},
		{"uint16", "<u2", Int32, []byte{0xff, 0xff, 0, 0x80, 1, 0, 0, 0}, []int64{1<<16 - 1, 1 << 15, 1, 0}},
		{"uint32", "<u4", Int64, bytes.Repeat([]byte{0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0}, 2), []int64{1<<32 - 1, 2, 1<<32 - 1, 2}},
		{"uint64", "<u8", Int64, append(bytes.Repeat([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, 3), make([]byte, 8)...), []int64{1<<63 - 1, 1<<63 - 1, 1<<63 - 1, 0}},
	} {
		path := filepath.Join("testdata", c.file+".npy")
		if x := must(ReadNPY(bytes.NewReader(must(os.ReadFile(path))), 0)); !same(x, counted(t, c.dtype, Shape{3})) {
			t.Errorf("%s: %+v", path, x)
		}
		for order, want := range map[string][]int64{"False": c.want, "True": {c.want[0], c.want[2], c.want[1], c.want[3]}} {
			file := npyFile("{'descr': '"+c.descr+"', 'fortran_order': "+order+", 'shape': (2, 2), }\n", len(c.data))
			copy(file[len(file)-len(c.data):], c.data)
			x, err := ReadNPY(bytes.NewReader(file), 0)
			if err != nil || !same(x, must(must(FromSlice(want, 2, 2)).To(c.dtype))) {
				t.Errorf("%s: %+v, %v, want %v", c.file, x, err, want)
			}
			var budget *BudgetError
			if _, err := ReadNPY(bytes.NewReader(file), int64(2*len(c.data)-1)); !errors.As(err, &budget) {
				t.Errorf("%s beyond the budget: %v", c.file, err)
			}
			file[len(file)-1] = 0x80
			if _, err := ReadNPY(bytes.NewReader(file), 0); c.file == "uint64" && !isFileError(err, "2^63") {
				t.Errorf("2^63: %v", err)
			}
		}
	}
}

func TestReadNPYRefuses(t *testing.T) {
	for file, reason := range map[string]string{
		"big_endian": "big-endian float32", "text": "<U2", "datetime": "<M8[D]", "record": "without fields", "object": "|O",
	} {
		raw := must(os.ReadFile(filepath.Join("testdata", "refused_"+file+".npy")))
		if _, err := ReadNPY(bytes.NewReader(raw), 0); !isFileError(err, reason) {
			t.Errorf("%s: got %v, want a rejection with %q", file, err, reason)
		}
	}
}

// npyFile makes an npy file with any header text.
func npyFile(header string, data int) []byte {
	b := append([]byte(npyMagic), 1, 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(header)))
	return append(append(b, header...), make([]byte, data)...)
}

func TestReadNPYMalformed(t *testing.T) {
	head := func(shape string) string {
		return "{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + ", }\n"
	}
	beyond := "allowed"
	if strconv.IntSize == 32 {
		beyond = "too many elements" // than can be addressed, which the budget is not below there
	}
	huge := append([]byte(npyMagic), 2, 0, 0xff, 0xff, 0xff, 0xff)
	for name, c := range map[string]struct {
		file   []byte
		reason string
	}{
		"no newline":       {npyFile(strings.TrimSpace(head("(1,)")), 4), "not that of a plain array"},
		"no dict":          {npyFile("\n", 4), "not that of a plain array"},
		"negative extent":  {npyFile(head("(-1,)"), 4), "not that of a plain array"},
		"bare number":      {npyFile(head("(1)"), 4), "not that of a plain array"},
		"keys swapped":     {npyFile("{'shape': (1,), 'fortran_order': False, 'descr': '<f4', }\n", 4), "not that of a plain array"},
		"extent too large": {npyFile(head("(9223372036854775808,)"), 4), "not that of a plain array"},
		"product too large": {npyFile(head("(1000000000, 1000000000, 1000000000)"), 4),
			"too many elements"},
		"claims more than the budget": {npyFile(head("(2000000000,)"), 4), beyond},
		"claims more than present":    {npyFile(head("(100000000,)"), 4), "file ends before"},
		"a brace for an order":        {npyFile("{'descr': '}u1', 'fortran_order': False, 'shape': (4,), }\n", 4), "}u1"},
		"many dimensions":             {npyFile(head("("+strings.Repeat("1, ", 64)+"1)"), 4), "65 dimensions"},
		"huge header":                 {huge, "claims 4294967295 bytes"},
		"version 3":                   {append([]byte(npyMagic), 3, 0, 0, 0, 0, 0), "version 3"},
		"other file":                  {[]byte("PK\x03\x04 and more"), "not an npy array"},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := ReadNPY(bytes.NewReader(c.file), 0)
		runtime.ReadMemStats(&after)
		if !isFileError(err, c.reason) {
			t.Errorf("%s: got %v, want a rejection with %q", name, err, c.reason)
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
			t.Errorf("%s: reading %d bytes allocated %d", name, len(c.file), grown)
		}
	}
}

func TestReadNPYBoolNormalized(t *testing.T) {
	file := npyFile("{'descr': '|b1', 'fortran_order': False, 'shape': (3,), }\n", 3)
	copy(file[len(file)-3:], []byte{0, 1, 200})
	got, err := ReadNPY(bytes.NewReader(file), 0)
	if err != nil || !bytes.Equal(got.Bytes(), []byte{0, 1, 1}) {
		t.Errorf("got %v (%v), want bytes 0 1 1", got.Bytes(), err)
	}
}

func TestReadNPZMalformed(t *testing.T) {
	raw := must(os.ReadFile(filepath.Join("testdata", "arrays_deflated.npz")))
	for n := range raw {
		if _, err := ReadNPZFrom(bytes.NewReader(raw[:n]), int64(n), 0); !isFileError(err, "") {
			t.Fatalf("cut to %d of %d bytes gives %v", n, len(raw), err)
		}
	}
	zipped := func(names ...string) []byte {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for _, name := range names {
			w := must(z.Create(name))
			must(w.Write(npyFile("{'descr': '|u1', 'fortran_order': False, 'shape': (4000000,), }\n", 4000000)))
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	for _, c := range []struct {
		name   string
		file   []byte
		reason string
	}{
		{"two of a name", zipped("a.npy", "a.npy"), "two arrays"},
		{"other member", zipped("a.txt"), "a.txt: not an array"},
		{"bomb", zipped("a.npy", "b.npy", "c.npy"), "c.npy: uint8[4000000] takes 4000000 bytes and 1000000 are allowed"},
	} {
		if _, err := ReadNPZFrom(bytes.NewReader(c.file), int64(len(c.file)), 9000000); !isFileError(err, c.reason) {
			t.Errorf("%s: got %v, want a rejection with %q", c.name, err, c.reason)
		}
	}
	if _, err := ReadNPZ(filepath.Join("testdata", "absent.npz"), 0); !errors.Is(err, os.ErrNotExist) || isFileError(err, "") {
		t.Errorf("absent file gives %v", err)
	}
	if _, err := ReadNPZ(filepath.Join("testdata", "array.npy"), 0); !isFileError(err, filepath.Join("testdata", "array.npy")+": not an npz file") {
		t.Errorf("an npy file gives %v", err)
	}
}

func TestWriteNPZ(t *testing.T) {
	read, err := ReadNPZ(filepath.Join("testdata", "arrays.npz"), 0)
	if err != nil {
		t.Fatal(err)
	}
	transposed := must(counted(t, Int32, Shape{3, 4}).Permute(1, 0))
	arrays := append([]Named{{"transposed", transposed}}, read...)
	path := filepath.Join(t.TempDir(), "out.npz")
	var first []byte
	for range 2 {
		if err := WriteNPZ(path, arrays); err != nil {
			t.Fatal(err)
		}
		file := must(os.ReadFile(path))
		if first != nil && !bytes.Equal(first, file) {
			t.Error("the same arrays made two files")
		}
		first = file
	}
	got, err := ReadNPZ(path, 0)
	if err != nil || len(got) != len(arrays) {
		t.Fatalf("read back %d arrays (%v), want %d", len(got), err, len(arrays))
	}
	for i, a := range arrays {
		if got[i].Name != a.Name || !same(got[i].Tensor, a.Tensor) {
			t.Errorf("array %d: read back %s %v, want %s %v", i, got[i].Name, got[i].Tensor, a.Name, a.Tensor)
		}
	}
	one := Scalar[float32](1)
	bf16 := must(one.To(BFloat16))
	for _, bad := range [][]Named{{{"", one}}, {{"a", one}, {"a", one}}, {{"a", nil}}, {{"a\xff", one}}, {{"a", bf16}}} {
		if err := WriteNPZ(path, bad); err == nil {
			t.Errorf("writing %v succeeded", bad)
		}
	}
	if after := must(os.ReadFile(path)); !bytes.Equal(after, first) {
		t.Error("a failed write changed the file")
	}
}

// TestWriteNPY checks the bytes against NumPy's description of the format.
func TestWriteNPY(t *testing.T) {
	var b bytes.Buffer
	if err := WriteNPY(&b, counted(t, Uint8, Shape{5, 3})); err != nil {
		t.Fatal(err)
	}
	const header = "\x93NUMPY\x01\x00v\x00{'descr': '|u1', 'fortran_order': False, 'shape': (5, 3), }"
	text, start := b.String(), b.Len()-15
	if start%npyAlign != 0 || !strings.HasPrefix(text, header) || strings.TrimLeft(text[len(header):start], " ") != "\n" {
		t.Errorf("the elements start at byte %d, behind %q", start, text[:start])
	}
	for i, v := range b.Bytes()[start:] {
		if int(v) != i {
			t.Errorf("element %d is %d", i, v)
		}
	}
}

// TestNPYHeaderFlips changes each bit, and each byte to each printable character, of a header: what is still read has
// the number of elements it says.
func TestNPYHeaderFlips(t *testing.T) {
	for _, header := range []string{
		"{'descr': '<u1', 'fortran_order': False, 'shape': (3, 4), } \n", "{'descr': '|u1', 'fortran_order': True, 'shape': (12,), } \n",
	} {
		raw := npyFile(header, 12)
		try := func(i int, b byte) {
			bad := bytes.Clone(raw)
			bad[i] = b
			got, err := ReadNPY(bytes.NewReader(bad), 1<<20)
			if err != nil && !isFileError(err, "") || err == nil && got.Numel()*got.DType().Size() != 12 {
				t.Errorf("%q gives %v, %v", bad[:len(bad)-12], got, err)
			}
		}
		for i := range raw {
			for bit := range 8 {
				try(i, raw[i]^1<<bit)
			}
			for c := byte(' '); c < 0x7f; c++ {
				try(i, c)
			}
		}
	}
}

func FuzzReadNPZ(f *testing.F) {
	for _, glob := range []string{"*.npz", "*.npy"} {
		files, err := filepath.Glob(filepath.Join("testdata", glob))
		if err != nil || len(files) == 0 {
			f.Fatal("no seeds", err)
		}
		for _, file := range files {
			if strings.HasPrefix(filepath.Base(file), "convert") {
				continue
			}
			f.Add(must(os.ReadFile(file)))
		}
	}
	f.Add(npyFile("{'descr': '}u1', 'fortran_order': False, 'shape': (4,), }\n", 4))
	const budget = 1 << 22
	f.Fuzz(func(t *testing.T, raw []byte) {
		check := func(a *Tensor, err error) int {
			if err != nil {
				if !isFileError(err, "") {
					t.Errorf("untyped error %v", err)
				}
				return 0
			}
			if !a.IsContiguous() || len(a.Bytes()) != a.Numel()*a.DType().Size() {
				t.Errorf("inconsistent %v", a)
			}
			return len(a.Bytes())
		}
		check(ReadNPY(bytes.NewReader(raw), budget))
		arrays, err := ReadNPZFrom(bytes.NewReader(raw), int64(len(raw)), budget)
		if err != nil {
			check(nil, err)
			return
		}
		total := 0
		for _, a := range arrays {
			total += check(a.Tensor, nil)
		}
		if total > budget {
			t.Errorf("%d bytes of arrays, %d allowed", total, budget)
		}
	})
}
