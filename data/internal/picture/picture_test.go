package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/octet-ml/octet/tensor"
)

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func recorded(t testing.TB, name string) tensor.Arrays {
	t.Helper()
	arrays, err := tensor.ReadNPZ(filepath.Join("testdata", name), 0)
	if err != nil {
		t.Fatal(err)
	}
	return arrays
}

// differences returns the largest difference of two pictures and the mean one.
func differences(a, b []byte) (largest int, mean float64) {
	sum := 0
	for i, v := range a {
		d := max(int(v)-int(b[i]), int(b[i])-int(v))
		largest, sum = max(largest, d), sum+d
	}
	return largest, float64(sum) / float64(max(len(a), 1))
}

// TestDecode compares the pixels of files with those that Pillow gives: what is stored without loss exactly, the other within 4 levels and 0.3 on
// average.
func TestDecode(t *testing.T) {
	arrays := recorded(t, "pixels.npz")
	if len(arrays) < 34 {
		t.Fatalf("%d pictures are recorded", len(arrays))
	}
	for _, want := range arrays {
		file, rotate := want.Name, want.Name == "upright"
		if rotate {
			file = "turned.jpg"
		}
		p, err := Decode(read(t, file), 0, rotate)
		if err != nil {
			t.Errorf("%s: %v", want.Name, err)
			continue
		}
		if want.Tensor.Dim(0) != p.Height || want.Tensor.Dim(1) != p.Width {
			t.Errorf("%s: %d x %d, want %v", want.Name, p.Width, p.Height, want.Tensor)
			continue
		}
		largest, mean := differences(p.RGB(), want.Tensor.Uint8s())
		exact := strings.HasSuffix(file, ".png") || strings.HasPrefix(file, "lossless")
		if exact && largest > 0 || largest > 4 || mean > 0.3 {
			t.Errorf("%s: up to %d levels off, %.3f on average", want.Name, largest, mean)
		}
		t.Logf("%s: up to %d levels off, %.3f on average", want.Name, largest, mean)
	}
}

// resizes are those of the recording.
var resizes = map[string]struct{ edge, height, width, crop, channels int }{
	"down": {12, 0, 0, 10, RGB}, "up": {48, 0, 0, 40, RGB}, "exact": {0, 20, 31, 0, RGB}, "odd": {17, 0, 0, 12, RGB},
	"beyond": {10, 0, 0, 16, RGB}, "same": {29, 0, 0, 0, RGB}, "grey": {14, 0, 0, 11, Gray}, "tall": {0, 61, 9, 0, RGB},
}

// TestResize compares with torchvision's transforms of pictures, which Pillow does, to the bit, and of tensors within one level.
func TestResize(t *testing.T) {
	for _, version := range []string{"0.14.1", "0.27.0"} {
		compared := 0
		for _, want := range recorded(t, "torchvision-"+version+".npz") {
			parts := strings.Split(want.Name, "/")
			if len(parts) != 3 {
				continue
			}
			p, err := Decode(read(t, parts[0]), 0, false)
			if err != nil {
				t.Fatal(err)
			}
			r := resizes[parts[1]]
			width, height := r.width, r.height
			if r.edge > 0 {
				width, height = ShorterEdge(p.Width, p.Height, r.edge)
			}
			w := Window{width, height, 0, 0, width, height}
			if r.crop > 0 {
				w = Centre(width, height, r.crop, r.crop)
			}
			got := make([]byte, r.channels*(w.Right-w.Left)*(w.Bottom-w.Top))
			p.Resize(w, r.channels, got)
			if len(got) != want.Tensor.Numel() {
				t.Errorf("%s: %+v where %v is recorded", want.Name, w, want.Tensor)
				continue
			}
			largest, _ := differences(got, want.Tensor.Uint8s())
			allowed := 1
			if parts[2] == "pil" && strings.HasSuffix(parts[0], ".png") {
				allowed = 0
			}
			if largest > allowed && !strings.HasSuffix(parts[0], ".jpg") || largest > 4 {
				t.Errorf("%s: up to %d levels off, %d allowed", want.Name, largest, allowed)
			}
			compared++
		}
		if compared != 2*3*len(resizes) {
			t.Errorf("torchvision %s: %d results compared", version, compared)
		}
	}
}

// TestDecodeRefuses gives headers that claim more than may be decoded, kinds that are not read, and files cut at every byte.
func TestDecodeRefuses(t *testing.T) {
	png := bytes.Clone(read(t, "rgb.png"))
	binary.BigEndian.PutUint32(png[16:], 60000)
	binary.BigEndian.PutUint32(png[20:], 60000)
	binary.BigEndian.PutUint32(png[29:], crc32.ChecksumIEEE(png[12:29]))
	jpg := bytes.Clone(read(t, "444-37x29.jpg"))
	at := bytes.Index(jpg, []byte{0xff, 0xc0})
	binary.BigEndian.PutUint16(jpg[at+5:], 60000)
	binary.BigEndian.PutUint16(jpg[at+7:], 60000)
	webp := bytes.Clone(read(t, "lossy.webp"))
	binary.LittleEndian.PutUint16(webp[26:], 16383)
	binary.LittleEndian.PutUint16(webp[28:], 16383)
	for name, data := range map[string][]byte{"png": png, "jpeg": jpg, "webp": webp} {
		allocated := testing.AllocsPerRun(1, func() {
			var size *SizeError
			if _, err := Decode(data, 0, false); !errors.As(err, &size) {
				t.Errorf("%s: %v", name, err)
			}
		})
		if allocated > 1000 {
			t.Errorf("%s: %v allocations", name, allocated)
		}
	}
	var size *SizeError
	if _, err := Decode(read(t, "rgb.png"), 1000, false); !errors.As(err, &size) || size.Limit != 1000 {
		t.Errorf("a budget of 1000 bytes: %v", err)
	}
	for _, data := range []string{"", "GIF89a", "BM0000", "hello", "RIFF0000WEBP", "\xff\xd8\xff\xd9", "II*\x00"} {
		if _, err := Decode([]byte(data), 0, false); err == nil {
			t.Errorf("%q was decoded", data)
		}
	}
	for _, name := range []string{"420-37x29.jpg", "ycck.jpg", "palette-alpha.png", "lossy-alpha.webp", "lossless.webp", "animated.webp"} {
		data := read(t, name)
		for n := range len(data) - 1 {
			p, err := Decode(data[:n], 0, true)
			if err == nil {
				p.RGB()
			}
		}
	}
}

// FuzzDecode decodes what is nearly a picture.
func FuzzDecode(f *testing.F) {
	for _, name := range []string{"420-5x3.jpg", "ycck.jpg", "turned.jpg", "palette-alpha.png", "lossy-1x7.webp", "lossless.webp", "animated.webp"} {
		f.Add(read(f, name))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if p, err := Decode(data, 1<<20, true); err == nil {
			p.Resize(Centre(9, 7, 5, 5), RGB, make([]byte, 75))
		}
	})
}
