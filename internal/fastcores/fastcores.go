// Package fastcores tells the fast cores of a CPU from the slow ones, where it has both, as those of phones and of small boards do.
//
// The threads of a run share its layers and wait for each other at the end of each, so that a core which takes several times as long is
// no help.
package fastcores

import (
	"io/fs"
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"github.com/octet-ml/octet/internal/cgroup"
)

// Cores are the cores that the process may run on.
type Cores struct {
	All  []int // numbers
	Fast []int // those that are about as fast as the fastest, of All
	// Source says what the speeds were told by: "cpu_capacity", "cpuinfo_max_freq", "" where nothing tells, and all count as fast.
	Source string
}

// What tells the speed of a core in the folder cpuN of the system's CPUs, and how much of the fastest one's a fast core has at least. A
// capacity is the work a core does in a time; a frequency says less, since slow cores do less in a cycle, too.
var sources = []struct {
	file  string
	share float64
}{
	{"cpu_capacity", 0.5},
	{"cpufreq/cpuinfo_max_freq", 0.85},
}

// Of returns which of the cores of these numbers are fast, by the folder of the system's CPUs: /sys/devices/system/cpu on Linux.
func Of(cpus fs.FS, all []int) Cores {
	c := Cores{All: all, Fast: all}
	for _, source := range sources {
		speeds, ok := readSpeeds(cpus, all, source.file)
		if !ok {
			continue
		}
		most := 0
		for _, v := range speeds {
			most = max(most, v)
		}
		c.Fast, c.Source = nil, source.file[strings.LastIndex(source.file, "/")+1:]
		for i, v := range speeds {
			if float64(v) >= source.share*float64(most) {
				c.Fast = append(c.Fast, all[i])
			}
		}
		return c
	}
	return c
}

// readSpeeds reads a file of each core, and reports whether all have it.
func readSpeeds(cpus fs.FS, all []int, file string) ([]int, bool) {
	speeds := make([]int, len(all))
	for i, n := range all {
		text, err := fs.ReadFile(cpus, "cpu"+strconv.Itoa(n)+"/"+file)
		if err != nil {
			return nil, false
		}
		if speeds[i], err = strconv.Atoi(strings.TrimSpace(string(text))); err != nil || speeds[i] <= 0 {
			return nil, false
		}
	}
	return speeds, len(all) > 0
}

// Here are the cores of this machine, as they were when the process first asked.
var Here = sync.OnceValue(func() Cores { return Of(os.DirFS("/sys/devices/system/cpu"), allowed()) })

// Threads returns how many threads a run takes by itself: one for each fast core, and no more than GOMAXPROCS, nor than the CPUs whose time the
// process's control groups give it, rounded up, of which GOMAXPROCS is never less than two. Where GOMAXPROCS is set in the environment, as many as that.
func Threads() int {
	return threads(os.Getenv("GOMAXPROCS"), runtime.GOMAXPROCS(0), len(Here().Fast), cgroup.CPUs())
}

func threads(asked string, procs, fast int, share float64) int {
	if asked != "" {
		return procs
	}
	if fast > 0 {
		procs = min(procs, fast)
	}
	if share > 0 {
		procs = int(min(float64(procs), math.Ceil(share)))
	}
	return procs
}
