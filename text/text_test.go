package text

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// recorded is a cases.json: what Hugging Face's library makes of the texts.
type recorded struct {
	Single, Pair []recordedCase
	Cut          []struct {
		A, B     int
		Left     bool
		Strategy string
		IDs      []int64
	}
	Million struct {
		Tokens int
		SHA256 string
	}
}

type recordedCase struct {
	IDs, Types []int64
	At         []int
}

type recordedTexts struct {
	Texts []string
	Pairs [][2]int
}

func readTestJSON(t *testing.T, path string, to any) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(b, to)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// forEachTokenizer runs a test with each of the recorded tokenizers.
func forEachTokenizer(t *testing.T, run func(t *testing.T, tok *Tokenizer, r *recorded, texts *recordedTexts)) {
	var texts recordedTexts
	readTestJSON(t, "testdata/texts.json", &texts)
	files, err := filepath.Glob("testdata/*/tokenizer.json")
	if err != nil || len(files) < 18 {
		t.Fatalf("%d tokenizers: %v", len(files), err)
	}
	for _, f := range files {
		t.Run(filepath.Base(filepath.Dir(f)), func(t *testing.T) {
			tok, err := Open(f)
			if err != nil {
				t.Fatal(err)
			}
			var r recorded
			readTestJSON(t, filepath.Join(filepath.Dir(f), "cases.json"), &r)
			run(t, tok, &r, &texts)
		})
	}
}

func TestEncode(t *testing.T) {
	forEachTokenizer(t, func(t *testing.T, tok *Tokenizer, r *recorded, texts *recordedTexts) {
		for i, want := range r.Single {
			got, err := tok.Encode(texts.Texts[i])
			if err != nil {
				t.Fatal(err)
			}
			want.check(t, texts.Texts[i], got)
		}
		for i, want := range r.Pair {
			a, b := texts.Texts[texts.Pairs[i][0]], texts.Texts[texts.Pairs[i][1]]
			got, err := tok.EncodePair(a, b)
			if err != nil {
				t.Fatal(err)
			}
			want.check(t, a+" | "+b, got)
		}
	})
}

func (c *recordedCase) check(t *testing.T, text string, got *Encoding) {
	t.Helper()
	var at []int
	for _, o := range got.Offsets {
		at = append(at, o[0], o[1])
	}
	switch {
	case !slices.Equal(got.IDs, c.IDs):
		t.Errorf("%q:\nids   %v\nwant  %v", text, got.IDs, c.IDs)
	case !slices.Equal(got.Types, c.Types):
		t.Errorf("%q:\ntypes %v\nwant  %v", text, got.Types, c.Types)
	case !slices.Equal(at, c.At):
		t.Errorf("%q:\nbytes %v\nwant  %v", text, at, c.At)
	}
}

func TestTruncation(t *testing.T) {
	only := map[string]int{"only_first": 1, "only_second": 2}
	forEachTokenizer(t, func(t *testing.T, tok *Tokenizer, r *recorded, texts *recordedTexts) {
		for _, c := range r.Cut {
			tok.Limit, tok.Left, tok.Only = 11, c.Left, only[c.Strategy]
			pair := []string{texts.Texts[c.A]}
			if c.B >= 0 {
				pair = append(pair, texts.Texts[c.B])
			}
			got, err := tok.encode(pair...)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got.IDs, c.IDs) {
				t.Errorf("%q, left %v, %s:\n     %v\nwant %v", pair, c.Left, c.Strategy, got.IDs, c.IDs)
			}
			tok.Limit = 0
			if whole, err := tok.encode(pair...); err != nil || got.Cut != (len(whole.IDs) > 11) {
				t.Errorf("%q: cut %v, of %d tokens, %v", pair, got.Cut, len(whole.IDs), err)
			}
		}
	})
}

// TestMillion encodes a text of a million characters.
func TestMillion(t *testing.T) {
	forEachTokenizer(t, func(t *testing.T, tok *Tokenizer, r *recorded, texts *recordedTexts) {
		runes := []rune(strings.Join(texts.Texts, ""))
		for len(runes) < 1e6 {
			runes = append(runes, runes...)
		}
		got, err := tok.Encode(string(runes[:1e6]))
		if err != nil {
			t.Fatal(err)
		}
		ids := make([]string, len(got.IDs))
		for i, id := range got.IDs {
			ids[i] = strconv.FormatInt(id, 10)
		}
		sum := sha256.Sum256([]byte(strings.Join(ids, ",")))
		if h := hex.EncodeToString(sum[:]); h != r.Million.SHA256 {
			t.Errorf("%d tokens, digest %s; want %d, %s", len(ids), h, r.Million.Tokens, r.Million.SHA256)
		}
	})
}
