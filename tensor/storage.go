package tensor

import (
	"fmt"
	"sync"
	"sync/atomic"
	"unsafe"
)

// Storage is memory of tensors that is filled when it is first read, and that can be given back, to be filled again when it is next
// read: that of weights in a file, which a session needs only until it has packed them. Any number of goroutines may read its tensors, and
// give it back; who reads at that time keeps what it has. Its tensors must not be written to.
type Storage struct {
	size   int
	fill   func() ([]byte, error) // nil: the memory is that of a mapped file
	memory atomic.Pointer[byte]   // nil while there is none
	parts  *parts                 // nil: it is filled whole

	mu     sync.Mutex
	err    error
	pinned bool
}

// NewStorage returns memory of so many bytes, which fill writes, with the same result whenever it is called. What fill fails with is the
// error of Tensor.Load; the memory is then zero.
func NewStorage(size int, fill func(dst []byte) error) *Storage {
	return &Storage{size: size, fill: func() ([]byte, error) {
		data := AlignedBytes(size)
		return data, fill(data)
	}}
}

// parts reads some of a storage.
type parts struct {
	check func() error
	read  func(dst []byte, offset int) error
}

// InParts lets Tensor.Parts read bytes of the storage from an offset on. check, which may be called several times, says whether all of them are as they should be.
func (s *Storage) InParts(check func() error, read func(dst []byte, offset int) error) {
	s.parts = &parts{check, read}
}

// View returns a tensor of the storage, as the function View does of bytes.
func (s *Storage) View(dtype DType, offset int, shape, strides []int) (*Tensor, error) {
	t, err := newView(dtype, s.size, offset, shape, strides)
	if err == nil {
		t.storage = s
	}
	return t, err
}

// bytes returns the memory, filled.
func (s *Storage) bytes() []byte {
	if s.size == 0 {
		return []byte{}
	}
	p := s.memory.Load()
	if p == nil {
		p = s.load()
	}
	return unsafe.Slice(p, s.size)
}

// load fills the memory, unless another has meanwhile.
func (s *Storage) load() *byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.memory.Load(); p != nil {
		return p
	}
	var data []byte
	if s.err == nil {
		data, s.err = s.fill()
	}
	if s.err != nil {
		data = AlignedBytes(s.size)
	}
	s.memory.Store(unsafe.SliceData(data))
	return unsafe.SliceData(data)
}

// evict gives the memory back and returns its size, 0 where there is none to give.
func (s *Storage) evict() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.memory.Load()
	switch {
	case p == nil || s.pinned:
		return 0
	case s.fill == nil:
		evict(unsafe.Slice(p, s.size))
		return 0 // it is the system's, not the collector's
	}
	s.memory.Store(nil)
	return s.size
}

func (s *Storage) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

func (s *Storage) pin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pinned = s.pinned || s.fill != nil
}

// Evictable returns a view of t, whose memory must be that of a mapped file and not be
// written to, that Evict works on.
func (t *Tensor) Evictable() *Tensor {
	if len(t.data) == 0 {
		return t
	}
	v := *t
	v.storage = &Storage{size: len(t.data)}
	v.storage.memory.Store(unsafe.SliceData(t.data))
	v.data = nil
	return &v
}

// IsEvictable reports whether the memory of a tensor may be given back.
func (t *Tensor) IsEvictable() bool { return t.storage != nil }

// Private returns the elements of a tensor that is all of a Storage in memory of the caller's own, read anew, so that t itself need not be in memory. It returns nil for
// other tensors, and the error with which reading failed.
func (t *Tensor) Private() (*Tensor, error) {
	s := t.storage
	if s == nil || s.fill == nil || !t.IsContiguous() || t.Numel()*t.dtype.Size() != s.size {
		return nil, nil
	}
	data, err := s.fill()
	if err != nil {
		return nil, err
	}
	v := *t
	v.storage, v.data = nil, data
	return &v, nil
}

// Parts returns a function that reads bytes of the elements of a tensor, from an offset on, without the others in memory, and checks them all before. It returns nil
// for tensors other than all of a Storage with InParts.
func (t *Tensor) Parts() (read func(dst []byte, offset int) error, err error) {
	s := t.storage
	if s == nil || s.parts == nil || !t.IsContiguous() || t.Numel()*t.dtype.Size() != s.size {
		return nil, nil
	}
	return s.parts.read, s.parts.check()
}

// Evict gives the memory of a tensor that has a Storage back, or that was made Evictable, and returns how many bytes the garbage
// collector can take. The memory is filled again when it is next read. It does nothing to other tensors.
func (t *Tensor) Evict() int {
	if t.storage == nil {
		return 0
	}
	return t.storage.evict()
}

// Load fills the memory of a tensor that has a Storage, and returns the error with which that failed, now or before.
func (t *Tensor) Load() error {
	if t.storage == nil {
		return nil
	}
	t.storage.bytes()
	return t.Err()
}

// Err returns the error with which filling the memory of a tensor failed: it reads as zeros then.
func (t *Tensor) Err() error {
	if t.storage == nil {
		return nil
	}
	return t.storage.failure()
}

// Pin is Load of a tensor whose memory is not given back from now on, since it is read again and again.
func (t *Tensor) Pin() error {
	if t.storage != nil {
		t.storage.pin()
	}
	return t.Load()
}

// Derived returns a tensor of the given type that is computed when it is first read, and again after Evict: compute returns its elements,
// with the same result whenever it is called, in memory that nobody else writes to.
func Derived(dtype DType, shape Shape, compute func() (*Tensor, error)) (*Tensor, error) {
	n, err := shape.Numel()
	if err != nil {
		return nil, err
	}
	s := &Storage{size: n * dtype.Size(), fill: func() ([]byte, error) {
		t, err := compute()
		if err != nil {
			return nil, err
		}
		if t.dtype != dtype || !t.shape.Equal(shape) {
			return nil, fmt.Errorf("tensor: computed %v where %v%v should be", t, dtype, shape)
		}
		return t.Contiguous().Bytes(), nil
	}}
	return s.View(dtype, 0, shape, shape.Strides())
}
