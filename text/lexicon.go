package text

import (
	"fmt"
	"slices"
	"sort"
	"strings"
)

// lexicon is a sorted list of words, to find those that a text begins with.
type lexicon struct {
	words []string
	ids   []int32
	first [257]int32 // where those of each first byte begin
}

// longestWord bounds the bytes of a word, so that no file makes finding one slow.
const longestWord = 1 << 12

func newLexicon(words map[string]int32) (*lexicon, error) {
	l := &lexicon{words: make([]string, 0, len(words)), ids: make([]int32, len(words))}
	for w := range words {
		if len(w) > longestWord {
			return nil, fmt.Errorf("a token of %d bytes, of which %d are the most", len(w), longestWord)
		}
		l.words = append(l.words, w)
	}
	slices.Sort(l.words)
	for i, w := range l.words {
		l.ids[i] = words[w]
	}
	for b := range l.first {
		l.first[b] = int32(len(l.words))
		if b < 256 {
			l.first[b] = int32(sort.SearchStrings(l.words, string([]byte{byte(b)})))
		}
	}
	return l, nil
}

// within are the words that begin with the same bytes.
type within struct{ from, to, length int }

// under returns the words that begin with s.
func (l *lexicon) under(s string) within {
	w := within{0, len(l.words), 0}
	for i := 0; i < len(s) && w.from < w.to; i++ {
		w = l.narrow(w, s[i])
	}
	return w
}

// narrow returns the words of w that go on with b.
func (l *lexicon) narrow(w within, b byte) within {
	if w.length == 0 {
		return within{int(l.first[b]), int(l.first[int(b)+1]), 1}
	}
	words, at := l.words[w.from:w.to], w.length
	from := sort.Search(len(words), func(i int) bool { return len(words[i]) > at && words[i][at] >= b })
	n := sort.Search(len(words)-from, func(i int) bool { return words[from+i][at] > b })
	return within{w.from + from, w.from + from + n, at + 1}
}

// word returns the id of the word that is just the bytes that those of w begin with.
func (l *lexicon) word(w within) (int32, bool) {
	if w.from < w.to && len(l.words[w.from]) == w.length {
		return l.ids[w.from], true
	}
	return 0, false
}

// longest returns the longest word that goes on from w with bytes of s, and how many those are.
func (l *lexicon) longest(w within, s string) (n int, id int32, ok bool) {
	for i := 0; i < len(s) && w.from < w.to; i++ {
		w = l.narrow(w, s[i])
		if found, is := l.word(w); is {
			n, id, ok = i+1, found, true
		}
	}
	return n, id, ok
}

// anyIn reports whether a text has the first byte of a word.
func (l *lexicon) anyIn(s string) bool {
	for b := range 256 {
		if l.first[b] < l.first[b+1] && strings.IndexByte(s, byte(b)) >= 0 {
			return true
		}
	}
	return false
}
