package loader

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"
	"strconv"

	"github.com/octet-ml/octet/tensor"
)

// checksumMetadata is the key of the checksums of a file: a JSON object with the CRC-32C, in hexadecimal, of the bytes of each
// tensor by its name, and under safetensorsMetadata that of the rest of the header.
const checksumMetadata = "octet.crc32c"

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// ChecksumError says that a record of a file is not what was written.
type ChecksumError struct{ Want, Have uint32 }

func (e *ChecksumError) Error() string {
	return fmt.Sprintf("its CRC-32C is %08x where %08x was written: the file is damaged, take another copy", e.Have, e.Want)
}

// headerChecksum returns that of what the header says of tensors and metadata.
func headerChecksum(entries []safetensorsEntry, metadata map[string]string) uint32 {
	sum := crc32.New(castagnoli)
	for _, e := range entries {
		fmt.Fprintf(sum, "%q %v %v %d %d\n", e.name, e.dtype, e.shape, e.begin, e.end)
	}
	for _, k := range slices.Sorted(maps.Keys(metadata)) {
		if k != checksumMetadata {
			fmt.Fprintf(sum, "%q ", k)
			_, _ = sum.Write([]byte(metadata[k])) // a checksum takes all
			fmt.Fprintln(sum)
		}
	}
	return sum.Sum32()
}

// encodeChecksums returns the metadata on the tensors of entries, which stand in the same order.
func encodeChecksums(entries []safetensorsEntry, metadata map[string]string, tensors []Named) (string, error) {
	sums := map[string]string{safetensorsMetadata: fmt.Sprintf("%08x", headerChecksum(entries, metadata))}
	for _, t := range tensors {
		sums[t.Name] = fmt.Sprintf("%08x", crc32.Checksum(t.Tensor.Contiguous().Bytes(), castagnoli))
	}
	text, err := json.Marshal(sums)
	return string(text), err
}

// readChecksums compares the header with its checksum, and gives each entry its own, where the file has them.
func readChecksums(entries []safetensorsEntry, metadata map[string]string) error {
	text, ok := metadata[checksumMetadata]
	if !ok {
		return nil
	}
	var sums map[string]string
	if err := json.Unmarshal([]byte(text), &sums); err != nil {
		return &FileError{Record: checksumMetadata, Reason: err.Error()}
	}
	sum := func(record string) (uint32, error) {
		v, err := strconv.ParseUint(sums[record], 16, 32)
		if err != nil || len(sums[record]) != 8 {
			return 0, &FileError{Record: record, Reason: fmt.Sprintf("its CRC-32C is %q where 8 hexadecimal digits should be: the file is damaged, take another copy", sums[record])}
		}
		return uint32(v), nil
	}
	want, err := sum(safetensorsMetadata)
	if err != nil {
		return err
	}
	if have := headerChecksum(entries, metadata); have != want {
		return &FileError{Record: "header", Err: &ChecksumError{want, have}}
	}
	for i := range entries {
		if entries[i].sum, err = sum(entries[i].name); err != nil {
			return err
		}
		entries[i].summed = true
	}
	if len(sums) != len(entries)+1 {
		return &FileError{Record: checksumMetadata, Reason: fmt.Sprintf("%d checksums of %d tensors and the header", len(sums), len(entries))}
	}
	return nil
}

// check compares the bytes of a tensor with its checksum.
func (e *safetensorsEntry) check(data []byte) error {
	if !e.summed {
		return nil
	}
	if have := crc32.Checksum(data, castagnoli); have != e.sum {
		return &FileError{Record: e.name, Err: &ChecksumError{e.sum, have}}
	}
	return nil
}

// entriesOf returns what the header says of tensors whose bytes begin at the given places.
func entriesOf(tensors []Named, begin []int64) []safetensorsEntry {
	entries := make([]safetensorsEntry, len(tensors))
	for i, t := range tensors {
		entries[i] = safetensorsEntry{name: t.Name, dtype: t.Tensor.DType(), shape: t.Tensor.Shape(), begin: begin[i], end: begin[i] + bytesOf(t.Tensor)}
	}
	return entries
}

func bytesOf(t *tensor.Tensor) int64 { return int64(t.Numel() * t.DType().Size()) }
