"""Records PyTorch's own samples of its operators, those of op_db in torch.testing._internal, for TestOpInfo.

    opinfo.py [--samples N] [--out ../opinfo.json.gz] [--docs docs/coverage.md] [NAME...]

Each sample of an entry, forward and in float32 and int64, is traced with its tensors as inputs and all else as constants, and
recorded with what PyTorch makes of it, complex results as pairs of numbers. Left out is what says nothing: samples that cannot be traced, whose results differ from
run to run or are memory that nobody wrote, tensors of more than 2000 elements, and with --docs entries of operators that are listed
neither there nor in ../exported_operators.txt, which are those of 119 programs of torchvision, transformers and others. Of more than N samples of an entry and type (default 3), N are taken, evenly. It takes PyTorch 2.14 some minutes. The module asks for expecttest, which need not be there.
"""

import argparse
import gzip
import json
import os
import random
import sys
import types
import unittest
import warnings

import torch
from torch.utils import _pytree as pytree

warnings.filterwarnings("ignore")
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "script"))
sys.modules.setdefault("expecttest", types.SimpleNamespace(ACCEPT=False, TestCase=unittest.TestCase))

from torch.testing._internal.common_methods_invocations import op_db

from gen import encode, flatten, records

TYPES = [torch.float32, torch.int64]
# Their results are memory that nobody wrote.
UNWRITTEN = {"empty", "empty_like", "empty_permuted", "empty_strided", "new_empty", "new_empty_strided", "resize_", "resize_as_"}


def traced(op, sample):
    """A module of the sample's tensors, and these."""
    leaves, spec = pytree.tree_flatten((sample.input, sample.args, sample.kwargs))
    tensors = [l for l in leaves if isinstance(l, torch.Tensor)]

    class Sample(torch.nn.Module):
        def forward(self, *inputs):
            given = iter(inputs)
            x, args, kwargs = pytree.tree_unflatten([next(given) if isinstance(l, torch.Tensor) else l for l in leaves], spec)
            out = op(x, *args, **kwargs)
            if isinstance(out, (list, tuple)):
                return tuple(torch.view_as_real(t.resolve_conj()) if t.is_complex() else t for t in out)
            return torch.view_as_real(out.resolve_conj()) if out.is_complex() else out

    copies = [t.detach().clone() for t in tensors]
    return torch.jit.trace(Sample(), tuple(copies), check_trace=False, strict=False), tensors


def record(op, sample):
    """A sample with its archive, inputs and outputs, or None."""
    module, tensors = traced(op, sample)
    if sum(t.numel() for t in tensors) > 2000:
        return None
    runs = []
    for seed in range(2):
        torch.manual_seed(seed)
        runs.append(flatten(module(*[t.detach().clone() for t in tensors])))
    if not all(isinstance(t, torch.Tensor) for t in runs[0]) or not all(torch.equal(a.nan_to_num(), b.nan_to_num()) if a.numel() else a.shape == b.shape for a, b in zip(*runs)):
        return None
    return {"files": records(module), "in": [encode(t) for t in tensors], "out": [encode(t) for t in runs[0]]}


def samples(op, n):
    """The samples that are recorded, and how many there are that could not be."""
    out = []
    for dtype in TYPES:
        if dtype not in op.supported_dtypes("cpu"):
            continue
        torch.manual_seed(0)
        random.seed(0)
        found = list(op.sample_inputs("cpu", dtype, requires_grad=False))
        step = max(1, len(found) / n)
        for i in range(min(n, len(found))):
            with torch.no_grad():
                try:
                    r = record(op.op, found[int(i * step)])
                except Exception:  # whatever PyTorch says
                    continue
            if r:
                out.append(r)
    return out


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--samples", type=int, default=3)
    args.add_argument("--out", default=os.path.join(HERE, "..", "opinfo.json.gz"))
    args.add_argument("--docs")
    args.add_argument("names", nargs="*")
    args = args.parse_args()
    torch.set_num_threads(1)
    entries, listed = [], None
    if args.docs:
        listed = next(l for l in open(args.docs) if l.startswith("- `aten`: ")).split(": ", 1)[1].strip().split(", ")
        listed += open(os.path.join(HERE, "..", "exported_operators.txt")).read().split()
    for op in op_db:
        name = op.name + ("." + op.variant_test_name if op.variant_test_name else "")
        if args.names and op.name not in args.names or op.name in UNWRITTEN:
            continue
        if listed and op.aten_name.removeprefix("nn.functional.").replace(".", "_") not in listed:
            continue
        found = samples(op, args.samples)
        print(f"{name}: {len(found)}", flush=True)
        if found:
            entries.append({"name": name, "aten": op.aten_name, "samples": found})
    with open(args.out, "wb") as f:
        with gzip.GzipFile(filename="", mode="wb", fileobj=f, mtime=0) as z:
            z.write(json.dumps(entries, separators=(",", ":")).encode())
    print(f"{len(entries)} entries, {sum(len(e['samples']) for e in entries)} samples, {os.path.getsize(args.out)} bytes")


if __name__ == "__main__":
    main()
