package text

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/internal/shareddata"
	"github.com/octet-ml/octet/tensor"
)

// TestRefused opens what is no tokenizer, or one of which a part is not supported.
func TestRefused(t *testing.T) {
	const model = `"model":{"type":"WordPiece","unk_token":"u","vocab":{"u":0}}`
	for _, c := range []struct{ json, want string }{
		{`{}`, "no model"},
		{`[`, "no tokenizer.json"},
		{`{"model":{"type":"Other","vocab":{}}}`, `the model "Other"`},
		{`{"model":{"type":"WordPiece","unk_token":"x","vocab":{"u":0}}}`, `no token "x"`},
		{`{"model":{"type":"WordPiece","unk_token":"u","vocab":{"u":-1}}}`, "the id -1"},
		{`{"model":{"type":"WordPiece","unk_token":"u","vocab":{"u":0,"` + strings.Repeat("a", 5000) + `":1}}}`, "5000 bytes"},
		{`{"model":{"type":"BPE","vocab":{"a":0},"merges":["a b"]}}`, "merge 0"},
		{`{"model":{"type":"BPE","vocab":{"a":0},"merges":["ab"]}}`, "no pair"},
		{`{"model":{"type":"BPE","vocab":{"a":0},"merges":[],"dropout":0.1}}`, "dropout"},
		{`{"model":{"type":"Unigram","unk_id":3,"vocab":[["a",-1]]}}`, "unk_id 3"},
		{`{"model":{"type":"Unigram","vocab":{"a":1}}}`, "model: json"},
		{`{"normalizer":{"type":"Nmt"},` + model + `}`, `the normalizer "Nmt"`},
		{`{"normalizer":{"type":"Precompiled","precompiled_charsmap":"AAAA"},` + model + `}`, "precompiled_charsmap"},
		{`{"normalizer":{"type":"Precompiled","precompiled_charsmap":"/////w=="},` + model + `}`, "cut short"},
		{`{"normalizer":{"type":"Replace","pattern":{"Regex":"(?=a)"},"content":""},` + model + `}`, `the regular expression "(?=a)"`},
		{`{"normalizer":{"type":"Replace","content":""},` + model + `}`, "neither String nor Regex"},
		{`{"pre_tokenizer":{"type":"UnicodeScripts"},` + model + `}`, `the pre-tokenizer "UnicodeScripts"`},
		{`{"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Bert"}]},` + model + `}`, `"Bert"`},
		{`{"pre_tokenizer":{"type":"Split","pattern":{"String":" "},"behavior":"Odd"},` + model + `}`, `"Odd"`},
		{`{"pre_tokenizer":{"type":"Metaspace","prepend_scheme":"odd"},` + model + `}`, `"odd"`},
		{`{"post_processor":{"type":"Odd"},` + model + `}`, `the post-processor "Odd"`},
		{`{"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"[X]","type_id":0}}],"pair":[],"special_tokens":{}},` + model + `}`, `"[X]"`},
		{`{"added_tokens":[{"id":-4,"content":"x"}],` + model + `}`, "the id -4"},
	} {
		path := filepath.Join(t.TempDir(), "tokenizer.json")
		if err := os.WriteFile(path, []byte(c.json), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := Open(path)
		var file *tensor.FileError
		if !errors.As(err, &file) || file.File != path || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.80s: %v, want a FileError of %s that says %q", c.json, err, path, c.want)
		}
		var unsupported *UnsupportedError
		if strings.HasPrefix(c.want, "the ") && !strings.HasPrefix(c.want, "the id") && !errors.As(err, &unsupported) {
			t.Errorf("%.80s: %T, want an UnsupportedError in it", c.json, err)
		}
	}
}

const smallVocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\nun\n##want\n##aff\n##able\nwant\n##ed\n,\nrunning\n!\ncafe\n大\n-\nCafé\n[MASK]\n"

// TestVocabulary reads a vocab.txt; the tokens are those that BertTokenizer of Hugging Face gives.
func TestVocabulary(t *testing.T) {
	for _, c := range []struct {
		vocabulary, text, second, want string
		options                        VocabularyOptions
	}{
		{smallVocabulary, "UNwanted,running", "", "[CLS] un ##want ##ed , running [SEP]", VocabularyOptions{}},
		{smallVocabulary, "", "", "[CLS] [SEP]", VocabularyOptions{}},
		{smallVocabulary, " want\u00a0ed\t!", "", "[CLS] want [UNK] ! [SEP]", VocabularyOptions{}},
		{smallVocabulary, "CAFÉ-café", "", "[CLS] cafe - cafe [SEP]", VocabularyOptions{}},
		{smallVocabulary, "Café cafe CAFE", "", "[CLS] Café cafe [UNK] [SEP]", VocabularyOptions{KeepCase: true}},
		{smallVocabulary, "大running", "want", "[CLS] 大 running [SEP] want [SEP]", VocabularyOptions{}},
		{smallVocabulary, "want[MASK]", "", "[CLS] want [MASK] [SEP]", VocabularyOptions{}},
		{smallVocabulary, "unaffable\u200d\x00", "", "[CLS] un ##aff ##able [SEP]", VocabularyOptions{}},
		{smallVocabulary, strings.Repeat("x", 101), "", "[CLS] [UNK] [SEP]", VocabularyOptions{}},
		{smallVocabulary, "want want want want want want want want want", "running !", "[CLS] want want want want want [SEP] running ! [SEP]", VocabularyOptions{}},
		{smallVocabulary + "'s\n##-\n", "want's un- 's", "", "[CLS] [UNK] un ##- 's [SEP]", VocabularyOptions{Guess: true}},
		{"<s>\n<pad>\n</s>\n[UNK]\nwant\n", "want", "want", "<s> want </s> </s> want </s>", VocabularyOptions{Specials: [2]string{"<s>", "</s>"}, Double: true}},
	} {
		tok, err := ParseVocabulary([]byte(c.vocabulary), c.options)
		if err != nil {
			t.Fatal(err)
		}
		tok.Limit = 10
		e, err := tok.encode(slices.DeleteFunc([]string{c.text, c.second}, func(s string) bool { return s == "" && c.text+c.second != "" })...)
		if c.text == "" {
			e, err = tok.Encode("")
		}
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, id := range e.IDs {
			got = append(got, tok.Token(id))
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%q, %q: %s, want %s", c.text, c.second, s, c.want)
		}
	}
	if _, err := ParseVocabulary([]byte("[PAD]\n[CLS]\n[SEP]\n"), VocabularyOptions{}); err == nil || !strings.Contains(err.Error(), "[UNK]") {
		t.Errorf("a vocabulary without [UNK]: %v", err)
	}
}

// TestRecordedIDs compares with the ids of the development set of SST-2 that its tokenizer gave.
func TestRecordedIDs(t *testing.T) {
	want, err := tensor.ReadNPZ(shareddata.Path(t, "data", "bert_sst2", "dev.npz"), 0)
	if err != nil {
		t.Fatal(err)
	}
	dir := shareddata.Path(t, "data", "bert_sst2")
	tok, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := os.ReadFile(filepath.Join(dir, "dev.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	ids := want.Get("input_ids")
	width, all := ids.Dim(1), tensor.Data[int64](ids)
	for i, line := range strings.Split(strings.TrimSpace(string(lines)), "\n")[1:] {
		_, content, _ := strings.Cut(line, "\t")
		e, err := tok.Encode(content)
		if err != nil {
			t.Fatal(err)
		}
		row := all[i*width:][:width]
		for len(e.IDs) < width {
			e.IDs = append(e.IDs, tok.Pad)
		}
		if !slices.Equal(e.IDs, row) {
			t.Errorf("%q: %v, want %v", content, e.IDs, row)
		}
	}
}

// TestFolder reads how long texts may be from the files of a folder, the smallest of which rules.
func TestFolder(t *testing.T) {
	for _, c := range []struct {
		name  string
		files map[string]string
		limit int
		pad   int64
	}{
		{"none", nil, 0, 0},
		{"no limit", map[string]string{"tokenizer_config.json": `{"model_max_length":1000000000000000019884624838656}`}, 0, 0},
		{"tokenizer", map[string]string{"tokenizer_config.json": `{"model_max_length":64}`, "config.json": `{"model_type":"bert","max_position_embeddings":512}`}, 64, 0},
		{"positions", map[string]string{"tokenizer_config.json": `{"model_max_length":512}`, "config.json": `{"model_type":"bert","max_position_embeddings":40,"pad_token_id":5}`}, 40, 5},
		{"roberta", map[string]string{"config.json": `{"model_type":"roberta","max_position_embeddings":514,"pad_token_id":1}`}, 512, 1},
		{"mpnet", map[string]string{"config.json": `{"model_type":"mpnet","max_position_embeddings":514,"pad_token_id":1}`}, 512, 1},
		{"sentence", map[string]string{"sentence_bert_config.json": `{"max_seq_length":33,"do_lower_case":false}`, "config.json": `{"model_type":"bert","max_position_embeddings":512}`}, 33, 0},
	} {
		dir := t.TempDir()
		for name, content := range c.files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "vocab.txt") {
			t.Errorf("%s: a folder without a vocabulary: %v", c.name, err)
		}
		vocabulary := smallVocabulary
		if c.name == "mpnet" {
			vocabulary += "<s>\n</s>\n"
		}
		if err := os.WriteFile(filepath.Join(dir, "vocab.txt"), []byte(vocabulary), 0o644); err != nil {
			t.Fatal(err)
		}
		tok, err := Open(dir)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if tok.Limit != c.limit || tok.Pad != c.pad {
			t.Errorf("%s: limit %d, pad %d; want %d, %d", c.name, tok.Limit, tok.Pad, c.limit, c.pad)
		}
		if e, err := tok.Encode("Want want"); err != nil || len(e.IDs) != 4 || e.IDs[1] != 8 {
			t.Errorf("%s: %v %v", c.name, e, err)
		}
	}
}

// TestBatch pads texts to the longest of them, whatever padding the file asks for.
func TestBatch(t *testing.T) {
	tok, err := ParseVocabulary([]byte(smallVocabulary), VocabularyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	tok.Limit = 6
	in, cut, err := tok.Batch([][2]string{{"want", ""}, {"want", "running!"}, {"want want want want want want", ""}})
	if err != nil || cut != 1 {
		t.Fatalf("cut %d, %v", cut, err)
	}
	for name, want := range map[string][]int64{
		"input_ids":      {2, 8, 3, 0, 0, 0, 2, 8, 3, 11, 12, 3, 2, 8, 8, 8, 8, 3},
		"attention_mask": {1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
		"token_type_ids": {0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0},
	} {
		if x := in.Get(name); !slices.Equal(x.Int64s(), want) || x.Dim(1) != 6 {
			t.Errorf("%s: %v %v, want %v", name, x, x.Int64s(), want)
		}
	}
	tok.Limit = 1
	if _, err := tok.Encode("want"); err == nil {
		t.Error("a limit of 1 leaves room for [CLS] and [SEP]")
	}
	tok.Limit = 4
	if e, err := tok.Encode("want \xff\xfe want"); err != nil || !slices.Equal(e.IDs, []int64{2, 8, 8, 3}) || e.Offsets[2] != [2]int{8, 12} {
		t.Errorf("bytes that are no UTF-8: %v %v", e, err)
	}
}

// FuzzEncode holds offsets within the text, in order of places and never in the middle of a character.
func FuzzEncode(f *testing.F) {
	for _, s := range []string{"", "Hello, world!", "[MASK]x <mask>  ok NEW", "e\u0301\u0323 \uac00\u11a8 \r\n\u0301", "\xff\xf0\x9f", "ﬁ…ＡＢ\u200d☺️"} {
		f.Add(s)
	}
	var all []*Tokenizer
	files, err := filepath.Glob("testdata/*/tokenizer.json")
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, file := range files {
		t, err := Open(file)
		if err != nil {
			f.Fatal(err)
		}
		all = append(all, t)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for i, tok := range all {
			e, err := tok.Encode(s)
			if err != nil {
				t.Fatal(files[i], err)
			}
			for _, o := range e.Offsets {
				if o[0] < 0 || o[0] > o[1] || o[1] > len(s) {
					t.Fatalf("%s: bytes %v of %d", files[i], o, len(s))
				}
			}
			tok.Limit = 5
			short, err := tok.Encode(s)
			tok.Limit = 0
			if err != nil || len(short.IDs) > 5 || short.Cut != (len(e.IDs) > 5) {
				t.Fatalf("%s: %d of %d tokens, cut %v, %v", files[i], len(short.IDs), len(e.IDs), short.Cut, err)
			}
		}
	})
}

// FuzzParse reads anything as a tokenizer.json.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*/tokenizer.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		tok, err := Parse(b)
		if err != nil {
			return
		}
		tok.Limit = min(tok.Limit, 1<<20)
		_, _ = tok.Encode("Hello, [MASK] wörld 123 한글 \r\n\u0301")
	})
}
