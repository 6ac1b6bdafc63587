"""Compares octet with PyTorch on families of transformers, with eager attention and with SDPA, traced and exported, and writes the
table in docs/coverage.md.

    families.py --octet ./octet --families FILE [--docs docs/coverage.md] [--results FILE] [NAME...]

FILE, transformers_families.py of the shared data, registers each family with the decorator `case` of a module of that name: a function
that gives a module and inputs of two shapes. octet runs each file on both where PyTorch's own file takes both, and is compared with
that file. With --results a later run does those that failed. Runs in development, not in CI; it takes half an hour.
"""

import gc
import json
import os
import subprocess
import sys
import tempfile
import types
import warnings

import numpy as np
import torch

from zoo import arguments, compare, keep, kept, shortened, write_docs
from zoo_exported import arrays

warnings.filterwarnings("ignore")
SEED = 5
FORMS = ("traced", "pt2")


def families(path):
    """The functions that FILE registers, by name: tf_FAMILY_ATTENTION."""
    found = {}

    def case(name, *_, **__):
        def register(f):
            found[name.removeprefix("tf_")] = f
            return f

        return register

    sys.modules["cases"] = types.SimpleNamespace(case=case)
    with open(path) as f:
        exec(compile(f.read(), path, "exec"), {"sys": sys, "lib": types.SimpleNamespace(gen=lambda *_: None)})
    return found


def seeded(module, inputs):
    torch.manual_seed(SEED)
    with torch.no_grad():
        return [t.numpy() for t in module(*[x.clone() for x in inputs])]


def traced(module, inputs, path):
    """What PyTorch computes with the traced file, by the inputs that it takes."""
    with torch.no_grad():
        made = torch.jit.trace(module, inputs[0], strict=False, check_trace=False)
    torch.jit.save(made, path)
    return [(dict((f"x{i}", t.numpy()) for i, t in enumerate(x)), want) for x in inputs if (want := accepted(made, x))]


def exported(module, inputs, path, ranks=None):
    """The same of the program, its extents, or the first ones of them, open where it allows that."""
    torch.backends.mha.set_fastpath_enabled(False)
    open_dims = (tuple({d: torch.export.Dim.AUTO for d in range(x.dim())[:ranks]} for x in inputs[0]),)
    try:
        program = torch.export.export(module, inputs[0], dynamic_shapes=open_dims, strict=False)
    except TimeoutError:
        raise
    except Exception:
        program = torch.export.export(module, inputs[0], strict=False)
    torch.export.save(program, path)
    made = program.module()
    return [(arrays(program, x), want) for x in inputs if (want := accepted(made, x))]


def accepted(module, inputs):
    try:
        return seeded(module, inputs)
    except TimeoutError:
        raise
    except Exception:  # other extents than those of the file
        return None


def check(make, octet, folder):
    """The largest difference of each form, or why there is none."""
    result = {}
    for form in FORMS:
        path = os.path.join(folder, "model.pt2" if form == "pt2" else "model.ts.pt")
        try:
            module, inputs = make()
            runs = (exported if form == "pt2" else traced)(module, inputs, path)
        except Exception as e:
            result[form] = f"PyTorch: {type(e).__name__}: {e}"[:400]
            continue
        result[form + " shapes"] = len(runs)
        result[form] = compared(octet, path, folder, runs)
        if "run_decompositions" in str(result[form]):
            program = torch.export.load(path).run_decompositions()
            torch.export.save(program, path)
            result[form], result["decomposed"] = compared(octet, path, folder, runs), True
        del module
        gc.collect()
    return result


def compared(octet, path, folder, runs):
    try:
        return float(np.max([run(octet, path, folder, given, want) for given, want in runs]))
    except Exception as e:
        return f"octet: {e}"[:600]


def run(octet, path, folder, given, want):
    source, out = os.path.join(folder, "x.npz"), os.path.join(folder, "y.npz")
    np.savez(source, **given)
    done = subprocess.run([octet, "run", path, "--seed", str(SEED), "--input", source, "--output", out], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())
    got = np.load(out)
    if len(got.files) != len(want):
        raise RuntimeError(f"{len(got.files)} outputs, want {len(want)}")
    return float(np.max([compare(w.astype(np.float64), got[n].astype(np.float64)) for n, w in zip(got.files, want)]))


def agrees(value):
    return isinstance(value, float) and value <= 1e-4


def cell(r, form):
    if not isinstance(r.get(form), float):
        return shortened(r.get(form, ""))
    return f"{r[form]:.0e}" + (", decomposed" if form == "pt2" and "decomposed" in r else "") + (", one shape" if r[form + " shapes"] == 1 else "")


def table(results):
    columns = [(a, f) for f in FORMS for a in ("eager", "sdpa")]
    made = [[r[f] for r in results.values() if not str(r[f]).startswith("PyTorch:")] for f in FORMS]
    counts = [f"{sum(map(agrees, m))} of the {len(m)} that PyTorch makes {what}" for m, what in zip(made, ("traced", "as `.pt2`"))]
    lines = [f"Of {len(results)} models " + ", and ".join(counts) + ", agree within 1e-4.", "", "| family | traced, eager | traced, SDPA | `.pt2`, eager | `.pt2`, SDPA |", "|---|---|---|---|---|"]
    for family in sorted({n.rsplit("_", 1)[0] for n in results}):
        cells = [results.get(f"{family}_{a}", {}) for a, _ in columns]
        lines.append(f"| {family} | " + " | ".join(cell(r, f) for r, (_, f) in zip(cells, columns)) + " |")
    return "\n".join(lines) + "\n"


def main():
    parser = arguments()
    parser.add_argument("--families", required=True)
    args = parser.parse_args()
    known = kept(args.results)
    for name, make in families(args.families).items():
        if args.names and name not in args.names or not args.names and name in known and all(agrees(known[name].get(f)) for f in FORMS):
            continue
        with tempfile.TemporaryDirectory() as folder:
            known[name] = check(make, os.path.abspath(args.octet), folder)
        print(name, json.dumps(known[name]), flush=True)
        keep(args.results, known)
    if args.docs:
        write_docs(args.docs, "families", table(known))


if __name__ == "__main__":
    main()
