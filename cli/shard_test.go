package cli

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// readFile returns what a file holds.
func readFile(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// shardFlags calibrate the digits model with an observer, 64 samples a run.
func shardFlags(observer string, more ...string) []string {
	return append([]string{"quantize", digitsModel, "--arch", "digits", "--calib", digitsCalib, "--batch", "64", "--observer", observer}, more...)
}

// runShards calibrates all n shards, the last first, and merges them. It returns the path of the result and what merge said.
func runShards(t *testing.T, dir string, n int, flags []string) (path, said string) {
	t.Helper()
	var parts []string
	for i := n - 1; i >= 0; i-- {
		part := filepath.Join(dir, fmt.Sprintf("part%d", i))
		octet(t, exitOK, append(flags, "--shard", fmt.Sprintf("%d/%d", i, n), "--save-state", part)...)
		parts = append(parts, part)
	}
	path = filepath.Join(dir, "merged")
	_, said = octet(t, exitOK, append([]string{"quantize", "merge", "-o", path}, parts...)...)
	return path, said
}

// TestQuantizeShards compares state and int8 model of shards with those of one run, for all observers, and where data rounds weights.
func TestQuantizeShards(t *testing.T) {
	for _, options := range []string{"minmax", "moving-average", "histogram", "percentile", "entropy", "mse", "mse --rounding learned --correct-bias"} {
		observer, rest, _ := strings.Cut(options, " ")
		more := strings.Fields(rest)
		dir := t.TempDir()
		at := func(name string) string { return filepath.Join(dir, name) }
		octet(t, exitOK, shardFlags(observer, append(more, "--save-state", at("whole"))...)...)
		octet(t, exitOK, "quantize", digitsModel, "--arch", "digits", "--state", at("whole"), "-o", at("whole.int8"))
		for _, n := range []int{2, 7} {
			flags := shardFlags(observer, more...)
			merged, said := runShards(t, dir, n, flags)
			if observer == "histogram" {
				if !strings.Contains(said, "first of two passes") {
					t.Errorf("after the first pass, merge says %q", said)
				}
				octet(t, exitUsage, "quantize", digitsModel, "--arch", "digits", "--state", merged, "-o", at("early"))
				first := at("first")
				if err := os.Rename(merged, first); err != nil {
					t.Fatal(err)
				}
				merged, said = runShards(t, dir, n, append(flags, "--state", first))
			}
			if strings.Contains(said, "pass") {
				t.Errorf("%s: merge says %q", observer, said)
			}
			if !bytes.Equal(readFile(t, merged), readFile(t, at("whole"))) {
				t.Errorf("%s: %d shards give another state than one run", observer, n)
			}
			octet(t, exitOK, "quantize", digitsModel, "--arch", "digits", "--state", merged, "-o", at("int8"))
			if !bytes.Equal(readFile(t, at("int8")), readFile(t, at("whole.int8"))) {
				t.Errorf("%s: %d shards give another model than one run", observer, n)
			}
		}
	}
}

// TestShardUsage checks what the command line refuses.
func TestShardUsage(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, args := range [][]string{
		shardFlags("mse", "--shard", "0/2", "-o", at("out")),
		shardFlags("mse", "--shard", "0/2", "-o", at("out"), "--save-state", at("s")),
		shardFlags("mse", "--shard", "2/2", "--save-state", at("s")),
		shardFlags("mse", "--shard", "x", "--save-state", at("s")),
		shardFlags("mse", "--shard", "0/2", "--save-state", at("s"), "--fallback", "1"),
		{"quantize", digitsModel, "--arch", "digits", "--dynamic", "--calib", digitsCalib, "--shard", "0/2", "--save-state", at("s")},
	} {
		octet(t, exitUsage, args...)
		if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
			t.Fatalf("%v left %v, %v", args, entries, err)
		}
	}
	octet(t, exitOK, shardFlags("mse", "--shard", "0/2", "--save-state", at("a"))...)
	if _, stderr := octet(t, exitUsage, "quantize", "merge", at("a"), "-o", at("m")); !strings.Contains(stderr, "1/2") {
		t.Errorf("a missing shard: %q", stderr)
	}
	if _, stderr := octet(t, exitUsage, "quantize", digitsModel, "--arch", "digits", "--state", at("a"), "-o", at("m")); !strings.Contains(stderr, "shard 0/2") {
		t.Errorf("quantizing from a shard: %q", stderr)
	}
}

// TestShardKilled kills the process of a shard as soon as it works, and starts it again.
func TestShardKilled(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	args := func(path string) []string { return shardFlags("mse", "--shard", "1/2", "--save-state", path) }
	octet(t, exitOK, args(at("whole"))...)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, args(at("part"))...)
	cmd.Env = append(os.Environ(), asCommand+"=1", tellReady+"=1")
	ready, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer ready.Close()
	cmd.ExtraFiles = []*os.File{w}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if _, err := ready.Read(make([]byte, 1)); err != io.EOF {
		t.Fatal(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if cmd.Wait() == nil {
		t.Log("it was done before it could be killed")
	} else if _, err := os.Stat(at("part")); err == nil {
		t.Error("a killed shard left a state")
	}
	octet(t, exitOK, args(at("part"))...)
	if !bytes.Equal(readFile(t, at("part")), readFile(t, at("whole"))) {
		t.Error("a shard that was started again gives another state")
	}
}

// evalInShards compares what shards of an evaluation print and write with what one run does.
func evalInShards(t *testing.T, args ...string) {
	t.Helper()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	document := func(args ...string) string {
		out, _ := octet(t, exitOK, append(args, "--json")...)
		return regexp.MustCompile(`"ms_per_sample":[^,}]*`).ReplaceAllString(out, "")
	}
	octet(t, exitOK, append(args, "--output", at("float.npz"))...)
	for _, more := range [][]string{nil, {"--against", at("float.npz")}, {"--against", at("float.npz"), "--metric", "agreement"}} {
		want := document(append(append(args, "--output", at("whole.npz")), more...)...)
		for _, n := range []int{1, 2, 3, 7} {
			merge := append([]string{"eval", "merge", "--output", at("merged.npz")}, more...)
			for i := n - 1; i >= 0; i-- {
				part := at(fmt.Sprintf("part%d.npz", i))
				octet(t, exitOK, append(args, "--shard", fmt.Sprintf("%d/%d", i, n), "--save-part", part)...)
				merge = append(merge, part)
			}
			if have := document(merge...); have != want {
				t.Errorf("%d shards, %v: %s where one run gives %s", n, more, have, want)
			}
			if !bytes.Equal(readFile(t, at("merged.npz")), readFile(t, at("whole.npz"))) {
				t.Errorf("%d shards give other outputs than one run", n)
			}
		}
	}
}

// TestEvalShards merges shards of an evaluation, and what is none.
func TestEvalShards(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	eval := []string{"eval", digitsModel, "--arch", "digits", "--data", digitsTest}
	evalInShards(t, eval...)
	shard := func(name, of string, args []string, more ...string) string {
		octet(t, exitOK, append(append(args, "--shard", of, "--save-part", at(name)), more...)...)
		return at(name)
	}
	a, b := shard("a", "0/2", eval), shard("b", "1/2", eval)
	if !bytes.Equal(readFile(t, shard("again", "1/2", eval)), readFile(t, b)) {
		t.Error("a shard that runs again gives another file")
	}
	out, _ := octet(t, exitAccuracy, "eval", "merge", a, b, "--target", "0.995")
	if !strings.Contains(out, "507 (99.02 %)") || strings.Contains(out, "\nper sample") {
		t.Errorf("a missed target prints:\n%s", out)
	}
	int8 := []string{"eval", quantizeDigits(t), "--data", digitsTest}
	for what, args := range map[string][]string{
		"missing":       {a},
		"twice":         {a, a},
		"another model": {a, shard("int8", "1/2", int8)},
		"another batch": {a, shard("batch", "1/2", eval, "--batch", "32")},
		"other data":    {a, shard("data", "1/2", []string{"eval", digitsModel, "--arch", "digits", "--data", digitsCalib})},
		"another cut":   {a, shard("cut", "1/3", eval)},
		"needs against": {a, b, "--metric", "cosine"},
	} {
		if _, stderr := octet(t, exitUsage, append([]string{"eval", "merge"}, args...)...); !strings.Contains(stderr, "octet: ") {
			t.Errorf("%s: %q", what, stderr)
		}
	}
	octet(t, exitFile, "eval", "merge", digitsTest)
	octet(t, exitUsage, append(eval, "--shard", "0/2")...)
	octet(t, exitUsage, append(eval, "--save-part", at("p"))...)
	octet(t, exitUsage, append(eval, "--shard", "0/2", "--save-part", at("p"), "--target", "0.5")...)
	octet(t, exitUsage, append(eval, "--shard", "2/2", "--save-part", at("p"))...)
}
