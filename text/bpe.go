package text

import (
	"container/heap"
	"fmt"
	"strings"
	"unicode/utf8"
)

// bpe merges the characters of a word pair by pair, in the order that training found the pairs (Sennrich et al., "Neural
// Machine Translation of Rare Words with Subword Units", 2016).
type bpe struct {
	vocabulary     vocabulary
	merges         map[[2]int32]merge
	prefix, suffix string // of characters that go on, and of those that end a word
	unknown        int32  // -1: none
	fuseUnknown    bool   // one for characters in a row
	byteFallback   bool   // bytes for characters that are in no vocabulary
	whole          bool   // words that are tokens are not merged
}

// merge says what a pair becomes, and when.
type merge struct{ rank, id int32 }

func newBPE(v vocabulary, c *component) (*bpe, error) {
	if c.Dropout != nil && *c.Dropout > 0 {
		return nil, &UnsupportedError{"BPE with dropout", fmt.Sprint(*c.Dropout)}
	}
	m := &bpe{
		vocabulary: v, merges: make(map[[2]int32]merge, len(c.Merges)), prefix: c.Prefix, suffix: c.Suffix, unknown: -1,
		fuseUnknown: c.FuseUnknown, byteFallback: c.ByteFallback, whole: c.IgnoreMerges,
	}
	if c.UnknownToken != "" {
		id, ok := v[c.UnknownToken]
		if !ok {
			return nil, fmt.Errorf("unk_token %q is not in the vocabulary", c.UnknownToken)
		}
		m.unknown = id
	}
	for rank, p := range c.Merges {
		a, okA := v[p[0]]
		b, okB := v[p[1]]
		both, okBoth := v[p[0]+strings.TrimPrefix(p[1], m.prefix)]
		if !okA || !okB || !okBoth {
			return nil, fmt.Errorf("merge %d: %q and %q, or both together, are not in the vocabulary", rank, p[0], p[1])
		}
		m.merges[[2]int32{a, b}] = merge{int32(rank), both}
	}
	return m, nil
}

// symbol is a piece of a word in the making.
type symbol struct {
	token
	before, after int // -1: none
}

func (m *bpe) tokens(dst []token, text string) ([]token, error) {
	if text == "" {
		return dst, nil
	}
	if id, ok := m.vocabulary[text]; ok && m.whole {
		return append(dst, token{id, 0, len(text)}), nil
	}
	symbols := m.symbols(text)
	m.merge(symbols)
	for i := range symbols {
		if s := symbols[i]; s.from < s.to {
			dst = append(dst, s.token)
		}
	}
	return dst, nil
}

// symbols returns the characters of a word.
func (m *bpe) symbols(text string) []symbol {
	var out []symbol
	add := func(id int32, from, to int) {
		if n := len(out); n > 0 {
			out[n-1].after = n
		}
		out = append(out, symbol{token{id, from, to}, len(out) - 1, -1})
	}
	wasUnknown := false
	for i, r := range text {
		to := i + utf8.RuneLen(r)
		s := text[i:to]
		if i > 0 {
			s = m.prefix + s
		}
		if to == len(text) {
			s += m.suffix
		}
		if id, ok := m.vocabulary[s]; ok {
			add(id, i, to)
			wasUnknown = false
			continue
		}
		if m.byteFallback {
			if ids := m.vocabulary.bytes(s); ids != nil {
				for k, id := range ids {
					add(id, min(i+k, to-1), min(i+k+1, to))
				}
				continue
			}
		}
		switch {
		case m.unknown < 0:
		case wasUnknown && m.fuseUnknown:
			out[len(out)-1].to = to
		default:
			add(m.unknown, i, to)
			wasUnknown = true
		}
	}
	return out
}

// pending is a pair that may be merged: the symbol at a place and the next.
type pending struct {
	at int
	merge
}

type pendingHeap []pending

func (h pendingHeap) Len() int      { return len(h) }
func (h pendingHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h pendingHeap) Less(i, j int) bool {
	return h[i].rank < h[j].rank || h[i].rank == h[j].rank && h[i].at < h[j].at
}
func (h *pendingHeap) Push(x any) { *h = append(*h, x.(pending)) }
func (h *pendingHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

// merge merges pairs until there is none, the first found in training first. What was merged into the symbol before it becomes empty.
func (m *bpe) merge(s []symbol) {
	var queue pendingHeap
	look := func(at int) {
		if at >= 0 && s[at].after >= 0 {
			if to, ok := m.merges[[2]int32{s[at].id, s[s[at].after].id}]; ok {
				heap.Push(&queue, pending{at, to})
			}
		}
	}
	for i := range s {
		look(i)
	}
	for len(queue) > 0 {
		p := heap.Pop(&queue).(pending)
		left := &s[p.at]
		if left.from == left.to || left.after < 0 {
			continue
		}
		right := &s[left.after]
		// The pair may have gone meanwhile.
		if to, ok := m.merges[[2]int32{left.id, right.id}]; !ok || to.id != p.id {
			continue
		}
		left.id, left.to, left.after = p.id, right.to, right.after
		right.to = right.from
		if left.after >= 0 {
			s[left.after].before = p.at
		}
		look(left.before)
		look(p.at)
	}
}
