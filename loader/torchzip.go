package loader

import (
	"fmt"
	"math"
	"strings"

	"github.com/octet-ml/octet/internal/filekind"
	"github.com/octet-ml/octet/loader/internal/container"
	"github.com/octet-ml/octet/loader/internal/pickle"
	"github.com/octet-ml/octet/tensor"
)

// The records of a file that torch.save wrote, in its zip format (PyTorch 1.6
// and later): the pickle, the storages by key, the byte order.
const (
	pickleRecord    = "data.pkl"
	storageFolder   = "data/"
	byteOrderRecord = "byteorder"
	scriptRecord    = "constants.pkl" // only TorchScript has it
)

const maxPickle = 64 << 20 // bytes of a record of code

func (f *modelFile) zipCheckpoint() (pickle.Value, storageSource, error) {
	a, err := container.OpenWithin(f.r, f.size, f.budget())
	if err != nil {
		return nil, nil, err
	}
	if a.Has(scriptRecord) || !a.Has(pickleRecord) {
		return nil, nil, &FileError{Err: filekind.OfRecords(a.Names())}
	}
	if err := checkByteOrder(a); err != nil {
		return nil, nil, err
	}
	limits := f.pickleLimits()
	data, err := a.Read(pickleRecord, int64(limits.Bytes))
	if err != nil {
		return nil, nil, err
	}
	top, n, err := loadCheckpoint(pickleRecord, data, limits)
	if err != nil {
		return nil, nil, err
	}
	if n != len(data) {
		return nil, nil, &FileError{Record: pickleRecord, Reason: fmt.Sprintf("%d bytes follow after the pickle", len(data)-n)}
	}
	return top, f.zipStorages(a, storageFolder), nil
}

// checkByteOrder rejects files of big-endian machines. Files of PyTorch before
// 2.1 do not say, and come from little-endian ones.
func checkByteOrder(a *container.Archive) error {
	if !a.Has(byteOrderRecord) {
		return nil
	}
	order, err := a.Read(byteOrderRecord, 16)
	if err != nil {
		return err
	}
	if strings.TrimSpace(string(order)) != "little" {
		return &FileError{Record: byteOrderRecord, Reason: fmt.Sprintf("byte order %q is not read: save the file on a little-endian machine", order)}
	}
	return nil
}

// zipStorages reads storages from the records of an archive, each once.
type zipStorages struct {
	archive *container.Archive
	folder  string
	read    []storage // of the records, in the order of the archive; without a dtype where none was read
	next    int       // the place behind the record that was found last
	// onDemand returns memory of so many bytes that is read when it is needed, nil where it is read at once; nil: all is.
	onDemand func(size int64, read func(dst []byte) error) *tensor.Storage
}

// zipStorages are those of an archive in the file.
func (f *modelFile) zipStorages(a *container.Archive, folder string) *zipStorages {
	z := newZipStorages(a, folder)
	z.onDemand = f.onDemandStorage
	return z
}

func newZipStorages(a *container.Archive, folder string) *zipStorages {
	return &zipStorages{archive: a, folder: folder, read: make([]storage, len(a.Names()))}
}

// find returns the place of a storage's record, -1 where there is none. Most archives have them in the order of their use,
// and looking at the next one costs less than looking a name up among a million.
func (z *zipStorages) find(key string) int {
	names := z.archive.Names()
	if z.next >= len(names) || names[z.next] != z.folder+key {
		z.next = z.archive.Find(z.folder + key)
		if z.next < 0 {
			z.next = len(names)
			return -1
		}
	}
	z.next++
	return z.next - 1
}

func (z *zipStorages) storage(ref storageRef) (storage, error) {
	place := z.find(ref.key)
	if place < 0 {
		_, err := z.archive.Read(z.folder+ref.key, 0)
		return storage{}, err
	}
	s := &z.read[place]
	if s.dtype == tensor.Invalid {
		if size := z.archive.SizeAt(place); size != int64(ref.fileBytes()) {
			return storage{}, &FileError{Record: z.folder + ref.key, Reason: fmt.Sprintf("%d bytes where %d elements of %v take %d", size, ref.numel, ref.dtype, ref.fileBytes())}
		}
		if err := z.readStorage(s, place, ref); err != nil {
			return storage{}, err
		}
	}
	if s.dtype != ref.dtype || s.untyped != ref.untyped || s.size() != ref.bytes() {
		return storage{}, &FileError{Record: z.folder + ref.key, Reason: fmt.Sprintf("used as %d elements of %v and as %d bytes of %v", ref.numel, ref.dtype, s.size(), s.dtype)}
	}
	if s.onDemand != nil && ref.view != nil {
		if err := z.readStorage(s, place, ref); err != nil {
			return storage{}, err
		}
	}
	return ref.view.apply(*s), nil
}

// readStorage reads the storage of the record at a place, or sees to it that it is read when it is needed.
func (z *zipStorages) readStorage(s *storage, place int, ref storageRef) error {
	size := z.archive.SizeAt(place)
	if z.onDemand != nil && ref.view == nil && ref.wide == nil && !ref.untyped && ref.dtype != tensor.Bool && size > 0 {
		read := func(dst []byte) error { return z.archive.ReadIntoAt(place, dst) }
		if memory := z.onDemand(size, read); memory != nil {
			*s = storage{onDemand: memory, bytes: ref.bytes(), dtype: ref.dtype}
			return nil
		}
	}
	data, err := z.archive.ReadAt(place, math.MaxInt64)
	if err != nil {
		return err
	}
	*s, err = ref.storageOf(data)
	return err
}
