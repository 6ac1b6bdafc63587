package cli

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// patches is a small network for pictures of 64x64.
type patches struct{}

func (patches) Class() string { return "Patches" }

func (patches) Forward(c *nn.Context, x ...*graph.Value) *graph.Value {
	v := c.Call("conv", nn.Conv2d{In: 3, Out: 8, Kernel: 8, Stride: 8}, x[0])
	v = c.Apply(ops.Unary{Fn: ops.ReLU}, v)
	v = c.Call("pool", nn.AdaptiveAvgPool2d{Size: 1}, v)
	return c.Call("fc", nn.Linear{In: 8, Out: 2}, c.Apply(ops.Flatten{Start: 1, End: -1}, v))
}

// linkedPictures makes a folder of two classes with n links to few pictures.
func linkedPictures(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	for i := range 4 {
		m := image.NewNRGBA(image.Rect(0, 0, 80, 64))
		for k := range m.Pix {
			m.Pix[k] = byte(k*(i+1) + k/320*7)
		}
		var b bytes.Buffer
		if err := png.Encode(&b, m); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.png", i)), b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for i := range n {
		class := filepath.Join(dir, fmt.Sprint("class", i%2))
		if err := os.MkdirAll(class, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join(dir, fmt.Sprintf("%d.png", i%4)), filepath.Join(class, fmt.Sprintf("%d.png", i))); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestDataMemory runs all commands on 150 pictures and on ten times as many, which would take 17 MB as bytes and 70 MB as floats: the
// process has at most 16 MB more.
func TestDataMemory(t *testing.T) {
	t.Parallel()
	g, err := nn.BuildRandom(nn.Architecture{Name: "patches", Inputs: []nn.Input{{Name: "x", DType: tensor.Float32, Shape: []int{1, 3, 64, 64}}}, Root: patches{}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	model, out := filepath.Join(t.TempDir(), "m.safetensors"), filepath.Join(t.TempDir(), "out")
	if err := loader.Save(model, g); err != nil {
		t.Fatal(err)
	}
	const few = 150
	folders := map[int]string{few: linkedPictures(t, few), 10 * few: linkedPictures(t, 10*few)}
	for _, args := range [][]string{
		{"quantize", model, "--calib", "DIR", "-o", out},
		{"eval", model, "--data", "DIR"},
		{"run", model, "DIR", "--output", out},
		{"tune", model, "--calib", "DIR", "--data", "DIR", "--max-drop", "100%", "-o", out},
		{"qat", model, "--calib", "DIR", "--data", "DIR", "--eval", "DIR", "--epochs", "1", "--lr", "0.001", "-o", out},
	} {
		sameMemory(t, append(args, "--size", "64", "--crop", "64", "--mean", "0.5", "--std", "0.5", "--threads", "1"), folders[few], folders[10*few])
	}
}

// sameMemory runs a command with the data at few and at many, which are ten times as much, in the place of DIR: the process has at most
// 16 MB more.
func sameMemory(t *testing.T, args []string, few, many string) {
	t.Helper()
	var peak [2]int64
	for i, data := range []string{few, many} {
		line := slices.Clone(args)
		for k := range line {
			line[k] = strings.ReplaceAll(line[k], "DIR", data)
		}
		cmd := process(t, line...)
		cmd.Env = append(cmd.Env, "GOGC=20") // what is kept counts, not what the collector has not come to yet
		var said bytes.Buffer
		cmd.Stderr = &said
		var err error
		if peak[i], err = runPeak(t, cmd); ended(t, err) != exitOK {
			t.Fatalf("octet %s: %v\n%s", strings.Join(line, " "), err, said.String())
		}
	}
	t.Logf("%s: %d MB, %d MB with ten times as much data", args[0], peak[0]>>20, peak[1]>>20)
	if peak[1] > peak[0]+16<<20 {
		t.Errorf("%s: %d MB, %d MB with ten times as much data", args[0], peak[0]>>20, peak[1]>>20)
	}
}

// TestTextMemory is TestDataMemory with 300 and 3,000 texts of 8 kB, which are 24 MB, and with as many sentences of words.
func TestTextMemory(t *testing.T) {
	t.Parallel()
	const few = 300
	write := func(name string, n int, line func(i int) string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(line(i))
		}
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	long := strings.Repeat("x", 8000) // one word that no vocabulary has
	texts := func(n int) string {
		return write("texts.jsonl", n, func(i int) string {
			return fmt.Sprintf("{\"text\":%q,\"label\":%q}\n", "cat "+long, []string{"no", "yes", "perhaps"}[i%3])
		})
	}
	words := func(n int) string {
		return write("words.conll", n, func(i int) string {
			return fmt.Sprintf("the no\n%s %s\n\n", long, []string{"yes", "no"}[i%2])
		})
	}
	model, tokens, out := textFolder(t, "bert-sequence"), textFolder(t, "bert-token"), filepath.Join(t.TempDir(), "out.npz")
	fewTexts, manyTexts := texts(few), texts(10*few)
	for _, args := range [][]string{
		{"quantize", model, "--text", "DIR", "-o", filepath.Join(t.TempDir(), "int8.safetensors")},
		{"eval", model, "--text", "DIR"},
		{"run", model, "DIR", "--output", out},
		{"qat", model, "--text", "DIR", "--data", "DIR", "--epochs", "1", "--lr", "0.001", "--batch", "100", "-o", out},
	} {
		sameMemory(t, append(args, "--threads", "1"), fewTexts, manyTexts)
	}
	sameMemory(t, []string{"eval", tokens, "--text", "DIR", "--threads", "1"}, words(few), words(10*few))
}
