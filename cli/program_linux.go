package cli

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// dropProgram gives the pages of the program's file that are mapped back to the system, which would take them itself once it is short of memory: most of them are
// those that starting a program of many packages touches. What is needed further is mapped again, from the system's cache of the file.
func dropProgram() {
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return
	}
	for line := range strings.Lines(string(maps)) {
		place, rest, _ := strings.Cut(line, " ")
		if rights, _, _ := strings.Cut(rest, " "); strings.Contains(rights, "w") || !strings.HasSuffix(line, " "+program+"\n") {
			continue // pages that may have been written to are no copies of the file
		}
		from, to, _ := strings.Cut(place, "-")
		first, err1 := strconv.ParseUint(from, 16, 64)
		end, err2 := strconv.ParseUint(to, 16, 64)
		if err1 == nil && err2 == nil {
			_, _, _ = unix.Syscall(unix.SYS_MADVISE, uintptr(first), uintptr(end-first), unix.MADV_DONTNEED) // it is only advice
		}
	}
}
