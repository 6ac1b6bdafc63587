package loader

import (
	"fmt"
	"math"

	"github.com/octet-ml/octet/loader/internal/container"
	"github.com/octet-ml/octet/loader/internal/pickle"
	"github.com/octet-ml/octet/tensor"
)

// storage is the memory of one or more tensors.
type storage struct {
	data    []byte
	dtype   tensor.DType // of its elements; Uint8 of an untyped storage
	untyped bool

	onDemand *tensor.Storage // has the memory instead of data
	bytes    int             // of onDemand
}

// size returns the bytes of the memory.
func (s storage) size() int {
	if s.onDemand != nil {
		return s.bytes
	}
	return len(s.data)
}

// view returns a tensor of the storage. Where one is not all of it, others may be parts of it, too, and all of it is kept.
func (s storage) view(dtype tensor.DType, offset int, shape, strides []int) (*tensor.Tensor, error) {
	if s.onDemand == nil {
		return tensor.View(dtype, s.data, offset, shape, strides)
	}
	t, err := s.onDemand.View(dtype, offset, shape, strides)
	if err == nil && t.Numel()*dtype.Size() < s.bytes {
		err = t.Pin()
	}
	return t, err
}

// storageRef is what a pickle's persistent id says about a storage.
type storageRef struct {
	key     string
	dtype   tensor.DType
	untyped bool
	numel   int             // elements of dtype
	wide    *container.Wide // the type in the file, where dtype only holds the values
	view    *storageView
}

// storageView is a storage that is a part of another, as PyTorch before 0.4
// knew it.
type storageView struct {
	key           string
	offset, numel int
}

func (r storageRef) bytes() int { return r.numel * r.dtype.Size() }

// fileBytes is what the storage takes in the file.
func (r storageRef) fileBytes() int {
	if r.wide != nil {
		return r.numel * r.wide.Size
	}
	return r.bytes()
}

// storageOf returns the storage whose bytes in the file are data.
func (r storageRef) storageOf(data []byte) (storage, error) {
	if r.wide != nil {
		var err error
		if data, err = r.wide.Widen(data); err != nil {
			return storage{}, err
		}
	}
	return storage{data: data, dtype: r.dtype, untyped: r.untyped}.normalized(), nil
}

// storageSource finds the storages of a container.
type storageSource interface {
	storage(ref storageRef) (storage, error)
}

// parseStorageID checks a persistent id: ("storage", class, key, location,
// number of elements), in legacy files with (key, offset, number of elements)
// of a view, or None, after it.
func parseStorageID(id pickle.Tuple) (storageRef, error) {
	if len(id) < 5 || len(id) > 6 {
		return storageRef{}, fmt.Errorf("a persistent id has %d parts, not 5 or 6", len(id))
	}
	tag, _ := id[0].(string)
	class, isClass := id[1].(*pickle.Class)
	key, isKey := id[2].(string)
	numel, isInt := id[4].(int64)
	if tag != "storage" || !isClass || !isKey || !isInt {
		return storageRef{}, fmt.Errorf("a persistent id is not that of a storage: %q, %s, %s, ..., %s",
			tag, pickle.Describe(id[1]), pickle.Describe(id[2]), pickle.Describe(id[4]))
	}
	name, ok := storageClass(class.Module, class.Name)
	dtype, wide := storageDTypes[name], wideStorages[name]
	if wide != nil {
		dtype = wide.DType
	}
	if !ok || dtype == tensor.Invalid {
		return storageRef{}, fmt.Errorf("%s is not a storage class that is read", class)
	}
	ref := storageRef{key: key, dtype: dtype, untyped: name == untypedStorage || name == "_"+untypedStorage, wide: wide}
	if ref.numel, ok = count(numel, dtype); !ok {
		return storageRef{}, fmt.Errorf("storage %q has %d elements", key, numel)
	}
	if len(id) < 6 || id[5] == nil {
		return ref, nil
	}
	view, _ := id[5].(pickle.Tuple)
	if len(view) != 3 {
		return storageRef{}, fmt.Errorf("the view of storage %q is %s", key, pickle.Describe(id[5]))
	}
	viewKey, ok0 := view[0].(string)
	offset, ok1 := view[1].(int64)
	size, ok2 := view[2].(int64)
	if !ok0 || !ok1 || !ok2 {
		return storageRef{}, fmt.Errorf("the view of storage %q is not a key and two numbers", key)
	}
	v := &storageView{key: viewKey}
	v.offset, ok1 = count(offset, dtype)
	v.numel, ok2 = count(size, dtype)
	if !ok1 || !ok2 || v.offset > ref.numel || v.numel > ref.numel-v.offset {
		return storageRef{}, fmt.Errorf("view %q of %d elements at %d reaches outside storage %q of %d", viewKey, size, offset, key, numel)
	}
	ref.view = v
	return ref, nil
}

// count returns n as an int when it is not negative and the bytes of n elements
// can be counted.
func count(n int64, dtype tensor.DType) (int, bool) {
	if n < 0 || n > math.MaxInt64>>8 || uint64(n) > uint64(math.MaxInt)/8 {
		return 0, false
	}
	return int(n), dtype != tensor.Invalid
}

// apply cuts the part that a view is out of its storage.
func (v *storageView) apply(s storage) storage {
	if v == nil {
		return s
	}
	size := s.dtype.Size()
	s.data = s.data[v.offset*size : (v.offset+v.numel)*size]
	return s
}
