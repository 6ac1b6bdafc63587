// Package cgroup reads what the control groups of Linux let this process have of the machine. Elsewhere there are none, and no limits.
package cgroup

import (
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
)

// Memory returns the bytes that the process may have, 0 where no group bounds them.
func Memory() int64 { return memory(os.DirFS("/")) }

// CPUs returns the share of CPU time that the process may have, 1.5 for the time of one CPU and a half, 0 where no group bounds it.
func CPUs() float64 { return CPUsOf(os.DirFS("/")) }

func memory(system fs.FS) int64 {
	return int64(least(system, "memory", func(folder string, version1 bool) float64 {
		if version1 {
			return number(system, folder+"/memory.limit_in_bytes")
		}
		return number(system, folder+"/memory.max")
	}))
}

// CPUsOf is CPUs on a system with these files, "proc/self/cgroup" and those in "sys/fs/cgroup".
func CPUsOf(system fs.FS) float64 {
	return least(system, "cpu", func(folder string, version1 bool) float64 {
		if version1 {
			return quotient(number(system, folder+"/cpu.cfs_quota_us"), number(system, folder+"/cpu.cfs_period_us"))
		}
		text, err := fs.ReadFile(system, folder+"/cpu.max")
		quota, period, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
		if err != nil {
			return 0
		}
		return quotient(positive(quota), positive(period))
	})
}

// least returns the least limit of the groups that the process is in and of those around them, as limit reads it in the folder of a group; 0 is none.
func least(system fs.FS, controller string, limit func(folder string, version1 bool) float64) float64 {
	groups, err := fs.ReadFile(system, "proc/self/cgroup")
	if err != nil {
		return 0
	}
	found := 0.0
	for line := range strings.Lines(string(groups)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		root, version1 := "sys/fs/cgroup", strings.Contains(","+parts[1]+",", ","+controller+",")
		switch {
		case version1:
			root += "/" + controller
		case parts[0] != "0" || parts[1] != "":
			continue
		}
		for group := path.Join("/", parts[2]); ; group = path.Dir(group) {
			// Inside a container the groups around it are not there, and its own is at the root.
			if l := limit(path.Join(root, group), version1); l > 0 && (l < found || found == 0) {
				found = l
			}
			if group == "/" {
				break
			}
		}
	}
	return found
}

// number reads a file that has one number, 0 where it has none that is positive.
func number(system fs.FS, name string) float64 {
	text, err := fs.ReadFile(system, name)
	if err != nil {
		return 0
	}
	return positive(strings.TrimSpace(string(text)))
}

func positive(text string) float64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0
	}
	return float64(max(n, 0))
}

// quotient is 0 where either is.
func quotient(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}
