"""Writes the torch.save files of testdata, each with what PyTorch reads from it.

NAME.pth is the zip format, NAME.legacy.pth the format before PyTorch 1.6, and
NAME.npz the tensors by name. There, bfloat16 and float16 stand as bit patterns in
int32; a quantized tensor NAME as its integers, with NAME:scale, NAME:zero_point
and, per channel, NAME:axis.
"""
import argparse
import collections
import os
import zipfile

import numpy as np
import torch

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
torch.manual_seed(5)


def path(name):
    return os.path.join(OUT, name)


def put(out, name, t):
    t = t.detach()
    if t.is_quantized:
        if t.qscheme() in (torch.per_channel_affine, torch.per_channel_symmetric):
            out[name + ":scale"] = t.q_per_channel_scales().float().numpy()
            out[name + ":zero_point"] = t.q_per_channel_zero_points().int().numpy()
            out[name + ":axis"] = np.array(t.q_per_channel_axis(), dtype=np.int64)
        else:
            out[name + ":scale"] = np.array([t.q_scale()], dtype=np.float32)
            out[name + ":zero_point"] = np.array([t.q_zero_point()], dtype=np.int32)
        t = t.int_repr()
    if t.dtype in (torch.float16, torch.bfloat16):
        t = torch.from_numpy(t.contiguous().view(torch.int16).numpy().astype(np.int32) & 0xFFFF)
    out[name] = t.contiguous().numpy()


def save(name, obj, expect, **kwargs):
    torch.save(obj, path(name + ".pth"), **kwargs)
    torch.save(obj, path(name + ".legacy.pth"), _use_new_zipfile_serialization=False, **kwargs)
    out = {}
    for k, t in expect.items():
        put(out, k, t)
    np.savez_compressed(path(name + ".npz"), **out)


def net():
    return torch.nn.Sequential(collections.OrderedDict([
        ("conv", torch.nn.Conv2d(2, 3, 3)), ("bn", torch.nn.BatchNorm2d(3)), ("fc", torch.nn.Linear(3, 2))]))


sd = net().state_dict()
save("plain", sd, sd)
save("dict", dict(sd), sd)
params = collections.OrderedDict(net().named_parameters())
save("parameters", params, params)
save("dataparallel", collections.OrderedDict(("module." + k, v) for k, v in sd.items()), sd)
save("protocol4", sd, sd, pickle_protocol=4)

save("checkpoint", {"state_dict": sd, "best_prec1": 91.5, "epoch": 7, "arch": "net", "done": True, "none": None}, sd)
save("checkpoint_model", {"epoch": 1, "model": collections.OrderedDict(("module." + k, v) for k, v in sd.items())}, sd)
model = net()
opt = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
for p in model.parameters():
    p.grad = torch.ones_like(p)
opt.step()
save("checkpoint_optimizer", {"model_state_dict": model.state_dict(), "optimizer": opt.state_dict(),
                              "args": argparse.Namespace(lr=0.1), "acc": np.float64(0.5),
                              "shape": torch.Size([1, 2]), "seen": {1, 2}}, model.state_dict())
save("checkpoint_other", {"ema_weights": sd, "step": 3}, sd)

dtypes = {str(d)[6:]: (torch.arange(-4, 8) * 1.25).reshape(3, 4).to(d) for d in
          (torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int8, torch.uint8, torch.int32, torch.int64)}
dtypes["bool"] = torch.tensor([[True, False, True]])
dtypes["scalar"] = torch.tensor(3.5)
dtypes["empty"] = torch.zeros(0, 3)
save("dtypes", dtypes, dtypes)

base = torch.arange(24, dtype=torch.float32)
views = collections.OrderedDict([
    ("whole", base.reshape(2, 3, 4)), ("transposed", base.reshape(4, 6).t()), ("permuted", base.reshape(2, 3, 4).permute(2, 0, 1)),
    ("slice", base[5:9]), ("strided", base[3::7]), ("expanded", base[:1].expand(5, 1)), ("tied", base.reshape(2, 3, 4))])
save("views", views, views)

q = torch.quantize_per_tensor(torch.randn(2, 5), 0.05, 3, torch.quint8)
qtensors = {
    "quint8": q, "qint8": torch.quantize_per_tensor(torch.randn(3, 4), 0.02, -5, torch.qint8),
    "qint32": torch.quantize_per_tensor(torch.randn(6), 0.001, 0, torch.qint32),
    "per_channel": torch.quantize_per_channel(torch.randn(3, 2, 2), torch.tensor([0.1, 0.02, 0.5]), torch.tensor([0, 1, -2]), 0, torch.qint8),
    "per_channel_axis1": torch.quantize_per_channel(torch.randn(3, 2), torch.tensor([0.1, 0.02], dtype=torch.float64), torch.tensor([7, 0]), 1, torch.quint8),
    "transposed": q.t(),
}
save("qtensors", qtensors, qtensors)

packed = torch.ao.nn.quantized.Linear(3, 2).state_dict() if hasattr(torch.ao.nn, "quantized") else torch.nn.quantized.Linear(3, 2).state_dict()
expect = {}
for k, v in packed.items():
    if torch.is_tensor(v):
        expect[k] = v
    elif isinstance(v, tuple):
        expect.update(("%s.%d" % (k, i), t) for i, t in enumerate(v))
save("packed_linear", packed, expect)

storages = {"typed": torch.arange(6, dtype=torch.float32).storage(), "t": torch.ones(2)}
save("storages", storages, {"typed": torch.arange(6, dtype=torch.float32), "t": torch.ones(2)})
untyped = {"untyped": torch.arange(6, dtype=torch.uint8).storage().untyped() if hasattr(torch.Tensor().storage(), "untyped")
           else torch.arange(6, dtype=torch.uint8).storage()._storage, "t": torch.ones(2)}
save("untyped", untyped, {"untyped": torch.arange(6, dtype=torch.uint8), "t": torch.ones(2)})

if hasattr(torch, "uint16"):  # PyTorch 2.3; 2.14 wrote the files that are there
    unsigned = torch.tensor([[3, 2**15], [2**16 - 1, 0]])
    integers = {
        "i16": torch.tensor([1, -2, 2**15 - 1, -(2**15)]).short(), "u16": unsigned.to(torch.uint16), "u16.t": unsigned.to(torch.uint16).t(),
        "u32": (unsigned * 65537).to(torch.uint32), "u64": (unsigned << 46).to(torch.uint64), "u64.slice": (unsigned << 46).to(torch.uint64)[1:, ::2],
    }
    integers["i16.slice"] = integers["i16"][1:3]
    save("integers", integers, {k: v.long() if v.dtype in (torch.uint32, torch.uint64) else v.int() for k, v in integers.items()})
    torch.save({"w": torch.tensor([5, -1]).to(torch.uint64)}, path("refused_uint64.pth"))

tagged = torch.nn.Parameter(torch.ones(2))
tagged.note = "kept beside the data"
save("attributes", {"w": tagged}, {"w": tagged})

# A zip tool packed the file again: records deflated, folders added.
with zipfile.ZipFile(path("plain.pth")) as src, zipfile.ZipFile(path("deflated.pth"), "w", zipfile.ZIP_DEFLATED) as dst:
    root = src.namelist()[0].split("/")[0]
    for folder in (root + "/", root + "/data/"):
        dst.writestr(zipfile.ZipInfo(folder, (1980, 1, 1, 0, 0, 0)), b"")
    for name in src.namelist():
        info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
        info.compress_type = zipfile.ZIP_DEFLATED
        dst.writestr(info, src.read(name))
# Newer versions of PyTorch say the byte order.
for order in ("little", "big"):
    with zipfile.ZipFile(path("plain.pth")) as src, zipfile.ZipFile(path("byteorder_%s.pth" % order), "w") as dst:
        for name in src.namelist():
            dst.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), src.read(name))
        dst.writestr(zipfile.ZipInfo(root + "/byteorder", (1980, 1, 1, 0, 0, 0)), order)

# What is refused.
torch.save(net(), path("refused_module.pth"))
torch.serialization.get_source_lines_and_file = None  # else the file has the source of torch.nn
torch.save(net(), path("refused_module.legacy.pth"), _use_new_zipfile_serialization=False)
torch.save({"model": net(), "epoch": 1}, path("refused_wrapped_module.pth"))
torch.save({"w": torch.ones(2, dtype=torch.complex64)}, path("complex64.pth"))
torch.save({"w": torch.eye(2).to_sparse()}, path("refused_sparse.pth"))
torch.save({"a": sd, "b": sd}, path("refused_two.pth"))
torch.save(torch.ones(2), path("refused_tensor.pth"))
torch.save({"epoch": 3}, path("refused_no_tensors.pth"))
torch.jit.save(torch.jit.script(torch.nn.Linear(2, 1)), path("refused_torchscript.pt"))
