package data

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/tensor"
)

// tree writes files by their names, with / between folders.
func tree(t testing.TB, files map[string][]byte) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// plain returns a PNG of one colour.
func plain(w, h int, c color.NRGBA) []byte {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range w * h {
		m.SetNRGBA(i%w, i/w, c)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func red(v uint8) []byte { return plain(6, 4, color.NRGBA{v, 1, 2, 255}) }

func openAt(t *testing.T, path string, o Options) *Dataset {
	t.Helper()
	d, err := Open(context.Background(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// firstBytes returns the first byte of each sample of x.
func firstBytes(t *testing.T, d *Dataset) (list []uint8) {
	t.Helper()
	for k := range d.Len() {
		list = append(list, must(d.source.Read(0, []int{k})).Uint8s()[0])
	}
	return list
}

// TestOpenFolder reads folders as torchvision's ImageFolder does.
func TestOpenFolder(t *testing.T) {
	root := tree(t, map[string][]byte{
		"b/2.png": red(20), "b/10.PNG": red(10), "b/sub/1.png": red(30), "a/x.png": red(5), "a/notes.txt": []byte("no picture"), "a/.hidden.png": red(99), "beside.png": red(98),
	})
	d := openAt(t, root, Options{})
	if got := firstBytes(t, d); !slices.Equal(got, []uint8{5, 10, 20, 30}) || !slices.Equal(d.Labels(), []int64{0, 1, 1, 1}) || !slices.Equal(d.Classes(), []string{"a", "b"}) {
		t.Errorf("pictures %v, labels %v of %v", got, d.Labels(), d.Classes())
	}
	if place := d.Place(3); place != filepath.Join(root, "b", "sub", "1.png") {
		t.Errorf("the last is %s", place)
	}
	if d := openAt(t, root, Options{Labels: []string{"z", "b", "a"}}); !slices.Equal(d.Labels(), []int64{2, 1, 1, 1}) {
		t.Errorf("by the model's names: %v", d.Labels())
	}
	var fe *tensor.FileError
	if _, err := Open(context.Background(), root, Options{Labels: []string{"b"}}); !errors.As(err, &fe) || !strings.Contains(err.Error(), `"a" is none of the 1 classes`) {
		t.Errorf("a class that the model has not: %v", err)
	}
	if d := openAt(t, filepath.Join(root, "a"), Options{}); d.Len() != 1 || d.Labels() != nil {
		t.Errorf("a folder of pictures only: %d samples, labels %v", d.Len(), d.Labels())
	}
	for name, files := range map[string]map[string][]byte{
		"without pictures or sounds": {"x.txt": nil},
		"a class without":            {"a/1.png": red(1), "b/x.txt": nil},
		"pictures and sounds":        {"a.png": red(1), "b.wav": nil},
		"is a BMP":                   {"a.bmp": []byte("BM")},
		"bad.png: it cannot be":      {"bad.png": red(1)[:40]},
	} {
		if _, err := Open(context.Background(), tree(t, files), Options{}); !errors.As(err, &fe) || !strings.Contains(strings.Replace(err.Error(), "decoded: a BMP", "is a BMP", 1), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPreprocessing resizes, crops and normalizes pictures of several sizes into one batch.
func TestPreprocessing(t *testing.T) {
	root := tree(t, map[string][]byte{"1.png": plain(8, 4, color.NRGBA{51, 102, 255, 7}), "2.png": plain(5, 9, color.NRGBA{255, 0, 0, 255})})
	g := model(t, graphInput{"input", tensor.Float32, []int{1, 3, 2, 2}})
	d := openAt(t, root, Options{Pictures: Preprocessing{Size: []int{3}, Crop: []int{2}, Mean: []float32{0.2, 0.4, 0}, Std: []float32{1, 1, 0.5}}})
	x := must(d.Batch(g, 0, 2))[0]
	if !x.Shape().Equal(tensor.Shape{2, 3, 2, 2}) {
		t.Fatalf("a batch is %v", x)
	}
	for c, want := range []float32{0, 0, 2, 0.8, -0.4, 0} {
		if got := x.Float32s()[4*c]; math.Abs(float64(got-want)) > 1e-6 {
			t.Errorf("channel %d: %v, want %v", c, got, want)
		}
	}
	one := must((&Preprocessing{Size: []int{3}, Crop: []int{2}, Mean: []float32{0.2, 0.4, 0}, Std: []float32{1, 1, 0.5}}).Input(must(os.ReadFile(filepath.Join(root, "1.png")))))
	if !slices.Equal(one.Float32s(), x.Float32s()[:12]) {
		t.Error("a picture by itself is another input than in a batch")
	}
	grey := openAt(t, root, Options{Pictures: Preprocessing{Size: []int{2, 2}, Channels: 1}})
	if got := must(grey.Batch(model(t, graphInput{"x", tensor.Float32, []int{1, 1, 2, 2}}), 1, 2))[0].Float32s()[0]; got != float32(76)/255 {
		t.Errorf("grey of red is %v of 255", got*255)
	}
	uneven := openAt(t, root, Options{})
	var u *UnevenError
	if _, err := uneven.Batch(g, 0, 2); !errors.As(err, &u) || !strings.Contains(err.Error(), "2.png") {
		t.Errorf("pictures of two sizes: %v", err)
	}
	for _, p := range []Preprocessing{{Size: []int{0}}, {Crop: []int{1, 2, 3}}, {Channels: 4}, {Mean: []float32{1, 2}}, {Std: []float32{1}}, {Mean: []float32{127}}, {Size: []int{1 << 20}}} {
		if _, err := Open(context.Background(), root, Options{Pictures: p}); err == nil {
			t.Errorf("%+v was taken", p)
		}
	}
}

// TestSkipBad leaves out and names what cannot be decoded.
func TestSkipBad(t *testing.T) {
	root := tree(t, map[string][]byte{"a/1.png": red(1), "a/2.png": []byte("no picture"), "b/3.jpg": red(3)[:30], "b/4.png": red(4), "c/5.png": red(5)})
	if err := os.Mkdir(filepath.Join(root, "c", "6.png"), 0o700); err != nil {
		t.Fatal(err)
	}
	d := openAt(t, root, Options{SkipBad: true})
	if got := firstBytes(t, d); !slices.Equal(got, []uint8{1, 4, 5}) || !slices.Equal(d.Labels(), []int64{0, 1, 2}) {
		t.Errorf("pictures %v, labels %v", got, d.Labels())
	}
	if bad := d.Skipped(); len(bad) != 2 || filepath.Base(bad[0].File) != "2.png" || filepath.Base(bad[1].File) != "3.jpg" {
		t.Errorf("skipped %v", bad)
	}
	if _, err := Open(context.Background(), filepath.Join(root, "a", "2.png"), Options{SkipBad: true}); err == nil {
		t.Error("nothing but bad files was taken")
	}
}

// TestOpenList reads the names and labels of files from CSV.
func TestOpenList(t *testing.T) {
	files := map[string][]byte{"p/1.png": red(1), "p/2.png": red(2), "labels.csv": []byte("\ufefffile,label\np/2.png,dog\np/1.png,\"a cat\"\np/2.png,dog\n")}
	root := tree(t, files)
	d := openAt(t, root, Options{})
	if got := firstBytes(t, d); !slices.Equal(got, []uint8{2, 1, 2}) || !slices.Equal(d.Labels(), []int64{1, 0, 1}) || !slices.Equal(d.Classes(), []string{"a cat", "dog"}) {
		t.Errorf("pictures %v, labels %v of %v", got, d.Labels(), d.Classes())
	}
	for content, reason := range map[string]string{
		"file,label\np/1.png,\n":             "line 2, column 9 (label): there is no label",
		"file,label\np/1.png,1\np/1.png,x\n": `line 3, column 9 (label): "x" where the labels before are whole numbers`,
		"file,label\np/1.png\n":              "line 2, column 1: 1 fields where the first line has 2",
		"file,label\nnotes.doc,1\n":          `line 2, column 1 (file): "notes.doc" is not the name`,
		"":                                   "it is empty",
		"file\n":                             "it names no files",
	} {
		path := filepath.Join(root, "labels.csv")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		var fe *tensor.FileError
		if _, err := Open(context.Background(), root, Options{}); !errors.As(err, &fe) || fe.File != path || !strings.Contains(err.Error(), reason) {
			t.Errorf("%q: %v, want %s", content, err, reason)
		}
	}
}

// TestListedFileMissing reads a picture that labels.csv names and that is not there: the file is named, not its folder.
func TestListedFileMissing(t *testing.T) {
	root := tree(t, map[string][]byte{"1.png": red(1), "labels.csv": []byte("file,label\n1.png,0\n2.png,1\n")})
	missing := filepath.Join(root, "2.png")
	_, err := openAt(t, root, Options{}).source.Read(0, []int{0, 1})
	if fe, ok := errors.AsType[*tensor.FileError](err); !ok || fe.File != missing {
		t.Errorf("%v", err)
	}
	if bad := openAt(t, root, Options{SkipBad: true}).Skipped(); len(bad) != 1 || bad[0].File != missing {
		t.Errorf("left out: %v", bad)
	}
}

// TestOpenTable reads numbers and labels from CSV, in any order of records.
func TestOpenTable(t *testing.T) {
	root := tree(t, map[string][]byte{
		"t.csv": []byte("a,target,b\r\n1,yes,2.5\r\n\"3\",no,-4e1\r\n5,yes, 6\r\n"),
		"r.csv": []byte("a,y\n1,0.5\n2,1\n"), "n.csv": []byte("1,2\n3,4\n"), "bad.csv": []byte("a,b\n1,2\n1,nan\n7,x\n3,4\n"),
	})
	d := openAt(t, filepath.Join(root, "t.csv"), Options{LabelColumn: "target"})
	in, y, err := d.Select(model(t, graphInput{"input", tensor.Float32, []int{1, 2}}), []int{2, 0, 1})
	if err != nil || !slices.Equal(in[0].Float32s(), []float32{5, 6, 1, 2.5, 3, -40}) || !slices.Equal(y.Int64s(), []int64{1, 1, 0}) || !slices.Equal(d.Classes(), []string{"no", "yes"}) {
		t.Errorf("%v and labels %v of %v, %v", in, y, d.Classes(), err)
	}
	d = openAt(t, filepath.Join(root, "r.csv"), Options{LabelColumn: "y"})
	if y := must(d.Targets(model(t, graphInput{"input", tensor.Float32, []int{1, 1}}))); !slices.Equal(y.Float32s(), []float32{0.5, 1}) {
		t.Errorf("labels %v", y)
	}
	for name, reason := range map[string]string{"n.csv": "names of the columns", "bad.csv": `line 3, column 3 (b): "nan" is not a finite number`, "r.csv": `no column "label2"`} {
		o := Options{}
		if name == "r.csv" {
			o.LabelColumn = "label2"
		}
		if _, err := Open(context.Background(), filepath.Join(root, name), o); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if d := openAt(t, filepath.Join(root, "bad.csv"), Options{SkipBad: true}); d.Len() != 2 || len(d.Skipped()) != 2 {
		t.Errorf("%d records, skipped %v", d.Len(), d.Skipped())
	}
}

// wav returns a WAV file of the bytes of samples.
func wav(format, channels, rate, bits int, samples []byte) []byte {
	b := []byte("RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00")
	for _, v := range []int{format, channels} {
		b = binary.LittleEndian.AppendUint16(b, uint16(v))
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(rate))
	b = binary.LittleEndian.AppendUint32(b, uint32(rate*channels*bits/8))
	b = binary.LittleEndian.AppendUint16(b, uint16(channels*bits/8))
	b = binary.LittleEndian.AppendUint16(b, uint16(bits))
	b = append(b, "LIST\x03\x00\x00\x00abc\x00data"...)
	return append(binary.LittleEndian.AppendUint32(b, uint32(len(samples))), samples...)
}

// TestOpenSounds reads samples of every size as torchaudio has them, and refuses other rates.
func TestOpenSounds(t *testing.T) {
	half := binary.LittleEndian.AppendUint32(nil, math.Float32bits(0.5))
	for name, c := range map[string]struct {
		format, bits int
		samples      []byte
		want         []float32
	}{
		"8":   {1, 8, []byte{0, 128, 192, 255}, []float32{-1, 0.5, 0, 127.0 / 128}},
		"16":  {1, 16, []byte{0, 0x80, 0, 0x40, 1, 0, 0xff, 0xff}, []float32{-1, 1.0 / 32768, 0.5, -1.0 / 32768}},
		"24":  {1, 24, []byte{0, 0, 0x80, 0, 0, 0x40, 1, 0, 0, 0xff, 0xff, 0xff}, []float32{-1, 1.0 / (1 << 23), 0.5, -1.0 / (1 << 23)}},
		"32":  {1, 32, []byte{0, 0, 0, 0x80, 0, 0, 0, 0x40, 0, 0, 0, 0x20, 0, 0, 0, 0xe0}, []float32{-1, 0.25, 0.5, -0.25}},
		"f32": {3, 32, slices.Concat(half, make([]byte, 8), half), []float32{0.5, 0, 0, 0.5}},
		"f64": {3, 64, slices.Concat(make([]byte, 24), binary.LittleEndian.AppendUint64(nil, math.Float64bits(-2))), []float32{0, 0, 0, -2}},
	} {
		path := filepath.Join(tree(t, map[string][]byte{"s.wav": wav(c.format, 2, 16000, c.bits, c.samples)}), "s.wav")
		d := openAt(t, path, Options{Rate: 16000})
		x := must(d.source.Read(0, []int{0}))
		if !x.Shape().Equal(tensor.Shape{1, 2, 2}) || !slices.Equal(x.Float32s(), c.want) {
			t.Errorf("%s: %v %v, want %v", name, x, x.Float32s(), c.want)
		}
		if _, err := Open(context.Background(), path, Options{Rate: 8000}); err == nil || !strings.Contains(err.Error(), "16000 Hz where the model takes 8000 Hz") {
			t.Errorf("%s: another rate: %v", name, err)
		}
	}
	root := tree(t, map[string][]byte{"yes/a.wav": wav(1, 1, 8000, 8, make([]byte, 4)), "no/b.wav": wav(1, 1, 16000, 8, make([]byte, 4))})
	d := openAt(t, root, Options{})
	if _, err := d.source.Read(0, []int{0, 1}); err == nil || !strings.Contains(err.Error(), "8000 Hz where the first has 16000 Hz") {
		t.Errorf("two rates: %v", err)
	}
	whole := wav(1, 2, 16000, 16, make([]byte, 8))
	for n := range whole {
		path := filepath.Join(tree(t, map[string][]byte{"s.wav": whole[:n]}), "s.wav")
		if _, err := Open(context.Background(), path, Options{}); err == nil {
			t.Errorf("%d of %d bytes were taken", n, len(whole))
		}
	}
}

// TestOpenTexts gives texts to an encoder, batch by batch, from lines and from JSON in three forms.
func TestOpenTexts(t *testing.T) {
	root := tree(t, map[string][]byte{
		"l.txt":   []byte("one\r\n\nthree lines\nend"),
		"o.jsonl": []byte(`{"text":"one","label":"b"}` + "\n\n" + `{"text":"two","text_pair":"zwei","label":"a"}` + "\n"),
		"a.json":  []byte("[\n \"one\",\n {\"text\": \"two\"}\n]"), "n.json": []byte("[1]"), "cut.json": []byte("[\n\"one\",\n\"tw"), "b.json": []byte("[\"x\",\n\n{\"label\":1},\n\"y\"]"),
	})
	encode := func(texts []Text) (tensor.Arrays, error) {
		lengths := make([]int64, len(texts))
		for i, text := range texts {
			lengths[i] = int64(100*len(text.Pair) + len(text.Text))
		}
		return tensor.Arrays{{Name: "ids", Tensor: of(lengths, len(lengths))}}, nil
	}
	g := model(t, graphInput{"ids", tensor.Int64, []int{1}})
	for name, c := range map[string]struct{ ids, labels []int64 }{
		"l.txt": {[]int64{3, 0, 11, 3}, nil}, "o.jsonl": {[]int64{3, 403}, []int64{1, 0}}, "a.json": {[]int64{3, 3}, nil},
	} {
		d := openAt(t, filepath.Join(root, name), Options{Encode: encode})
		in, y, err := d.Select(g, upTo(0, d.Len()))
		if err != nil || !slices.Equal(in[0].Int64s(), c.ids) || (y == nil) != (c.labels == nil) || y != nil && !slices.Equal(y.Int64s(), c.labels) {
			t.Errorf("%s: %v, %v, %v", name, in, y, err)
		}
	}
	for name, reason := range map[string]string{"n.json": "line 1", "cut.json": "line 2: unexpected EOF", "b.json": `line 3: no "text"`} {
		if _, err := Open(context.Background(), filepath.Join(root, name), Options{Encode: encode}); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if d := openAt(t, filepath.Join(root, "b.json"), Options{Encode: encode, SkipBad: true}); d.Len() != 2 || len(d.Skipped()) != 1 {
		t.Errorf("%d texts, skipped %v", d.Len(), d.Skipped())
	}
	if _, err := Open(context.Background(), filepath.Join(root, "l.txt"), Options{}); !errors.Is(err, ErrNoEncoder) {
		t.Errorf("without a tokenizer: %v", err)
	}
}

// TestOpenNPY takes the array of an .npy file for x.
func TestOpenNPY(t *testing.T) {
	var b bytes.Buffer
	if err := tensor.WriteNPY(&b, of([]float32{1, 2, 3, 4}, 2, 2)); err != nil {
		t.Fatal(err)
	}
	d := openAt(t, filepath.Join(tree(t, map[string][]byte{"d.npy": b.Bytes()}), "d.npy"), Options{})
	if in := must(d.Batch(model(t, graphInput{"input", tensor.Float32, []int{1, 2}}), 1, 2)); fmt.Sprint(in[0].Float32s()) != "[3 4]" {
		t.Errorf("got %v", in[0].Float32s())
	}
}
