"""Runs exported models in PyTorch and records what it gives, with the digest of each archive.

    go test ./torchscript -run TestPyTorch -archives DIR
    python3 torchscript/testdata/gen/pytorch.py DIR torchscript/testdata/pytorch-VERSION.json

DIR has NAME.pt, and its inputs NAME.0.npy and so on. Each model is run with every engine of int8 kernels that this PyTorch has. Of a
model whose name begins with cifar10 the class of each sample is recorded, one digit each, of others the float32 output in base64.
"""
import base64
import glob
import hashlib
import json
import os
import re
import struct
import sys

import torch

source, out = sys.argv[1:]


def read(path):
    data = open(path, "rb").read()
    n = struct.unpack("<H", data[8:10])[0]
    header = data[10 : 10 + n].decode()
    kind = re.search(r"'descr': '<?\|?([a-z]\d)'", header).group(1)
    shape = [int(d) for d in re.search(r"\(([^)]*)\)", header).group(1).split(",") if d.strip()]
    return torch.frombuffer(bytearray(data[10 + n :]), dtype={"f4": torch.float32, "i8": torch.int64}[kind]).reshape(shape)


def outputs(model, inputs, classes):
    with torch.no_grad():
        y = torch.jit.load(model).eval()(*inputs)
    if classes:
        return "".join(str(c) for c in y.argmax(1).tolist())
    return base64.b64encode(bytes(y.contiguous().view(torch.uint8).flatten().tolist())).decode()


results = []
for path in sorted(glob.glob(os.path.join(source, "*.pt"))):
    name = os.path.basename(path)[:-3]
    inputs = [read(p) for p in sorted(glob.glob(os.path.join(source, name + ".*.npy")))]
    with open(path, "rb") as f:
        digest = hashlib.sha256(f.read()).hexdigest()
    engines = [e for e in torch.backends.quantized.supported_engines if e != "none"]
    for engine in sorted(engines) if "int8" in name else ["none"]:
        if engine != "none":
            torch.backends.quantized.engine = engine
        result = outputs(path, inputs, name.startswith("cifar10"))
        results.append({"model": name, "engine": engine, "sha256": digest, "output": result})
        print(torch.__version__, name, engine, digest[:8])
with open(out, "w") as f:
    json.dump({"pytorch": torch.__version__, "results": results}, f, indent=0)
    f.write("\n")
