package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// writeModel copies a small random model of sentence embeddings, with a vocabulary of its size.
func writeModel(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../loader/testdata/hub/bert-sentence")); err != nil {
		t.Fatal(err)
	}
	vocabulary := "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\ncat\ndog\nbird\nsits\nruns\nflies\nthe\non\nmat\n##s\n"
	if err := os.WriteFile(filepath.Join(dir, "vocab.txt"), []byte(vocabulary), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestSearch finds the line that is the question itself first, among lines of many lengths.
func TestSearch(t *testing.T) {
	dir := writeModel(t)
	lines := []string{"the cat sits on the mat", "", "dogs", "the bird flies", strings.Repeat("the dog runs ", 80), "the dog runs", "cat"}
	file := filepath.Join(t.TempDir(), "lines.txt")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o644); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := search(t.Context(), &out, dir, file, []string{"The bird flies", "CAT"}); err != nil {
		t.Fatal(err)
	}
	got := strings.Split(out.String(), "\n")
	if got[1] != "  1.0000  the bird flies" || got[7] != "  1.0000  cat" || !strings.Contains(out.String(), "1 texts were cut to 160 tokens") {
		t.Errorf("%s", &out)
	}
	if err := search(t.Context(), &out, t.TempDir(), file, nil); err == nil {
		t.Error("a folder without a model")
	}
}
