package data

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/octet-ml/octet/tensor"
)

// textColumns says in which columns of a tab-separated file the texts and the label are, as the tasks of GLUE have them; -1: in none.
type textColumns struct{ text, pair, label int }

// The names of the columns, in small letters.
var (
	textNames  = []string{"text", "content", "sentence", "sentence1", "#1 string", "premise", "question1", "question"}
	pairNames  = []string{"text_pair", "sentence2", "#2 string", "hypothesis", "question2"}
	labelNames = []string{"label", "quality", "gold_label", "is_duplicate"}
)

func findTextColumns(header string) (*textColumns, error) {
	fields := strings.Split(strings.ToLower(strings.TrimPrefix(header, "\ufeff")), "\t")
	find := func(names []string) int {
		return slices.IndexFunc(fields, func(f string) bool { return slices.Contains(names, strings.TrimSpace(f)) })
	}
	c := &textColumns{find(textNames), find(pairNames), find(labelNames)}
	if c.text < 0 {
		return nil, fmt.Errorf("the first line must name the columns, one of them as one of %q", textNames)
	}
	return c, nil
}

// read returns the texts and the label of a line, "" without one.
func (c *textColumns) read(line string) (Text, string, error) {
	fields := strings.Split(line, "\t")
	if most := max(c.text, c.pair, c.label); len(fields) <= most {
		return Text{}, "", fmt.Errorf("%d columns where column %d is needed", len(fields), most+1)
	}
	t := Text{Text: fields[c.text]}
	if c.pair >= 0 {
		t.Pair = fields[c.pair]
	}
	if c.label < 0 {
		return t, "", nil
	}
	return t, strings.TrimSpace(fields[c.label]), nil
}

// indexTSV finds the lines of a tab-separated file, and their labels.
func (t *Texts) indexTSV(ctx context.Context, skipBad bool) (bad []*tensor.FileError, err error) {
	r := bufio.NewReaderSize(t.file, 1<<16)
	at := int64(0)
	for n := 1; ; n++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		line, size, err := readLine(r)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, &tensor.FileError{File: t.path, Record: fmt.Sprintf("line %d", n), Err: err}
		}
		end := err != nil
		if line != "" || size > 0 {
			if wrong := t.addLine(line, at); wrong != nil {
				e := &tensor.FileError{File: t.path, Record: fmt.Sprintf("line %d", n), Err: wrong}
				if !skipBad || t.columns == nil {
					return nil, e
				}
				bad = append(bad, e)
			}
		}
		if at += size; end {
			return bad, nil
		}
	}
}

// addLine takes in a line of a tab-separated file, which begins at an offset.
func (t *Texts) addLine(line string, at int64) (err error) {
	if t.columns == nil {
		t.columns, err = findTextColumns(line)
		return err
	}
	_, label, err := t.columns.read(line)
	if err == nil && t.columns.label >= 0 {
		err = t.labels.add(label)
	}
	if err == nil {
		t.offsets = append(t.offsets, [2]int64{at, at + int64(len(line))})
	}
	return err
}

// readLine reads a line of at most maxText bytes, and returns it without its end, and its bytes with it.
func readLine(r *bufio.Reader) (line string, size int64, err error) {
	var b []byte
	for {
		part, err := r.ReadSlice('\n')
		size += int64(len(part))
		if len(b)+len(part) > maxText {
			return "", size, fmt.Errorf("more than %d bytes", maxText)
		}
		b = append(b, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r"), size, err
		}
	}
}
