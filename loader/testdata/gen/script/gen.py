"""Makes the fixtures of TorchScript from PyTorch 1.13, those of families that need
a later version from 2.14.

Each family is one file ../../script/<family>.json.gz: a list of cases with the
records of an archive that torch.jit.save wrote, and runs: inputs, and what PyTorch
makes of them, or that it raises. The runs of a case come one after the other, with
other shapes and values. Run it with no arguments for all families, or with the
names of some. The result is the same on every run.
"""

import base64
import gzip
import importlib
import io
import json
import linecache
import os
import random
import sys
import typing
import warnings
import zipfile

import numpy as np
import torch

warnings.filterwarnings("ignore")

HERE = os.path.dirname(os.path.abspath(__file__))

FAMILIES = sorted(f[len("cases_") : -len(".py")] for f in os.listdir(HERE) if f.startswith("cases_"))

# The seed that PyTorch's generator begins with, as octet's runs do.
SEED = 67280421310721

# What PyTorch says when it has no kernel for a type on the CPU. octet may have one.
NO_KERNEL = ["not implemented for", "Could not run", "is not supported for", "expected scalar type", "only supports"]


def encode(v):
    if isinstance(v, (bool, int, float)):
        v = torch.tensor(v, dtype={bool: torch.bool, int: torch.int64, float: torch.float64}[type(v)])
    e = {}
    v = v.detach()
    if v.is_quantized:
        per_channel = v.qscheme() in (torch.per_channel_affine, torch.per_channel_affine_float_qparams)
        e["q"] = [v.q_per_channel_scales().tolist(), v.q_per_channel_zero_points().tolist(), v.q_per_channel_axis()] if per_channel else [[v.q_scale()], [v.q_zero_point()], -1]
        v = v.int_repr()
    v = v.contiguous()
    raw = v.view(torch.int16) if v.dtype == torch.bfloat16 else v
    return {"d": str(v.dtype).replace("torch.", ""), "s": list(v.shape), "b": base64.b64encode(raw.numpy().tobytes()).decode(), **e}


def flatten(v):
    """The tensors and numbers in a result, in the order octet returns them."""
    if v is None:
        return []
    if isinstance(v, dict):
        v = list(v.values())
    if isinstance(v, (list, tuple)):
        return [t for x in v for t in flatten(x)]
    return [v]


def records(module):
    """The records of the archive of a scripted module."""
    b = io.BytesIO()
    torch.jit.save(module, b)
    out = {}
    with zipfile.ZipFile(b) as z:
        for name in z.namelist():
            inside = name.split("/", 1)[1]
            if inside.endswith(".debug_pkl"):
                continue
            out[inside] = z.read(name).decode() if inside.endswith(".py") else {"b": base64.b64encode(z.read(name)).decode()}
    return out


def step_of(t):
    """The scale of a quantized result, or of what was converted to floats behind it:
    the least distance of its values."""
    if not isinstance(t, torch.Tensor) or not (t.is_quantized or t.is_floating_point()):
        return 0
    if t.is_quantized:
        return 1
    v = t.detach().flatten().double().unique()
    return (v[1:] - v[:-1]).min().item() if len(v) > 1 else 0


def annotation(v):
    if isinstance(v, torch.Tensor):
        return "Tensor"
    if isinstance(v, (tuple, list)):
        return "List[Tensor]"
    return type(v).__name__


class Suite:
    """The cases of one family."""

    def __init__(self, name):
        self.name = name
        self.cases = []
        self.generator = torch.Generator().manual_seed(sum(name.encode()))
        self.classes = 0
        self.seeded = False  # runs of a case begin with SEED

    def rand(self, *shape, dtype=torch.float32, lo=-4, hi=4):
        """Values with few bits, which compress well: multiples of 1/16, or integers."""
        if dtype == torch.bool:
            return torch.randint(0, 2, shape, generator=self.generator).bool()
        if dtype.is_floating_point:
            return (torch.randint(lo * 16, hi * 16 + 1, shape, generator=self.generator) / 16).to(dtype)
        if dtype == torch.uint8:
            lo, hi = max(lo, 0), max(hi, 1)
        return torch.randint(lo, hi + 1, shape, generator=self.generator).to(dtype)

    def define(self, body, methods="", name=None, **scope):
        """A module whose forward has this source, "(self, a: Tensor): ..."."""
        self.classes += 1
        name = name or f"{self.name.title()}{self.classes}"
        lines = [f"class {name}(torch.nn.Module):"] + ["    " + l for l in f"{methods}\ndef forward{body}".splitlines()]
        file = f"<{name}>"
        source = "\n".join(lines) + "\n"
        linecache.cache[file] = (len(source), None, source.splitlines(True), file)
        space = {"torch": torch, "F": torch.nn.functional, "Tensor": torch.Tensor, "__name__": "net", **{n: getattr(typing, n) for n in ["List", "Tuple", "Dict", "Optional"]}, **scope}
        exec(compile(source, file, "exec"), space)
        return space[name]()

    def op(self, expression, *runs, **options):
        """A module that returns an expression of its inputs a, b, c and so on, which a run lists."""
        runs = [r if isinstance(r, (tuple, list)) else (r,) for r in runs]
        params = "".join(f", {chr(97 + i)}: {annotation(v)}" for i, v in enumerate(runs[0]))
        self.module(self.define(f"(self{params}):\n    return {expression}"), *runs, what=expression, **options)

    def module(self, module, *runs, tol=1e-6, what=None, reset=(), scripted=None, refused=False, steps=0):
        """A module and its runs, one after the other. reset lists the runs in front
        of which the model forgets its state. Of what octet does not run, refused
        says so. steps is by how many of the last operator's steps a quantized result
        may differ."""
        runs = [r if isinstance(r, (tuple, list)) else (r,) for r in runs]
        try:
            m = scripted or torch.jit.script(module)
        except Exception as e:
            raise ValueError(f"{what or type(module).__name__}: {e}") from None
        case = {"what": what or type(module).__name__, "files": records(m), "tol": tol, "runs": []}
        if refused:
            case["refused"] = True
        if steps:
            case["steps"] = steps
        fresh = records(m)
        if self.seeded:
            torch.manual_seed(SEED)
        for i, r in enumerate(runs):
            run = {"in": [encode(t) for v in r for t in flatten(v)]}
            if i in reset:
                run["reset"] = True
                m = torch.jit.load(archive(fresh))
            try:
                with torch.no_grad():
                    out = m(*[v.clone() if isinstance(v, torch.Tensor) else v for v in r])
                run["out"] = [encode(t) for t in flatten(out)]
                if steps:
                    for e, t in zip(run["out"], flatten(out)):
                        e["step"] = step_of(t)
            except Exception as e:
                message = str(e)
                if any(w in message for w in NO_KERNEL):
                    continue
                run["err"] = message.strip().splitlines()[-1][:100]
            if i == 0 and "out" in run and not refused:
                grads = gradients(fresh, r)
                if grads:
                    run["grads"] = grads
            case["runs"].append(run)
        if case["runs"]:
            self.cases.append(case)

    def write(self):
        folder = os.path.join(HERE, "..", "..", "script")
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, self.name + ".json.gz")
        data = json.dumps(self.cases, separators=(",", ":")).encode()
        with open(path, "wb") as f:
            with gzip.GzipFile(filename="", mode="wb", fileobj=f, mtime=0) as z:
                z.write(data)
        runs = [r for c in self.cases for r in c["runs"]]
        errors = sum("err" in r for r in runs)
        print(f"{self.name}: {len(self.cases)} cases, {len(runs)} runs, {errors} of them errors, {os.path.getsize(path)} bytes")


def gradients(files, inputs):
    """The gradients of the float32 inputs, in the order of the inputs, null for one
    without. The gradient of the outputs, one after the other in each, is
    (k * 7919 % 13 - 6) / 4 for element k. None where nothing has a gradient."""
    state = torch.get_rng_state()  # what the cases draw stays as it is without this
    m = torch.jit.load(archive(files))
    for p in m.parameters():
        p.requires_grad_(False)
    leaves = []

    def leaf(v):
        if isinstance(v, (list, tuple)):
            return type(v)(leaf(x) for x in v)
        if not isinstance(v, torch.Tensor):
            leaves.append(None)
            return v
        v = v.detach().clone()
        if v.dtype == torch.float32 and not v.is_quantized:
            v.requires_grad_()
        leaves.append(v)
        return v

    torch.manual_seed(SEED)
    try:
        total = 0
        for t in flatten(m(*[leaf(v) for v in inputs])):
            if isinstance(t, torch.Tensor) and t.dtype == torch.float32 and not t.is_quantized and t.requires_grad:
                total = total + (t.reshape(-1) * ((torch.arange(t.numel()) * 7919) % 13 - 6).float() / 4).sum()
        if not isinstance(total, torch.Tensor):
            return None
        wanted = [v for v in leaves if v is not None and v.requires_grad]
        found = iter(torch.autograd.grad(total, wanted, allow_unused=True))
    except (RuntimeError, torch.jit.Error):
        return None  # of what PyTorch has no gradient
    finally:
        torch.set_rng_state(state)
    grads = [next(found) if v is not None and v.requires_grad else None for v in leaves]
    return [None if g is None else encode(g) for g in grads]


def archive(files):
    """An archive of the records."""
    b = io.BytesIO()
    with zipfile.ZipFile(b, "w", zipfile.ZIP_STORED) as z:
        for name, r in files.items():
            z.writestr("archive/" + name, r if isinstance(r, str) else base64.b64decode(r["b"]))
    b.seek(0)
    return b


def main():
    torch.set_num_threads(1)
    version = tuple(int(v) for v in torch.__version__.split(".")[:2])
    for name in sys.argv[1:] or FAMILIES:
        module = importlib.import_module("cases_" + name)
        if version < getattr(module, "NEEDS", (1, 13)) or not sys.argv[1:] and version >= (2, 0) and not hasattr(module, "NEEDS"):
            print(f"{name}: not with PyTorch {torch.__version__}")
            continue
        torch.manual_seed(0)
        random.seed(0)
        np.random.seed(0)
        suite = Suite(name)
        suite.seeded = hasattr(module, "SEEDED")
        module.cases(suite)
        suite.write()


if __name__ == "__main__":
    sys.path.insert(0, HERE)
    main()
