package data

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/octet-ml/octet/tensor"
)

// Text is a sample of text.
type Text struct {
	Text string
	Pair string // of a pair of texts the second
}

// Encoder turns texts into the arrays that a model takes, samples first: the tokenizer of the model. It must be good for any number of goroutines.
type Encoder func(texts []Text) (tensor.Arrays, error)

// Texts are the lines of a file, or the values of one of JSON, which stay there.
type Texts struct {
	path    string
	file    *os.File
	json    bool
	columns *textColumns // of a tab-separated file, else nil
	offsets [][2]int64
	labels  labelColumn
}

// maxText bounds the bytes of one text.
const maxText = 16 << 20

// textDocument is a sample in a file of JSON.
type textDocument struct {
	Text  *string         `json:"text"`
	Pair  string          `json:"text_pair"`
	Label json.RawMessage `json:"label"`
}

// OpenTexts opens a file of texts, one a line, or with asJSON one of JSON: strings, or objects with text and perhaps text_pair and label, in an
// array or one after the other. A .tsv file is tab-separated, with a header that names the columns of text, of pairs of texts and of labels as the tasks
// of GLUE do. The first text that is none is a *tensor.FileError with its line; with skipBad bad ones are left out and returned.
func OpenTexts(ctx context.Context, path string, asJSON, skipBad bool) (*Texts, []*tensor.FileError, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	t := &Texts{path: path, file: f, json: asJSON}
	index := t.indexLines
	switch {
	case asJSON:
		index = t.indexJSON
	case strings.EqualFold(filepath.Ext(path), ".tsv"):
		index = t.indexTSV
	}
	bad, err := index(ctx, skipBad)
	if err == nil && t.Len() == 0 {
		err = &tensor.FileError{File: path, Reason: "it has no texts"}
	}
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return t, bad, nil
}

// Len returns the number of texts.
func (t *Texts) Len() int { return len(t.offsets) }

// Close closes the file.
func (t *Texts) Close() error { return t.file.Close() }

// Labels returns the labels of the texts, int64 or float32 [N], and what they are called where they are names: places among classes or, without those,
// among all in sorted order. It returns nil where the file has none.
func (t *Texts) Labels(classes []string) (*tensor.Tensor, []string, error) {
	if t.labels.kind == labelUnknown {
		return nil, nil, nil
	}
	y, names, err := t.labels.values(classes)
	if err != nil {
		return nil, nil, &tensor.FileError{File: t.path, Err: err}
	}
	if y.Dim(0) != t.Len() {
		return nil, nil, &tensor.FileError{File: t.path, Reason: fmt.Sprintf("%d of %d texts have labels", y.Dim(0), t.Len())}
	}
	return y, names, nil
}

// At reads a text.
func (t *Texts) At(k int) (Text, error) {
	if k < 0 || k >= t.Len() {
		return Text{}, &IndexError{k, t.Len()}
	}
	b := make([]byte, t.offsets[k][1]-t.offsets[k][0])
	if _, err := t.file.ReadAt(b, t.offsets[k][0]); err != nil {
		return Text{}, &tensor.FileError{File: t.path, Record: fmt.Sprintf("text %d", k), Reason: "it has changed", Err: err}
	}
	if !t.json && t.columns == nil {
		return Text{Text: string(b)}, nil
	}
	parse := parseText
	if t.columns != nil {
		parse = func(b []byte) (Text, string, error) { return t.columns.read(string(b)) }
	}
	text, _, err := parse(b)
	if err != nil {
		return Text{}, &tensor.FileError{File: t.path, Record: fmt.Sprintf("text %d", k), Err: err}
	}
	return text, nil
}

func (t *Texts) indexLines(ctx context.Context, _ bool) ([]*tensor.FileError, error) {
	r := bufio.NewReaderSize(t.file, 1<<16)
	for at := int64(0); ; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n, text, err := lineLength(r)
		if text > maxText {
			return nil, &tensor.FileError{File: t.path, Record: fmt.Sprintf("line %d", t.Len()+1), Reason: fmt.Sprintf("more than %d bytes", maxText)}
		}
		if n > 0 {
			t.offsets = append(t.offsets, [2]int64{at, at + text})
		}
		at += n
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// lineLength reads a line, and returns its bytes with and without its end.
func lineLength(r *bufio.Reader) (all, text int64, err error) {
	var last [2]byte
	for {
		part, err := r.ReadSlice('\n')
		for _, c := range part[max(len(part)-2, 0):] {
			last[0], last[1] = last[1], c
		}
		all += int64(len(part))
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return all, all, err
		}
		if err == nil {
			text = all - 1
			if last[0] == '\r' && all > 1 {
				text--
			}
			return all, text, nil
		}
	}
}

func (t *Texts) indexJSON(ctx context.Context, skipBad bool) (bad []*tensor.FileError, err error) {
	lines := &lineCounter{r: bufio.NewReaderSize(t.file, 1<<16)}
	d := json.NewDecoder(lines)
	first, err := firstByte(t.file)
	if err != nil {
		return nil, err
	}
	if first == '[' {
		if _, err := d.Token(); err != nil {
			return nil, t.broken(lines, d, err)
		}
	}
	for d.More() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, t.broken(lines, d, err)
		}
		to := d.InputOffset()
		_, label, err := parseText(value)
		if err == nil && label != "" {
			err = t.labels.add(label)
		}
		if err == nil {
			t.offsets = append(t.offsets, [2]int64{to - int64(len(value)), to})
			continue
		}
		wrong := t.broken(lines, d, err)
		if !skipBad {
			return nil, wrong
		}
		bad = append(bad, wrong)
	}
	if _, err := d.Token(); err != nil && !errors.Is(err, io.EOF) {
		return nil, t.broken(lines, d, err)
	}
	return bad, nil
}

// broken names the line of what was decoded last.
func (t *Texts) broken(lines *lineCounter, d *json.Decoder, err error) *tensor.FileError {
	return &tensor.FileError{File: t.path, Record: fmt.Sprintf("line %d", lines.at(d.InputOffset())), Err: err}
}

// firstByte returns the first byte of a file that is no space.
func firstByte(r io.ReaderAt) (byte, error) {
	head := make([]byte, 512)
	n, err := r.ReadAt(head, 0)
	if head = bytes.TrimSpace(head[:n]); len(head) > 0 {
		return head[0], nil
	}
	if errors.Is(err, io.EOF) {
		return 0, nil
	}
	return 0, err
}

// lineCounter knows where the last lines of what it reads begin.
type lineCounter struct {
	r      io.Reader
	read   int64
	line   int // of the first that is kept
	starts []int64
}

func (l *lineCounter) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	for i, c := range p[:n] {
		if c == '\n' {
			l.starts = append(l.starts, l.read+int64(i)+1)
		}
	}
	l.read += int64(n)
	return n, err
}

// at returns the line of an offset, counted from 1. Offsets do not fall.
func (l *lineCounter) at(offset int64) int {
	for len(l.starts) > 0 && l.starts[0] <= offset {
		l.starts, l.line = l.starts[1:], l.line+1
	}
	return l.line + 1
}

// parseText reads a value of JSON: a string or an object.
func parseText(b []byte) (Text, string, error) {
	if len(b) > maxText {
		return Text{}, "", fmt.Errorf("more than %d bytes", maxText)
	}
	var line string
	if len(b) > 0 && b[0] == '"' {
		err := json.Unmarshal(b, &line)
		return Text{Text: line}, "", err
	}
	var d textDocument
	if err := json.Unmarshal(b, &d); err != nil {
		return Text{}, "", err
	}
	if d.Text == nil {
		return Text{}, "", errors.New(`no "text": a string, or an object with text and perhaps text_pair and label, is needed`)
	}
	label := string(d.Label)
	if len(d.Label) > 0 && d.Label[0] == '"' {
		if err := json.Unmarshal(d.Label, &label); err != nil {
			return Text{}, "", err
		}
	}
	return Text{*d.Text, d.Pair}, label, nil
}

// textSource is a Source of texts, encoded.
type textSource struct {
	*Texts
	encode Encoder
	fields []Field
	labels *tensor.Tensor

	mu   sync.Mutex // of what was encoded last, which all fields are read of
	last []int
	made tensor.Arrays
}

// ErrNoEncoder says that texts need a tokenizer, which makes what a model takes of them.
var ErrNoEncoder = errors.New("texts need the tokenizer of the model")

func newTextSource(t *Texts, o *Options) (*textSource, []string, error) {
	if o.Encode == nil {
		return nil, nil, &tensor.FileError{File: t.path, Err: ErrNoEncoder}
	}
	s := &textSource{Texts: t, encode: o.Encode}
	first, err := s.arrays([]int{0})
	if err != nil {
		return nil, nil, err
	}
	for _, a := range first {
		shape := a.Tensor.Shape().Clone()
		if len(shape) > 0 {
			shape[0] = t.Len()
		}
		s.fields = append(s.fields, Field{a.Name, a.Tensor.DType(), shape})
	}
	var classes []string
	if s.labels, classes, err = t.Labels(o.Labels); err != nil {
		return nil, nil, err
	}
	if s.labels != nil {
		s.fields = append(s.fields, Field{"labels", s.labels.DType(), s.labels.Shape()})
	}
	return s, classes, nil
}

func (s *textSource) Fields() []Field  { return s.fields }
func (s *textSource) Place(int) string { return "" }

func (s *textSource) arrays(samples []int) (tensor.Arrays, error) {
	s.mu.Lock()
	last, made := s.last, s.made
	s.mu.Unlock()
	if made != nil && slices.Equal(last, samples) {
		return made, nil
	}
	texts := make([]Text, len(samples))
	for i, k := range samples {
		var err error
		if texts[i], err = s.At(k); err != nil {
			return nil, err
		}
	}
	made, err := s.encode(texts)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.last, s.made = slices.Clone(samples), made
	s.mu.Unlock()
	return made, nil
}

func (s *textSource) Read(field int, samples []int) (*tensor.Tensor, error) {
	name := s.fields[field].Name
	if name == "labels" && s.labels != nil {
		return rowsOf(s.labels, samples)
	}
	arrays, err := s.arrays(samples)
	if err != nil {
		return nil, err
	}
	t := arrays.Get(name)
	if t == nil {
		return nil, fmt.Errorf("the tokenizer gives no %q", name)
	}
	return t.Clone(), nil
}
