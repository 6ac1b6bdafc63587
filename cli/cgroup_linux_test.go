package cli

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/octet-ml/octet/internal/fastcores"
)

// cpuQuota is a variable of the environment of a process in a mount namespace of its own: in each period of 100 ms its control groups give it
// so many microseconds of CPU time.
const cpuQuota = "OCTET_TEST_CPU_QUOTA"

func init() {
	if quota := os.Getenv(cpuQuota); quota != "" {
		panic(underQuota(quota))
	}
}

// underQuota starts this program again, over the files of a system that gives it that quota, for Go reads them before anything else runs.
func underQuota(quota string) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", "/sys/fs/cgroup", "tmpfs", 0, ""); err != nil {
		return err
	}
	groups, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return err
	}
	files := map[string]string{"cpu.cfs_quota_us": quota, "cpu.cfs_period_us": "100000", "cpu.max": quota + " 100000"}
	for line := range strings.Lines(string(groups)) {
		_, group, _ := strings.Cut(strings.TrimSpace(line), ":")
		_, group, _ = strings.Cut(group, ":")
		for _, root := range []string{"", "cpu", "cpu,cpuacct"} {
			folder := filepath.Join("/sys/fs/cgroup", root, group)
			if err := os.MkdirAll(folder, 0o755); err != nil {
				return err
			}
			for name, text := range files {
				if err := os.WriteFile(filepath.Join(folder, name), []byte(text+"\n"), 0o600); err != nil {
					return err
				}
			}
		}
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return syscall.Exec(self, os.Args, slices.DeleteFunc(os.Environ(), func(s string) bool { return strings.HasPrefix(s, cpuQuota+"=") }))
}

// TestThreadsOfControlGroup starts a command in control groups that give it less CPU time than the machine has: by itself it takes as many threads as
// CPUs whose time it has. Go alone would take two for any time below that of two.
func TestThreadsOfControlGroup(t *testing.T) {
	all := min(runtime.NumCPU(), len(fastcores.Here().Fast))
	for _, c := range []struct {
		microseconds, want int
	}{{50000, 1}, {150000, min(2, all)}, {100000 * all, all}} {
		cmd := process(t, "bench", "--arch", "digits", "--runs", "1", "--warmup", "1", "--json")
		cmd.Env = slices.DeleteFunc(append(cmd.Env, cpuQuota+"="+strconv.Itoa(c.microseconds)), func(s string) bool { return strings.HasPrefix(s, "GOMAXPROCS=") })
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
		if id := os.Getuid(); id != 0 {
			cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
			cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: id, Size: 1}}
		}
		out, err := cmd.Output()
		if errors.Is(err, syscall.EPERM) {
			t.Skip("the system makes no mount namespaces for this user")
		}
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			t.Fatalf("%v\n%s", err, exit.Stderr)
		} else if err != nil {
			t.Fatal(err)
		}
		var document struct{ Results []struct{ Threads int } }
		if err := json.Unmarshal(out, &document); err != nil {
			t.Fatal(err)
		}
		if len(document.Results) != 1 || document.Results[0].Threads != c.want {
			t.Errorf("%d us in 100 ms: %+v, not %d threads", c.microseconds, document.Results, c.want)
		}
	}
}
