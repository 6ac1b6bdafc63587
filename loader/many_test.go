package loader

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"runtime"
	"testing"
)

// manyTensors is a file of torch.save with n tensors of 4 elements, in one storage or each in its own.
func manyTensors(t testing.TB, n int, shared bool) []byte {
	t.Helper()
	var p bytes.Buffer
	str := func(s string) {
		p.WriteByte('X')
		binary.Write(&p, binary.LittleEndian, uint32(len(s)))
		p.WriteString(s)
	}
	memo := uint32(0)
	put := func() {
		p.WriteByte('r')
		binary.Write(&p, binary.LittleEndian, memo)
		memo++
	}
	get := func(i uint32) {
		p.WriteByte('j')
		binary.Write(&p, binary.LittleEndian, i)
	}
	p.WriteString("\x80\x02ccollections\nOrderedDict\n")
	put() // 0
	p.WriteString(")R(")
	var rebuild, storage, kind uint32
	for i := range n {
		str(fmt.Sprintf("w%d", i))
		put()
		if i == 0 {
			p.WriteString("ctorch._utils\n_rebuild_tensor_v2\n")
			rebuild = memo
			put()
		} else {
			get(rebuild)
		}
		p.WriteString("((")
		if i == 0 {
			str("storage")
			kind = memo
			put()
			p.WriteString("ctorch\nFloatStorage\n")
			storage = memo
			put()
		} else {
			get(kind)
			get(storage)
		}
		key, numel, offset := fmt.Sprint(i), 4, 0
		if shared {
			key, numel, offset = "0", 4*n, 4*i
		}
		str(key)
		put()
		str("cpu")
		put()
		p.WriteByte('J')
		binary.Write(&p, binary.LittleEndian, int32(numel))
		p.WriteByte('t')
		put()
		p.WriteString("QJ")
		binary.Write(&p, binary.LittleEndian, int32(offset))
		p.WriteString("K\x04\x85")
		put()
		p.WriteString("K\x01\x85")
		put()
		p.WriteByte(0x89)
		get(0)
		p.WriteString(")R")
		put()
		p.WriteByte('t')
		put()
		p.WriteByte('R')
		put()
	}
	p.WriteString("u.")
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	record := func(name string, data []byte) {
		w, err := z.CreateRaw(&zip.FileHeader{Name: "many/" + name, CRC32: crc32.ChecksumIEEE(data),
			CompressedSize64: uint64(len(data)), UncompressedSize64: uint64(len(data))})
		if err == nil {
			_, err = w.Write(data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	record("data.pkl", p.Bytes())
	if shared {
		record("data/0", make([]byte, 16*n))
	} else {
		for i := range n {
			record(fmt.Sprintf("data/%d", i), make([]byte, 16))
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestManyTensors counts what is allocated for a file with many tensors: so much for each, however many there are.
func TestManyTensors(t *testing.T) {
	const bytesPerTensor, timesPerTensor = 1600, 16
	for _, shared := range []bool{true, false} {
		few, _ := allocated(t, 20000, shared)
		many, times := allocated(t, 160000, shared)
		if many > 9*few || many > 160000*bytesPerTensor {
			t.Errorf("one storage %v: %d bytes for 20,000 tensors and %d for 160,000", shared, few, many)
		}
		if times > 160000*timesPerTensor {
			t.Errorf("one storage %v: %d allocations for 160,000 tensors", shared, times)
		}
	}
}

// allocated returns the bytes that reading n tensors allocates, and how many times it does.
func allocated(t *testing.T, n int, shared bool) (bytesInAll, times uint64) {
	t.Helper()
	data := manyTensors(t, n, shared)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	w, err := StateDictFrom(bytes.NewReader(data), int64(len(data)))
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	last := w.Get(fmt.Sprintf("w%d", n-1))
	if w.Len() != n || last == nil || last.Numel() != 4 {
		t.Fatalf("%d tensors, the last %v", w.Len(), last)
	}
	return after.TotalAlloc - before.TotalAlloc, after.Mallocs - before.Mallocs
}
