package octet_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/octet-ml/octet/ops/asm"
)

var update = flag.Bool("update", false, "rewrite the generated part of docs/kernels.md")

// TestKernelList compares the list in docs/kernels.md with the kernel table.
func TestKernelList(t *testing.T) {
	if !slices.ContainsFunc(asm.Kernels(), func(k asm.Info) bool { return k.Tier == asm.AVX2 }) {
		t.Skipf("the list is of amd64 builds; this one, for %s, has other rows", runtime.GOARCH)
	}
	const path, begin, end = "docs/kernels.md", "<!-- kernels: begin -->\n", "<!-- kernels: end -->"
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(page), begin)
	have, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no marks for the list", path)
	}
	want := kernelList()
	if *update {
		if err := os.WriteFile(path, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if d := cmp.Diff(want, have); d != "" {
		t.Errorf("the list in %s is out of date, run go test . -update (-table +page):\n%s", path, d)
	}
}

// kernelList is the kernel table as the page has it.
func kernelList() string {
	var order []string
	tiers := make(map[string][]string)
	for _, k := range asm.Kernels() {
		if tiers[k.Op] == nil {
			order = append(order, k.Op)
		}
		s := k.Tier.String()
		if k.MR > 0 {
			s += fmt.Sprintf(" %dx%dx%d", k.MR, k.NR, max(k.KR, 1))
		}
		tiers[k.Op] = append(tiers[k.Op], s)
	}
	slices.Sort(order)
	var b strings.Builder
	b.WriteString("| operation | tiers and tiles |\n|---|---|\n")
	for _, op := range order {
		fmt.Fprintf(&b, "| `%s` | %s |\n", op, strings.Join(tiers[op], ", "))
	}
	return b.String()
}

// TestReadmeProgram compiles the program in the README.
func TestReadmeProgram(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(readme), "```go\n")
	program, _, ok2 := strings.Cut(rest, "```")
	if !ok || !ok2 {
		t.Fatal("no program in README.md")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "main.go")
	if err := os.WriteFile(file, []byte(program), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "build", "-o", filepath.Join(dir, "main"), file).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
