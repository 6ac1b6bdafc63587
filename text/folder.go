package text

import (
	"encoding/json"
	"errors"
	"io/fs"
	"strings"

	"github.com/octet-ml/octet/internal/rawfile"
	"github.com/octet-ml/octet/tensor"
)

// tokenizerConfig is a tokenizer_config.json.
type tokenizerConfig struct {
	LowerCase    *bool    `json:"do_lower_case"`
	Basic        *bool    `json:"do_basic_tokenize"`
	Chinese      *bool    `json:"tokenize_chinese_chars"`
	StripAccents *bool    `json:"strip_accents"`
	Class        string   `json:"tokenizer_class"`
	MaxLength    *float64 `json:"model_max_length"`
	Side         string   `json:"truncation_side"`
}

// sentenceConfig is a sentence_bert_config.json.
type sentenceConfig struct {
	MaxLength *float64 `json:"max_seq_length"`
	Lower     bool     `json:"do_lower_case"` // before anything else
}

// modelConfig is what a config.json says of texts.
type modelConfig struct {
	Type      string   `json:"model_type"`
	Positions *float64 `json:"max_position_embeddings"`
	Pad       *int64   `json:"pad_token_id"`
}

// openFolder reads the tokenizer of a folder of Hugging Face.
func openFolder(fsys fs.FS, dir string) (*Tokenizer, error) {
	var own tokenizerConfig
	var sentence sentenceConfig
	var model modelConfig
	configured, err := readJSON(fsys, rawfile.Join(fsys, dir, "tokenizer_config.json"), &own)
	if err == nil {
		_, err = readJSON(fsys, rawfile.Join(fsys, dir, "sentence_bert_config.json"), &sentence)
	}
	if err == nil {
		_, err = readJSON(fsys, rawfile.Join(fsys, dir, "config.json"), &model)
	}
	if err != nil {
		return nil, err
	}
	t, err := own.open(fsys, dir, configured, model.Type)
	if err != nil {
		return nil, err
	}
	t.lower = sentence.Lower
	if model.Pad != nil {
		t.Pad = *model.Pad
	}
	t.limit(own.MaxLength, 0)
	t.limit(sentence.MaxLength, 0)
	switch model.Type {
	case "roberta", "xlm-roberta", "camembert", "mpnet":
		// Positions count from behind that of padding.
		pad := int64(1)
		if model.Pad != nil {
			pad = *model.Pad
		}
		t.limit(model.Positions, float64(pad)+1)
	default:
		t.limit(model.Positions, 0)
	}
	t.Left = t.Left || own.Side == "left"
	return t, nil
}

// readJSON reads a file, if there is one.
func readJSON(fsys fs.FS, path string, to any) (found bool, err error) {
	b, err := readFile(fsys, path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, inFile(path, json.Unmarshal(b, to))
}

// open reads tokenizer.json or, where there is none, vocab.txt.
func (s *tokenizerConfig) open(fsys fs.FS, dir string, configured bool, model string) (*Tokenizer, error) {
	path := rawfile.Join(fsys, dir, "tokenizer.json")
	b, err := readFile(fsys, path)
	if err == nil {
		t, err := Parse(b)
		return t, inFile(path, err)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	path = rawfile.Join(fsys, dir, "vocab.txt")
	b, err = readFile(fsys, path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &tensor.FileError{File: dir, Reason: "no tokenizer.json and no vocab.txt in it: save the tokenizer with tokenizer.save_pretrained(folder)"}
	}
	if err != nil {
		return nil, err
	}
	is := func(b *bool, value bool) bool { return b != nil && *b == value }
	o := VocabularyOptions{
		KeepCase: is(s.LowerCase, false), KeepChinese: is(s.Chinese, false), StripAccents: s.StripAccents, Spaces: is(s.Basic, false), Guess: !configured,
	}
	if model == "mpnet" || strings.HasPrefix(s.Class, "MPNet") {
		o.Specials, o.Double = [2]string{"<s>", "</s>"}, true
	}
	t, err := ParseVocabulary(b, o)
	return t, inFile(path, err)
}

// limit lowers Limit to what a file says, less the positions that are not for tokens. Files say "no limit" by numbers that are out of all reason.
func (t *Tokenizer) limit(most *float64, less float64) {
	if most == nil || *most-less < 1 || *most > 1e9 {
		return
	}
	if n := int(*most - less); t.Limit == 0 || n < t.Limit {
		t.Limit = n
	}
}
