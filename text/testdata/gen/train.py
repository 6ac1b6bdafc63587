"""Trains small tokenizers of each kind and records what Hugging Face's library makes of texts.

    python3 train.py OUT          # tokenizers 0.23.1; OUT is the folder testdata

Each folder gets a tokenizer.json and a cases.json: for each of texts.json the ids, the bytes of each token, and its type.
"""
import base64, hashlib, json, os, random, struct, sys

from tokenizers import Regex, Tokenizer, AddedToken, decoders, models, normalizers as N, pre_tokenizers as P, processors, trainers

out = sys.argv[1]
corpus = [
    "A tokenizer divides the words of a text into pieces that a model has numbers for.", "The longest piece that fits is taken first, and then the rest of the word.",
    "Where nothing fits there is a token for what is unknown; that is not an error.", "They wanted to quote the sentence, but the quotation marks had been normalized.",
    "Accents are taken off letters, and white space is what stands between words.", "Some languages write without spaces, so that each character is a word of its own.",
    "He said that she would have gone, had they known of it earlier in the morning.", "Every offset says which bytes of the original text a token comes from.",
    "Training counts pairs of symbols and merges those that are found most often.", "An embedding is a list of numbers, and similar texts have similar ones.",
    "The quick brown fox jumps over the lazy dog. Unaffable running, wanted and running again!",
    "Ein schöner Tag für Übung: größer, Straße, naïve café déjà vu, coöperate, résumé",
    "東京は日本の首都です。中文也可以。北京大学", "안녕하세요 세계 한국어 텍스트", "नमस्ते दुनिया हिन्दी क्षत्रिय",
    "Привет, мир! Ёлка и йод", "مرحبا بالعالم", "שלום עולם", "I'm you're he's we'll they'd isn't 123 4567 3.14 2024-05-06",
    "ﬁne ﬂow ½ ² ℃ ﾊﾝｶｸ ＡＢＣ　ｘ", "emoji 😀 👍🏽 👩‍👩‍👧‍👦 🇩🇪 ok", "x = [1, 2]; y_2 != x->z && (a|b)  # comment\n\tindented",
] * 3

random.seed(7)
blocks = [(0x20, 0x7f), (0x20, 0x7f), (0xa0, 0x250), (0x300, 0x345), (0x370, 0x3ff), (0x400, 0x4ff), (0x5d0, 0x5ea), (0x620, 0x64f), (0x900, 0x960),
          (0xe01, 0xe30), (0x1100, 0x1110), (0x1161, 0x1170), (0x1e00, 0x1eff), (0x2000, 0x2040), (0x2070, 0x20bf), (0x2100, 0x21ff), (0x3000, 0x30ff),
          (0x4e00, 0x4e80), (0xac00, 0xac80), (0xf900, 0xf930), (0xfb00, 0xfb06), (0xff01, 0xff9f), (0x1f600, 0x1f650), (0x1f3fb, 0x1f3ff), (0x20000, 0x20020)]


def noise(n):
    s = ""
    while len(s) < n:
        s += chr(random.randrange(*random.choice(blocks)))
        if random.random() < 0.15:
            s += random.choice([" ", "  ", "\n", "\u00a0", "\u3000"])
    return s


texts = [
    "", " ", "  \t\n ", "Hello, world!", "The quick brown fox jumps over the lazy dog.", "UNwanted,running", "unaffable unaffable", "CAFÉ-café naïve Straße ÀÉÎÕÜ",
    "e\u0301e\u0301 a\u0323\u0302 o\u0302\u0323 \u1e9b\u0323", "東京は日本の首都です。", "中文,也可以 mixed中文text", "안녕하세요 세계", "\u1112\u1161\u11ab\u1100\u1173\u11af \ud55c\uae00",
    "नमस्ते दुनिया क्षत्रिय हिन्दी", "ไทยภาษา กำ", "Привет, Ёлка! й и\u0306", "مرحبا بالعالم", "שָׁלוֹם", "emoji 😀 👍🏽 👩‍👩‍👧‍👦 🇩🇪 ok☺️", "a\u0000b\u0001c\u200bd\u200de\ufeff\ufffdf\u00adg",
    "tab\tnew\nline\r\nreturn\u0085next\u2028sep\u2029par\u00a0nb\u3000wide", "Is this [MASK] or [mask]? [MASK]x x[MASK]", "a <mask> b  <mask>  c<mask>d <s> </s> <pad> [CLS][SEP]",
    "I'm you're he's WE'LL they'd isn't 'quoted' '", "   leading and trailing   ", "a  b   c    d", "x = [1, 2]; y_2 != x->z && (a|b)  # comment\n\tindented",
    "1234567890 3.14159 ½ ² ٣٤ ⅷ 一二", "ﬁne ﬂow ℃ ﾊﾝｶｸ ＡＢＣ　ｘ … ™ ǆ", "İstanbul IĞDIR ıi ẞ ΑΣ ΟΔΟΣ", "word" * 30, "x" * 120, "́leading mark", "▁under▁score _a_ Ġ Ċ", "single wordNEW NEW word aNEWb NEW",
    "https://example.org/a?b=c&d=%20#e", "a" * 300, "the " * 60, "$100 €5 £3 +-*/ ^~`<>=|", "don’t “quote” – dash — ‐ ‑", "<0x0A> <unk> [UNK] ##ing ##",
    "\u0344 \u0340 \u212b \u2126 \ufb1d \u0958", "\u0f77\u0f73 \u09c7\u09be \u0b47\u0b56", "\r\n\u0301 \u0600\u0661 \u00a9\u200d\u2122 a\U0001f3fb",
] + [noise(n) for n in (5, 10, 20, 30, 40, 40, 40, 40, 60, 60, 60, 80, 80, 100, 100)]
pairs = [(3, 4), (4, 3), (0, 3), (3, 0), (0, 0), (21, 22), (4, 36), (36, 4), (30, 37), (37, 37)]


def darts(entries):
    """The double array and the texts of a charsmap, for a few entries."""
    blob, trie = b"", {}
    for src, dst in entries:
        node = trie
        for b in src.encode():
            node = node.setdefault(b, {})
        node[0] = len(blob)
        blob += dst.encode() + b"\0"
    units, used = [0] * 4096, {0}
    todo = [(0, trie)]
    while todo:
        at, node = todo.pop()
        base = 1
        while any((base ^ b) in used or (base ^ b) == 0 for b in node) or (at ^ base) >= 1 << 21:
            base += 1
        for b in node:
            used.add(base ^ b)
        if at ^ base >= len(units) or base + 256 > len(units):
            raise SystemExit("too many entries")
        units[at] |= (at ^ base) << 10
        if 0 in node:
            units[at] |= 1 << 8
        for b, v in node.items():
            if b == 0:
                units[base] = v | 1 << 31
            else:
                units[base ^ b] = b
                todo.append((base ^ b, v))
    last = max(used) + 256
    raw = struct.pack("<%dI" % last, *units[:last])
    return base64.b64encode(struct.pack("<I", len(raw)) + raw + blob).decode()


charsmap = darts([("\u00a0", " "), ("\u3000", " "), ("\t", " "), ("\n", " "), ("\r", " "), ("\r\n", "!"), ("e\u0301", "é"), ("\ufb01", "fi"), ("\ufb02", "fl"), ("\u2026", "..."), ("\u2122", "TM"),
                  ("\u00bd", "1/2"), ("\u00b2", "2"), ("\u2103", "°C"), ("\u0301", "´"), ("A", "a"), ("\u00c9", "é"), ("\u00ad", "x"), ("\u1100", "ㄱ"), ("\uff21", "A"), ("\uff22", "B"), ("\u0600", "n"), ("a", "a"),
                  ("\U0001f3fb", "s"), ("\u0915\u094d", "K"), ("한", "HAN")])


def train(model, trainer, normalizer=None, pre=None, post=None, added=()):
    t = Tokenizer(model)
    if normalizer:
        t.normalizer = normalizer
    if pre:
        t.pre_tokenizer = pre
    t.train_from_iterator(corpus, trainer)
    if post:
        t.post_processor = post(t)
    t.add_tokens(list(added))
    return t


bert_specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
rob_specials = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


def wp(n=400, specials=bert_specials):
    return models.WordPiece(unk_token="[UNK]"), trainers.WordPieceTrainer(vocab_size=n, special_tokens=specials, show_progress=False)


def bpe(n=450, specials=rob_specials, alphabet=P.ByteLevel.alphabet(), **kw):
    return models.BPE(**kw), trainers.BpeTrainer(vocab_size=n, special_tokens=specials, initial_alphabet=alphabet, show_progress=False)


def uni(n=400, specials=rob_specials):
    return models.Unigram(), trainers.UnigramTrainer(vocab_size=n, special_tokens=specials, unk_token="<unk>", show_progress=False)


def template(t, a, b, double=False):
    return processors.TemplateProcessing(single=f"{a} $A {b}", pair=f"{a} $A {b} {b} $B {b}" if double else f"{a} $A {b} $B:1 {b}:1",
                                         special_tokens=[(a, t.token_to_id(a)), (b, t.token_to_id(b))])


new = [AddedToken("NEW", single_word=True), AddedToken("<mask>", lstrip=True, normalized=False), AddedToken("ok", rstrip=True), AddedToken("Éa", normalized=True), AddedToken("the quick", normalized=True)]
bertpre = P.BertPreTokenizer()
made = {
    "bert": train(*wp(), N.BertNormalizer(), bertpre, lambda t: template(t, "[CLS]", "[SEP]")),
    "bert_cased": train(*wp(), N.BertNormalizer(lowercase=False), bertpre, lambda t: processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2)), new),
    "bert_accents": train(*wp(), N.BertNormalizer(strip_accents=False, handle_chinese_chars=False), bertpre, None, new),
    "roberta": train(*bpe(), None, P.ByteLevel(add_prefix_space=False), lambda t: processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False), new),
    "bytelevel": train(*bpe(), N.NFC(), P.ByteLevel(add_prefix_space=True), lambda t: processors.Sequence([processors.ByteLevel(trim_offsets=True), template(t, "<s>", "</s>", True)])),
    "bytelevel_raw": train(*bpe(), N.NFD(), P.Sequence([P.Digits(individual_digits=True), P.ByteLevel(add_prefix_space=True, use_regex=False, trim_offsets=False)]), lambda t: processors.ByteLevel(trim_offsets=False)),
    "bpe_unk": train(*bpe(300, ["<unk>"], [], unk_token="<unk>", fuse_unk=True), N.Sequence([N.NFKD(), N.StripAccents(), N.Lowercase()]), P.Whitespace()),
    "bpe_suffix": train(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"), trainers.BpeTrainer(vocab_size=400, special_tokens=["<unk>"], end_of_word_suffix="</w>", show_progress=False), N.NFKC(), P.WhitespaceSplit()),
    "bpe_prefix": train(models.BPE(unk_token="<unk>", continuing_subword_prefix="##"), trainers.BpeTrainer(vocab_size=400, special_tokens=["<unk>"], continuing_subword_prefix="##", show_progress=False), None, P.Punctuation("merged_with_next")),
    "xlmr": train(*uni(), N.Precompiled(base64.b64decode(charsmap)), P.Metaspace(), lambda t: template(t, "<s>", "</s>", True), [AddedToken("<mask>", lstrip=True, normalized=False, special=True)]),
    "unigram_nfkc": train(*uni(), N.Sequence([N.Strip(), N.NFKC(), N.Replace(Regex(" {2,}"), " "), N.Prepend("q"), N.Replace("dog", "hound")]), P.Metaspace(prepend_scheme="first"), None, new),
    "metaspace_whole": train(*uni(), None, P.Metaspace(prepend_scheme="never", split=False)),
    "split_removed": train(*wp(), N.Lowercase(), P.Sequence([P.Split(Regex(r"\s+"), "removed"), P.Split(Regex(r"\d"), "merged_with_previous"), P.Punctuation("contiguous")])),
    "split_invert": train(*wp(), None, P.Sequence([P.Split(Regex(r"\w+|[^\w\s]+"), "removed", invert=True), P.Digits()])),
    "split_gpt2": train(*bpe(), N.StripAccents(), P.Sequence([P.Split(Regex(r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"), "isolated"), P.ByteLevel(add_prefix_space=False, use_regex=False)])),
    "whole": train(models.WordLevel(unk_token="[UNK]"), trainers.WordLevelTrainer(vocab_size=100, special_tokens=bert_specials, show_progress=False), N.Strip(left=False), P.Sequence([P.Split("a", "merged_with_next"), P.WhitespaceSplit()])),
}
t = Tokenizer(models.BPE(vocab={**{"<0x%02X>" % b: b for b in range(256)}, "a": 256, "b": 257, "ab": 258, "▁": 259, "t": 260, "h": 261, "th": 262, "▁th": 263, "<unk>": 264}, merges=[("a", "b"), ("t", "h"), ("▁", "th")], byte_fallback=True, unk_token="<unk>", fuse_unk=True))
t.normalizer = N.Sequence([N.Prepend("▁"), N.Replace(" ", "▁")])
made["bpe_bytes"] = t
pieces = [("<unk>", 0.0)] + [("<0x%02X>" % b, -20.0) for b in range(256)] + [("▁", -3.0), ("▁the", -2.0), ("t", -5.0), ("he", -4.0), ("h", -6.0), ("e", -5.5), ("a", -4.5), ("aa", -6.0)]
t = Tokenizer(models.Unigram(pieces, 0, True))
t.pre_tokenizer = P.Metaspace()
made["unigram_bytes"] = t


def to_bytes(s):
    at = [0]
    for c in s:
        at.append(at[-1] + len(c.encode()))
    return at


def record(t, a, b=None):
    e = t.encode(a) if b is None else t.encode(a, b)
    maps = [to_bytes(a), to_bytes(b or "")]
    return {"ids": e.ids, "types": e.type_ids, "at": [[maps[s or 0][x], maps[s or 0][y]] for (x, y), s in zip(e.offsets, e.sequence_ids)]}


def flat(cases):
    return [{k: [x for p in v for x in p] if k == "at" else v for k, v in c.items()} for c in cases]


million = "".join(texts)
million = (million * (1000000 // len(million) + 1))[:1000000]
os.makedirs(out, exist_ok=True)
json.dump({"texts": texts, "pairs": pairs}, open(out + "/texts.json", "w"), separators=(",", ":"))
for name, t in made.items():
    t.no_truncation()
    dir = f"{out}/{name}"
    os.makedirs(dir, exist_ok=True)
    open(dir + "/tokenizer.json", "w").write(json.dumps(json.loads(t.to_str()), ensure_ascii=False, separators=(",", ":")))
    cases = {"single": flat(record(t, s) for s in texts), "pair": flat(record(t, texts[a], texts[b]) for a, b in pairs)}
    ids = t.encode(million).ids
    cases["million"] = {"tokens": len(ids), "sha256": hashlib.sha256(",".join(map(str, ids)).encode()).hexdigest()}
    cases["cut"] = []
    for side in "right", "left":
        for strategy in "longest_first", "only_first", "only_second":
            t.enable_truncation(11, strategy=strategy, direction=side)
            for a, b in [(4, None), (4, 20), (20, 4), (3, 20), (3, 3)]:
                if b is None and strategy == "only_second" or b is not None and strategy != "longest_first" and (a, b) != ((4, 3), (3, 20))[strategy == "only_second"]:
                    continue
                try:
                    e = t.encode(texts[a]) if b is None else t.encode(texts[a], texts[b])
                except Exception:  # too short to be cut
                    continue
                cases["cut"].append({"a": a, "b": -1 if b is None else b, "left": side == "left", "strategy": strategy, "ids": e.ids})
    t.no_truncation()
    json.dump(cases, open(dir + "/cases.json", "w"), separators=(",", ":"))
    print(name, t.get_vocab_size(), os.path.getsize(dir + "/tokenizer.json"), os.path.getsize(dir + "/cases.json"))
