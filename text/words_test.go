package text

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestEncodeWords compares texts that are divided into words with what Hugging Face's tokenizers give.
func TestEncodeWords(t *testing.T) {
	var recorded struct {
		Sentences [][]string
		Cases     map[string][][2][]int64
	}
	b, err := os.ReadFile("testdata/words.json")
	if err == nil {
		err = json.Unmarshal(b, &recorded)
	}
	if err != nil || len(recorded.Cases) < 15 {
		t.Fatal(len(recorded.Cases), err)
	}
	for name, cases := range recorded.Cases {
		k, err := Open(filepath.Join("testdata", name, "tokenizer.json"))
		if err != nil {
			t.Fatal(err)
		}
		for i, words := range recorded.Sentences {
			k.Limit, k.Left = 0, false
			e, err := k.EncodeWords(words)
			if err != nil {
				t.Fatal(err)
			}
			var of []int64
			for _, w := range e.Words {
				of = append(of, int64(w))
			}
			if !slices.Equal(e.IDs, cases[i][0]) || !slices.Equal(of, cases[i][1]) {
				t.Errorf("%s: %q: %v of words %v, want %v", name, words, e.IDs, of, cases[i])
			}
			for _, k.Left = range []bool{false, true} {
				k.Limit = 4
				if e, err := k.EncodeWords(words); err != nil || len(e.IDs) > 4 || len(e.Words) != len(e.IDs) {
					t.Errorf("%s: %q cut: %v, %v", name, words, e, err)
				}
			}
		}
	}
}
