package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/octet-ml/octet/internal/shareddata"
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

func TestF1(t *testing.T) {
	if got := f1([]int{1, 1, 0, 0}, []int64{1, 0, 1, 0}); got != 0.5 {
		t.Errorf("f1 = %v, want 0.5", got)
	}
	if got := f1([]int{0}, []int64{0}); got != 0 {
		t.Errorf("f1 without class 1 = %v, want 0", got)
	}
}
