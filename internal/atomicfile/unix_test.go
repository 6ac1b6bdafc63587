//go:build unix

package atomicfile

import (
	"bufio"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// holdEnv makes the test binary a process that writes a file, of which it never finishes the second half.
const holdEnv = "ATOMICFILE_HOLD"

func TestMain(m *testing.M) {
	if path := os.Getenv(holdEnv); path != "" {
		err := Write(path, func(w io.Writer) error {
			if _, err := w.Write(make([]byte, 1<<20)); err != nil {
				return err
			}
			fmt.Println("half")
			_, err := io.Copy(io.Discard, os.Stdin)
			return err
		})
		fmt.Println(err)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func put(t *testing.T, path, text string) {
	t.Helper()
	err := Write(path, func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func contents(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func mustDo(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestLinks writes through symbolic links: relative, of folders, several in a row, and to what does not exist yet.
func TestLinks(t *testing.T) {
	root := t.TempDir()
	dir := func(name string) string {
		d := filepath.Join(root, name)
		mustDo(t, os.MkdirAll(d, 0o755))
		return d
	}
	a, b := dir("a"), dir("deep/b")
	mustDo(t, os.Symlink(b, filepath.Join(a, "folder")))
	for i, c := range []struct{ link, at, target string }{
		{filepath.Join(b, "0"), filepath.Join(a, "l0"), filepath.Join(b, "0")},
		{"../deep/b/1", filepath.Join(a, "l1"), filepath.Join(b, "1")},
		{"l1", filepath.Join(a, "l2"), filepath.Join(b, "1")},
		{"folder/3", filepath.Join(a, "l3"), filepath.Join(b, "3")},
		{"../4", filepath.Join(a, "folder", "l4"), filepath.Join(root, "deep", "4")},
		{"folder/../5", filepath.Join(a, "l5"), filepath.Join(root, "deep", "5")},
	} {
		mustDo(t, os.Symlink(c.link, c.at))
		for _, text := range []string{"new", "replaced"} {
			text += fmt.Sprint(i)
			mustDo(t, Check(c.at))
			put(t, c.at, text)
			if got := contents(t, c.target); got != text {
				t.Errorf("%s -> %s: %s holds %q", c.at, c.link, c.target, got)
			}
			if info, err := os.Lstat(c.at); err != nil || info.Mode()&fs.ModeSymlink == 0 {
				t.Errorf("%s is a link no more: %v", c.at, err)
			}
		}
	}
	loop := filepath.Join(a, "loop")
	mustDo(t, os.Symlink("loop", loop))
	if err := Check(loop); err == nil {
		t.Error("a link to itself is taken")
	}
}

// TestKeepsOwnerAndMode needs a user who may give files away.
func TestKeepsOwnerAndMode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	put(t, path, "first")
	mustDo(t, os.Chmod(path, 0o640))
	owner := os.Geteuid() == 0
	if owner {
		mustDo(t, os.Chown(path, 12345, 54321))
	}
	put(t, path, "second")
	info, err := os.Stat(path)
	mustDo(t, err)
	if info.Mode() != 0o640 {
		t.Errorf("the mode is %v", info.Mode())
	}
	if s := info.Sys().(*syscall.Stat_t); owner && (s.Uid != 12345 || s.Gid != 54321) {
		t.Errorf("the owner is %d:%d", s.Uid, s.Gid)
	}
}

// TestHardLinks replaces one of two names.
func TestHardLinks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	put(t, path, "first")
	mustDo(t, os.Link(path, path+"2"))
	if n := Links(path); n != 2 {
		t.Errorf("%d links", n)
	}
	put(t, path, "second")
	if a, b := contents(t, path), contents(t, path+"2"); a != "second" || b != "first" {
		t.Errorf("the names hold %q and %q", a, b)
	}
}

// TestThrough writes to a pipe, a device and a descriptor, which stay what they are.
func TestThrough(t *testing.T) {
	dir := t.TempDir()
	t.Run("pipe", func(t *testing.T) {
		pipe := filepath.Join(dir, "pipe")
		mustDo(t, syscall.Mkfifo(pipe, 0o600))
		link := filepath.Join(dir, "link")
		mustDo(t, os.Symlink(pipe, link))
		mustDo(t, Check(link))
		var got []byte
		var wg sync.WaitGroup
		wg.Go(func() { got, _ = os.ReadFile(pipe) })
		put(t, link, "through")
		wg.Wait()
		if string(got) != "through" {
			t.Errorf("the pipe gave %q", got)
		}
		if info, err := os.Lstat(pipe); err != nil || info.Mode()&fs.ModeNamedPipe == 0 {
			t.Errorf("the pipe is gone: %v", err)
		}
	})
	t.Run("device", func(t *testing.T) {
		if err := Check(os.DevNull); err != nil {
			t.Error(err)
		}
		put(t, os.DevNull, "away")
		if info, err := os.Lstat(os.DevNull); err != nil || info.Mode()&fs.ModeCharDevice == 0 {
			t.Fatalf("the device is gone: %v", err)
		}
	})
	t.Run("descriptor", func(t *testing.T) {
		f, err := os.Create(filepath.Join(dir, "open"))
		mustDo(t, err)
		defer f.Close()
		if _, err := f.WriteString("before "); err != nil {
			t.Fatal(err)
		}
		put(t, fmt.Sprintf("/dev/fd/%d", f.Fd()), "through")
		if _, err := f.WriteString(" after"); err != nil {
			t.Fatal(err)
		}
		if got := contents(t, f.Name()); got != "before through after" {
			t.Errorf("the file holds %q", got)
		}
	})
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 3 {
		t.Errorf("the folder holds %v: %v", entries, err)
	}
}

// TestReadOnly refuses a file that the user may not write, though the folder would let it be replaced.
func TestReadOnly(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("the superuser may write any file")
	}
	path := filepath.Join(t.TempDir(), "a")
	put(t, path, "first")
	mustDo(t, os.Chmod(path, 0o400))
	for what, err := range map[string]error{
		"Check": Check(path),
		"Write": Write(path, func(io.Writer) error { return nil }),
	} {
		if !os.IsPermission(err) {
			t.Errorf("%s gives %v", what, err)
		}
	}
}

// TestLeftByKill kills a process while it writes. The next write removes what is left of it, but not what another
// process, or another write of this one, still holds; nor files that only look alike.
func TestLeftByKill(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.bin")
	alike := []string{".a.bin.tmp", ".a.bin.0011223344556677.tmp2", ".a.bin.bak.0011223344556677.tmp", "a.bin.0011223344556677.tmp"}
	for _, name := range alike {
		mustDo(t, os.WriteFile(filepath.Join(dir, name), nil, 0o644))
	}
	hold := func() (*exec.Cmd, io.Closer) {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), holdEnv+"="+path)
		in, err := cmd.StdinPipe()
		mustDo(t, err)
		out, err := cmd.StdoutPipe()
		mustDo(t, err)
		mustDo(t, cmd.Start())
		if line, err := bufio.NewReader(out).ReadString('\n'); line != "half\n" {
			t.Fatalf("the process says %q: %v", line, err)
		}
		return cmd, in
	}
	temporary := func() (n int) {
		entries, err := os.ReadDir(dir)
		mustDo(t, err)
		for _, e := range entries {
			if isTemporary(e.Name(), temporaryPrefix(path)) {
				n++
			}
		}
		return n
	}
	killed, _ := hold()
	writing, in := hold()
	mustDo(t, killed.Process.Kill())
	_ = killed.Wait() // it was killed
	if n := temporary(); n != 2 {
		t.Fatalf("%d temporary files, want that of the killed process and that of the other", n)
	}
	err := Write(path, func(w io.Writer) error {
		put(t, path, "inner")
		if n := temporary(); n != 2 {
			t.Errorf("%d temporary files, want that of the process and that of this write", n)
		}
		_, err := io.WriteString(w, "outer")
		return err
	})
	mustDo(t, err)
	if got := contents(t, path); got != "outer" {
		t.Errorf("the file holds %q", got)
	}
	mustDo(t, in.Close())
	mustDo(t, writing.Wait())
	if info, err := os.Stat(path); err != nil || info.Size() != 1<<20 {
		t.Errorf("the other process's write is lost: %v", err)
	}
	if n := temporary(); n != 0 {
		t.Errorf("%d temporary files are left", n)
	}
	for _, name := range alike {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
}

// TestManyWriters writes one file from many goroutines: each write succeeds, and the file is one of them as a whole.
func TestManyWriters(t *testing.T) {
	path := filepath.Join(t.TempDir(), strings.Repeat("n", 255))
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 20 {
				err := Write(path, func(w io.Writer) error {
					_, err := io.WriteString(w, strings.Repeat(string(rune('a'+i)), 1000))
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	got := contents(t, path)
	if len(got) != 1000 || strings.Trim(got, got[:1]) != "" {
		t.Errorf("the file holds %q", got)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v: %v", entries, err)
	}
}
