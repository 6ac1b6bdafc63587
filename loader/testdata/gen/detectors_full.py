"""Compares octet with PyTorch on torchvision's detectors at full size, traced and scripted with random weights, and writes
the table in docs/coverage.md.

    detectors_full.py --octet ./octet [--docs docs/coverage.md] [--results FILE] [NAME...]

Each model gets statistics of batch norm from pictures, and scores so far apart that it finds as many boxes as it may give.
Detections are matched one by one: those whose scores are equal but for rounding change places. Files of up to some
hundred megabytes are made one after the other in a temporary folder and deleted. --results keeps what the runs of several versions
of PyTorch give. Runs in development, not in CI.
"""

import gc
import json
import os
import subprocess
import tempfile
import time
import warnings

import numpy as np
import torch
import torchvision

from detectors import One, picture
from zoo import arguments, keep, kept, randomize, write_docs

warnings.filterwarnings("ignore")

FORMS = ("traced", "scripted")
VERSIONS = ("1.13", "2.14")


def build(name):
    torch.manual_seed(0)
    model = torchvision.models.get_model(name, weights=None, weights_backbone=None).eval()
    pictures = [picture(240, 320, s) for s in (1, 2)]
    norms = randomize(model)
    for norm in norms:
        norm.train()
    with torch.no_grad():
        model(pictures)
    for norm in norms:
        norm.eval()
    spread_scores(model, pictures)
    return model


def score_layers(model):
    """The layers that give the scores of classes, and whether a sigmoid follows."""
    if hasattr(model, "roi_heads"):
        yield model.roi_heads.box_predictor.cls_score, False
        return
    head = model.head.classification_head
    if hasattr(head, "cls_logits"):
        yield head.cls_logits, True
        return
    for m in head.module_list:
        yield (m if isinstance(m, torch.nn.Conv2d) else m[-1]), False


def spread_scores(model, pictures):
    """Scales the layers of the scores, so that some classes win clearly, and moves the bias of those in front of a sigmoid."""
    for layer, sigmoid in score_layers(model):
        seen = []
        hook = layer.register_forward_hook(lambda m, i, out: seen.append(out.flatten()))
        with torch.no_grad():
            model(pictures)
            logits = torch.cat(seen)
            hook.remove()
            scale = 2.5 / logits.std()
            layer.weight *= scale
            if layer.bias is not None:
                layer.bias *= scale
                if sigmoid:
                    sample = (logits * scale)[torch.randint(len(logits), (100000,))]
                    layer.bias -= sample.quantile(0.999)


def partners(want, got):
    """For each detection of want the one of got that is like it, -1 where there is none, each used once."""
    left, found = set(range(len(got["scores"]))), []
    size = max(float(np.abs(want["boxes"]).max()), 1.0) if len(want["boxes"]) else 1.0
    for box, label, score in zip(want["boxes"], want["labels"], want["scores"]):
        best = [j for j in left if got["labels"][j] == label and abs(got["scores"][j] - score) <= 1e-3 and np.abs(got["boxes"][j] - box).max() <= 1e-3 * size]
        j = min(best, key=lambda j: np.abs(got["boxes"][j] - box).max(), default=-1)
        left.discard(j)
        found.append(j)
    return np.array(found, dtype=int)


def compare(want, got):
    """How many detections have a partner, and the largest difference of each output among those, relative to the largest value."""
    pairs = partners(want, got)
    w, g = np.nonzero(pairs >= 0)[0], pairs[pairs >= 0]
    differences = {}
    for k in want:
        if want[k].dtype.kind == "f" and len(w):
            differences[k] = float(np.abs(got[k][g] - want[k][w]).max() / max(np.abs(want[k]).max(), 1e-30))
    return {"boxes": len(pairs), "found": len(got["scores"]), "matched": len(w), "differences": differences}


def check(name, octet, folder):
    model = build(name)
    x = picture(240, 320, 3)
    with torch.no_grad():
        want = {k: v.numpy() for k, v in model([x])[0].items()}
    result = {"parameters": sum(p.numel() for p in model.parameters())}
    given, out = os.path.join(folder, "x.npz"), os.path.join(folder, "y.npz")
    for form in FORMS:
        path = os.path.join(folder, form + ".ts.pt")
        with torch.no_grad():
            made = torch.jit.trace(One(model), x, check_trace=False) if form == "traced" else torch.jit.script(model)
        torch.jit.save(made, path)
        del made
        gc.collect()
        np.savez(given, **{"x" if form == "traced" else "images.0": x.numpy()})
        start = time.time()
        done = subprocess.run([octet, "run", path, "--input", given, "--output", out], capture_output=True, text=True)
        seconds = round(time.time() - start, 1)
        if done.returncode != 0:
            result[form] = {"error": done.stderr.strip()[:600]}
        else:
            got = np.load(out)
            values = [got[n] for n in got.files]
            result[form] = compare(want, dict(zip(want, values)))
            result[form]["seconds"] = seconds
        os.remove(path)
        print(name, form, json.dumps(result[form]), flush=True)
    return result


def cell(r):
    if "error" in r:
        return " ".join(r["error"].split()).replace("|", "/")[:160]
    return f"{r['matched']} of {r['boxes']}; " + ", ".join(f"{k} {v:.0e}" for k, v in r["differences"].items())


def table(results):
    columns = [(v, f) for v in VERSIONS for f in FORMS]
    lines = ["| model | parameters | " + " | ".join(f"{f}, {v}" for v, f in columns) + " |", "|---" * (2 + len(columns)) + "|"]
    for name, versions in sorted(results.items()):
        cells = [cell(versions[v][f]) if v in versions else "" for v, f in columns]
        lines.append(f"| {name} | {next(iter(versions.values()))['parameters'] / 1e6:.1f} M | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main():
    parser = arguments()
    args = parser.parse_args()
    known = kept(args.results)
    for name in args.names or torchvision.models.list_models(module=torchvision.models.detection):
        with tempfile.TemporaryDirectory() as folder:
            version = ".".join(torch.__version__.split(".")[:2])
            known.setdefault(name, {})[version] = check(name, os.path.abspath(args.octet), folder)
        gc.collect()
        keep(args.results, known)
        if args.docs:
            write_docs(args.docs, "full detectors", table(known))


if __name__ == "__main__":
    main()
