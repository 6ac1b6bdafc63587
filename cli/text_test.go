package cli

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// textFolder copies a small random model of Hugging Face, with a vocabulary of its size.
func textFolder(t *testing.T, name string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("../loader/testdata/hub", name))); err != nil {
		t.Fatal(err)
	}
	vocabulary := "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\ncat\ndog\nbird\nsits\nruns\nflies\nthe\non\nmat\n##s\n"
	if err := os.WriteFile(filepath.Join(dir, "vocab.txt"), []byte(vocabulary), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestRunText prints what models say of texts: embeddings, labels with their scores, and the labels of tokens.
func TestRunText(t *testing.T) {
	for _, c := range []struct {
		folder string
		args   []string
		want   string // in the output
		lines  int
	}{
		{"bert-sentence", nil, " ", 2},
		{"bert-model", nil, " ", 2},
		{"bert-sequence", []string{"--top", "3"}, "perhaps 0.", 2},
		{"distilbert-sequence", nil, " 0.", 2},
		{"bert-token", nil, "cat              ", 3},
	} {
		dir := textFolder(t, c.folder)
		args := append([]string{"run", dir, "--text", "The cats", "--text", "cat"}, c.args...)
		out, errs := octet(t, exitOK, args...)
		if lines := strings.Count(out, "\n"); !strings.Contains(out, c.want) || c.folder != "bert-token" && lines != c.lines {
			t.Errorf("%s: %d lines:\n%s%s", c.folder, lines, out, errs)
		}
		results := octetJSON[[]textResult](t, args...)
		if len(results) != 2 {
			t.Fatalf("%s: %d results", c.folder, len(results))
		}
		sum := 0.0
		for _, l := range results[0].Labels {
			sum += l.Score
		}
		for _, v := range results[0].Embedding {
			sum += float64(v) * float64(v)
		}
		if (c.folder == "bert-sentence" || len(c.args) > 0) && math.Abs(sum-1) > 1e-5 {
			t.Errorf("%s: %v is not 1, of length or of all probabilities", c.folder, sum)
		}
		if k := results[0].Tokens; c.folder == "bert-token" && (len(k) != 3 || k[2].Token != "s" || k[2].From != 7 || k[1].Token != "cat") {
			t.Errorf("tokens %+v", k)
		}
	}
}

// TestTextWorkflow quantizes a classifier on texts and evaluates both on labelled ones; the file in int8 has the labels, and
// lies beside the tokenizer.
func TestTextWorkflow(t *testing.T) {
	dir := textFolder(t, "bert-sequence")
	var lines, labelled strings.Builder
	words := []string{"cat", "dog", "the bird", "sits on", "mats"}
	for i := range 40 {
		s := strings.Repeat(words[i%5]+" ", i%7) + words[i%3]
		fmt.Fprintln(&lines, s)
		fmt.Fprintf(&labelled, `{"text":%q,"text_pair":%q,"label":%q}`+"\n", s, words[i%4], []string{"no", "yes", "perhaps"}[i%3])
	}
	fmt.Fprintln(&labelled, `{"text":"`+strings.Repeat("cat ", 300)+`","label":"no"}`)
	calib, test, int8 := filepath.Join(dir, "lines.txt"), filepath.Join(dir, "test.jsonl"), filepath.Join(dir, "int8.safetensors")
	for path, s := range map[string]string{calib: lines.String(), test: labelled.String()} {
		if err := os.WriteFile(path, []byte(s), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	octet(t, exitOK, "quantize", dir, "--text", calib, "-o", int8, "--data", test, "--batch", "8")
	for _, model := range []string{dir, int8} {
		out, errs := octet(t, exitOK, "eval", model, "--text", test, "--batch", "8")
		if !strings.Contains(out, "samples     41") || !strings.Contains(errs, "1 of the texts were cut to the 160 tokens") {
			t.Errorf("%s: %s%s", model, out, errs)
		}
	}
	if out, errs := octet(t, exitOK, "run", int8, "--text", "cats", "--top", "3"); !strings.Contains(out, "perhaps 0.") {
		t.Errorf("%s%s", out, errs)
	}
	if out, errs := octet(t, exitOK, "run", dir, test, "--output", filepath.Join(t.TempDir(), "y.npz")); !strings.Contains(out, "logits  float32[41, 3]") {
		t.Errorf("%s%s", out, errs)
	}
	other := filepath.Join(t.TempDir(), "int8.safetensors")
	if err := os.Rename(int8, other); err != nil {
		t.Fatal(err)
	}
	if _, errs := octet(t, exitUsage, "run", other, "--text", "cats"); !strings.Contains(errs, "--tokenizer") {
		t.Errorf("without a tokenizer: %s", errs)
	}
	octet(t, exitOK, "run", other, "--tokenizer", dir, "--text", "cats")
	for _, args := range [][]string{{"run", dir, "--text", "x", "--output", "y.npz"}, {"eval", dir, "--text", test, "--data", test}, {"eval", dir, "--text", "x.npz"}, {"eval", dir}} {
		octet(t, exitUsage, args...)
	}
}
