package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/internal/shareddata"
	"github.com/octet-ml/octet/tensor"
)

// TestCompare runs the program on a part of the development set: each form, saved
// and loaded, keeps the classes of float32.
func TestCompare(t *testing.T) {
	if testing.Short() {
		t.Skip("evaluates four models")
	}
	dir := shareddata.Path(t, "data", "bert_sst2")
	all, err := os.ReadFile(filepath.Join(dir, "dev.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	const n = 96
	part := filepath.Join(t.TempDir(), "dev.tsv")
	if err := os.WriteFile(part, []byte(strings.Join(strings.SplitAfter(string(all), "\n")[:n+1], "")), 0o644); err != nil {
		t.Fatal(err)
	}
	rows, err := compare(t.Context(), io.Discard, dir, filepath.Join(dir, "calib.npz"), part, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 4 {
		t.Fatalf("%d forms, want 4", len(rows))
	}
	for _, r := range rows {
		if r.n != n || r.same < n-1 || r.right < rows[0].right-1 || r.f1 < rows[0].f1-0.02 {
			t.Errorf("%s: %d of %d right, F1 %.4f, %d as float, which has %d right and F1 %.4f", r.name, r.right, r.n, r.f1, r.same, rows[0].right, rows[0].f1)
		}
		if r.name != "float32" && r.bytes > rows[0].bytes*2/3 {
			t.Errorf("%s: %d bytes, float32 has %d", r.name, r.bytes, rows[0].bytes)
		}
	}
	var table bytes.Buffer
	if err := printRows(&table, rows); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(table.String(), "\n"); lines != 5 {
		t.Errorf("the table has %d lines:\n%s", lines, &table)
	}
}

// TestReadTexts reads both the form of SST-2 and that of MRPC, whose file begins
// with a byte order mark.
func TestReadTexts(t *testing.T) {
	tokenizer, err := NewTokenizer(strings.NewReader(vocab))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, text string
		rows       int
		types      []int64
		err        string
	}{
		{"single", "label\tcontent\n1\twanted\n0\trunning !\n", 2, make([]int64, 16), ""},
		{"pair", "\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\n1\t7\t8\trunning\trunning !\n", 1, []int64{0, 0, 0, 1, 1, 1, 0, 0}, ""},
		{"no label", "text\nrunning\n", 0, nil, "names no label"},
		{"short line", "label\tsentence\n1\n", 0, nil, "text 1"},
		{"label", "label\tsentence\nx\trunning\n", 0, nil, `"x" is no number`},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "texts.tsv")
			if err := os.WriteFile(path, []byte(c.text), 0o644); err != nil {
				t.Fatal(err)
			}
			d, err := openTexts(path, tokenizer, 8)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) || !strings.Contains(err.Error(), path) {
					t.Fatalf("error %v, want one that says %q of %s", err, c.err, path)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if d.Len() != c.rows || len(d.Labels()) != c.rows {
				t.Errorf("%d texts, %d labels, want %d", d.Len(), len(d.Labels()), c.rows)
			}
			arrays, err := readTexts(path, tokenizer, 8)
			if err != nil {
				t.Fatal(err)
			}
			if got := tensor.Data[int64](arrays.Get("token_type_ids")); !slices.Equal(got, c.types) {
				t.Errorf("token types %v, want %v", got, c.types)
			}
		})
	}
}

func TestF1(t *testing.T) {
	if got := f1([]int{1, 1, 0, 0}, []int64{1, 0, 1, 0}); got != 0.5 {
		t.Errorf("f1 = %v, want 0.5", got)
	}
	if got := f1([]int{0}, []int64{0}); got != 0 {
		t.Errorf("f1 without class 1 = %v, want 0", got)
	}
}
