package cli

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/octet-ml/octet/data"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/internal/sorting"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/tensor"
	"github.com/octet-ml/octet/text"
)

// textSource are the files that say how texts become inputs, and where they are.
type textSource struct {
	fs.FS
	path string
}

// dirFiles are the files of a folder, or of a folder one of whatever name.
type dirFiles struct{ dir, name, path string }

func (f dirFiles) Open(name string) (fs.File, error) {
	switch name {
	case f.name:
		return os.Open(f.path)
	case ".":
		return os.Open(f.dir)
	}
	if f.name != "" {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return os.Open(filepath.Join(f.dir, name))
}

// hasTokenizer reports whether there is one in a folder.
func hasTokenizer(files fs.FS) bool {
	for _, name := range []string{"tokenizer.json", "vocab.txt"} {
		if f, err := files.Open(name); err == nil {
			f.Close()
			return true
		}
	}
	return false
}

// textsOf returns the files of the tokenizer of a model: those that a flag names, that the model has, or that lie beside its file.
func textsOf(given, model string, info *graph.Info) (textSource, error) {
	if given != "" {
		switch stat, err := os.Stat(given); {
		case err != nil:
			return textSource{}, err
		case stat.IsDir():
			return textSource{dirFiles{dir: given}, given}, nil
		}
		name := "tokenizer.json"
		if filepath.Ext(given) == ".txt" {
			name = "vocab.txt"
		}
		return textSource{dirFiles{filepath.Dir(given), name, given}, filepath.Dir(given)}, nil
	}
	dir := model
	if stat, err := os.Stat(model); err == nil && !stat.IsDir() {
		dir = filepath.Dir(model)
	}
	for _, t := range []textSource{{info.Texts, model}, {dirFiles{dir: dir}, dir}} {
		if t.FS != nil && hasTokenizer(t) {
			return t, nil
		}
	}
	return textSource{}, usagef("texts need the tokenizer of the model, and neither %s nor %s has one: give it by --tokenizer", model, dir)
}

// textEncoder makes inputs of texts, and remembers which of them were cut short.
type textEncoder struct {
	*text.Tokenizer
	files textSource

	mu  sync.Mutex
	cut map[[2]string]bool
}

// openTokenizer reads the tokenizer of the model of a command, once. What it cuts short is told when the command ends.
func (f *dataFlags) openTokenizer(a *app, info *graph.Info) (*textEncoder, error) {
	if f.encoder != nil {
		return f.encoder, nil
	}
	files, err := textsOf(f.tokenizer, f.model, info)
	if err != nil {
		return nil, err
	}
	t, err := text.OpenFS(files.FS, ".")
	if named, ok := files.FS.(dirFiles); err != nil && ok && named.path != "" { // alone, so that the error is of it
		_, alone := text.Open(named.path)
		return nil, cmp.Or(alone, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", files.path, err)
	}
	e := &textEncoder{Tokenizer: t, files: files, cut: make(map[[2]string]bool)}
	a.opened = append(a.opened, closer(func() error {
		if n := len(e.cut); n > 0 {
			a.say("%d of the texts were cut to the %d tokens that the model takes", n, e.Limit)
		}
		return nil
	}))
	f.encoder = e
	return e, nil
}

type closer func() error

func (c closer) Close() error { return c() }

// encode is a data.Encoder.
func (e *textEncoder) encode(texts []data.Text) (tensor.Arrays, error) {
	pairs := make([][2]string, len(texts))
	for i, t := range texts {
		pairs[i] = [2]string{t.Text, t.Pair}
	}
	in, cut, err := e.Batch(pairs)
	if err != nil || cut == 0 {
		return in, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, p := range pairs {
		if one, err := e.one(p); err == nil && one.Cut {
			e.cut[[2]string{short(p[0]), short(p[1])}] = true
		}
	}
	return in, nil
}

// short returns what is enough of a text to tell it from others.
func short(s string) string {
	const most = 256
	if len(s) <= most {
		return s
	}
	return fmt.Sprint(s[:most], len(s))
}

func (e *textEncoder) one(p [2]string) (*text.Encoding, error) {
	if p[1] == "" {
		return e.Encode(p[0])
	}
	return e.EncodePair(p[0], p[1])
}

// textAlias makes the file of texts that --text names the data of a command, which it must have.
func textAlias(data *string, texts, flag string) error {
	switch {
	case texts != "" && *data != "":
		return usagef("--text and --%s are the same: give one of them", flag)
	case texts != "" && !isText(texts):
		return usagef("--text %s: a .txt, .tsv, .json or .jsonl file of texts is needed", texts)
	case texts != "":
		*data = texts
	case *data == "":
		return usagef("required flag(s) %q not set", flag)
	}
	return nil
}

// isText reports whether a file of data has texts.
func isText(path string) bool {
	return slices.Contains([]string{".txt", ".tsv", ".json", ".jsonl", ".conll"}, strings.ToLower(filepath.Ext(path)))
}

// isWords reports whether a file of texts may be one of labelled words.
func isWords(path string) bool {
	return isText(path) && !strings.Contains(strings.ToLower(filepath.Ext(path)), "json")
}

// textResult is what a model says of a text, in the document of run --json.
type textResult struct {
	Text      string       `json:"text"`
	Embedding []float32    `json:"embedding,omitempty"`
	Labels    []textLabel  `json:"labels,omitempty"`
	Tokens    []tokenLabel `json:"tokens,omitempty"`
}

// textLabel is a label of a text; the score is a probability.
type textLabel struct {
	Label string  `json:"label"`
	Score float64 `json:"score"`
}

// tokenLabel is the label of a token: bytes [From, To) of the text.
type tokenLabel struct {
	Token string `json:"token"`
	From  int    `json:"from"`
	To    int    `json:"to"`
	textLabel
}

// textRun gives single texts to a model, each with its own length.
type textRun struct {
	*app
	encoder *textEncoder
	session *graph.Session
	labels  []string
	sigmoid bool // labels do not exclude each other
	top     int
	told    bool
}

// runTexts runs the model at path on the texts of the command line.
func (a *app) runTexts(ctx context.Context, path string, f *runFlags) error {
	g, err := a.openToRun(ctx, path, f.source, loader.RowsOnDemand())
	if err != nil {
		return err
	}
	info, err := f.samples.complete(a, infoOf(g))
	if err != nil {
		return err
	}
	f.samples.model = path
	e, err := f.samples.openTokenizer(a, &info)
	if err != nil {
		return err
	}
	r := &textRun{app: a, encoder: e, labels: info.Labels, top: f.top}
	if m, err := loader.ReadTextModel(".", loader.FS(e.files)); err == nil {
		r.sigmoid = m.MultiLabel
		if r.labels == nil {
			r.labels = m.Labels
		}
	}
	if r.session, err = a.compile(path, g); err != nil {
		return err
	}
	defer r.session.Close()
	results := make([]textResult, len(f.texts))
	for i, t := range f.texts {
		if results[i], err = r.run(ctx, t); err != nil {
			return err
		}
		if !a.json {
			if err := r.print(results[i]); err != nil {
				return err
			}
		}
	}
	if a.json {
		return a.printJSON(results)
	}
	return nil
}

// run gives the model one text.
func (r *textRun) run(ctx context.Context, s string) (textResult, error) {
	result := textResult{Text: s}
	in, err := r.encoder.encode([]data.Text{{Text: s}})
	if err != nil {
		return result, err
	}
	g := r.session.Graph()
	inputs := make([]*tensor.Tensor, len(g.Inputs))
	for i, v := range g.Inputs {
		if inputs[i] = in.Get(v.Name); inputs[i] == nil && i < len(in) {
			inputs[i] = in[i].Tensor // a model with names of its own
		}
		if inputs[i] == nil {
			return result, usagef("--text: the model takes %d inputs, where a tokenizer gives %d", len(g.Inputs), len(in))
		}
	}
	out, err := r.session.Run(ctx, inputs...)
	if err != nil {
		return result, err
	}
	y, err := out[0].To(tensor.Float32)
	if err != nil {
		return result, err
	}
	name := g.OutputNames()[0]
	values := y.Contiguous().Float32s()
	logits := name == "logits" || r.labels != nil && y.Rank() > 0 && y.Dim(y.Rank()-1) == len(r.labels)
	switch {
	case y.Rank() == 2 && y.Dim(0) == 1 && logits:
		result.Labels = r.rank(values, max(r.top, 1))
	case y.Rank() == 2 && y.Dim(0) == 1:
		result.Embedding = values
	case y.Rank() == 3 && y.Dim(0) == 1 && y.Dim(1) == inputs[0].Dim(1) && logits:
		result.Tokens, err = r.tokens(s, values, y.Dim(2))
	case y.Rank() == 3 && y.Dim(0) == 1:
		if !r.told {
			r.say("the model gives a state for each token: what follows are their means, as sentence-transformers has it")
			r.told = true
		}
		result.Embedding = meanRows(values, y.Dim(2))
	default:
		err = usagef("--text: the first output is %v where an embedding, labels or states of tokens are needed", y)
	}
	return result, err
}

// meanRows returns the mean of rows of n values.
func meanRows(values []float32, n int) []float32 {
	sums := make([]float64, n)
	for i, v := range values {
		sums[i%n] += float64(v)
	}
	mean := make([]float32, n)
	for i, s := range sums {
		mean[i] = float32(s / float64(len(values)/n))
	}
	return mean
}

// rank returns the n likeliest labels.
func (r *textRun) rank(logits []float32, n int) []textLabel {
	scores := make([]float64, len(logits))
	sum, most := 0.0, float64(slices.Max(logits))
	for i, v := range logits {
		if r.sigmoid || len(logits) == 1 {
			scores[i] = 1 / (1 + math.Exp(-float64(v)))
			continue
		}
		scores[i] = math.Exp(float64(v) - most)
		sum += scores[i]
	}
	all := make([]textLabel, len(logits))
	for i := range logits {
		if sum > 0 {
			scores[i] /= sum
		}
		all[i] = textLabel{fmt.Sprintf("LABEL_%d", i), scores[i]}
		if i < len(r.labels) {
			all[i].Label = r.labels[i]
		}
	}
	sorting.Func(all, func(a, b textLabel) int { return cmp.Compare(b.Score, a.Score) })
	return all[:min(n, len(all))]
}

// tokens returns the likeliest label of each token of the text.
func (r *textRun) tokens(s string, logits []float32, classes int) ([]tokenLabel, error) {
	e, err := r.encoder.Encode(s)
	if err != nil {
		return nil, err
	}
	var list []tokenLabel
	for i, at := range e.Offsets {
		if e.Texts[i] < 0 {
			continue
		}
		list = append(list, tokenLabel{s[at[0]:at[1]], at[0], at[1], r.rank(logits[i*classes:][:classes], 1)[0]})
	}
	return list, nil
}

// print writes what a model says of a text: the numbers of its embedding, or its labels with their scores, a line each, or its tokens with theirs.
func (r *textRun) print(t textResult) error {
	var b strings.Builder
	for i, v := range t.Embedding {
		if i > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "%.6g", v)
	}
	for i, l := range t.Labels {
		if i > 0 {
			b.WriteString("  ")
		}
		fmt.Fprintf(&b, "%s %.4f", l.Label, l.Score)
	}
	for i, k := range t.Tokens {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%-16s %-8s %.4f", k.Token, k.Label, k.Score)
	}
	return r.printf("%s\n", b.String())
}
