"""Records what Hugging Face's tokenizers give for texts that are divided into words: ids and the word of each token.

    python3 words.py    # in this folder, with tokenizers installed
"""
import json
import pathlib

from tokenizers import Tokenizer

SENTENCES = [["Ada", "Lovelace", "lived", "in", "London", "."], ["don't", "U.S.", "naïve", "東京", "🙂"], ["", "a", " b "], ["[MASK]", "x-y"], []]

root = pathlib.Path(__file__).parent.parent
cases = {}
for path in sorted(root.glob("*/tokenizer.json")):
    t = Tokenizer.from_file(str(path))
    t.no_padding()
    t.no_truncation()
    encodings = [t.encode(s, is_pretokenized=True) for s in SENTENCES]
    cases[path.parent.name] = [[e.ids, [-1 if w is None else w for w in e.word_ids]] for e in encodings]
(root / "words.json").write_text(json.dumps({"sentences": SENTENCES, "cases": cases}, ensure_ascii=False) + "\n")
