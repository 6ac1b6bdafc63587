package text

import (
	"fmt"
	"unicode/utf8"
)

// token is a piece of a part: bytes [from, to) of it.
type token struct {
	id       int32
	from, to int
}

// model turns parts into tokens.
type model interface {
	// tokens appends those of a part.
	tokens(dst []token, text string) ([]token, error)
}

// Model returns what tokenizer.json calls the model that makes tokens of words: "WordPiece", "BPE", "Unigram" or "WordLevel".
func (t *Tokenizer) Model() string {
	switch t.model.(type) {
	case *wordPiece:
		return "WordPiece"
	case *unigram:
		return "Unigram"
	case *wordLevel:
		return "WordLevel"
	}
	return "BPE"
}

// vocabulary has the ids of tokens.
type vocabulary map[string]int32

// maxID bounds ids.
const maxID = 1<<31 - 1

func newVocabulary(ids map[string]int64) (vocabulary, error) {
	v := make(vocabulary, len(ids))
	for t, id := range ids {
		if id < 0 || id > maxID {
			return nil, fmt.Errorf("the id %d of %q is outside 0 to %d", id, t, maxID)
		}
		v[t] = int32(id)
	}
	return v, nil
}

// bytes returns the ids of the tokens <0x00> to <0xFF> that spell a text, nil unless all are there.
func (v vocabulary) bytes(text string) []int32 {
	ids := make([]int32, len(text))
	for i := range len(text) {
		id, ok := v[fmt.Sprintf("<0x%02X>", text[i])]
		if !ok {
			return nil
		}
		ids[i] = id
	}
	return ids
}

// wordPiece divides a word into the longest tokens there are, from its beginning (Wu et al., "Google's Neural Machine
// Translation System", 2016).
type wordPiece struct {
	lexicon *lexicon
	inner   within // tokens that go on a word
	unknown int32
	longest int // characters from which on a word is unknown
}

func newWordPiece(v vocabulary, unknown, prefix string, longest int) (*wordPiece, error) {
	id, ok := v[unknown]
	if !ok {
		return nil, fmt.Errorf("the vocabulary has no token %q for what it does not know", unknown)
	}
	l, err := newLexicon(v)
	if err != nil {
		return nil, err
	}
	return &wordPiece{l, l.under(prefix), id, longest}, nil
}

func (m *wordPiece) tokens(dst []token, text string) ([]token, error) {
	first := len(dst)
	if utf8.RuneCountInString(text) > m.longest {
		return append(dst, token{m.unknown, 0, len(text)}), nil
	}
	w := within{0, len(m.lexicon.words), 0}
	for at := 0; at < len(text); w = m.inner {
		n, id, ok := m.lexicon.longest(w, text[at:])
		if !ok {
			return append(dst[:first], token{m.unknown, 0, len(text)}), nil
		}
		dst = append(dst, token{id, at, at + n})
		at += n
	}
	return dst, nil
}

// wordLevel takes whole words.
type wordLevel struct {
	vocabulary vocabulary
	unknown    string
}

func (m *wordLevel) tokens(dst []token, text string) ([]token, error) {
	id, ok := m.vocabulary[text]
	if !ok {
		if id, ok = m.vocabulary[m.unknown]; !ok {
			return nil, fmt.Errorf("text: %q is in no vocabulary, nor the token %q for what is not", text, m.unknown)
		}
	}
	return append(dst, token{id, 0, len(text)}), nil
}
