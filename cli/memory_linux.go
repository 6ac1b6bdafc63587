package cli

import (
	"bytes"
	"os"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// systemMemory returns the bytes of memory that the process can have: of the machine, or of its control groups.
func systemMemory() int64 {
	var info unix.Sysinfo_t
	total := int64(0)
	if err := unix.Sysinfo(&info); err == nil {
		total = int64(info.Totalram) * int64(info.Unit)
	}
	groups, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return total
	}
	return groupMemory(os.ReadFile, string(groups), total)
}

// groupMemory returns the least of the limits of a process's control groups, as /proc/self/cgroup lists them, and of
// those around them.
func groupMemory(read func(name string) ([]byte, error), groups string, least int64) int64 {
	for line := range strings.Lines(groups) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		root, file := "/sys/fs/cgroup", "memory.max"
		switch {
		case parts[0] == "0" && parts[1] == "":
		case strings.Contains(","+parts[1]+",", ",memory,"):
			root, file = "/sys/fs/cgroup/memory", "memory.limit_in_bytes"
		default:
			continue
		}
		for group := path.Join("/", parts[2]); ; group = path.Dir(group) {
			// Inside a container the groups around it are not there, and its own is at the root.
			if text, err := read(path.Join(root, group, file)); err == nil {
				if n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil && n > 0 && (n < least || least == 0) {
					least = n
				}
			}
			if group == "/" {
				break
			}
		}
	}
	return least
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
