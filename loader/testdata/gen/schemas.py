"""Records the parameters of the operators that docs/coverage.md lists, from PyTorch 2.14, for TestNames.

    chroot PYTORCH_2.14 python3 schemas.py docs/coverage.md > loader/internal/aten/testdata/schemas.txt

A line is an overload: its name and its parameters, each with its kind as package aten writes kinds. Those behind "|" are given by
name, those with "=" have a default. Overloads that write to `out`, name dimensions or take other types are left out.
"""
import re
import sys

import torch
import torch.ao.quantization.fx._decomposed  # for its operators
import torchvision  # for its operators

KINDS = {
    "Tensor": "T", "number": "n", "int": "i", "float": "f", "bool": "b", "str": "s", "Device": "v", "Generator": "v",
    "List[Tensor]": "L", "List[Optional[Tensor]]": "L?", "List[int]": "I", "List[float]": "F", "List[number]": "F",
}


def kind(t):
    t = str(t).replace("SymInt", "int")
    inner = re.fullmatch(r"Optional\[(.*)\]", t)
    if inner:
        k = kind(inner[1])
        return k and k + "?"
    if t.startswith("__torch__.torch.classes.quantized."):
        return "P"
    return KINDS.get(t)


names = set()
for space, listed in re.findall(r"^- `(\w+)`: (.*)$", open(sys.argv[1]).read().split("<!-- operators: begin -->")[1], re.M):
    names |= {f"{space}::{n}" for n in listed.split(", ")}

lines = set()
for s in torch._C._jit_get_all_schemas():
    kinds = [kind(a.type) for a in s.arguments]
    whole = {k[0] for k in kinds if k} | {str(r.type)[0] for r in s.returns if str(r.type) == "Tensor"}
    if s.name not in names or None in kinds or any(a.is_out for a in s.arguments) or not whole & set("TP"):
        continue
    words = [s.name + ("." + s.overload_name if s.overload_name else "")]
    for a, k in zip(s.arguments, kinds):
        if a.kwarg_only and "|" not in words:
            words.append("|")
        words.append(a.name + ":" + k + ("=" if a.has_default_value() else ""))
    lines.add(" ".join(words))
print("\n".join(sorted(lines)))
