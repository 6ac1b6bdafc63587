package fastcores

import (
	"slices"
	"strconv"
	"testing"
	"testing/fstest"

	"github.com/octet-ml/octet/internal/cgroup"
)

// system returns the folder of a machine whose cores have a file of these numbers.
func system(file string, values ...string) fstest.MapFS {
	cpus := fstest.MapFS{}
	for i, v := range values {
		cpus["cpu"+strconv.Itoa(i)+"/"+file] = &fstest.MapFile{Data: []byte(v + "\n")}
	}
	return cpus
}

func TestOf(t *testing.T) {
	const capacity, frequency = "cpu_capacity", "cpufreq/cpuinfo_max_freq"
	for _, c := range []struct {
		name   string
		cpus   fstest.MapFS
		all    []int
		fast   []int
		source string
	}{
		{"4 A53 and 2 A72 of a RK3399", system(capacity, "485", "485", "485", "485", "1024", "1024"), []int{0, 1, 2, 3, 4, 5}, []int{4, 5}, "cpu_capacity"},
		{"one large, three medium and four small cores", system(capacity, "250", "250", "250", "250", "900", "900", "900", "1024"), []int{0, 1, 2, 3, 4, 5, 6, 7}, []int{4, 5, 6, 7}, "cpu_capacity"},
		{"alike", system(capacity, "1024", "1024"), []int{0, 1}, []int{0, 1}, "cpu_capacity"},
		{"only slow cores are allowed", system(capacity, "485", "485", "1024"), []int{0, 1}, []int{0, 1}, "cpu_capacity"},
		{"by frequency", system(frequency, "1400000", "1400000", "1800000"), []int{0, 1, 2}, []int{2}, "cpuinfo_max_freq"},
		{"one core is let run a little faster", system(frequency, "5000000", "5100000", "4900000"), []int{0, 1, 2}, []int{0, 1, 2}, "cpuinfo_max_freq"},
		{"nothing is said", fstest.MapFS{}, []int{0, 1}, []int{0, 1}, ""},
		{"one core says nothing", system(capacity, "485", "1024"), []int{0, 1, 2}, []int{0, 1, 2}, ""},
		{"no numbers", system(capacity, "485", "lots"), []int{0, 1}, []int{0, 1}, ""},
		{"not positive", system(capacity, "0", "-3"), []int{0, 1}, []int{0, 1}, ""},
		{"another system", fstest.MapFS{}, nil, nil, ""},
	} {
		got := Of(c.cpus, c.all)
		if !slices.Equal(got.Fast, c.fast) || got.Source != c.source {
			t.Errorf("%s: %v by %q, not %v by %q", c.name, got.Fast, got.Source, c.fast, c.source)
		}
	}
}

func TestThreads(t *testing.T) {
	for _, c := range []struct {
		asked       string
		procs, fast int
		share       float64
		want        int
	}{
		{"", 8, 4, 0, 4}, {"", 2, 4, 0, 2}, {"8", 8, 4, 1, 8}, {"", 8, 0, 0, 8},
		{"", 2, 8, 1, 1}, {"", 2, 8, 0.2, 1}, {"", 2, 8, 1.5, 2}, {"", 3, 8, 2.5, 3}, {"", 8, 4, 6, 4}, {"", 2, 0, 1, 1}, {"", 8, 8, 1e30, 8},
	} {
		if got := threads(c.asked, c.procs, c.fast, c.share); got != c.want {
			t.Errorf("GOMAXPROCS %q, %d, %d fast cores and the time of %v: %d threads, not %d", c.asked, c.procs, c.fast, c.share, got, c.want)
		}
	}
	if n := Threads(); n < 1 {
		t.Errorf("%d threads here", n)
	}
}

// TestThreadsOfControlGroup takes the threads for whose CPU time a group has the quota, in the files of both versions of control groups.
func TestThreadsOfControlGroup(t *testing.T) {
	for microseconds, want := range map[string]int{"50000": 1, "100000": 1, "150000": 2, "399999": 4, "900000": 6} {
		for groups, files := range map[string]map[string]string{
			"0::/box\n":            {"box/cpu.max": microseconds + " 100000"},
			"0::/box/inner\n":      {"box/cpu.max": microseconds + " 100000", "box/inner/cpu.max": "max 100000"},
			"4:cpu,cpuacct:/box\n": {"cpu/box/cpu.cfs_quota_us": microseconds, "cpu/box/cpu.cfs_period_us": "100000"},
		} {
			system := fstest.MapFS{"proc/self/cgroup": {Data: []byte(groups)}}
			for name, text := range files {
				system["sys/fs/cgroup/"+name] = &fstest.MapFile{Data: []byte(text + "\n")}
			}
			if got := threads("", 8, 6, cgroup.CPUsOf(system)); got != want {
				t.Errorf("%v: %d threads, not %d", files, got, want)
			}
		}
	}
}
