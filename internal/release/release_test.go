package main

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func TestChoose(t *testing.T) {
	all, err := choose(nil)
	if err != nil || len(all) != len(platforms) {
		t.Errorf("without a name: %v, %v", all, err)
	}
	some, err := choose([]string{"js/wasm", "windows/arm64"})
	if err != nil {
		t.Fatal(err)
	}
	if got := []string{some[0].file(), some[1].file()}; !slices.Equal(got, []string{"octet_js_wasm.wasm", "octet_windows_arm64.exe"}) {
		t.Errorf("files are %v", got)
	}
	if _, err := choose([]string{"linux/pdp11"}); err == nil || !strings.Contains(err.Error(), "linux/riscv64") {
		t.Errorf("an unknown platform: %v", err)
	}
}

// TestBill checks the fields that CycloneDX demands, and that modules are those of the build.
func TestBill(t *testing.T) {
	p := platform{"linux", "arm64"}
	modules, err := builder{source: filepath.Join("..", "..")}.modules(p)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(modules, func(m module) bool { return m.path == "github.com/spf13/cobra" && strings.HasPrefix(m.version, "v1.") }) {
		t.Errorf("cobra is not among the modules %v", modules)
	}
	if slices.ContainsFunc(modules, func(m module) bool { return m.path == "github.com/google/go-cmp" }) {
		t.Error("go-cmp, which only tests import, is among the modules")
	}
	encoded, err := encodeBill(p, "0123", modules[:1])
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(encoded, &got); err != nil {
		t.Fatal(err)
	}
	components := got["components"].([]any)
	last := components[len(components)-1].(map[string]any)
	want := map[string]any{"type": "library", "name": modules[0].path, "version": modules[0].version, "purl": packageURL(modules[0])}
	if d := cmp.Diff(want, last); d != "" {
		t.Errorf("the module (-want +got):\n%s", d)
	}
	if got["bomFormat"] != "CycloneDX" || got["specVersion"] != "1.5" || got["version"] != 1.0 || len(components) != 2 {
		t.Errorf("the bill is %s", encoded)
	}
}

func TestPackageURL(t *testing.T) {
	if got := packageURL(module{"github.com/Some/Thing", "v1.2.3+incompatible"}); got != "pkg:golang/github.com/some/thing@v1.2.3+incompatible" {
		t.Error(got)
	}
}

// TestSources checks what the second folder is given.
func TestSources(t *testing.T) {
	from := sources{fstest.MapFS{"go.mod": {}, "a/a.go": {}, "a/testdata/x.bin": {}, ".git/config": {}, "a/a.test": {}}}
	to := t.TempDir()
	if err := os.CopyFS(to, from); err != nil {
		t.Fatal(err)
	}
	var got []string
	err := fs.WalkDir(os.DirFS(to), ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			got = append(got, path)
		}
		return err
	})
	if want := []string{"a/a.go", "go.mod"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
}

func TestMeasure(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(path, []byte("abc"), 0o644); err != nil {
		t.Fatal(err)
	}
	m, err := measure(path)
	if err != nil || m.sum != "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" || m.bytes != 3 || m.gzipped < 20 {
		t.Errorf("%+v, %v", m, err)
	}
}
