package cli

import (
	"bytes"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/octet-ml/octet/internal/cgroup"
)

// systemMemory returns the bytes of memory that the process can have: of the machine, or of its control groups.
func systemMemory() int64 {
	var info unix.Sysinfo_t
	total := cgroup.Memory()
	if err := unix.Sysinfo(&info); err == nil {
		if all := int64(info.Totalram) * int64(info.Unit); total == 0 || all < total {
			total = all
		}
	}
	return total
}

// memoryGauge tells how much memory the process has.
type memoryGauge struct {
	f    *os.File
	page int64
	buf  [128]byte
}

func openMemory() *memoryGauge {
	f, err := os.Open("/proc/self/statm")
	if err != nil {
		return nil
	}
	return &memoryGauge{f: f, page: int64(os.Getpagesize())}
}

// inUse returns the bytes in memory, without those of files that are mapped, which the system can take back.
func (m *memoryGauge) inUse() int64 {
	n, _ := m.f.ReadAt(m.buf[:], 0)
	fields := bytes.Fields(m.buf[:n])
	if len(fields) < 3 {
		return 0
	}
	resident, errR := strconv.ParseInt(string(fields[1]), 10, 64)
	shared, errS := strconv.ParseInt(string(fields[2]), 10, 64)
	if errR != nil || errS != nil {
		return 0
	}
	return (resident - shared) * m.page
}

func (m *memoryGauge) close() {
	if m != nil {
		_ = m.f.Close()
	}
}
