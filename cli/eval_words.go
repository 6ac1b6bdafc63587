package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/octet-ml/octet/bench"
	"github.com/octet-ml/octet/data"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/internal/atomicfile"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/metric"
	"github.com/octet-ml/octet/quantize"
	"github.com/octet-ml/octet/tensor"
	"github.com/octet-ml/octet/text"
)

// entityResult is what eval says of labels of words, in the document of --json.
type entityResult struct {
	Accuracy  float64 `json:"accuracy"` // of words
	F1        float64 `json:"f1"`
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	metric.Entities
}

// labelsWords reports whether a model labels tokens.
func labelsWords(info *graph.Info) bool {
	if info.Texts == nil {
		return false
	}
	m, err := loader.ReadTextModel(".", loader.FS(info.Texts))
	return err == nil && m.Task == nn.TokenClassification
}

// wordsEval measures a model that labels tokens on sentences of labelled words.
type wordsEval struct {
	*textEncoder
	session *graph.Session
	labels  []string
	words   wordsResult
	output  io.Writer       // of each word, its label and that of the model
	against []data.Sentence // of --against, those that are left
	other   string          // file of against
}

// wordsResult is what was counted.
type wordsResult struct {
	Score metric.Entities `json:"score"`
	N     int             `json:"n"`
	Cut   int             `json:"cut"` // words behind what the model takes
	// Same of Compared words have the label that the file of --against says.
	Same, Compared int `json:"-"`
}

// noLabel stands in a written file for words behind what the model takes.
const noLabel = "-"

// evalWords is eval of labelled words: the label of a word is that of its first token. Of a shard it writes what was counted.
func (a *app) evalWords(ctx context.Context, path string, g *graph.Graph, f *dataFlags, m *measureFlags, of evalShard) error {
	info, err := f.complete(a, infoOf(g))
	if err != nil {
		return err
	}
	e, err := f.openTokenizer(a, &info)
	if err != nil {
		return err
	}
	w := &wordsEval{textEncoder: e, labels: info.Labels, other: m.against}
	total, err := w.checkAll(path)
	if err != nil {
		return err
	}
	from, to := 0, total
	var shard quantize.Shard
	if of.shard != "" {
		if shard, err = quantize.ParseShard(of.shard); err != nil {
			return err
		}
		from, to = shard.Range((total + of.batch - 1) / of.batch)
		from, to = from*of.batch, min(to*of.batch, total)
	}
	if w.session, err = a.compile(f.model, g); err != nil {
		return err
	}
	defer w.session.Close()
	if m.against != "" {
		for s, err := range data.Sentences(m.against) {
			if err != nil {
				return err
			}
			w.against = append(w.against, s)
		}
	}
	bar := a.progress("evaluating", to-from)
	run := func(out io.Writer) error {
		w.output = out
		return w.runAll(ctx, path, from, to, of.batch, bar)
	}
	if m.output != "" {
		err = atomicfile.Write(m.output, run)
	} else {
		err = run(io.Discard)
	}
	if bar.end(); err != nil {
		return err
	}
	if w.words.Cut > 0 {
		a.say("%d words do not count, for they are behind the %d tokens that the model takes", w.words.Cut, e.Limit)
	}
	if of.shard != "" {
		a.say("shard %v: %d of %d sentences, from sentence %d", shard, to-from, total, from)
		return w.savePart(of, shard, total, bench.Precision(g))
	}
	return a.finishWords(&w.words, bench.Precision(g), m)
}

// checkAll reads the sentences once: it counts them, and refuses labels that the model does not have.
func (w *wordsEval) checkAll(path string) (n int, err error) {
	for s, err := range data.Sentences(path) {
		if err == nil {
			err = w.check(path, s)
		}
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// runAll runs the model on sentences [from, to).
func (w *wordsEval) runAll(ctx context.Context, path string, from, to, batch int, bar *progress) error {
	var sentences []data.Sentence
	n := 0
	for s, err := range data.Sentences(path) {
		if err != nil {
			return err
		}
		if n++; n <= from || n > to {
			continue
		}
		if sentences = append(sentences, s); len(sentences) == batch || n == to {
			if err := w.run(ctx, sentences); err != nil {
				return err
			}
			sentences = sentences[:0]
			bar.set(n - from)
		}
	}
	if len(w.against) > 0 {
		return &tensor.FileError{File: w.other, Reason: fmt.Sprintf("it has more than the %d sentences of %s", n, path)}
	}
	return nil
}

func (a *app) finishWords(w *wordsResult, precision string, m *measureFlags) error {
	s := &w.Score
	r := entityResult{s.Accuracy(), s.F1(), s.Precision(), s.Recall(), *s}
	if a.json {
		document := map[string]any{"n": w.N, "metric": "entity_f1", "value": r.F1, "precision": precision, "entities": r}
		if m.against != "" {
			document["agreement"] = map[string]int{"same": w.Same, "of": w.Compared}
		}
		if err := a.printJSON(document); err != nil {
			return err
		}
	} else {
		err := a.printf("sentences   %d\nwords       %d of %d right (%.2f %%)\nentities    F1 %.4f, precision %.4f, recall %.4f: %d right of %d named, %d there\nprecision   %s\n",
			w.N, s.Right, s.Words, 100*r.Accuracy, r.F1, r.Precision, r.Recall, s.Correct, s.Found, s.True, precision)
		if err == nil && m.against != "" {
			err = a.printf("agreement   %d of %d words\n", w.Same, w.Compared)
		}
		if err != nil {
			return err
		}
	}
	if m.target > 0 && !(r.F1 >= m.target) {
		return &accuracyError{"entity F1", r.F1, m.target}
	}
	if share := float64(w.Same) / float64(max(w.Compared, 1)); m.agreement > 0 && share < m.agreement {
		return &accuracyError{"agreement", share, m.agreement}
	}
	return nil
}

// check refuses labels that the model does not have.
func (w *wordsEval) check(path string, s data.Sentence) error {
	for i, l := range s.Labels {
		known := false
		for _, k := range w.labels {
			known = known || k == l
		}
		if !known {
			return &tensor.FileError{File: path, Record: fmt.Sprintf("line %d", s.Line+i), Reason: fmt.Sprintf("%.100q is no label of the model, which has %.200q", l, w.labels)}
		}
	}
	return nil
}

// run labels the words of a batch, and counts.
func (w *wordsEval) run(ctx context.Context, sentences []data.Sentence) error {
	if len(sentences) == 0 {
		return nil
	}
	all := make([]*text.Encoding, len(sentences))
	for i, s := range sentences {
		var err error
		if all[i], err = w.EncodeWords(s.Words); err != nil {
			return err
		}
	}
	in, err := w.Inputs(all)
	if err != nil {
		return err
	}
	var inputs []*tensor.Tensor
	for _, v := range w.session.Graph().Inputs {
		x := in.Get(v.Name)
		if x == nil {
			return usagef("--text: the model takes an input %s, which a tokenizer does not give", v.Name)
		}
		inputs = append(inputs, x)
	}
	out, err := w.session.Run(ctx, inputs...)
	if err != nil {
		return err
	}
	classes, err := metric.Classes(out[0], out[0].Rank()-1)
	if err != nil {
		return err
	}
	length := inputs[0].Dim(1)
	for i, s := range sentences {
		if err := w.count(s, all[i].Words, classes[i*length:]); err != nil {
			return err
		}
	}
	return nil
}

// count compares the labels of the words of a sentence with the classes of their first tokens. Words without tokens do not count.
func (w *wordsEval) count(s data.Sentence, words, classes []int) error {
	said := make([]string, len(s.Words)) // "" of words without tokens
	last := -1
	for k, word := range words {
		if word >= 0 && word != last {
			said[word], last = w.labels[classes[k]], word
		}
	}
	other, err := w.next(s)
	if err != nil {
		return err
	}
	var predicted, want []string
	for i, label := range said {
		shown := label
		if label == "" {
			shown = noLabel
		} else {
			predicted, want = append(predicted, label), append(want, s.Labels[i])
			if other != nil && other[i] != noLabel {
				w.words.Compared++
				if other[i] == label {
					w.words.Same++
				}
			}
		}
		if _, err := fmt.Fprintf(w.output, "%s\t%s\t%s\n", s.Words[i], s.Labels[i], shown); err != nil {
			return err
		}
	}
	w.words.N++
	w.words.Cut += len(s.Words) - len(want)
	w.words.Score.Add(predicted, want)
	_, err = fmt.Fprintln(w.output)
	return err
}

// next returns the labels that the file of --against has of a sentence, nil without one.
func (w *wordsEval) next(s data.Sentence) ([]string, error) {
	if w.other == "" {
		return nil, nil
	}
	if len(w.against) == 0 {
		return nil, &tensor.FileError{File: w.other, Reason: fmt.Sprintf("it ends before the sentence in line %d of the data", s.Line)}
	}
	o := w.against[0]
	w.against = w.against[1:]
	if !slices.Equal(o.Words, s.Words) {
		return nil, &tensor.FileError{File: w.other, Record: fmt.Sprintf("line %d", o.Line), Reason: fmt.Sprintf("other words than those in line %d of the data", s.Line)}
	}
	return o.Labels, nil
}

// wordsPart is what was counted of a shard, in JSON.
type wordsPart struct {
	Version   int            `json:"labelled_words"` // 1
	Shard     quantize.Shard `json:"shard"`
	Sentences int            `json:"sentences"` // of all shards
	Batch     int            `json:"batch"`
	Model     string         `json:"model"`
	Data      string         `json:"data"`
	Precision string         `json:"precision"`
	Words     wordsResult    `json:"words"`
}

func (w *wordsEval) savePart(of evalShard, shard quantize.Shard, total int, precision string) error {
	p := wordsPart{Version: 1, Shard: shard, Sentences: total, Batch: of.batch, Precision: precision, Words: w.words}
	var err error
	if p.Model, p.Data, err = of.digests(); err != nil {
		return err
	}
	return atomicfile.Write(of.part, func(w io.Writer) error { return json.NewEncoder(w).Encode(p) })
}

// readWordsPart reads a part of labelled words; nil is another file.
func readWordsPart(path string) (*wordsPart, error) {
	const most = 1 << 16
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() { // a pipe can be read once only
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, most))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(text, []byte(`{"labelled_words"`)) {
		return nil, nil
	}
	var p wordsPart
	if err := json.Unmarshal(text, &p); err != nil {
		return nil, &tensor.FileError{File: path, Reason: "no part of an evaluation", Err: err}
	}
	if p.Version != 1 {
		return nil, &tensor.FileError{File: path, Reason: fmt.Sprintf("version %d of the format, this is for version 1: use a newer octet", p.Version)}
	}
	return &p, nil
}

// mergeWords adds up the shards of an evaluation on labelled words. It reports whether the parts are such.
func (a *app) mergeWords(paths []string, m *measureFlags) (bool, error) {
	var first *wordsPart
	var shards []quantize.Shard
	var all wordsResult
	for i, path := range paths {
		p, err := readWordsPart(path)
		if err != nil || p == nil && i == 0 {
			return false, err
		}
		if first == nil {
			first = p
		}
		if p == nil || p.Sentences != first.Sentences || p.Batch != first.Batch || p.Model != first.Model || p.Data != first.Data {
			return true, &tensor.FileError{File: path, Reason: "a part of another evaluation than " + paths[0] + ": of another model or other data, or cut in another way"}
		}
		shards = append(shards, p.Shard)
		all.N += p.Words.N
		all.Cut += p.Words.Cut
		s, t := &all.Score, p.Words.Score
		s.Right, s.Words, s.Found, s.True, s.Correct = s.Right+t.Right, s.Words+t.Words, s.Found+t.Found, s.True+t.True, s.Correct+t.Correct
	}
	if err := quantize.CheckShards(shards); err != nil {
		return true, err
	}
	if m.output != "" || m.against != "" || m.metric != "" {
		return true, usagef("parts of labelled words have no outputs: leave out --output, --against and --metric")
	}
	return true, a.finishWords(&all, first.Precision, m)
}
