"""Writes testdata/plain.safetensors from the format's description, without its
library: the tensors of plain.npz and dtypes.npz under their names, the elements
at whatever offset they come to lie, so that some are not aligned.
"""
import json
import os
import struct

import numpy as np

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
CODES = {"float64": "F64", "float32": "F32", "int64": "I64", "int32": "I32", "int8": "I8", "uint8": "U8", "bool": "BOOL"}

header = {"__metadata__": {"format": "pt", "note": "made by hand"}}
data = b""
arrays = [("first", np.arange(3, dtype=np.uint8))] + sorted(np.load(os.path.join(OUT, "plain.npz")).items())
arrays += [("d." + k, v) for k, v in sorted(np.load(os.path.join(OUT, "dtypes.npz")).items())]
out = {}
for name, a in arrays:
    code = CODES[str(a.dtype)]
    if name in ("d.float16", "d.bfloat16"):  # bit patterns in int32
        code, raw = {"d.float16": "F16", "d.bfloat16": "BF16"}[name], a.astype(np.uint16).tobytes()
    else:
        raw = a.tobytes()
    header[name] = {"dtype": code, "shape": list(a.shape), "data_offsets": [len(data), len(data) + len(raw)]}
    data += raw
    out[name] = a
text = json.dumps(header).encode()
with open(os.path.join(OUT, "plain.safetensors"), "wb") as f:
    f.write(struct.pack("<Q", len(text)) + text + data)
np.savez_compressed(os.path.join(OUT, "safetensors.values.npz"), **out)
