package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReport makes pages of the documents of two quantizations.
func TestReport(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for name, more := range map[string][]string{"a.json": nil, "b.json": {"--exclude", "fc"}} {
		out, _ := octet(t, exitOK, digitsFlags("quantize", at("model"), append(more, "--json")...)...)
		if err := os.WriteFile(at(name), []byte(out), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	octet(t, exitOK, "report", at("a.json"), "-o", at("a.html"))
	octet(t, exitOK, "report", at("a.json"), at("b.json"), "-o", at("both.html"))
	for name, want := range map[string]string{"a.html": "<code>octet quantize ", "both.html": `B: why not int8`} {
		if page := readFile(t, at(name)); !strings.Contains(string(page), want) {
			t.Errorf("%s has no %q", name, want)
		}
	}
	for _, text := range []string{"", "{}", `{"layers": 3}`, "[]", `{"backend":"native"}`} {
		if err := os.WriteFile(at("bad"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, stderr := octet(t, exitFile, "report", at("bad"), "-o", at("bad.html")); !strings.Contains(stderr, "quantize --json") {
			t.Errorf("%q: %s", text, stderr)
		}
	}
	octet(t, exitUsage, "report", at("a.json"))
	octet(t, exitUsage, "report", at("a.json"), "-o", at("a.json"))
	octet(t, exitFailed, "report", at("absent"), "-o", at("c.html"))
}

// TestCommandLine writes arguments so that a shell takes them.
func TestCommandLine(t *testing.T) {
	if got, want := commandLine([]string{"run", "a b", "--x=1", "", "ä"}), `octet run "a b" --x=1 "" "ä"`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
