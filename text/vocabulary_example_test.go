package text_test

import (
	"fmt"
	"log"

	"github.com/octet-ml/octet/text"
)

// A vocab.txt that is inside the program.
func ExampleParseVocabulary() {
	t, err := text.ParseVocabulary([]byte("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\ncat\n##s\n"), text.VocabularyOptions{})
	if err != nil {
		log.Fatal(err)
	}
	e, err := t.Encode("The cats")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(e.IDs)
	// Output: [2 5 6 7 3]
}

// A tokenizer.json that is inside the program.
func ExampleParse() {
	t, err := text.Parse([]byte(`{"model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
		"max_input_chars_per_word": 100, "vocab": {"[UNK]": 0, "cat": 1, "##s": 2}},
		"normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true}, "pre_tokenizer": {"type": "BertPreTokenizer"}}`))
	if err != nil {
		log.Fatal(err)
	}
	e, err := t.Encode("Cats")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(e.IDs)
	// Output: [1 2]
}
