package loader

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/octet-ml/octet/tensor"
)

const (
	// checksumMetadata is the key of the checksums of a file: the CRC-32C, in hexadecimal, of the rest of the header, then of the
	// bytes of each tensor in the order of the header.
	checksumMetadata = "octet.crc32c"
	checksumDigits   = 8
)

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
func encodeChecksums(entries []safetensorsEntry, metadata map[string]string, tensors []Named) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%08x", headerChecksum(entries, metadata))
	for _, t := range tensors {
		fmt.Fprintf(&b, "%08x", crc32.Checksum(t.Tensor.Contiguous().Bytes(), castagnoli))
	}
	return b.String()
}

// readChecksums compares the header with its checksum, and gives each entry its own, where the file has them.
func readChecksums(entries []safetensorsEntry, metadata map[string]string) error {
	text, ok := metadata[checksumMetadata]
	if !ok {
		return nil
	}
	sums, err := splitChecksums(text, entries)
	if err != nil {
		return err
	}
	sum := func(i int, record string) (uint32, error) {
		v, err := strconv.ParseUint(sums[i], 16, 32)
		if err != nil || len(sums[i]) != 8 {
			return 0, &FileError{Record: record, Reason: fmt.Sprintf("its CRC-32C is %q where 8 hexadecimal digits should be: the file is damaged, take another copy", sums[i])}
		}
		return uint32(v), nil
	}
	want, err := sum(0, safetensorsMetadata)
	if err != nil {
		return err
	}
	if have := headerChecksum(entries, metadata); have != want {
		return &FileError{Record: "header", Err: &ChecksumError{want, have}}
	}
	for i := range entries {
		if entries[i].sum, err = sum(i+1, entries[i].name); err != nil {
			return err
		}
		entries[i].summed = true
	}
	return nil
}

// splitChecksums returns the checksums of the header and of each entry as text. Older files have a JSON object with them by name.
func splitChecksums(text string, entries []safetensorsEntry) ([]string, error) {
	all := make([]string, 0, len(entries)+1)
	have := len(text) / checksumDigits
	if strings.HasPrefix(text, "{") {
		var sums map[string]string
		if err := json.Unmarshal([]byte(text), &sums); err != nil {
			return nil, &FileError{Record: checksumMetadata, Reason: err.Error()}
		}
		have = len(sums)
		all = append(all, sums[safetensorsMetadata])
		for _, e := range entries {
			all = append(all, sums[e.name])
		}
	} else if len(text)%checksumDigits == 0 {
		for i := 0; i < len(text); i += checksumDigits {
			all = append(all, text[i:i+checksumDigits])
		}
	}
	if have != len(entries)+1 || len(all) != have {
		return nil, &FileError{Record: checksumMetadata, Reason: fmt.Sprintf("%d checksums of %d tensors and the header: the file is damaged, take another copy", have, len(entries))}
	}
	return all, nil
}

// check compares the bytes of a tensor with its checksum.
func (e *safetensorsEntry) check(data []byte) error {
	if !e.summed {
		return nil
	}
	return e.compare(crc32.Checksum(data, castagnoli))
}

// checkAt is check of the data at a place of a file, of which little is in memory.
func (e *safetensorsEntry) checkAt(r io.ReaderAt, at int64) error {
	if !e.summed {
		return nil
	}
	sum, buf := uint32(0), make([]byte, 64<<10)
	for left := e.end - e.begin; left > 0; left -= int64(len(buf)) {
		buf = buf[:min(int64(len(buf)), left)]
		if err := readAt(r, buf, at); err != nil {
			return err
		}
		sum = crc32.Update(sum, castagnoli, buf)
		at += int64(len(buf))
	}
	return e.compare(sum)
}

func (e *safetensorsEntry) compare(have uint32) error {
	if have != e.sum {
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
