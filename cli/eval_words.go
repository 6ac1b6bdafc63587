package cli

import (
	"context"
	"fmt"

	"github.com/octet-ml/octet/bench"
	"github.com/octet-ml/octet/data"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/metric"
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
	score   metric.Entities
	n, cut  int // sentences, and words behind what the model takes
}

// evalWords is eval of labelled words: the label of a word is that of its first token.
func (a *app) evalWords(ctx context.Context, path string, g *graph.Graph, f *dataFlags, m *measureFlags, batch int) error {
	info, err := f.complete(a, infoOf(g))
	if err != nil {
		return err
	}
	e, err := f.openTokenizer(a, &info)
	if err != nil {
		return err
	}
	w := &wordsEval{textEncoder: e, labels: info.Labels}
	if w.session, err = a.compile(f.model, g); err != nil {
		return err
	}
	defer w.session.Close()
	var sentences []data.Sentence
	for s, err := range data.Sentences(path) {
		if err != nil {
			return err
		}
		if err := w.check(path, s); err != nil {
			return err
		}
		if sentences = append(sentences, s); len(sentences) == batch {
			if err := w.run(ctx, sentences); err != nil {
				return err
			}
			sentences = sentences[:0]
		}
	}
	if err := w.run(ctx, sentences); err != nil {
		return err
	}
	if w.cut > 0 {
		a.say("%d words do not count, for they are behind the %d tokens that the model takes", w.cut, e.Limit)
	}
	return a.finishWords(w, bench.Precision(g), m.target)
}

func (a *app) finishWords(w *wordsEval, precision string, target float64) error {
	s := &w.score
	r := entityResult{s.Accuracy(), s.F1(), s.Precision(), s.Recall(), *s}
	if a.json {
		if err := a.printJSON(map[string]any{"n": w.n, "metric": "entity_f1", "value": r.F1, "precision": precision, "entities": r}); err != nil {
			return err
		}
	} else {
		err := a.printf("sentences   %d\nwords       %d of %d right (%.2f %%)\nentities    F1 %.4f, precision %.4f, recall %.4f: %d right of %d named, %d there\nprecision   %s\n",
			w.n, s.Right, s.Words, 100*r.Accuracy, r.F1, r.Precision, r.Recall, s.Correct, s.Found, s.True, precision)
		if err != nil {
			return err
		}
	}
	if target > 0 && !(r.F1 >= target) {
		return &accuracyError{"entity F1", r.F1, target}
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
		w.count(s, all[i].Words, classes[i*length:])
	}
	return nil
}

// count compares the labels of the words of a sentence with the classes of their first tokens. Words without tokens do not count.
func (w *wordsEval) count(s data.Sentence, words, classes []int) {
	var predicted, want []string
	last := -1
	for k, word := range words {
		if word >= 0 && word != last {
			predicted, want = append(predicted, w.labels[classes[k]]), append(want, s.Labels[word])
			last = word
		}
	}
	w.n++
	w.cut += len(s.Words) - len(want)
	w.score.Add(predicted, want)
}
