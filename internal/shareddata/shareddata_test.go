package shareddata

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// outcome is a test that notes how it was ended.
type outcome struct {
	testing.TB
	end string
}

func (o *outcome) Helper()                      {}
func (o *outcome) Skipf(f string, args ...any)  { o.done("skip: "+f, args...) }
func (o *outcome) Fatalf(f string, args ...any) { o.done("fail: "+f, args...) }
func (o *outcome) done(f string, args ...any)   { o.end = fmt.Sprintf(f, args...); panic(o) }

func endOf(f func(testing.TB)) (end string) {
	o := &outcome{}
	defer func() { _ = recover(); end = o.end }()
	f(o)
	return ""
}

// TestPath skips or fails as the environment says.
func TestPath(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "there"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ shared, ci, file, want string }{
		{dir, "", "there", ""},
		{dir, "true", "there", ""},
		{dir, "", "absent", "skip: no shared data"},
		{dir, "true", "absent", "fail: CI requires"},
		{Without, "true", "there", "skip: left out"},
	} {
		t.Setenv("OCTET_SHARED", c.shared)
		t.Setenv("CI", c.ci)
		if got := endOf(func(t testing.TB) { Path(t, c.file) }); !strings.HasPrefix(got, c.want) || (got == "") != (c.want == "") {
			t.Errorf("%+v ends with %q", c, got)
		}
	}
}
