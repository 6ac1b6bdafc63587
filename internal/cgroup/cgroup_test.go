package cgroup

import (
	"io/fs"
	"testing"
	"testing/fstest"
)

// system returns the files of a machine, whose process is in these groups.
func system(files map[string]string, groups string) fs.FS {
	all := fstest.MapFS{"proc/self/cgroup": {Data: []byte(groups)}}
	for name, text := range files {
		all[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return all
}

// TestLeast takes the least limit of the groups around a process.
func TestLeast(t *testing.T) {
	files := map[string]string{
		"sys/fs/cgroup/a/b/memory.max":                   "max\n",
		"sys/fs/cgroup/a/memory.max":                     "1000000\n",
		"sys/fs/cgroup/memory/x/memory.limit_in_bytes":   "9223372036854771712\n",
		"sys/fs/cgroup/memory/x/y/memory.limit_in_bytes": "500000\n",
		"sys/fs/cgroup/memory/memory.limit_in_bytes":     "700000\n",
		"sys/fs/cgroup/a/b/cpu.max":                      "150000 100000\n",
		"sys/fs/cgroup/a/cpu.max":                        "max 100000\n",
		"sys/fs/cgroup/cpu.max":                          "no line of numbers\n",
		"sys/fs/cgroup/cpu/x/cpu.cfs_quota_us":           "-1\n",
		"sys/fs/cgroup/cpu/x/cpu.cfs_period_us":          "100000\n",
		"sys/fs/cgroup/cpu/cpu.cfs_quota_us":             "25000\n",
		"sys/fs/cgroup/cpu/cpu.cfs_period_us":            "50000\n",
	}
	for groups, want := range map[string]struct {
		memory int64
		cpus   float64
	}{
		"0::/a/b\n":                       {1000000, 1.5},
		"0::/a\n":                         {1000000, 0},
		"0::/\n":                          {0, 0},
		"3:cpu:/x\n2:memory:/x/y\n0::/\n": {500000, 0.5},
		"2:cpu,memory:/elsewhere\n":       {700000, 0.5},
		"4:cpuset,cpuacct:/x\n":           {0, 0},
		"not a line of groups":            {0, 0},
		"":                                {0, 0},
	} {
		files := system(files, groups)
		if got := memory(files); got != want.memory {
			t.Errorf("%q: %d bytes, want %d", groups, got, want.memory)
		}
		if got := CPUsOf(files); got != want.cpus {
			t.Errorf("%q: %v CPUs, want %v", groups, got, want.cpus)
		}
	}
}
