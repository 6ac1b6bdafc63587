package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Tokenizer splits English text as Hugging Face's BertTokenizer with do_lower_case
// does: into words, and words into the longest pieces of the vocabulary (Wu
// et al., "Google's Neural Machine Translation System", 2016).
type Tokenizer struct {
	ids                map[string]int64
	cls, sep, pad, unk int64
	// spaces is set where words are what stands between spaces, accents and all,
	// as with do_basic_tokenize=False. A vocabulary with pieces as 's or n't was
	// made so: they are never found once punctuation is a word of its own, as it
	// is in the vocabularies of Google.
	spaces bool
}

// NewTokenizer reads a vocab.txt: a piece in each line, whose number, from zero,
// is its id. Pieces that go on a word begin with ##.
func NewTokenizer(vocab io.Reader) (*Tokenizer, error) {
	t := &Tokenizer{ids: make(map[string]int64)}
	lines := bufio.NewScanner(vocab)
	for id := int64(0); lines.Scan(); id++ {
		piece := strings.TrimSpace(lines.Text())
		t.ids[piece] = id
		t.spaces = t.spaces || isMixed(piece)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	for name, id := range map[string]*int64{"[CLS]": &t.cls, "[SEP]": &t.sep, "[PAD]": &t.pad, "[UNK]": &t.unk} {
		var ok bool
		if *id, ok = t.ids[name]; !ok {
			return nil, fmt.Errorf("the vocabulary has no %s", name)
		}
	}
	return t, nil
}

// Encoded is what BERT takes for one text or a pair of texts.
type Encoded struct {
	InputIDs, AttentionMask, TokenTypeIDs []int64
}

// Encode turns a text, or a pair when second is not empty, into exactly length
// ids: [CLS] text [SEP] second [SEP], the longer of the two cut where it does
// not fit, and padding.
func (t *Tokenizer) Encode(text, second string, length int) Encoded {
	parts := [][]int64{t.pieces(text)}
	if second != "" {
		parts = append(parts, t.pieces(second))
	}
	room := max(length-1-len(parts), 0)
	for {
		total, longest := 0, 0
		for i, p := range parts {
			total += len(p)
			if len(p) > len(parts[longest]) {
				longest = i
			}
		}
		if total <= room {
			break
		}
		p := &parts[longest]
		*p = (*p)[:len(*p)-1]
	}
	e := Encoded{make([]int64, length), make([]int64, length), make([]int64, length)}
	at := 0
	put := func(id, kind int64) {
		if at < length {
			e.InputIDs[at], e.AttentionMask[at], e.TokenTypeIDs[at] = id, 1, kind
			at++
		}
	}
	put(t.cls, 0)
	for kind, p := range parts {
		for _, id := range p {
			put(id, int64(kind))
		}
		put(t.sep, int64(kind))
	}
	for ; at < length; at++ {
		e.InputIDs[at] = t.pad
	}
	return e
}

// pieces returns the ids of a text.
func (t *Tokenizer) pieces(text string) []int64 {
	var ids []int64
	for _, word := range t.words(text) {
		ids = t.appendWord(ids, word)
	}
	return ids
}

// longestWord is the number of characters from which on a word is unknown.
const longestWord = 100

// appendWord appends the pieces of a word, or [UNK] where it has none.
func (t *Tokenizer) appendWord(ids []int64, word string) []int64 {
	if utf8.RuneCountInString(word) > longestWord {
		return append(ids, t.unk)
	}
	first := len(ids)
	for start := 0; start < len(word); {
		end := len(word)
		for ; end > start; end-- {
			piece := word[start:end]
			if start > 0 {
				piece = "##" + piece
			}
			if id, ok := t.ids[piece]; ok {
				ids = append(ids, id)
				break
			}
		}
		if end == start {
			return append(ids[:first], t.unk)
		}
		start = end
	}
	return ids
}

// words splits a text, in lower case and without accents, at white space and
// around each punctuation mark and Chinese character.
func (t *Tokenizer) words(text string) []string {
	text = strings.ToLower(text)
	if t.spaces {
		return strings.Fields(text)
	}
	var out []string
	var word strings.Builder
	flush := func() {
		if word.Len() > 0 {
			out = append(out, word.String())
			word.Reset()
		}
	}
	for _, r := range norm.NFD.String(text) {
		switch {
		case r == 0 || r == utf8.RuneError || unicode.Is(unicode.Mn, r):
		case unicode.IsSpace(r):
			flush()
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r):
		case isPunctuation(r) || unicode.Is(unicode.Han, r):
			flush()
			out = append(out, string(r))
		default:
			word.WriteRune(r)
		}
	}
	flush()
	return out
}

// isPunctuation reports whether r is punctuation to BERT, which counts all signs
// of ASCII among it.
func isPunctuation(r rune) bool {
	return r < 128 && (unicode.IsPunct(r) || unicode.IsSymbol(r)) || unicode.IsPunct(r)
}

// isMixed reports whether a piece has both punctuation and letters, as 's does;
// [CLS] and its like do not count.
func isMixed(piece string) bool {
	if strings.HasPrefix(piece, "[") && strings.HasSuffix(piece, "]") {
		return false
	}
	piece = strings.TrimPrefix(piece, "##")
	return strings.ContainsFunc(piece, isPunctuation) && strings.ContainsFunc(piece, unicode.IsLetter)
}
