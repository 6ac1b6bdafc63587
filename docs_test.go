package octet_test

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode"

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
		t.Errorf("the list in %s is out of date, run go test . -run TestKernelList -update (-table +page):\n%s", path, d)
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

// TestFragments compiles the pieces of programs on the pages, but for those of docs/moving.md, which TestMoving has. What they leave open has the
// names of the parameters below.
func TestFragments(t *testing.T) {
	imports := map[string]string{
		"context": "context", "errors": "errors", "fmt": "fmt", "http": "net/http", "net": "net",
		"graph": "graph", "loader": "loader", "quantize": "quantize", "serve": "serve", "grpcserve": "serve/grpcserve", "tensor": "tensor",
	}
	pages, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	var functions strings.Builder
	n := 0
	for _, page := range append(pages, "README.md", "CONTRIBUTING.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range strings.Split(string(text), "```go\n")[1:] {
			code, _, _ := strings.Cut(part, "```")
			if page == filepath.Join("docs", "moving.md") || strings.HasPrefix(code, "package ") {
				continue
			}
			n++
			line := 1 + strings.Count(string(text[:strings.Index(string(text), part)]), "\n")
			fmt.Fprintf(&functions, "func _(ctx context.Context, x *tensor.Tensor, err error, srv *serve.Server, listener net.Listener) {{\n//line %s:%d\n%s}}\n", page, line, code)
		}
	}
	if n < 5 {
		t.Fatalf("%d pieces of programs: are they written otherwise?", n)
	}
	program := "package main\n\n"
	for name, path := range imports {
		if !strings.Contains(functions.String(), name+".") {
			continue
		}
		if _, err := os.Stat(path); err == nil {
			path = "github.com/octet-ml/octet/" + path
		}
		program += fmt.Sprintf("import %s %q\n", name, path)
	}
	file := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(file, []byte(program+functions.String()+"func main() {}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "build", "-gcflags=-e", "-o", os.DevNull, file).CombinedOutput()
	if err == nil {
		return
	}
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, "#") && !strings.Contains(line, "declared and not used") {
			t.Error(line)
		}
	}
}

// sources returns the Go files that are compiled into what users import or run, by path.
func sources(t *testing.T) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || d.Name() == "examples" || path != "." && strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go"):
			files[path], err = os.ReadFile(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestErrorPage holds docs/errors.md to the code: it names every error type and value that users can ask for, no other, and the messages are
// those of the code.
func TestErrorPage(t *testing.T) {
	page, err := os.ReadFile("docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	files := sources(t)
	declared := regexp.MustCompile(`(?m)^(?:type (\w*Error)\b|(?:var |\t)(Err[A-Z]\w*)\s+= errors\.New)`)
	exists := map[string]bool{}
	var all bytes.Buffer
	for path, text := range files {
		all.Write(text)
		if strings.Contains(path, "internal/") || strings.HasPrefix(path, "cmd/") {
			continue
		}
		for _, m := range declared.FindAllStringSubmatch(string(text), -1) {
			name := m[1] + m[2]
			if name[0] < 'A' || name[0] > 'Z' {
				continue
			}
			name = filepath.Base(filepath.Dir(path)) + "." + name
			exists[name] = true
			if !bytes.Contains(page, []byte("`"+name+"`")) {
				t.Errorf("%s declares %s, which docs/errors.md does not name", path, name)
			}
		}
	}
	if len(exists) < 40 {
		t.Errorf("%d error types and values found: the test looks in the wrong place", len(exists))
	}
	for _, m := range regexp.MustCompile("`([a-z]+\\.(?:\\w*Error|Err\\w+))`").FindAllStringSubmatch(string(page), -1) {
		if !exists[m[1]] {
			t.Errorf("docs/errors.md names %s, which does not exist", m[1])
		}
	}
	_, table, _ := strings.Cut(string(page), "|---|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	for row := range strings.Lines(table) {
		first, _, _ := strings.Cut(strings.TrimPrefix(row, "|"), "|")
		for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(first, -1) {
			for part := range strings.SplitSeq(m[1], "...") {
				if !bytes.Contains(all.Bytes(), []byte(strings.TrimSpace(part))) {
					t.Errorf("docs/errors.md has the message %q, of which no source has %q", m[1], part)
				}
			}
		}
	}
}

// TestLinks follows the links of the pages to files and headings of the project.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	code := regexp.MustCompile("(?ms)^```.*?^```|`[^`\n]*`")
	var pages []string
	for _, pattern := range []string{"*.md", "*/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, found...)
	}
	links := 0
	for _, page := range pages {
		for _, m := range link.FindAllStringSubmatch(code.ReplaceAllString(readPage(t, page), ""), -1) {
			path, heading, _ := strings.Cut(m[1], "#")
			if strings.Contains(path, "://") {
				continue
			}
			links++
			target := page
			if path != "" {
				target = filepath.Join(filepath.Dir(page), path)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s: %v", page, m[1], err)
			} else if heading != "" && !slices.Contains(headings(readPage(t, target)), heading) {
				t.Errorf("%s links to %s, and %s has no such heading", page, m[1], target)
			}
		}
	}
	if links < 50 {
		t.Errorf("only %d links were found", links)
	}
}

func readPage(t *testing.T, path string) string {
	t.Helper()
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// headings are the anchors that GitHub makes of the headings of a page.
func headings(page string) []string {
	var anchors []string
	for line := range strings.Lines(page) {
		if title := strings.TrimLeft(line, "#"); title != line {
			keep := func(r rune) rune {
				switch {
				case r == ' ':
					return '-'
				case r == '-', r == '_', unicode.IsLetter(r), unicode.IsDigit(r):
					return unicode.ToLower(r)
				}
				return -1
			}
			anchors = append(anchors, strings.Map(keep, strings.TrimSpace(title)))
		}
	}
	return anchors
}
