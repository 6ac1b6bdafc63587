package loader

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/octet-ml/octet/internal/filekind"
	"github.com/octet-ml/octet/loader/internal/pickle"
	"github.com/octet-ml/octet/tensor"
)

// A file that torch.save wrote before PyTorch 1.6 is a row of pickles (a magic
// number, a protocol version, what system wrote it, the object, the keys of the
// storages) and then the storages, each as its number of elements in 8 bytes and
// the elements.
const (
	legacyMagic    = pickle.Long("0x1950a86a20f9469cfc6c")
	legacyProtocol = 1001
	legacyPickle   = "object" // in errors, as is the next
	legacyKeys     = "storage keys"
)

// legacyReader reads pickles one after another.
type legacyReader struct {
	r      io.ReaderAt
	size   int64
	at     int64
	limits pickle.Limits
}

func (f *modelFile) legacyCheckpoint() (pickle.Value, storageSource, error) {
	l := &legacyReader{r: f.r, size: f.size, limits: f.pickleLimits()}
	if err := l.header(); err != nil {
		return nil, nil, err
	}
	var top pickle.Value
	err := l.pickle(func(data []byte) (n int, err error) {
		top, n, err = loadCheckpoint(legacyPickle, data, l.limits)
		return n, err
	})
	if err != nil {
		return nil, nil, err
	}
	refs, err := collectStorages(top)
	if err != nil {
		return nil, nil, err
	}
	s := &legacyStorages{read: make(map[string]storage)}
	if err := l.storages(refs, s); err != nil {
		return nil, nil, err
	}
	return top, s, nil
}

// header reads the pickles before the object.
func (l *legacyReader) header() error {
	magic, err := l.plain("magic number")
	if err != nil {
		return err
	}
	if magic != legacyMagic {
		return &FileError{Err: filekind.Of([]byte{pickleStart}, l.size)}
	}
	version, err := l.plain("protocol version")
	if err != nil {
		return err
	}
	if version != int64(legacyProtocol) {
		return &FileError{Record: "protocol version", Reason: fmt.Sprintf("%s, only %d is read", pickle.Describe(version), legacyProtocol)}
	}
	system, err := l.plain("system")
	if err != nil {
		return err
	}
	dict, ok := system.(*pickle.Dict)
	if !ok {
		return &FileError{Record: "system", Reason: "holds " + pickle.Describe(system)}
	}
	if little, ok := dict.Get("little_endian"); !ok || little != true {
		return &FileError{Record: "system", Reason: "not written on a little-endian machine: save the file on one"}
	}
	return nil
}

// plain reads a pickle that holds no names.
func (l *legacyReader) plain(record string) (v pickle.Value, err error) {
	err = l.pickle(func(data []byte) (n int, err error) {
		if v, n, err = pickle.Load(data, pickle.Options{}); err != nil {
			err = &FileError{Record: record, Reason: "rejected", Err: err}
		}
		return n, err
	})
	return v, err
}

// pickle has load decode the pickle at the current place, from more and more
// bytes as long as they end before the pickle does, and moves behind it.
func (l *legacyReader) pickle(load func(data []byte) (int, error)) error {
	for window := int64(64 << 10); ; window *= 4 {
		data := make([]byte, min(window, l.size-l.at, int64(l.limits.Bytes)))
		if err := readAt(l.r, data, l.at); err != nil {
			return err
		}
		n, err := load(data)
		var pe *pickle.Error
		if errors.As(err, &pe) && pe.Truncated && int64(len(data)) < min(l.size-l.at, int64(l.limits.Bytes)) {
			continue
		}
		l.at += int64(n)
		return err
	}
}

// storages reads the keys and the storages, which must be those the object
// refers to and end where the file does.
func (l *legacyReader) storages(refs map[string]storageRef, into *legacyStorages) error {
	v, err := l.plain(legacyKeys)
	if err != nil {
		return err
	}
	keys, ok := v.(*pickle.List)
	if !ok {
		return &FileError{Record: legacyKeys, Reason: "holds " + pickle.Describe(v)}
	}
	for _, k := range keys.Items {
		key, ok := k.(string)
		if !ok {
			return &FileError{Record: legacyKeys, Reason: "holds " + pickle.Describe(k)}
		}
		record := "storage " + strconv.Quote(key)
		ref, ok := refs[key]
		if !ok {
			return &FileError{Record: record, Reason: "no tensor refers to it"}
		}
		if _, twice := into.read[key]; twice {
			return &FileError{Record: record, Reason: "stands twice in the file"}
		}
		if l.size-l.at < 8 {
			return &FileError{Record: record, Reason: "the file ends before it"}
		}
		var count [8]byte
		if err := readAt(l.r, count[:], l.at); err != nil {
			return err
		}
		l.at += 8
		if n := binary.LittleEndian.Uint64(count[:]); n != uint64(ref.numel) {
			return &FileError{Record: record, Reason: fmt.Sprintf("has %d elements and its tensors say %d", n, ref.numel)}
		}
		if int64(ref.fileBytes()) > l.size-l.at {
			return &FileError{Record: record, Reason: fmt.Sprintf("takes %d bytes and the file has %d more", ref.fileBytes(), l.size-l.at)}
		}
		data := tensor.AlignedBytes(ref.fileBytes())
		if err := readAt(l.r, data, l.at); err != nil {
			return err
		}
		l.at += int64(len(data))
		if into.read[key], err = ref.storageOf(data); err != nil {
			return &FileError{Record: record, Err: err}
		}
	}
	if len(into.read) != len(refs) {
		return &FileError{Record: legacyKeys, Reason: fmt.Sprintf("names %d storages and the tensors %d", len(into.read), len(refs))}
	}
	if l.at != l.size {
		return &FileError{Reason: fmt.Sprintf("%d bytes follow after the last storage", l.size-l.at)}
	}
	return nil
}

type legacyStorages struct{ read map[string]storage }

func (l *legacyStorages) storage(ref storageRef) (storage, error) {
	s, ok := l.read[ref.key]
	if !ok || s.dtype != ref.dtype || s.untyped != ref.untyped || len(s.data) != ref.bytes() {
		return storage{}, &FileError{Record: "storage " + strconv.Quote(ref.key), Reason: "used in different ways"}
	}
	return ref.view.apply(s), nil
}

// collectStorages returns the storages that a value refers to, by key, and
// rejects one that is used in different ways.
func collectStorages(v pickle.Value) (map[string]storageRef, error) {
	refs := make(map[string]storageRef)
	seen := make(map[any]bool)
	add := func(ref storageRef) error {
		ref.view = nil
		if known, ok := refs[ref.key]; ok && known != ref {
			return &FileError{Record: "storage " + strconv.Quote(ref.key), Reason: "used in different ways"}
		}
		refs[ref.key] = ref
		return nil
	}
	var walk func(v pickle.Value) error
	walkAll := func(items []pickle.Value) error {
		for _, item := range items {
			if err := walk(item); err != nil {
				return err
			}
		}
		return nil
	}
	walk = func(v pickle.Value) error {
		switch v := v.(type) {
		case pickle.Tuple:
			return walkAll(v)
		case *pickle.List, *pickle.Dict, *pickle.Object, *pickle.Persistent:
			if seen[v] {
				return nil
			}
			seen[v] = true
		}
		switch v := v.(type) {
		case *pickle.List:
			return walkAll(v.Items)
		case *pickle.Dict:
			for i := range v.Len() {
				_, value := v.At(i)
				if err := walk(value); err != nil {
					return err
				}
			}
		case *pickle.Object:
			if v.Dict != nil {
				if err := walk(v.Dict); err != nil {
					return err
				}
			}
			if err := walkAll(v.Items); err != nil {
				return err
			}
			if err := walk(v.State); err != nil {
				return err
			}
			return walkAll(v.Args)
		case *savedTensor:
			return add(v.ref)
		case *pickle.Persistent:
			ref, err := parseStorageID(v.ID)
			if err != nil {
				return &FileError{Record: legacyPickle, Reason: err.Error()}
			}
			return add(ref)
		}
		return nil
	}
	return refs, walk(v)
}
