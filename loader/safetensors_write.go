package loader

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"strings"
	"unicode/utf8"

	"github.com/octet-ml/octet/internal/atomicfile"
	"github.com/octet-ml/octet/internal/sorting"
	"github.com/octet-ml/octet/tensor"
)

// WriteSafetensors writes tensors and metadata to the file at path, which
// appears complete or not at all. Equal arguments make equal files. The header
// lists the tensors in the given order and is padded so that their bytes start
// at a multiple of tensor.Alignment; the format allows no gaps between tensors,
// so those of larger elements come first and each is aligned to its own.
//
// Names must be distinct. Quantization parameters are not written: the caller
// says them in the metadata.
func WriteSafetensors(path string, metadata map[string]string, tensors []Named) error {
	return atomicfile.Write(path, func(w io.Writer) error { return WriteSafetensorsTo(w, metadata, tensors) })
}

// WriteSafetensorsTo is WriteSafetensors to w.
func WriteSafetensorsTo(w io.Writer, metadata map[string]string, tensors []Named) error {
	return writeSafetensors(w, metadata, tensors, false)
}

// writeSafetensors is WriteSafetensorsTo, with checksums where they are asked for.
func writeSafetensors(w io.Writer, metadata map[string]string, tensors []Named, checksums bool) error {
	header, order, err := encodeSafetensorsHeader(metadata, tensors, checksums)
	if err != nil {
		return err
	}
	length := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	if _, err := w.Write(append(length, header...)); err != nil {
		return err
	}
	for _, i := range order {
		if _, err := w.Write(tensors[i].Tensor.Contiguous().Bytes()); err != nil {
			return err
		}
	}
	return nil
}

// encodeSafetensorsHeader returns the header and the order of the tensors' bytes.
func encodeSafetensorsHeader(metadata map[string]string, tensors []Named, checksums bool) (header []byte, order []int, err error) {
	seen := map[string]bool{safetensorsMetadata: true}
	order = make([]int, len(tensors))
	for i, t := range tensors {
		if t.Tensor == nil || t.Name == "" || !utf8.ValidString(t.Name) || seen[t.Name] {
			return nil, nil, fmt.Errorf("loader: cannot write tensor %q: names are distinct, valid and not %s, and tensors not nil", t.Name, safetensorsMetadata)
		}
		seen[t.Name] = true
		order[i] = i
	}
	for k, v := range metadata {
		if !utf8.ValidString(k) || !utf8.ValidString(v) {
			return nil, nil, fmt.Errorf("loader: metadata %q is not UTF-8", k)
		}
	}
	sorting.Func(order, func(a, b int) int {
		return tensors[b].Tensor.DType().Size() - tensors[a].Tensor.DType().Size()
	})
	begin := make([]int64, len(tensors))
	var at int64
	for _, i := range order {
		begin[i] = at
		at += bytesOf(tensors[i].Tensor)
	}
	if checksums {
		metadata = maps.Clone(metadata)
		metadata[checksumMetadata] = encodeChecksums(entriesOf(tensors, begin), metadata, tensors)
	}
	var b bytes.Buffer
	b.WriteByte('{')
	if len(metadata) > 0 {
		if err := writeField(&b, safetensorsMetadata, metadata); err != nil {
			return nil, nil, err
		}
	}
	for i, t := range tensors {
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		entry := struct {
			DType   string   `json:"dtype"`
			Shape   []int    `json:"shape"`
			Offsets [2]int64 `json:"data_offsets"`
		}{Shape: append([]int{}, t.Tensor.Shape()...)}
		for _, d := range safetensorsDTypes {
			if d.dtype == t.Tensor.DType() && d.wide == nil {
				entry.DType = d.name
			}
		}
		entry.Offsets = [2]int64{begin[i], begin[i] + bytesOf(t.Tensor)}
		if err := writeField(&b, t.Name, entry); err != nil {
			return nil, nil, err
		}
	}
	b.WriteByte('}')
	pad := -(8 + b.Len()) & (tensor.Alignment - 1)
	b.WriteString(strings.Repeat(" ", pad))
	if b.Len() > maxSafetensorsHeader {
		return nil, nil, fmt.Errorf("loader: a safetensors header of %d bytes, at most %d are allowed", b.Len(), maxSafetensorsHeader)
	}
	return b.Bytes(), order, nil
}

// writeField writes a name and its value; maps are written with sorted keys.
func writeField(b *bytes.Buffer, name string, value any) error {
	for i, v := range []any{name, value} {
		text, err := json.Marshal(v)
		if err != nil {
			return err
		}
		b.Write(text)
		if i == 0 {
			b.WriteByte(':')
		}
	}
	return nil
}
