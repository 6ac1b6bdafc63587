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

// TestTextWorkflow quantizes a classifier on texts and evaluates both on labelled ones; the file in int8 has labels and
// tokenizer, wherever it lies.
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
	octet(t, exitOK, "run", other, "--text", "cats")
	if _, errs := octet(t, exitUsage, "run", digitsModel, "--arch", "digits", "--text", "cats"); !strings.Contains(errs, "--tokenizer") {
		t.Errorf("without a tokenizer: %s", errs)
	}
	octet(t, exitOK, "run", other, "--tokenizer", dir, "--text", "cats")
	for _, args := range [][]string{{"run", dir, "--text", "x", "--output", "y.npz"}, {"eval", dir, "--text", test, "--data", test}, {"eval", dir, "--text", "x.npz"}, {"eval", dir}} {
		octet(t, exitUsage, args...)
	}
}

// TestTextsInFiles converts and quantizes folders to files that carry the tokenizer, and uses these where there is no folder.
func TestTextsInFiles(t *testing.T) {
	dir := textFolder(t, "bert-sequence")
	lines := filepath.Join(dir, "lines.txt")
	labelled := filepath.Join(dir, "test.jsonl")
	for path, s := range map[string]string{
		lines:    strings.Repeat("the cat sits\na dog runs on the mat\n", 8),
		labelled: strings.Repeat(`{"text":"cats","label":"no"}`+"\n", 4),
	} {
		if err := os.WriteFile(path, []byte(s), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	alone := t.TempDir()
	float, int8, again := filepath.Join(alone, "float.octet"), filepath.Join(alone, "int8.octet"), filepath.Join(alone, "again.octet")
	if _, errs := octet(t, exitOK, "convert", dir, "-o", float); !strings.Contains(errs, "carries tokenizer") || !strings.Contains(errs, "bytes") {
		t.Errorf("the size of the tokenizer is not said: %s", errs)
	}
	octet(t, exitOK, "quantize", dir, "--text", lines, "-o", int8)
	octet(t, exitOK, "quantize", float, "--text", lines, "-o", again)
	want, _ := octet(t, exitOK, "run", dir, "--text", "the cats", "--top", "3")
	for _, model := range []string{float, int8, again} {
		out, errs := octet(t, exitOK, "run", model, "--text", "the cats", "--top", "3")
		if model == float && out != want || !strings.Contains(out, "perhaps 0.") {
			t.Errorf("%s: %s%s, want %s", model, out, errs, want)
		}
		if out, errs := octet(t, exitOK, "eval", model, "--text", labelled); !strings.Contains(out, "samples     4") {
			t.Errorf("%s: %s%s", model, out, errs)
		}
		r := octetJSON[inspectResult](t, "inspect", model)
		if r.Text == nil || r.Text.Tokenizer != "WordPiece" || r.Text.Tokens != 15 || r.Text.Limit != 160 || r.Text.Bytes == 0 || r.Text.Task != "sequence classification" {
			t.Errorf("%s: %+v", model, r.Text)
		}
	}
	// A flag goes before what the file has.
	if _, errs := octet(t, exitOK, "run", float, "--text", "cats", "--tokenizer", dir); !strings.Contains(errs, "in place of") {
		t.Errorf("a tokenizer beside that of the model: %s", errs)
	}
}

// TestInspectFolder shows what a folder of Hugging Face says of its model, with and without a tokenizer.
func TestInspectFolder(t *testing.T) {
	out, _ := octet(t, exitOK, "inspect", textFolder(t, "bert-sentence"))
	for _, want := range []string{"folder of Hugging Face", "family      bert: 2 layers of 16", "pooling     mean, normalized", "WordPiece of 15 tokens, texts of up to 160", "parameters  7509", "attention_mask"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	r := octetJSON[inspectResult](t, "inspect", "../loader/testdata/hub/mpnet-token")
	if r.Text == nil || r.Text.Family != "mpnet" || r.Text.Task != "token classification" || r.Text.Tokenizer != "" || r.Graph == nil {
		t.Errorf("%+v", r.Text)
	}
}
