package text

import (
	"fmt"
	"math"
	"slices"
	"unicode/utf8"
)

// unigram divides a text into the tokens that are likeliest together (Kudo, "Subword Regularization", 2018).
type unigram struct {
	vocabulary   vocabulary
	lexicon      *lexicon
	scores       []float64 // by id: logarithms of probabilities
	unknown      int32     // -1: none
	unknownScore float64
	byteFallback bool
}

// unknownPenalty is what an unknown character scores below the worst token.
const unknownPenalty = 10

func newUnigram(pieces []scored, unknown *int64, byteFallback bool) (*unigram, error) {
	m := &unigram{vocabulary: make(vocabulary, len(pieces)), unknown: -1, byteFallback: byteFallback}
	least := math.Inf(1)
	for id, p := range pieces {
		m.vocabulary[p.piece] = int32(id)
		m.scores = append(m.scores, p.score)
		least = min(least, p.score)
	}
	m.unknownScore = least - unknownPenalty
	if unknown != nil {
		if *unknown < 0 || *unknown >= int64(len(pieces)) {
			return nil, fmt.Errorf("unk_id %d is none of the %d tokens", *unknown, len(pieces))
		}
		m.unknown = int32(*unknown)
	}
	var err error
	m.lexicon, err = newLexicon(m.vocabulary)
	return m, err
}

// node is the best way to a place in a text: by the token id from another place.
type node struct {
	id    int32
	from  int
	score float64
	known bool
}

func (m *unigram) tokens(dst []token, text string) ([]token, error) {
	best := make([]node, len(text)+1)
	for at := 0; at < len(text); {
		_, size := utf8.DecodeRuneInString(text[at:])
		single := m.extend(best, text, at, size)
		if !single {
			best[at+size].improve(node{m.unknown, at, best[at].score + m.unknownScore, true})
		}
		at += size
	}
	first := len(dst)
	for to := len(text); to > 0; to = best[to].from {
		n := len(dst)
		t := token{best[to].id, best[to].from, to}
		// Unknown characters in a row are one token.
		if t.id == m.unknown && n > first && dst[n-1].id == m.unknown {
			dst[n-1].from = t.from
			continue
		}
		dst = append(dst, t)
	}
	slices.Reverse(dst[first:])
	return m.spell(dst, first, text)
}

// extend follows the tokens that begin at a place of the text, and reports whether one has just its first character.
func (m *unigram) extend(best []node, text string, at, size int) (single bool) {
	w := within{0, len(m.lexicon.words), 0}
	for to := at + 1; to <= len(text); to++ {
		if w = m.lexicon.narrow(w, text[to-1]); w.from >= w.to {
			break
		}
		if id, ok := m.lexicon.word(w); ok {
			best[to].improve(node{id, at, best[at].score + m.scores[id], true})
			single = single || to-at == size
		}
	}
	return single
}

func (n *node) improve(by node) {
	if !n.known || by.score > n.score {
		*n = by
	}
}

// spell writes unknown tokens in bytes, where the vocabulary has those, and refuses them where it has no token for them.
func (m *unigram) spell(dst []token, first int, text string) ([]token, error) {
	if !slices.ContainsFunc(dst[first:], func(t token) bool { return t.id == m.unknown }) {
		return dst, nil
	}
	out := slices.Clone(dst[:first])
	for _, t := range dst[first:] {
		if t.id != m.unknown {
			out = append(out, t)
			continue
		}
		if id, ok := m.vocabulary[text[t.from:t.to]]; ok {
			out = append(out, token{id, t.from, t.to})
			continue
		}
		if m.byteFallback {
			if ids := m.vocabulary.bytes(text[t.from:t.to]); ids != nil {
				for _, id := range ids {
					out = append(out, token{id, t.from, t.to})
				}
				continue
			}
		}
		if m.unknown < 0 {
			return nil, fmt.Errorf("text: %q is in no token, and the tokenizer has none for what it does not know", text[t.from:t.to])
		}
		out = append(out, t)
	}
	return out, nil
}
