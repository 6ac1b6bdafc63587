package text

import (
	"bytes"
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// javascript compares ids with those of Hugging Face's tokenizers for JavaScript, which NODE_PATH leads to.
var javascript = flag.Bool("javascript", false, "compare ids with those of the npm package @huggingface/tokenizers")

// miniLM is the whole tokenizer.json of all-MiniLM-L6-v2; testdata has only the tokens of its texts.
var miniLM = flag.String("minilm", "", "tokenizer.json of all-MiniLM-L6-v2")

// scripts are the characters of the random texts. U+FEFF is not among them: it is white space in JavaScript.
var scripts = []string{
	"abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789", ".,;:!?'\"()-_#@&*/$%+=", "àéîõüçñßøåÀÉÎÕÜÇÑØÅæœ",
	"東京日本語中文也可以混合首都", "ひらがなカタカナー", "안녕하세요세계한글", "नमसतदनयकषहिा", "ПриветЁлкамир", "αβγδεζηθλμπσω", "مرحبابالعالم",
	"😀👍🎉🚀🤔🇩🇪", "\x00\x01\x7f\u200b\u200d\u00ad", " \t\n\u00a0\u3000",
}

// peerTexts returns texts and pairs: those that are recorded, but for what the library in JavaScript is known to take otherwise than the one in
// Rust, whose ids are recorded; random ones; and a long one.
func peerTexts(t *testing.T) [][]string {
	const (
		finalSigma  = 29 // JavaScript's lower case of a capital sigma that ends a word
		singleWord  = 34 // added tokens that are found as whole words only
		firstRandom = 44 // characters that are letters, accents or none by the version of Unicode
	)
	var recorded recordedTexts
	readTestJSON(t, "testdata/texts.json", &recorded)
	var texts [][]string
	for i, s := range recorded.Texts[:firstRandom] {
		if i != finalSigma && i != singleWord {
			texts = append(texts, []string{s})
		}
	}
	for _, p := range recorded.Pairs {
		if second := recorded.Texts[p[1]]; second != "" { // which counts as none
			texts = append(texts, []string{recorded.Texts[p[0]], second})
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		var b strings.Builder
		for range 1 + random.IntN(30) {
			script := []rune(scripts[random.IntN(len(scripts))])
			for range 1 + random.IntN(8) {
				b.WriteRune(script[random.IntN(len(script))])
			}
			b.WriteString([]string{" ", " ", " ", "", " [MASK] ", "<mask>"}[random.IntN(6)])
		}
		texts = append(texts, []string{b.String()})
	}
	return append(texts, []string{strings.Repeat(strings.Join(recorded.Texts[3:20], " "), 100)})
}

// TestJavaScript compares ids with those of a library that was written apart from the one whose ids are recorded, for MiniLM's whole vocabulary and for
// those of the recorded tokenizers whose parts it has as they are: its SentencePiece tables and byte fallback of Unigram are approximations.
func TestJavaScript(t *testing.T) {
	if !*javascript {
		t.Skip("needs Node.js: .ci/run tokenizers runs it")
	}
	texts, files := peerTexts(t), []string{*miniLM}
	for _, name := range []string{"bert", "bert_accents", "bert_cased", "bytelevel", "roberta", "split_gpt2", "bpe_bytes", "metaspace_whole"} {
		files = append(files, filepath.Join("testdata", name, "tokenizer.json"))
	}
	request, err := json.Marshal(map[string]any{"files": files, "texts": texts})
	if err != nil {
		t.Fatal(err)
	}
	node := exec.Command("node", "testdata/ids.js")
	node.Stdin, node.Stderr = bytes.NewReader(request), os.Stderr
	out, err := node.Output()
	var answer [][][]int64
	if err == nil {
		err = json.Unmarshal(out, &answer)
	}
	if err != nil || len(answer) != len(files) {
		t.Fatalf("%d of %d tokenizers: %v", len(answer), len(files), err)
	}
	for f, file := range files {
		tok, err := Open(file)
		if err != nil {
			t.Fatal(err)
		}
		tok.Limit = 0
		for i, text := range texts {
			got, err := tok.encode(text...)
			if err != nil {
				t.Fatal(err)
			}
			if a, b := tok.fused(got.IDs), tok.fused(answer[f][i]); !slices.Equal(a, b) {
				t.Errorf("%s: %.200q:\nids        %v\nJavaScript %v", file, text, a, b)
			}
		}
		t.Logf("%s: %d texts", file, len(texts))
	}
}

// fused returns ids in which unknown tokens that follow each other are one, as the library in JavaScript has them whatever the file says.
func (t *Tokenizer) fused(ids []int64) []int64 {
	return slices.CompactFunc(slices.Clone(ids), func(a, b int64) bool {
		return a == b && (t.Token(a) == "[UNK]" || t.Token(a) == "<unk>")
	})
}
