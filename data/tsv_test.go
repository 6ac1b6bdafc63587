package data

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/tensor"
)

// TestOpenTSV reads both the form of SST-2 and that of MRPC, whose file begins with a byte order mark.
func TestOpenTSV(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []Text
		labels     []int64
		err        string
	}{
		{"single", "label\tcontent\n1\twanted\n0\trunning !\r\n", []Text{{Text: "wanted"}, {Text: "running !"}}, []int64{1, 0}, ""},
		{"pair", "\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\n1\t7\t8\ta\tb", []Text{{"a", "b"}}, []int64{1}, ""},
		{"no label", "text\nrunning\n", []Text{{Text: "running"}}, nil, ""},
		{"names", "sentence\tlabel\nx\tno\ny\tyes\n", []Text{{Text: "x"}, {Text: "y"}}, []int64{0, 1}, ""},
		{"no text", "label\tother\n1\tx\n", nil, nil, "line 1"},
		{"short line", "label\tsentence\n0\tx\n1\n", nil, nil, "line 3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "texts.tsv")
			if err := os.WriteFile(path, []byte(c.text), 0o644); err != nil {
				t.Fatal(err)
			}
			texts, _, err := OpenTexts(t.Context(), path, false, false)
			if c.err != "" {
				var file *tensor.FileError
				if !errors.As(err, &file) || file.File != path || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("%v, want an error that says %q of %s", err, c.err, path)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer texts.Close()
			var got []Text
			for k := range texts.Len() {
				text, err := texts.At(k)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, text)
			}
			y, _, err := texts.Labels(nil)
			if err != nil {
				t.Fatal(err)
			}
			var labels []int64
			if y != nil {
				labels = y.Int64s()
			}
			if !slices.Equal(got, c.want) || !slices.Equal(labels, c.labels) {
				t.Errorf("%q %v, want %q %v", got, labels, c.want, c.labels)
			}
		})
	}
}
