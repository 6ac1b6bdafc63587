// Package text turns texts into what the models of the BERT family take: ids of tokens, as the tokenizers of Hugging Face
// give them. It reads tokenizer.json and vocab.txt, with WordPiece, byte-level BPE and Unigram.
package text
