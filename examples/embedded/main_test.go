package main

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// asCommand is a variable in the environment of processes of the test's binary that are to be the command itself.
const asCommand = "EMBEDDED_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) == "" {
		os.Exit(m.Run())
	}
	main()
}

// picture returns a PNG of something like a ship: a dark hull between sky and sea.
func picture(t testing.TB) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 96, 64))
	for y := range 64 {
		for x := range 96 {
			c := color.RGBA{170, 205, 235, 255}
			switch {
			case y > 44:
				c = color.RGBA{25, 75, 125, 255}
			case y > 34 && x > 24+(y-34) && x < 76-(y-34):
				c = color.RGBA{60, 30, 30, 255}
			case y > 24 && x > 42 && x < 62:
				c = color.RGBA{240, 240, 240, 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestFolder classifies the pictures of a folder and passes by other files; one that is damaged is an error at the end.
func TestFolder(t *testing.T) {
	c, err := open()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, data := range map[string][]byte{"a.png": picture(t), "b.png": picture(t)[:100], "c.PNG": picture(t), "notes.txt": []byte("not a picture")} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	var out strings.Builder
	err = c.classifyAll(&out, []string{dir})
	if want := filepath.Join(dir, "a.png") + ": ship\n" + filepath.Join(dir, "c.PNG") + ": ship\n"; out.String() != want {
		t.Errorf("%q, not %q", out.String(), want)
	}
	if err == nil || !strings.Contains(err.Error(), "b.png") || strings.Contains(err.Error(), "notes") {
		t.Errorf("the damaged picture: %v", err)
	}
	if err := c.classifyAll(&out, []string{filepath.Join(dir, "missing")}); err == nil {
		t.Error("a folder that is not there is no error")
	}
}

// TestLargePicture refuses a file that claims to be a large picture before it is decoded.
func TestLargePicture(t *testing.T) {
	data := bytes.Clone(picture(t))
	copy(data[16:24], []byte{0, 1, 0, 0, 0, 1, 0, 0}) // width and height
	if _, err := decode(data); err == nil {
		t.Error("65536 x 65536 pixels were taken")
	}
}

// BenchmarkFirstResult measures a whole process: from its start to the class of one picture.
func BenchmarkFirstResult(b *testing.B) {
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(b.TempDir(), "ship.png")
	if err := os.WriteFile(path, picture(b), 0o666); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		cmd := exec.Command(self, path)
		cmd.Env = append(os.Environ(), asCommand+"=1")
		if out, err := cmd.Output(); err != nil || !strings.HasSuffix(string(out), ": ship\n") {
			b.Fatalf("%v: %q", err, out)
		}
	}
}
