#!/usr/bin/env python3
"""Packs recorded results (JSON of float32 values) for the tests of package quantize.

Usage: pack_golden.py GOLDEN_DIR OUT_DIR

Writes observers.json.gz and lsq.json.gz: the same documents, with every float in
the shortest form that reads back as the same float32. Of quantizer/, it writes
the same of each model's expected.json, the tensors, and the weights.
"""
import gzip
import json
import pathlib
import shutil
import sys

import numpy as np


class Short(float):
    def __repr__(self):
        return str(np.float32(self))


def shorten(v):
    if isinstance(v, float):
        i = int(v) if v == int(v) and abs(v) < 1e15 else None
        if i is not None and (v != 0 or str(v)[0] != "-"):
            return i
        return Short(v)
    if isinstance(v, list):
        return [shorten(x) for x in v]
    if isinstance(v, dict):
        # grad_scale_factor is a float64 in the reference.
        return {k: (x if k == "grad_scale_factor" else shorten(x)) for k, x in v.items()}
    return v


def encode(v):
    if isinstance(v, dict):
        return "{" + ",".join(json.dumps(k) + ":" + encode(x) for k, x in v.items()) + "}"
    if isinstance(v, list):
        return "[" + ",".join(map(encode, v)) + "]"
    return repr(v) if isinstance(v, Short) else json.dumps(v)


def pack(document, path):
    with open(str(path) + ".gz", "wb") as f, gzip.GzipFile("", "wb", 9, f, 0) as z:
        z.write(encode(shorten(document)).encode())


def main():
    src, dst = map(pathlib.Path, sys.argv[1:3])
    for name in ("observers.json", "lsq.json"):
        pack(json.loads((src / name).read_text()), dst / name)
    for model in sorted(p for p in (src / "quantizer").iterdir() if p.is_dir()):
        out = dst / "quantizer" / model.name
        out.mkdir(parents=True, exist_ok=True)
        expected = json.loads((model / "expected.json").read_text())
        pack(expected, out / "expected.json")
        with np.load(model / "tensors.npz") as t:
            np.savez_compressed(out / "tensors.npz", **t)
        shutil.copyfile(model / "state_dict.pth", out / "state_dict.pth")


main()
