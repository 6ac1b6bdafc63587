"""Compares octet with PyTorch on every classification and segmentation model of
torchvision, traced with random weights, and writes the table in docs/coverage.md.

    zoo.py --octet ./octet [--docs docs/coverage.md] [--format ts|pt2] [NAME...]

With --format pt2 models of torchvision and transformers, those of zoo_exported.py, are
exported instead, and run as exported and after run_decompositions(): on two inputs, and
on three where the batch is open.

The smallest models come first, and the table is written again after each, so that a
run that is cut short leaves what it has; with --results a later run goes on from there.

Each model gets statistics of batch norm from a batch of random images, so that
activations keep their scale; then it is traced on one image, saved, and run by
octet on others: on one, and classification models also on three in batches of two.
The outputs are compared, relative to the largest absolute one.
The traced files, up to some gigabytes, are made one after the other in a
temporary folder and deleted. Runs in development, not in CI: it takes an hour or more.
"""

import argparse
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings

import numpy as np
import torch
import torchvision
from torchvision.models import resnet

import zoo_exported

warnings.filterwarnings("ignore")

# Models that are made for one size of images.
SIZES = {"inception_v3": 299}

SEGMENTATION = ["fcn_resnet50", "fcn_resnet101", "deeplabv3_resnet50", "deeplabv3_resnet101", "deeplabv3_mobilenet_v3_large", "lraspp_mobilenet_v3_large"]


FORMS = ("exported", "decomposed")


def models():
    """The names of all models, those with the fewest parameters first."""
    names = torchvision.models.list_models(module=torchvision.models) + SEGMENTATION
    return sorted(names, key=lambda n: torchvision.models.get_model_weights(n).DEFAULT.meta["num_params"])


def build(name):
    torch.manual_seed(0)
    if name in SEGMENTATION:
        return getattr(torchvision.models.segmentation, name)(weights=None, weights_backbone=None)
    kwargs = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    return torchvision.models.get_model(name, weights=None, **kwargs)


def randomize(model):
    """Gives parameters that are all alike random values, which they have once trained. The last norm of a
    residual branch of ResNet gets a small scale, as training gives it: with branches
    as large as what they are added to, dozens of them make of the roundings of
    float32 differences of 1e-3, between PyTorch's own engines as well. Batch norm is to take the statistics of the next batch."""
    for module in model.modules():
        if isinstance(module, (torch.nn.Dropout, torchvision.ops.StochasticDepth)):
            module.p = 0.0
    norms = [m for m in model.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)]
    for norm in norms:
        torch.nn.init.uniform_(norm.weight, 0.5, 1.5)
        torch.nn.init.uniform_(norm.bias, -0.5, 0.5)
        norm.momentum = 1.0
    for module in model.modules():
        if isinstance(module, (resnet.BasicBlock, resnet.Bottleneck)):
            last = module.bn3 if isinstance(module, resnet.Bottleneck) else module.bn2
            torch.nn.init.uniform_(last.weight, 0.0, 0.4)
    for name, p in model.named_parameters():
        if (p == p.flatten()[0]).all():
            torch.nn.init.normal_(p, 1.0 if p.flatten()[0] == 1 else 0.0, 0.1 if "layer_scale" in name else 0.02)
    return norms


def with_statistics(model, *inputs):
    """Randomizes parameters, and gives batch norm the statistics of a batch of images."""
    if randomize(model):
        model.train()
        with torch.no_grad():
            model(*inputs)
    return model.eval()


def flat(out):
    if isinstance(out, torch.Tensor):
        return [out]
    if isinstance(out, dict):
        out = list(out.values())
    return [t for o in out for t in flat(o)]


def check(name, octet, folder):
    size = SIZES.get(name, 224)
    start = time.time()
    model = with_statistics(build(name), torch.randn(4, 3, size, size))
    depends(model, lambda batch: (torch.randn(batch, 3, size, size),))
    parameters = sum(p.numel() for p in model.parameters())
    x = torch.randn(3, 3, size, size)
    path = os.path.join(folder, name + ".ts.pt")
    with torch.no_grad():
        traced = torch.jit.trace(model, x[:1], strict=False, check_trace=False)
        want = [t.numpy() for t in flat(traced(x[:1]))]
        batch = None if name in SEGMENTATION else traced(x).numpy()
    torch.jit.save(traced, path)
    del model, traced
    gc.collect()
    inputs, outputs = os.path.join(folder, "x.npz"), os.path.join(folder, "y.npz")
    made = time.time() - start
    start = time.time()
    result = {"name": name, "parameters": parameters, "size": size}

    def run(*arguments):
        """What octet computes; None, with the reason noted, where it fails."""
        done = subprocess.run([octet, *arguments], capture_output=True, text=True)
        if done.returncode != 0:
            result["error"] = done.stderr.strip()
            return None
        return np.load(outputs)

    np.savez(inputs, x=x[:1].numpy())
    got = run("run", path, "--input", inputs, "--output", outputs)
    pairs = [(w, got[f"output{i}"]) for i, w in enumerate(want)] if got else []
    result["seconds"] = round(time.time() - start, 1)
    if got and batch is not None:
        np.savez(inputs, x=x.numpy())
        got = run("eval", path, "--data", inputs, "--batch", "2", "--output", outputs)
        pairs += [(batch, got["y"])] if got else []
    os.remove(path)
    if "error" in result:
        return result
    worst = 0.0
    for w, g in pairs:
        difference = compare(w, g)
        if not difference <= worst:  # a NaN counts
            worst = difference
    result["error_relative"] = worst
    print(f"{name}: {worst:.2e}, PyTorch {made:.0f} s, octet {result['seconds']} s", flush=True)
    return result


def compare(want, got):
    """The largest difference relative to the largest absolute value."""
    if got.shape != want.shape:
        raise ValueError(f"an output has shape {got.shape}, want {want.shape}")
    if not np.isfinite(want).all():
        raise ValueError("PyTorch's output is not finite")
    return float(np.abs(got - want).max() / max(np.abs(want).max(), 1e-30))


def depends(model, inputs):
    """Refuses a model that gives the same for other inputs: comparing constants says nothing."""
    with torch.no_grad():
        first, second = ([t.numpy() for t in zoo_exported.tensors(model(*inputs(2)))] for _ in range(2))
    if not any(np.abs(a - b).max() > 1e-3 * np.abs(a).max() for a, b in zip(first, second)):
        raise ValueError("its outputs do not depend on its inputs")


def check_exported(name, octet, folder):
    """The largest differences of a program as exported and decomposed, or why there are none."""
    model, inputs = zoo_exported.build(name)
    model = with_statistics(model, *inputs(4))
    depends(model, inputs)
    result = {"name": name, "parameters": sum(p.numel() for p in model.parameters())}
    program = zoo_exported.export(model, inputs(2))
    result["batch"] = "open" if len(zoo_exported.batches(program)) > 1 else "fixed"
    runs = []
    for batch in zoo_exported.batches(program):
        x = inputs(batch)
        with torch.no_grad():
            runs.append((batch, x, [t.numpy() for t in zoo_exported.tensors(model(*x))]))
    for form in ("exported", "decomposed"):
        try:
            if form == "decomposed":
                program = program.run_decompositions()
            path = os.path.join(folder, "model.pt2")
            torch.export.save(program, path)
        except Exception as e:
            result[form] = f"PyTorch: {type(e).__name__}: {e}"[:300]
            continue
        try:
            taken = zoo_exported.batches(program)  # decomposing may fix the batch
            result[form] = max(run_exported(octet, path, folder, program, x, want) for batch, x, want in runs if batch in taken)
        except Exception as e:
            result[form] = f"octet: {e}"[:600]
        os.remove(path)
    print(f"{name}: batch {result['batch']}, {result['exported']}, {result['decomposed']}", flush=True)
    return result


def run_exported(octet, path, folder, program, x, want):
    given, out = os.path.join(folder, "x.npz"), os.path.join(folder, "y.npz")
    np.savez(given, **zoo_exported.arrays(program, x))
    done = subprocess.run([octet, "run", path, "--input", given, "--output", out], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())
    got = np.load(out)
    if len(got.files) != len(want):
        raise RuntimeError(f"{len(got.files)} outputs, want {len(want)}")
    return float(np.max([compare(w, got[n]) for n, w in zip(got.files, want)]))


def shortened(reason):
    words = " ".join(str(reason).replace("octet: octet:", "octet:").replace("|", "/").split())
    return words if len(words) <= 160 else words[:160].rsplit(" ", 1)[0] + " ..."


def table_exported(results):
    lines = ["| model | parameters | batch | as exported | decomposed |", "|---|---|---|---|---|"]
    for r in sorted(results.values(), key=lambda r: r["name"]):
        cells = [f"{v:.1e}" if isinstance(v, float) else shortened(v) for v in (r.get(f, r.get("error", "")) for f in FORMS)]
        lines.append(f"| {r['name']} | {r['parameters'] / 1e6:.2f} M | {r.get('batch', '')} | {cells[0]} | {cells[1]} |")
    return "\n".join(lines) + "\n"


def table(results):
    lines = ["| model | parameters | image | largest difference |", "|---|---|---|---|"]
    for r in sorted(results.values(), key=lambda r: r["name"]):
        difference = f"{r['error_relative']:.1e}" if "error_relative" in r else " ".join(r["error"].split())
        lines.append(f"| {r['name']} | {r['parameters'] / 1e6:.1f} M | {r['size']}x{r['size']} | {difference} |")
    return "\n".join(lines) + "\n"


def replace_file(path, text):
    """Writes a file so that it is complete at any time."""
    with open(path + ".tmp", "w") as f:
        f.write(text)
    os.replace(path + ".tmp", path)


def arguments():
    """The arguments of a script that compares octet and writes a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--octet", required=True)
    parser.add_argument("--docs")
    parser.add_argument("--results", help="JSON file that keeps results between runs")
    parser.add_argument("names", nargs="*")
    return parser


def kept(path):
    """The results of earlier runs."""
    if not path or not os.path.exists(path):
        return {}
    with open(path) as f:
        return json.load(f)


def keep(path, results):
    if path:
        replace_file(path, json.dumps(results, indent=1))


def write_docs(path, mark, rows):
    """Puts the table between its marks in the page."""
    with open(path) as f:
        page = f.read()
    begin, end = f"<!-- {mark}: begin -->\n", f"<!-- {mark}: end -->"
    before, rest = page.split(begin)
    after = rest.split(end)[1]
    replace_file(path, before + begin + rows + end + after)


def succeeded(result):
    """Whether a model ran in all forms that PyTorch could write, close enough."""
    values = [result.get(f) for f in FORMS if f in result] or [result.get("error_relative")]
    return "error" not in result and all(isinstance(v, float) and v <= 1e-4 or str(v).startswith("PyTorch:") for v in values)


def main():
    parser = arguments()
    parser.add_argument("--format", choices=("ts", "pt2"), default="ts")
    args = parser.parse_args()
    pt2 = args.format == "pt2"
    names = args.names or (zoo_exported.names() if pt2 else models())
    known = kept(args.results)

    def write():
        keep(args.results, known)
        if args.docs:
            write_docs(args.docs, "zoo of programs" if pt2 else "zoo", table_exported(known) if pt2 else table(known))

    failed = 0
    for name in names:
        if args.results and not args.names and name in known and succeeded(known[name]):
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                known[name] = (check_exported if pt2 else check)(name, os.path.abspath(args.octet), folder)
            except Exception as e:  # a model that PyTorch cannot trace is a result, too
                known[name] = {"name": name, "parameters": 0, "size": 0, "error": f"PyTorch: {e}"[:300]}
        gc.collect()
        if "error" in known[name]:
            print(f"{name}: {known[name]['error']}", flush=True)
        failed += not succeeded(known[name])
        write()
    write()
    print(f"{len(names)} models, {failed} of them failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
