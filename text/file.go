package text

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/octet-ml/octet/internal/filekind"
	"github.com/octet-ml/octet/internal/rawfile"
	"github.com/octet-ml/octet/tensor"
)

// UnsupportedError names a component of a tokenizer that is not supported.
type UnsupportedError struct {
	What string // "normalizer", "pre-tokenizer", "model", ...
	Name string // as the file has it
}

func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("the %s %q is not supported", e.What, e.Name)
}

// component is a part of a tokenizer.json; each type has some of the fields.
type component struct {
	Type string

	CleanText    bool  `json:"clean_text"`
	Chinese      bool  `json:"handle_chinese_chars"`
	StripAccents *bool `json:"strip_accents"`
	Lowercase    bool  `json:"lowercase"`
	StripLeft    bool  `json:"strip_left"`
	StripRight   bool  `json:"strip_right"`
	Prepend      string
	Content      string
	CharsMap     string `json:"precompiled_charsmap"`
	Normalizers  []*component

	Pattern          *pattern
	Behavior         string
	Invert           bool
	IndividualDigits bool  `json:"individual_digits"`
	AddPrefixSpace   *bool `json:"add_prefix_space"`
	UseRegex         *bool `json:"use_regex"`
	Replacement      string
	PrependScheme    string `json:"prepend_scheme"`
	Split            *bool
	Pretokenizers    []*component

	Vocab        json.RawMessage
	Merges       []mergePair
	UnknownToken string `json:"unk_token"`
	UnknownID    *int64 `json:"unk_id"`
	Prefix       string `json:"continuing_subword_prefix"`
	Suffix       string `json:"end_of_word_suffix"`
	LongestWord  int    `json:"max_input_chars_per_word"`
	FuseUnknown  bool   `json:"fuse_unk"`
	ByteFallback bool   `json:"byte_fallback"`
	IgnoreMerges bool   `json:"ignore_merges"`
	Dropout      *float64

	Cls, Sep      namedID
	TrimOffsets   *bool `json:"trim_offsets"`
	Single, Pair  json.RawMessage
	Processors    []*component
	SpecialTokens map[string]struct{ IDs []int64 } `json:"special_tokens"`
}

// mergePair is a merge of BPE: "a b" or ["a", "b"].
type mergePair [2]string

func (m *mergePair) UnmarshalJSON(b []byte) error {
	var line string
	if len(b) == 0 || b[0] != '"' {
		return json.Unmarshal(b, (*[2]string)(m))
	}
	if err := json.Unmarshal(b, &line); err != nil {
		return err
	}
	var ok bool
	if m[0], m[1], ok = strings.Cut(line, " "); !ok {
		return fmt.Errorf("the merge %q is no pair", line)
	}
	return nil
}

// namedID is a token with its id: ["[SEP]", 3].
type namedID struct {
	Token string
	ID    int64
}

func (n *namedID) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, &[]any{&n.Token, &n.ID}) }

// scored is a token of Unigram: ["the", -3.5].
type scored struct {
	piece string
	score float64
}

func (s *scored) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, &[]any{&s.piece, &s.score}) }

// document is a tokenizer.json.
type document struct {
	Truncation *struct {
		Length    int    `json:"max_length"`
		Strategy  string `json:"strategy"`
		Direction string `json:"direction"`
	}
	AddedTokens   []addedToken `json:"added_tokens"`
	Normalizer    *component
	PreTokenizer  *component `json:"pre_tokenizer"`
	Model         *component
	PostProcessor *component `json:"post_processor"`
	Padding       *struct {
		ID int64 `json:"pad_id"`
	}
}

// longestFile bounds the bytes of a tokenizer.json, of which the largest there are have some 40 MB.
const longestFile = 256 << 20

// readFile reads a file of at most longestFile bytes.
func readFile(fsys fs.FS, path string) ([]byte, error) {
	f, err := fsys.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, longestFile+1))
	if err == nil && len(b) > longestFile {
		err = &tensor.FileError{File: path, Reason: fmt.Sprintf("more than %d bytes", longestFile)}
	}
	return b, err
}

// Open reads the tokenizer at path: a tokenizer.json, a vocab.txt, or a folder of Hugging Face that has one of them. Of a folder it
// also reads how long texts may be: the smallest of the truncation of tokenizer.json, the model_max_length of tokenizer_config.json, the max_seq_length
// of sentence_bert_config.json and the max_position_embeddings of config.json. The padding of tokenizer.json is not used: each text has its own length.
// What is wrong with a file is a *tensor.FileError, with an *UnsupportedError in it for a component that is not supported.
func Open(path string) (*Tokenizer, error) { return OpenFS(rawfile.System{}, path) }

// OpenFS is Open of what fsys has at path, such as files that are embedded in a program.
func OpenFS(fsys fs.FS, path string) (*Tokenizer, error) {
	info, err := fs.Stat(fsys, path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return openFolder(fsys, path)
	}
	b, err := readFile(fsys, path)
	if err != nil {
		return nil, err
	}
	if err := filekind.NotText(b, filekind.OfTokenizer); err != nil {
		return nil, inFile(path, err)
	}
	var t *Tokenizer
	if filepath.Ext(path) == ".txt" {
		t, err = ParseVocabulary(b, VocabularyOptions{})
	} else {
		t, err = Parse(b)
	}
	return t, inFile(path, err)
}

// inFile makes an error one of a file.
func inFile(path string, err error) error {
	if err == nil {
		return nil
	}
	if file, ok := errors.AsType[*tensor.FileError](err); ok {
		return file
	}
	return &tensor.FileError{File: path, Err: err}
}

// Parse reads a tokenizer.json.
func Parse(b []byte) (*Tokenizer, error) {
	var d document
	if err := json.Unmarshal(b, &d); err != nil {
		return nil, fmt.Errorf("no tokenizer.json: %w", err)
	}
	if d.Model == nil {
		return nil, errors.New("no tokenizer.json: it has no model")
	}
	t := &Tokenizer{template: defaultTemplate()}
	var err error
	if t.normalize, err = newNormalizer(d.Normalizer); err != nil {
		return nil, err
	}
	if t.split, err = newPretokenizer(d.PreTokenizer); err != nil {
		return nil, err
	}
	if err := t.setModel(d.Model); err != nil {
		return nil, err
	}
	if err := t.template.add(d.PostProcessor); err != nil {
		return nil, err
	}
	if c := d.Truncation; c != nil {
		t.Limit = max(c.Length, 0)
		t.Left = c.Direction == "Left"
		t.Only = map[string]int{"OnlyFirst": 1, "OnlySecond": 2}[c.Strategy]
	}
	if err := t.addTokens(d.AddedTokens); err != nil {
		return nil, err
	}
	t.setPad()
	if d.Padding != nil {
		t.Pad = d.Padding.ID
	}
	return t, nil
}

// setModel makes the model that a tokenizer.json describes.
func (t *Tokenizer) setModel(c *component) error {
	kind := c.Type
	if kind == "" { // older files do not say
		switch {
		case len(c.Merges) > 0:
			kind = "BPE"
		case len(c.Vocab) > 0 && c.Vocab[0] == '[':
			kind = "Unigram"
		default:
			kind = "WordPiece"
		}
	}
	if kind == "Unigram" {
		var pieces []scored
		if err := json.Unmarshal(c.Vocab, &pieces); err != nil {
			return fmt.Errorf("model: %w", err)
		}
		m, err := newUnigram(pieces, c.UnknownID, c.ByteFallback)
		if err != nil {
			return fmt.Errorf("model: %w", err)
		}
		t.model, t.ids = m, m.vocabulary
		return nil
	}
	var ids map[string]int64
	if err := json.Unmarshal(c.Vocab, &ids); err != nil {
		return fmt.Errorf("model: %w", err)
	}
	var err error
	if t.ids, err = newVocabulary(ids); err != nil {
		return fmt.Errorf("model: %w", err)
	}
	switch kind {
	case "WordPiece":
		longest := c.LongestWord
		if longest <= 0 {
			longest = 100
		}
		t.model, err = newWordPiece(t.ids, c.UnknownToken, c.Prefix, longest)
	case "BPE":
		t.model, err = newBPE(t.ids, c)
	case "WordLevel":
		t.model = &wordLevel{t.ids, c.UnknownToken}
	default:
		err = &UnsupportedError{"model", kind}
	}
	return err
}

// addTokens makes tokens known that are found in the text itself.
func (t *Tokenizer) addTokens(list []addedToken) (err error) {
	all := make(vocabulary, len(t.ids)+len(list))
	t.names = make(map[int32]string, len(all))
	for name, id := range t.ids {
		all[name], t.names[id] = id, name
	}
	for _, a := range list {
		if a.ID < 0 || a.ID > maxID {
			return fmt.Errorf("added_tokens: the id %d of %q is outside 0 to %d", a.ID, a.Content, maxID)
		}
		id := int32(a.ID)
		all[a.Content], t.names[id] = id, a.Content
	}
	t.ids = all
	if t.raw, err = newAddedTokens(list, false, nil); err != nil {
		return err
	}
	t.normal, err = newAddedTokens(list, true, t.normalize)
	return err
}

// setPad takes the id of the token that pads by its usual names.
func (t *Tokenizer) setPad() {
	for _, name := range []string{"[PAD]", "<pad>"} {
		if id, ok := t.ids[name]; ok {
			t.Pad = int64(id)
			return
		}
	}
}
