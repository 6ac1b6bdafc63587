package text

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/octet-ml/octet/tensor"
)

// Tokenizer turns texts into tokens. It may be used by any number of goroutines once it is set up.
type Tokenizer struct {
	normalize normalizer   // nil: none
	split     pretokenizer // nil: none
	model     model
	raw       *addedTokens // looked for in the text as it is
	normal    *addedTokens // and in what normalize makes of it
	template  template
	ids       vocabulary
	names     map[int32]string
	lower     bool // before all else

	// Limit is the most tokens of a text or pair, special ones among them; 0: no limit. Longer ones are cut short.
	Limit int
	// Pad is the id that fills up the shorter texts of a batch.
	Pad int64
	// Left cuts texts at their beginning.
	Left bool
	// Only says which of a pair is cut: 1 or 2, or 0 for the longer one.
	Only int
}

// Encoding is a text, or a pair of texts, in tokens.
type Encoding struct {
	IDs   []int64
	Types []int64 // token_type_ids: 0 for the first text, in most models 1 for the second
	// Offsets are the bytes [from, to) of its text that each token is of; 0, 0 of special tokens.
	Offsets [][2]int
	// Texts says which text each token is of: 0, 1, or -1 for special tokens that stand beside them.
	Texts []int
	// Words says which word each token is of, -1 for special tokens: of EncodeWords only.
	Words []int
	Cut   bool // there were more tokens than Limit
}

// TextError says that a text cannot be given to a model.
type TextError struct{ Reason string }

func (e *TextError) Error() string { return "text: " + e.Reason }

// ID returns the id of a token, and whether there is one.
func (t *Tokenizer) ID(token string) (int64, bool) {
	id, ok := t.ids[token]
	return int64(id), ok
}

// Token returns the token of an id, "" where there is none.
func (t *Tokenizer) Token(id int64) string {
	if id < 0 || id > maxID {
		return ""
	}
	return t.names[int32(id)]
}

// Size returns the number of ids: one more than the largest.
func (t *Tokenizer) Size() int64 {
	most := int64(-1)
	for id := range t.names {
		most = max(most, int64(id))
	}
	return most + 1
}

// Encode turns a text into tokens, with special ones around it. Bytes that are not UTF-8 count as U+FFFD each.
func (t *Tokenizer) Encode(text string) (*Encoding, error) { return t.encode(text) }

// EncodePair turns a pair of texts into tokens, as for a question and a passage.
func (t *Tokenizer) EncodePair(first, second string) (*Encoding, error) {
	return t.encode(first, second)
}

// EncodeWords turns a text that is divided into words already into tokens, as Hugging Face does with is_split_into_words: each word for itself. Offsets
// are bytes of the word.
func (t *Tokenizer) EncodeWords(words []string) (*Encoding, error) {
	var all []located
	for i, w := range words {
		pieces, err := t.pieces(w)
		if err != nil {
			return nil, err
		}
		for _, p := range pieces {
			p.word = int32(i)
			all = append(all, p)
		}
		if t.Limit > 0 && len(all) > t.Limit && !t.Left {
			break
		}
	}
	e, err := t.assemble([][]located{all})
	if err != nil {
		return nil, err
	}
	kept := all
	if n := len(e.IDs) - t.template.special(false); n < len(all) {
		if kept = all[:n]; t.Left {
			kept = all[len(all)-n:]
		}
	}
	e.Words = make([]int, len(e.IDs))
	for i, from := range e.Texts {
		if e.Words[i] = -1; from == 0 {
			e.Words[i], kept = int(kept[0].word), kept[1:]
		}
	}
	return e, nil
}

func (t *Tokenizer) encode(texts ...string) (*Encoding, error) {
	pieces := make([][]located, len(texts))
	for i, text := range texts {
		var err error
		if pieces[i], err = t.pieces(text); err != nil {
			return nil, err
		}
	}
	return t.assemble(pieces)
}

// assemble puts the tokens of a text or a pair together with special ones, and cuts them to Limit.
func (t *Tokenizer) assemble(pieces [][]located) (*Encoding, error) {
	items := t.template.single
	if len(pieces) == 2 {
		items = t.template.pair
	}
	limit := math.MaxInt
	if t.Limit > 0 {
		limit = t.Limit - t.template.special(len(pieces) == 2)
		if limit < 0 {
			return nil, &TextError{fmt.Sprintf("a limit of %d tokens has no room for those that are always there", t.Limit)}
		}
	}
	e := &Encoding{Cut: t.cut(pieces, limit)}
	n := len(items)
	for _, p := range pieces {
		n += len(p)
	}
	e.IDs, e.Types, e.Offsets, e.Texts = make([]int64, 0, n), make([]int64, 0, n), make([][2]int, 0, n), make([]int, 0, n)
	for _, it := range items {
		if it.text < 0 {
			e.add(it, it.id, span{})
			continue
		}
		for _, p := range pieces[it.text] {
			e.add(it, int64(p.id), p.span)
		}
	}
	return e, nil
}

func (e *Encoding) add(it item, id int64, s span) {
	e.IDs = append(e.IDs, id)
	e.Types = append(e.Types, it.kind)
	e.Offsets = append(e.Offsets, [2]int{int(s.from), int(s.to)})
	e.Texts = append(e.Texts, it.text)
}

// located is a token with the bytes of the text it is of.
type located struct {
	id   int32
	word int32 // number of what the model was given
	span
}

// pieces returns the tokens of a text. One more than Limit are enough to know that it is too long.
func (t *Tokenizer) pieces(text string) ([]located, error) {
	if len(text) > math.MaxInt32/8 {
		return nil, &TextError{fmt.Sprintf("%d bytes are more than %d", len(text), math.MaxInt32/8)}
	}
	var out []located
	var err error
	var tokens []token
	words := int32(0)
	enough := func() bool { return t.Limit > 0 && len(out) > t.Limit && !t.Left }
	known := func(p part, id int32) bool {
		out = append(out, located{id, words, t.trim(text, p.text, p.source(0, len(p.text)), len(out) == 0)})
		words++
		return !enough()
	}
	word := func(p part) bool {
		if p.text == "" {
			return true
		}
		if tokens, err = t.model.tokens(tokens[:0], p.text); err != nil {
			return false
		}
		for _, k := range tokens {
			out = append(out, located{k.id, words, t.trim(text, t.names[k.id], p.source(k.from, k.to), len(out) == 0)})
		}
		words++
		return !enough()
	}
	whole := valid(text)
	if t.lower {
		whole = lowercase(whole)
	}
	t.raw.split(whole, known, func(p part) bool {
		if t.normalize != nil {
			p = t.normalize(p)
		}
		return t.normal.split(p, known, func(p part) bool {
			if t.split == nil {
				return word(p)
			}
			return t.split(p, word)
		})
	})
	return out, err
}

// trim takes the spaces of a byte-level token, as many as its name has, off the bytes of the text that it is of.
func (t *Tokenizer) trim(text, name string, s span, first bool) span {
	if !t.template.trim {
		return s
	}
	isBlank := func(r rune) bool { return r == byteRunes[' '] || isSpace(r) }
	rest := strings.TrimLeftFunc(name, isBlank)
	lead := utf8.RuneCountInString(name) - utf8.RuneCountInString(rest)
	trail := utf8.RuneCountInString(name[len(strings.TrimRightFunc(name, isBlank)):])
	if lead > 0 && t.template.prefix && (first || s.from == 0) {
		lead-- // that was put in front
	}
	for ; lead > 0 && s.from < s.to; lead-- {
		_, n := utf8.DecodeRuneInString(text[s.from:s.to])
		s.from += int32(n)
	}
	for ; trail > 0 && s.from < s.to; trail-- {
		_, n := utf8.DecodeLastRuneInString(text[s.from:s.to])
		s.to -= int32(n)
	}
	return s
}

// cut shortens texts to so many tokens together, and reports whether it did.
func (t *Tokenizer) cut(pieces [][]located, limit int) bool {
	total := 0
	for _, p := range pieces {
		total += len(p)
	}
	if total <= limit {
		return false
	}
	keep := []int{limit, limit}
	if len(pieces) == 2 {
		a, b := t.seen(pieces[0]), t.seen(pieces[1])
		switch t.Only {
		case 1:
			keep = []int{max(limit-b, 0), b}
		case 2:
			keep = []int{a, max(limit-a, 0)}
		default:
			keep = share(a, b, limit)
		}
	}
	for i, p := range pieces {
		k := min(keep[i], len(p))
		if t.Left {
			pieces[i] = p[len(p)-k:]
		} else {
			pieces[i] = p[:k]
		}
	}
	return true
}

// seen returns how many tokens of a text Hugging Face compares with those of the other: to the end of the word with which they reach Limit.
func (t *Tokenizer) seen(list []located) int {
	limit := t.Limit
	if len(list) <= limit || limit <= 0 {
		return len(list)
	}
	n := limit
	if t.Left {
		for n < len(list) && list[len(list)-n-1].word == list[len(list)-limit].word {
			n++
		}
		return n
	}
	for n < len(list) && list[n].word == list[limit-1].word {
		n++
	}
	return n
}

// share divides limit tokens between texts of a and b, as longest_first of Hugging Face does.
func share(a, b, limit int) []int {
	short := min(a, b)
	long := max(short, limit-short)
	if short+long > limit {
		short, long = limit/2, limit/2+limit%2
	}
	if a > b {
		return []int{long, short}
	}
	return []int{short, long}
}

// Batch turns texts, or pairs where the second is not empty, into the inputs of a model: input_ids, attention_mask and
// token_type_ids, int64 [len(texts), S], where S is the length of the longest. It also returns how many were cut short.
func (t *Tokenizer) Batch(texts [][2]string) (inputs tensor.Arrays, cut int, err error) {
	all := make([]*Encoding, len(texts))
	for i, pair := range texts {
		if pair[1] == "" {
			all[i], err = t.Encode(pair[0])
		} else {
			all[i], err = t.EncodePair(pair[0], pair[1])
		}
		if err != nil {
			return nil, cut, err
		}
		if all[i].Cut {
			cut++
		}
	}
	inputs, err = t.Inputs(all)
	return inputs, cut, err
}

// Inputs makes the inputs of a model of encodings, as Batch does.
func (t *Tokenizer) Inputs(all []*Encoding) (inputs tensor.Arrays, err error) {
	length := 1
	for _, e := range all {
		length = max(length, len(e.IDs))
	}
	for _, name := range []string{"input_ids", "attention_mask", "token_type_ids"} {
		x, err := tensor.New(tensor.Int64, len(all), length)
		if err != nil {
			return nil, err
		}
		for i, e := range all {
			fill(x.Int64s()[i*length:][:length], name, e, t.Pad)
		}
		inputs = append(inputs, tensor.Named{Name: name, Tensor: x})
	}
	return inputs, nil
}

// fill writes a row of an input.
func fill(row []int64, name string, e *Encoding, pad int64) {
	for i := range row {
		switch {
		case i >= len(e.IDs):
			if name == "input_ids" {
				row[i] = pad
			}
		case name == "input_ids":
			row[i] = e.IDs[i]
		case name == "attention_mask":
			row[i] = 1
		default:
			row[i] = e.Types[i]
		}
	}
}
