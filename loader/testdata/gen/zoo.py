"""Compares octet with PyTorch on every classification and segmentation model of
torchvision, traced with random weights, and writes the table in docs/coverage.md.

    zoo.py --octet ./octet [--docs docs/coverage.md] [NAME...]

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

warnings.filterwarnings("ignore")

# Models that are made for one size of images.
SIZES = {"inception_v3": 299}

SEGMENTATION = ["fcn_resnet50", "fcn_resnet101", "deeplabv3_resnet50", "deeplabv3_resnet101", "deeplabv3_mobilenet_v3_large", "lraspp_mobilenet_v3_large"]


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


def with_statistics(model, size):
    """Gives parameters that are all alike random values, which they have once
    trained, and batch norm the statistics of a batch of images. The last norm of a
    residual branch of ResNet gets a small scale, as training gives it: with branches
    as large as what they are added to, dozens of them make of the roundings of
    float32 differences of 1e-3, between PyTorch's own engines as well."""
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
    if norms:
        model.train()
        with torch.no_grad():
            model(torch.randn(4, 3, size, size))
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
    model = with_statistics(build(name), size)
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
        if g.shape != w.shape:
            result["error"] = f"an output has shape {g.shape}, want {w.shape}"
            return result
        if not np.isfinite(w).all():
            result["error"] = "PyTorch's output is not finite"
            return result
        difference = float(np.abs(g - w).max() / np.abs(w).max())
        if not difference <= worst:  # a NaN counts
            worst = difference
    result["error_relative"] = worst
    print(f"{name}: {worst:.2e}, PyTorch {made:.0f} s, octet {result['seconds']} s", flush=True)
    return result


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


def write_docs(path, results):
    """Puts the table between its marks in the page."""
    with open(path) as f:
        page = f.read()
    begin, end = "<!-- zoo: begin -->\n", "<!-- zoo: end -->"
    before, rest = page.split(begin)
    after = rest.split(end)[1]
    replace_file(path, before + begin + table(results) + end + after)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--octet", required=True)
    parser.add_argument("--docs")
    parser.add_argument("--results", help="JSON file that keeps results between runs")
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    names = args.names or models()
    known = {}
    if args.results and os.path.exists(args.results):
        with open(args.results) as f:
            known = json.load(f)
    failed = 0
    for name in names:
        if args.results and not args.names and "error_relative" in known.get(name, {}):
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                known[name] = check(name, os.path.abspath(args.octet), folder)
            except Exception as e:  # a model that PyTorch cannot trace is a result, too
                known[name] = {"name": name, "parameters": 0, "size": 0, "error": f"PyTorch: {e}"}
        gc.collect()
        r = known[name]
        if "error" in r:
            print(f"{name}: {r['error']}", flush=True)
        failed += "error" in r or not r["error_relative"] <= 1e-4
        if args.results:
            replace_file(args.results, json.dumps(known, indent=1))
        if args.docs:
            write_docs(args.docs, known)
    if args.docs:
        write_docs(args.docs, known)
    print(f"{len(names)} models, {failed} of them failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
