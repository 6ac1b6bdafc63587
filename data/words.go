package data

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"

	"github.com/octet-ml/octet/tensor"
)

// Sentence is a text in words, each with a label.
type Sentence struct {
	Words, Labels []string
	Line          int // of its first word, from 1
}

// maxWords bounds the words of a sentence.
const maxWords = 1 << 20

// Sentences reads a file of labelled words as CoNLL has it: a word on each line, then columns between spaces or tabs of which the last is its label, and
// empty lines between sentences. Lines that begin with -DOCSTART- are passed over. What is wrong is a *tensor.FileError with the line.
func Sentences(path string) iter.Seq2[Sentence, error] {
	return func(yield func(Sentence, error) bool) {
		f, err := os.Open(path)
		if err != nil {
			yield(Sentence{}, err)
			return
		}
		defer f.Close()
		r := bufio.NewReaderSize(f, 1<<16)
		var s Sentence
		some := false
		for n := 1; ; n++ {
			line, _, err := readLine(r)
			if end := errors.Is(err, io.EOF); err == nil || end {
				err = s.add(line, n)
				if len(s.Words) > 0 && (end || strings.TrimSpace(line) == "") && err == nil {
					some = true
					if !yield(s, nil) {
						return
					}
					s = Sentence{}
				}
				if end && err == nil && !some {
					err = errors.New("it has no words")
				}
				if end && err == nil {
					return
				}
			}
			if err != nil {
				yield(s, &tensor.FileError{File: path, Record: fmt.Sprintf("line %d", n), Err: err})
				return
			}
		}
	}
}

// add takes in a line of a word.
func (s *Sentence) add(line string, n int) error {
	fields := strings.Fields(strings.TrimPrefix(line, "\ufeff"))
	switch {
	case len(fields) == 0 || fields[0] == "-DOCSTART-":
		return nil
	case len(fields) == 1:
		return fmt.Errorf("%.100q has no label: a word and a label, with a space or tab between them, are needed", fields[0])
	case len(s.Words) == maxWords:
		return fmt.Errorf("a sentence of more than %d words: empty lines divide sentences", maxWords)
	case len(s.Words) == 0:
		s.Line = n
	}
	s.Words, s.Labels = append(s.Words, fields[0]), append(s.Labels, fields[len(fields)-1])
	return nil
}
