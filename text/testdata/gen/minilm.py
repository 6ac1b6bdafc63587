"""Records what the tokenizer of all-MiniLM-L6-v2 makes of texts.json, with a copy of it that has only the tokens that occur.

    python3 minilm.py tokenizer.json OUT        # tokenizers 0.23.1; OUT is the folder testdata

The file is that of the Go module github.com/clems4ever/all-minilm-l6-v2-go v0.0.9. It asks for truncation to 128 tokens and padding to 128; the ids are
recorded without padding, as octet gives them.
"""
import json, os, sys

from tokenizers import Tokenizer

path, out = sys.argv[1:]
texts = json.load(open(out + "/texts.json"))
t = Tokenizer.from_file(path)
t.no_padding()
pairs = [(texts["texts"][a], texts["texts"][b]) for a, b in texts["pairs"]]


def bytes_of(s, chars):
    return [len(s[:c].encode()) for c in chars]


def record(a, b=None):
    e = t.encode(a) if b is None else t.encode(a, b)
    at = [x for o, s in zip(e.offsets, e.sequence_ids) for x in bytes_of((b if s == 1 else a) if s is not None else "", o)]
    return {"ids": e.ids, "types": e.type_ids, "at": at}


cases = {"single": [record(s) for s in texts["texts"]], "pair": [record(a, b) for a, b in pairs]}
used = {i for c in cases["single"] + cases["pair"] for i in c["ids"]} | set(range(0, 1)) | {100, 101, 102, 103}
d = json.load(open(path))
d["model"]["vocab"] = {k: v for k, v in d["model"]["vocab"].items() if v in used}
os.makedirs(out + "/minilm", exist_ok=True)
json.dump(d, open(out + "/minilm/tokenizer.json", "w"), ensure_ascii=False, separators=(",", ":"))
json.dump(cases, open(out + "/minilm/cases.json", "w"), separators=(",", ":"))
