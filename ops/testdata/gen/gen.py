"""Makes the fixtures of package ops from PyTorch 1.13.

Each family of operators is one file ../<family>.json.gz: a list of cases with
the operator, its attributes as the Go struct's fields, the inputs, and what
PyTorch makes of them, or that it raises. Run it with no arguments for all
families, or with the names of some. The result is the same on every run.
"""

import base64
import gzip
import importlib
import json
import os
import sys

import torch

FAMILIES = ["binary", "unary", "softmax", "matmul", "norm", "reduce", "sort", "select", "index", "move", "interpolate", "conv_transpose", "rnn", "attention", "einsum", "image", "fourier", "addmm"]

HERE = os.path.dirname(os.path.abspath(__file__))


def encode(t):
    t = t.detach().contiguous()
    raw = t.view(torch.int16) if t.dtype == torch.bfloat16 else t
    return {
        "d": str(t.dtype).replace("torch.", ""),
        "s": list(t.shape),
        "b": base64.b64encode(raw.numpy().tobytes()).decode(),
    }


class Suite:
    """The cases of one family."""

    def __init__(self, seed):
        self.cases = []
        self.generator = torch.Generator().manual_seed(seed)

    def add(self, op, attr, inputs, fn, tol=None, known=None):
        """Records fn(*inputs). Lists and numbers among inputs are the caller's
        business: fn closes over them and attr tells the operator. tol is relative
        and absolute at once; known lists the inputs the operator needs when it
        infers types."""
        case = {"op": op, "attr": attr, "in": [encode(t) for t in inputs]}
        try:
            out = fn(*[t.clone() for t in inputs])
            if isinstance(out, torch.Tensor):
                out = [out]
            case["out"] = [encode(t) for t in out]
        except (RuntimeError, IndexError, TypeError, ValueError) as e:
            if "not implemented for 'Half'" in str(e) or "not implemented for 'BFloat16'" in str(e):
                return
            case["err"] = str(e).splitlines()[0][:100]
        if tol is not None:
            case["tol"] = tol
        if known:
            case["known"] = known
        self.cases.append(case)

    def rand(self, *shape, dtype=torch.float32, lo=-4, hi=4):
        """Values with few bits, which compress well: multiples of 1/16, or integers."""
        if dtype == torch.bool:
            return torch.randint(0, 2, shape, generator=self.generator).bool()
        if dtype.is_floating_point:
            return (torch.randint(lo * 16, hi * 16 + 1, shape, generator=self.generator) / 16).to(dtype)
        if dtype == torch.uint8:
            lo, hi = 0, hi - lo
        return torch.randint(lo, hi + 1, shape, generator=self.generator).to(dtype)

    def write(self, name):
        path = os.path.join(HERE, "..", name + ".json.gz")
        data = json.dumps(self.cases, separators=(",", ":")).encode()
        with open(path, "wb") as f:
            with gzip.GzipFile(filename="", mode="wb", fileobj=f, mtime=0) as z:
                z.write(data)
        errors = sum("err" in c for c in self.cases)
        print(f"{name}: {len(self.cases)} cases, {errors} of them errors, {os.path.getsize(path)} bytes")


def main():
    torch.set_num_threads(1)
    for name in sys.argv[1:] or FAMILIES:
        suite = Suite(FAMILIES.index(name))
        importlib.import_module("cases_" + name).cases(suite)
        suite.write(name)


if __name__ == "__main__":
    sys.path.insert(0, HERE)
    main()
