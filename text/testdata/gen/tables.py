"""Writes tables.go: the sets of characters that Hugging Face's tokenizers go by, asked of the library itself.

They are those of several Unicode versions, one for each of the crates that it is made of, so that no package of Go has them.

    python3 tables.py > ../../tables.go        # tokenizers 0.23.1
"""
import unicodedata

from tokenizers import normalizers, pre_tokenizers

points = [chr(c) for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]


def gone(normalizer):
    return [c for c in points if normalizer.normalize_str("a" + c + "a") == "aa"]


def parts(pre, n, around="a"):
    return [c for c in points if len(pre.pre_tokenize_str(around + c + around)) == n]


def bert(**on):
    flags = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    return normalizers.BertNormalizer(**{**flags, **on})


def same(normalizer, c):
    return normalizer.normalize_str(c) == c


def varint(n):
    out = b""
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def ranges(chars):
    """Lengths of what is outside and inside, in turn."""
    out, at = b"", 0
    codes = sorted(ord(c) for c in chars)
    while codes:
        n = 1
        while n < len(codes) and codes[n] == codes[0] + n:
            n += 1
        out, at, codes = out + varint(codes[0] - at) + varint(n), codes[0] + n, codes[n:]
    return out


def quoted(b):
    return '"' + "".join(chr(c) if 32 <= c < 127 and c not in b'"\\' else "\\x%02x" % c for c in b) + '"'


cjk = bert(handle_chinese_chars=True)
level = pre_tokenizers.ByteLevel(add_prefix_space=False)
sets = [
    ("cleaned", "characters that BERT's normalizer takes out of a text", gone(bert(clean_text=True))),
    ("ideographs", "characters that are words of their own to BERT", [c for c in points if not same(cjk, c)]),
    ("nonspacing", "marks that BERT's normalizer takes for accents", gone(bert(strip_accents=True))),
    ("marks", "marks that StripAccents takes for accents", gone(normalizers.StripAccents())),
    ("punctuation", "characters of the categories P, and all signs of ASCII", parts(pre_tokenizers.Punctuation(), 3)),
    ("undivided", "characters that Unicode says the parts of, but not the version that normalizers go by",
     [c for c in points if same(normalizers.NFKD(), c) and unicodedata.normalize("NFKD", c) != c]),
    ("letters", "characters of the categories L", parts(level, 1)),
    ("numbers", "characters of the categories N", parts(level, 1, "1")),
    ("numerals", "characters that Digits splits at", parts(pre_tokenizers.Digits(individual_digits=True), 3)),
    ("wordParts", r"characters that \w of regular expressions has", parts(pre_tokenizers.Whitespace(), 1)),
]
print("package text\n\n// Made by testdata/gen/tables.py: the sets of characters that tokenizers 0.23.1 of Hugging Face goes by.\n\nvar (")
for name, what, chars in sets:
    print(f"\t// {name} are {what}.\n\t{name} = newCharSet({quoted(ranges(chars))})")
print(")")
