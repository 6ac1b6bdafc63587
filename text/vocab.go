package text

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// VocabularyOptions say how the texts of a vocab.txt are split, as the tokenizer_config.json of a BertTokenizer does.
type VocabularyOptions struct {
	KeepCase     bool  // do_lower_case is false
	KeepChinese  bool  // tokenize_chinese_chars is false
	StripAccents *bool // nil: unless KeepCase
	// Spaces makes words of what stands between white space, punctuation and all: do_basic_tokenize is false.
	Spaces bool
	// Guess sets Spaces where the vocabulary has tokens such as 's or n't, which are never found once
	// punctuation is a word of its own.
	Guess bool
	// MPNet has <s> and </s> around texts, and two </s> between.
	Specials [2]string // around texts; empty: [CLS] and [SEP]
	Double   bool      // two of the latter between texts
}

// ParseVocabulary reads a vocab.txt: a token of WordPiece in each line, whose number, from zero, is its id.
func ParseVocabulary(b []byte, o VocabularyOptions) (*Tokenizer, error) {
	ids := make(vocabulary)
	lines := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	for id, line := range lines {
		token := strings.TrimSuffix(line, "\r")
		ids[token] = int32(id)
		o.Spaces = o.Spaces || o.Guess && isMixed(token)
	}
	t := &Tokenizer{ids: ids, template: defaultTemplate()}
	var err error
	if t.model, err = newWordPiece(ids, "[UNK]", "##", 100); err != nil {
		return nil, err
	}
	strip := !o.KeepCase
	if o.StripAccents != nil {
		strip = *o.StripAccents
	}
	t.normalize = bertNormalizer(true, !o.KeepChinese, strip, !o.KeepCase)
	t.split, err = newPretokenizer(&component{Type: "BertPreTokenizer"})
	if o.Spaces {
		if t.normalize = nil; !o.KeepCase {
			t.normalize = lowercase
		}
		t.split = splitBy(findRunes(isSpace), removed)
	}
	if o.Specials[0] == "" {
		o.Specials = [2]string{"[CLS]", "[SEP]"}
	}
	cls, okCls := ids[o.Specials[0]]
	sep, okSep := ids[o.Specials[1]]
	if !okCls || !okSep {
		return nil, errors.Join(err, fmt.Errorf("the vocabulary has no %s or no %s", o.Specials[0], o.Specials[1]))
	}
	kind := "BertProcessing"
	if o.Double {
		kind = "RobertaProcessing"
	}
	err = errors.Join(err, t.template.add(&component{Type: kind, Cls: namedID{ID: int64(cls)}, Sep: namedID{ID: int64(sep)}}))
	t.template.trim = false
	var added []addedToken
	for _, name := range []string{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "<s>", "</s>", "<pad>", "<mask>"} {
		if id, ok := ids[name]; ok {
			added = append(added, addedToken{ID: int64(id), Content: name, Special: true})
		}
	}
	err = errors.Join(err, t.addTokens(added))
	t.setPad()
	return t, err
}

// isMixed reports whether a token has both punctuation and letters, as 's does; [CLS] and its like do not count.
func isMixed(token string) bool {
	if strings.HasPrefix(token, "[") && strings.HasSuffix(token, "]") {
		return false
	}
	token = strings.TrimPrefix(token, "##")
	return strings.ContainsFunc(token, isPunctuation) && strings.ContainsFunc(token, unicode.IsLetter)
}
