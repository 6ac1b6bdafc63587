package text

import (
	"strings"
	"unicode/utf8"
)

// addedToken is a token that is found in the text itself, before the model is asked.
type addedToken struct {
	ID         int64  `json:"id"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"`
	LStrip     bool   `json:"lstrip"`
	RStrip     bool   `json:"rstrip"`
	Normalized bool   `json:"normalized"`
	Special    bool   `json:"special"`
}

// addedTokens finds some of them.
type addedTokens struct {
	lexicon *lexicon
	list    []addedToken // by the ids of lexicon
}

// newAddedTokens takes the tokens that are looked for in the text as it is, or in what normalize makes of it.
func newAddedTokens(all []addedToken, normalized bool, normalize normalizer) (*addedTokens, error) {
	a := &addedTokens{}
	words := make(map[string]int32)
	for _, t := range all {
		if t.Normalized != normalized {
			continue
		}
		content := t.Content
		if normalized && normalize != nil {
			content = normalize(part{text: content}).text
		}
		if content != "" {
			words[content] = int32(len(a.list))
			a.list = append(a.list, t)
		}
	}
	if len(words) == 0 {
		return nil, nil
	}
	var err error
	a.lexicon, err = newLexicon(words)
	return a, err
}

// split calls token with each added token, longest first, and rest with what lies between, until one returns false.
func (a *addedTokens) split(p part, token func(p part, id int32) bool, rest func(part) bool) bool {
	if a == nil || !a.lexicon.anyIn(p.text) {
		return p.text == "" || rest(p.slice(0, len(p.text)))
	}
	last := 0
	for at := 0; at < len(p.text); {
		n, k, ok := a.lexicon.longest(within{0, len(a.lexicon.words), 0}, p.text[at:])
		if !ok {
			_, size := utf8.DecodeRuneInString(p.text[at:])
			at += size
			continue
		}
		t, from, to := a.list[k], at, at+n
		at = to
		if t.SingleWord && (endsInWord(p.text[:from]) || beginsWithWord(p.text[to:])) {
			continue
		}
		if t.LStrip {
			from = len(strings.TrimRightFunc(p.text[:from], isSpace))
		}
		from = max(from, last)
		if t.RStrip {
			to = len(p.text) - len(strings.TrimLeftFunc(p.text[to:], isSpace))
		}
		if to <= last {
			continue // within the spaces of the one before
		}
		if from > last && !rest(p.slice(last, from)) || !token(p.slice(from, to), int32(t.ID)) {
			return false
		}
		last = to
	}
	return last >= len(p.text) || rest(p.slice(last, len(p.text)))
}

func endsInWord(s string) bool {
	r, n := utf8.DecodeLastRuneInString(s)
	return n > 0 && isWord(r)
}

func beginsWithWord(s string) bool {
	r, n := utf8.DecodeRuneInString(s)
	return n > 0 && isWord(r)
}
