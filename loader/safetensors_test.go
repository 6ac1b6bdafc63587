package loader

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/octet-ml/octet/tensor"
)

const (
	safetensorsFile   = "testdata/plain.safetensors"
	safetensorsValues = "testdata/safetensors.values.npz"
)

func TestReadSafetensors(t *testing.T) {
	want := must(tensor.ReadNPZ(safetensorsValues, 0))
	check := func(how string, tensors []Named, metadata map[string]string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", how, err)
		}
		w := newWeights(0)
		var names []string
		for _, v := range tensors {
			w.add(v.Name, v.Tensor)
			names = append(names, v.Name)
		}
		if !slices.Equal(names, want.Names()) {
			t.Errorf("%s: names %v, want %v", how, names, want.Names())
		}
		checkWeights(t, how, w, want)
		if !maps.Equal(metadata, map[string]string{"format": "pt", "note": "made by hand"}) {
			t.Errorf("%s: metadata %v", how, metadata)
		}
	}
	tensors, metadata, err := ReadSafetensors(safetensorsFile)
	check("read", tensors, metadata, err)

	m, err := MapSafetensors(safetensorsFile)
	if err != nil {
		t.Fatal(err)
	}
	check("mapped", m.Tensors, m.Metadata, nil)
	m.Tensors[0].Tensor.Uint8s()[0] = 77 // private to the mapping
	if err := m.Close(); err != nil || m.Tensors != nil {
		t.Errorf("close: %v, %d tensors left", err, len(m.Tensors))
	}
	if err := m.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
	w, err := StateDict(safetensorsFile)
	if err != nil {
		t.Fatal(err)
	}
	checkWeights(t, "state dict", w, want)
	for _, f := range []func() error{
		func() error { _, _, err := ReadSafetensors("testdata/absent"); return err },
		func() error { _, err := MapSafetensors("testdata/absent"); return err },
	} {
		if err := f(); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("absent file: got %v", err)
		}
	}
}

// TestMapFileFallback reads where mapping is not possible.
func TestMapFileFallback(t *testing.T) {
	f := must(os.Open(safetensorsFile))
	defer f.Close()
	want := must(os.ReadFile(safetensorsFile))
	got, unmap, err := readFile(f, int64(len(want)))
	if err != nil || !bytes.Equal(got, want) || unmap() != nil {
		t.Errorf("read %d bytes, %v", len(got), err)
	}
	if _, _, err := readFile(f, int64(len(want)+1)); err == nil {
		t.Error("read more than the file has")
	}
}

func safetensorsBytes(header string, data int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, data)...)
}

func TestReadSafetensorsRefuses(t *testing.T) {
	entry := func(dtype, shape, offsets string) string {
		return `{"a":{"dtype":"` + dtype + `","shape":` + shape + `,"data_offsets":` + offsets + `}}`
	}
	two := func(a, b string) string {
		return `{"a":{"dtype":"U8","shape":[4],"data_offsets":` + a + `},"b":{"dtype":"U8","shape":[4],"data_offsets":` + b + `}}`
	}
	for name, c := range map[string]struct {
		raw    []byte
		reason string
	}{
		"short":             {[]byte("abc"), "a file of 3 bytes"},
		"length":            {append(binary.LittleEndian.AppendUint64(nil, 1<<63), '{'), "claims 9223372036854775808 bytes"},
		"length by one":     {append(binary.LittleEndian.AppendUint64(nil, 3), '{', '}'), "claims 3 bytes"},
		"not JSON":          {safetensorsBytes("{nothing}", 0), "header: invalid"},
		"no object":         {safetensorsBytes("[]", 0), "does not begin with {"},
		"unfinished":        {safetensorsBytes(`{"a":`, 0), "header: "},
		"text after":        {safetensorsBytes(`{} {}`, 0), "text follows"},
		"not UTF-8":         {safetensorsBytes("{\"\xff\":{}}", 0), "not UTF-8"},
		"name twice":        {safetensorsBytes(`{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}`, 0), `"a" stands twice`},
		"field twice":       {safetensorsBytes(`{"a":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}}`, 0), `"dtype" stands twice`},
		"field missing":     {safetensorsBytes(`{"a":{"dtype":"U8","shape":[0]}}`, 0), "is missing"},
		"field unknown":     {safetensorsBytes(`{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"x":1}}`, 0), `unknown field "x"`},
		"element type":      {safetensorsBytes(entry("C64", "[1]", "[0,2]"), 2), "element type C64 is not read"},
		"entry not object":  {safetensorsBytes(`{"a":5}`, 0), "5 where { should be"},
		"shape not array":   {safetensorsBytes(entry("U8", `"4"`, "[0,4]"), 4), "4 where [ should be"},
		"shape negative":    {safetensorsBytes(entry("U8", "[-1]", "[0,4]"), 4), "-1 where a number"},
		"shape fraction":    {safetensorsBytes(entry("U8", "[4.0]", "[0,4]"), 4), "4.0 where a number"},
		"shape huge":        {safetensorsBytes(entry("U8", "[99999999999999999999]", "[0,4]"), 4), "where a number"},
		"shape product":     {safetensorsBytes(entry("U8", "[4294967296,4294967296]", "[0,4]"), 4), "too many elements"},
		"shape rank":        {safetensorsBytes(entry("U8", "[1"+strings.Repeat(",1", 64)+"]", "[0,1]"), 1), "more than 64 numbers"},
		"one offset":        {safetensorsBytes(entry("U8", "[4]", "[0]"), 4), "1 data offsets"},
		"three offsets":     {safetensorsBytes(entry("U8", "[4]", "[0,4,4]"), 4), "more than 2 numbers"},
		"offsets reversed":  {safetensorsBytes(entry("U8", "[4]", "[4,0]"), 4), "uint8[4] takes 4 bytes"},
		"past the end":      {safetensorsBytes(entry("U8", "[5]", "[0,5]"), 4), "of 4"},
		"claims much":       {safetensorsBytes(entry("F32", "[1000000000]", "[0,4000000000]"), 4), "takes 4000000000 bytes"},
		"size differs":      {safetensorsBytes(entry("F32", "[2]", "[0,4]"), 4), "takes 8 bytes"},
		"overlap":           {safetensorsBytes(two("[0,4]", "[2,6]"), 6), "begins at byte 2"},
		"gap":               {safetensorsBytes(two("[0,4]", "[5,9]"), 9), "begins at byte 5"},
		"bytes left":        {safetensorsBytes(two("[0,4]", "[4,8]"), 9), "the file has 9"},
		"metadata number":   {safetensorsBytes(`{"__metadata__":{"a":1}}`, 0), `metadata "a" is not one string`},
		"metadata twice":    {safetensorsBytes(`{"__metadata__":{"a":"1","a":"2"}}`, 0), `metadata "a" is not one string`},
		"metadata an array": {safetensorsBytes(`{"__metadata__":[]}`, 0), "header: "},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _, err := ReadSafetensorsFrom(bytes.NewReader(c.raw), int64(len(c.raw)))
		runtime.ReadMemStats(&after)
		if c.reason = reasonHere(name, c.reason); !isFileError(err, c.reason) {
			t.Errorf("%s: got %v, want a rejection with %q", name, err, c.reason)
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
			t.Errorf("%s: allocated %d bytes for %d", name, grown, len(c.raw))
		}
	}
	raw := must(os.ReadFile(safetensorsFile))
	for n := range raw {
		if _, _, err := ReadSafetensorsFrom(bytes.NewReader(raw[:n]), int64(n)); !isFileError(err, "") {
			t.Fatalf("cut to %d of %d bytes: got %v", n, len(raw), err)
		}
	}
	path := filepath.Join(t.TempDir(), "bad.safetensors")
	if err := os.WriteFile(path, raw[:100], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := MapSafetensors(path); !isFileError(err, path+": header: ") {
		t.Errorf("mapping a bad file: got %v", err)
	}
}

func TestWriteSafetensors(t *testing.T) {
	want := must(tensor.ReadNPZ(safetensorsValues, 0))
	transposed := must(tensor.FromSlice([]float32{1, 2, 3, 4, 5, 6}, 2, 3))
	tensors := append([]Named{{Name: "transposed", Tensor: must(transposed.Permute(1, 0))}}, want...)
	half := must(transposed.To(tensor.BFloat16))
	tensors = append(tensors, Named{Name: `quoted "<name>" ü`, Tensor: half})
	metadata := map[string]string{"b": "2", "a": "<1>", "graph": `{"nodes":[]}`}
	path := filepath.Join(t.TempDir(), "out.safetensors")
	var first []byte
	for range 3 {
		if err := WriteSafetensors(path, metadata, tensors); err != nil {
			t.Fatal(err)
		}
		raw := must(os.ReadFile(path))
		if first != nil && !bytes.Equal(raw, first) {
			t.Fatal("the same tensors made two files")
		}
		first = raw
	}
	header := binary.LittleEndian.Uint64(first)
	if (8+header)%tensor.Alignment != 0 {
		t.Errorf("the tensors start at byte %d, not at a multiple of %d", 8+header, tensor.Alignment)
	}
	var parsed map[string]any
	if err := json.Unmarshal(first[8:8+header], &parsed); err != nil || len(parsed) != len(tensors)+1 {
		t.Errorf("header has %d entries, %v", len(parsed), err)
	}
	m, err := MapSafetensors(path)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if !maps.Equal(m.Metadata, metadata) || len(m.Tensors) != len(tensors) {
		t.Fatalf("read back %d tensors and metadata %v", len(m.Tensors), m.Metadata)
	}
	for i, got := range m.Tensors {
		w := tensors[i]
		if got.Name != w.Name || got.Tensor.DType() != w.Tensor.DType() || !got.Tensor.Shape().Equal(w.Tensor.Shape()) ||
			!bytes.Equal(got.Tensor.Bytes(), w.Tensor.Contiguous().Bytes()) {
			t.Errorf("tensor %d: read back %s %v, want %s %v", i, got.Name, got.Tensor, w.Name, w.Tensor)
		}
		// In the mapped file itself, not in a copy.
		if raw := got.Tensor.Bytes(); len(raw) > 0 && uintptr(unsafe.Pointer(&raw[0]))%uintptr(got.Tensor.DType().Size()) != 0 {
			t.Errorf("%s is not aligned", got.Name)
		}
	}
	empty := filepath.Join(t.TempDir(), "empty.safetensors")
	if err := WriteSafetensors(empty, nil, nil); err != nil {
		t.Fatal(err)
	}
	if got, meta, err := ReadSafetensors(empty); err != nil || len(got) != 0 || len(meta) != 0 {
		t.Errorf("an empty file reads as %v, %v, %v", got, meta, err)
	}
	for _, bad := range [][]Named{
		{{Name: "", Tensor: half}}, {{Name: "a"}}, {{Name: "a", Tensor: half}, {Name: "a", Tensor: half}},
		{{Name: "__metadata__", Tensor: half}}, {{Name: "\xff", Tensor: half}},
	} {
		if err := WriteSafetensors(path, nil, bad); err == nil {
			t.Errorf("wrote %v", bad)
		}
	}
	if err := WriteSafetensors(path, map[string]string{"a": "\xff"}, nil); err == nil {
		t.Error("wrote metadata that is not UTF-8")
	}
	if !bytes.Equal(must(os.ReadFile(path)), first) {
		t.Error("a failed write changed the file")
	}
}

func FuzzSafetensors(f *testing.F) {
	f.Add(must(os.ReadFile(safetensorsFile)))
	f.Add(safetensorsBytes(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"__metadata__":{"x":"y"}}   `, 8))
	f.Add(safetensorsBytes(`{}`, 0))
	f.Fuzz(func(t *testing.T, raw []byte) {
		tensors, _, err := ReadSafetensorsFrom(bytes.NewReader(raw), int64(len(raw)))
		if err != nil {
			if !isFileError(err, "") {
				t.Fatalf("untyped error %v", err)
			}
			return
		}
		total := 0
		for _, v := range tensors {
			total += len(v.Tensor.Bytes())
		}
		if header := int(binary.LittleEndian.Uint64(raw)); total != len(raw)-8-header {
			t.Fatalf("%d bytes of tensors in a file of %d with a header of %d", total, len(raw), header)
		}
	})
}

// TestWideSafetensors reads integers of types that are kept in wider ones.
func TestWideSafetensors(t *testing.T) {
	header := `{"a":{"dtype":"I16","shape":[2],"data_offsets":[0,4]},"b":{"dtype":"U16","shape":[2],"data_offsets":[4,8]},` +
		`"c":{"dtype":"U32","shape":[1],"data_offsets":[8,12]},"d":{"dtype":"U64","shape":[1],"data_offsets":[12,20]}}`
	raw := safetensorsBytes(header, 0)
	raw = append(raw, 0, 128, 5, 0, 0, 128, 5, 0, 255, 255, 255, 255, 1, 0, 0, 0, 0, 0, 0, 64)
	path := filepath.Join(t.TempDir(), "wide.safetensors")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	read, _, err := ReadSafetensors(path)
	if err != nil {
		t.Fatal(err)
	}
	mapped, err := MapSafetensors(path)
	if err != nil {
		t.Fatal(err)
	}
	defer mapped.Close()
	later, err := StateDict(path, OnDemand())
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []any{[]int32{-32768, 5}, []int32{32768, 5}, []int64{math.MaxUint32}, []int64{1<<62 + 1}} {
		for _, got := range []*tensor.Tensor{read[i].Tensor, mapped.Tensors[i].Tensor, later.Get(read[i].Name)} {
			var have any = got.Contiguous()
			if got.DType() == tensor.Int32 {
				have = got.Int32s()
			} else if got.DType() == tensor.Int64 {
				have = got.Int64s()
			}
			if !reflect.DeepEqual(have, want) {
				t.Errorf("%s is %v, want %v", read[i].Name, have, want)
			}
		}
	}
	raw[len(raw)-1] = 128
	if _, _, err := ReadSafetensorsFrom(bytes.NewReader(raw), int64(len(raw))); !isFileError(err, "d: element 0 is 9223372036854775809: numbers of uint64 are read up to 2^63-1") {
		t.Errorf("uint64 beyond int64: %v", err)
	}
}
