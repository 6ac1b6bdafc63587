"""Writes the weights of a folder of Hugging Face as transformers 4 did: in two files of torch.save, with their index.

    python3 hub_bin.py hub/bert-sequence hub_bin        # PyTorch 1.13
"""
import json, os, struct, sys

import torch

source, out = sys.argv[1:]
raw = open(source + "/model.safetensors", "rb").read()
n = struct.unpack("<Q", raw[:8])[0]
header = json.loads(raw[8:8 + n])
header.pop("__metadata__", None)
kinds = {"F32": torch.float32, "I64": torch.int64}
tensors = {}
for name, t in header.items():
    a, b = t["data_offsets"]
    tensors[name] = torch.frombuffer(bytearray(raw[8 + n + a:8 + n + b]), dtype=kinds[t["dtype"]]).reshape(t["shape"])
os.makedirs(out, exist_ok=True)
names = sorted(tensors)
index = {"metadata": {"total_size": sum(t.numel() * t.element_size() for t in tensors.values())}, "weight_map": {}}
for i, part in enumerate((names[:len(names) // 2], names[len(names) // 2:]), 1):
    file = f"pytorch_model-0000{i}-of-00002.bin"
    torch.save({k: tensors[k] for k in part}, f"{out}/{file}")
    index["weight_map"].update({k: file for k in part})
json.dump(index, open(out + "/pytorch_model.bin.index.json", "w"), indent=1)
