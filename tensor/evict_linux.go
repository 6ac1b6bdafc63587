package tensor

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// evict gives back the pages that lie wholly in data.
func evict(data []byte) {
	page := os.Getpagesize()
	first := -int(uintptr(unsafe.Pointer(unsafe.SliceData(data)))) & (page - 1)
	if n := (len(data) - first) / page * page; n > 0 {
		// What fails leaves the memory as it was.
		_ = unix.Madvise(data[first:first+n], unix.MADV_DONTNEED)
	}
}
