package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/internal/shareddata"
	"github.com/octet-ml/octet/tensor"
)

const vocab = "[PAD]\n[UNK]\n[CLS]\n[SEP]\nun\n##want\n##aff\n##able\nwant\n##ed\n,\nrunning\n!\ncafe\n大\n-\n"

// TestEncode covers the rules of BERT's tokenizer; the pieces are those that Hugging
// Face's BertTokenizer gives.
func TestEncode(t *testing.T) {
	for _, c := range []struct{ vocab, text, second, want string }{
		{vocab, "UNwanted,running", "", "[CLS] un ##want ##ed , running [SEP]"},
		{vocab, "", "", "[CLS] [SEP]"},
		{vocab, " want\u00a0ed\t!", "", "[CLS] want [UNK] ! [SEP]"},
		{vocab, "CAFÉ-café", "", "[CLS] cafe - cafe [SEP]"},
		{vocab, "大running", "want", "[CLS] 大 running [SEP] want [SEP]"},
		{vocab, "unaffable\u200d\x00", "", "[CLS] un ##aff ##able [SEP]"},
		{vocab, strings.Repeat("x", 101), "", "[CLS] [UNK] [SEP]"},
		{vocab, "want want want want want want want want want", "running !", "[CLS] want want want want want [SEP] running ! [SEP]"},
		{vocab + "'s\n##-\n", "want's un- 's", "", "[CLS] [UNK] un ##- 's [SEP]"},
	} {
		pieces := strings.Fields(c.vocab)
		tokenizer, err := NewTokenizer(strings.NewReader(c.vocab))
		if err != nil {
			t.Fatal(err)
		}
		e := tokenizer.Encode(c.text, c.second, 10)
		var got []string
		for i, id := range e.InputIDs {
			if e.AttentionMask[i] == 1 {
				got = append(got, pieces[id])
			}
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("Encode(%q, %q) = %s, want %s", c.text, c.second, s, c.want)
		}
	}
}

func TestNewTokenizerErrors(t *testing.T) {
	if _, err := NewTokenizer(strings.NewReader("[PAD]\n[CLS]\n[SEP]\n")); err == nil || !strings.Contains(err.Error(), "[UNK]") {
		t.Errorf("a vocabulary without [UNK]: %v", err)
	}
}

// TestRecordedIDs compares with the ids of the SST-2 development set.
func TestRecordedIDs(t *testing.T) {
	want, err := tensor.ReadNPZ(shareddata.Path(t, "data", "bert_sst2", "dev.npz"), 0)
	if err != nil {
		t.Fatal(err)
	}
	dir := shareddata.Path(t, "data", "bert_sst2")
	f, err := os.Open(filepath.Join(dir, "vocab.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tokenizer, err := NewTokenizer(f)
	if err != nil {
		t.Fatal(err)
	}
	got, err := readTexts(filepath.Join(dir, "dev.tsv"), tokenizer, 64)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"input_ids", "attention_mask", "token_type_ids", "y"} {
		g, w := tensor.Data[int64](got.Get(name)), tensor.Data[int64](want.Get(name))
		if len(g) != len(w) {
			t.Fatalf("%s: %d numbers, want %d", name, len(g), len(w))
		}
		width := len(w) / want.Get("y").Numel()
		for i := 0; i < len(w); i += width {
			if !slices.Equal(g[i:i+width], w[i:i+width]) {
				t.Errorf("%s of text %d: %v, want %v", name, i/width, g[i:i+width], w[i:i+width])
			}
		}
	}
}
