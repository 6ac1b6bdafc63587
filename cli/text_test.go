package cli

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/octet-ml/octet/metric"
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

// TestEvalWords measures a model that labels tokens on labelled words, some of which are several tokens.
func TestEvalWords(t *testing.T) {
	dir := textFolder(t, "bert-token")
	words := []string{"cats", "dog", "mats", "bird", "the"}
	var labels []string
	for _, k := range octetJSON[[]textResult](t, "run", dir, "--text", strings.Join(words, " "))[0].Tokens {
		if k.Token != "s" { // of a word behind its first token
			labels = append(labels, k.Label)
		}
	}
	var file strings.Builder
	for i, w := range words {
		fmt.Fprintf(&file, "%s NN\t%s\n", w, labels[i])
	}
	write := func(name, s string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(s), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	path := write("all.conll", "-DOCSTART- -X- O\n\n"+file.String()+"\n\r\n"+file.String())
	out, errs := octet(t, exitOK, "eval", dir, "--text", path)
	if !strings.Contains(out, "sentences   2") || !strings.Contains(out, "words       10 of 10 right (100.00 %)") {
		t.Errorf("%s%s", out, errs)
	}
	long := write("long.conll", strings.Repeat("cats "+labels[0]+"\n", 200))
	if out, errs := octet(t, exitOK, "eval", dir, "--text", long); !strings.Contains(errs, "121 words do not count") {
		t.Errorf("%s%s", out, errs)
	}
	for content, want := range map[string]string{"cat other-label": "line 1", "cat " + labels[0] + "\ndog": "line 2", "": "no words"} {
		if _, errs := octet(t, exitFile, "eval", dir, "--text", write("bad.conll", content)); !strings.Contains(errs, want) {
			t.Errorf("%q: %s", content, errs)
		}
	}
	octet(t, exitUsage, "eval", dir, "--text", path, "--metric", "top1")
}

// TestEvalWordsOutput writes the labels of words, compares with them, and evaluates in shards.
func TestEvalWordsOutput(t *testing.T) {
	dir := textFolder(t, "bert-token")
	at := func(name string) string { return filepath.Join(dir, name) }
	labels := octetJSON[[]textResult](t, "run", dir, "--text", "cats")[0].Tokens[0]
	var file strings.Builder
	for i := range 23 {
		fmt.Fprintf(&file, "cats %s\n%smat %s\n\n", labels.Label, strings.Repeat("dog "+labels.Label+"\n", i%3*50), labels.Label)
	}
	if err := os.WriteFile(at("all.conll"), []byte(file.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	eval := func(more ...string) []string {
		return append([]string{"eval", dir, "--text", at("all.conll"), "--batch", "4", "--json"}, more...)
	}
	want, _ := octet(t, exitOK, eval()...)
	if got, _ := octet(t, exitOK, eval("--output", at("said.conll"))...); got != want {
		t.Errorf("with --output %s\nwithout it %s", got, want)
	}
	said := strings.Split(string(readFile(t, at("said.conll"))), "\n")
	if len(said) != strings.Count(file.String(), "\n")+1 || said[0] != "cats\t"+labels.Label+"\t"+labels.Label {
		t.Errorf("%d lines, the first %q", len(said), said[0])
	}
	type result struct {
		Entities  metric.Entities
		Agreement struct{ Same, Of int }
	}
	if r := octetJSON[result](t, eval("--against", at("said.conll"), "--target-agreement", "1")...); r.Agreement.Same == 0 || r.Agreement.Same != r.Agreement.Of || r.Agreement.Of != r.Entities.Words {
		t.Errorf("with its own labels: %+v", r)
	}
	said[0] = "cats\tx\tother"
	for content, want := range map[string]string{strings.Join(said[1:], "\n"): "other words", strings.Join(said[:3], "\n"): "ends before", strings.Join(said, "\n") + "\nmore x\n": "more than"} {
		if err := os.WriteFile(at("bad.conll"), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, errs := octet(t, exitFile, eval("--against", at("bad.conll"))...); !strings.Contains(errs, want) || !strings.Contains(errs, "bad.conll") {
			t.Errorf("want %q: %s", want, errs)
		}
	}
	if err := os.WriteFile(at("other.conll"), []byte(strings.Join(said, "\n")), 0o644); err != nil {
		t.Fatal(err)
	}
	octet(t, exitAccuracy, eval("--against", at("other.conll"), "--target-agreement", "1")...)

	octet(t, exitOK, eval("--shard", "1/2", "--save-part", at("1"))...)
	if _, errs := octet(t, exitUsage, "eval", "merge", at("1")); !strings.Contains(errs, "0/2") {
		t.Errorf("a part that is missing: %s", errs)
	}
	octet(t, exitOK, eval("--shard", "0/2", "--save-part", at("0"))...)
	if got, _ := octet(t, exitOK, "eval", "merge", at("1"), at("0"), "--json"); got != want {
		t.Errorf("in shards %s\nat once %s", got, want)
	}
	octet(t, exitOK, "eval", dir, "--text", at("all.conll"), "--batch", "5", "--shard", "0/2", "--save-part", at("0"))
	octet(t, exitFile, "eval", "merge", at("1"), at("0"))
	octet(t, exitUsage, eval("--shard", "0/2", "--save-part", at("0"), "--against", at("said.conll"))...)
}

// TestWordsPartOfAllVersions measures a part of labelled words that an older octet wrote, and refuses one of a newer format.
func TestWordsPartOfAllVersions(t *testing.T) {
	const first = "testdata/words-part-v1.json"
	out, _ := octet(t, exitOK, "eval", "merge", first)
	if !strings.Contains(out, "sentences   23\nwords       40 of 50 right (80.00 %)\nentities    F1 0.7273, precision 0.6667, recall 0.8000: 8 right of 12 named, 10 there") {
		t.Error(out)
	}
	newer := filepath.Join(t.TempDir(), "part")
	if err := os.WriteFile(newer, bytes.Replace(readFile(t, first), []byte(`words":1`), []byte(`words":2`), 1), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, errs := octet(t, exitFile, "eval", "merge", newer); !strings.Contains(errs, "newer octet") || !strings.Contains(errs, newer) {
		t.Error(errs)
	}
}
