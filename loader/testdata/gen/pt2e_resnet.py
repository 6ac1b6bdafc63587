#!/usr/bin/env python3
"""Writes ResNet-20 for CIFAR-10 as PyTorch's PT2E flow quantizes it, exported.

    chroot PYTORCH_2.6 python3 pt2e_resnet.py DATA OUT

DATA has resnet20.th, calib.npz and test.npz. Written are OUT/resnet20_NAME.pt2 for the
quantizers x86 and xnnpack, without weights that the program does not use and compressed,
which PyTorch reads as well, and OUT/resnet20_NAME.npz with the logits that PyTorch 2.6
computes from it for the test images: float arithmetic between quantize and dequantize.
"""

import io
import sys
import zipfile

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


class Block(nn.Module):
    def __init__(self, i, o, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o)
        self.conv2, self.bn2 = nn.Conv2d(o, o, 3, 1, 1, bias=False), nn.BatchNorm2d(o)
        self.grow = o - i

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        if self.grow:
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.grow // 2, self.grow // 2))
        return F.relu(y + x)


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)
        i = 16
        for k, (o, stride) in enumerate(((16, 1), (32, 2), (64, 2))):
            blocks = [Block(i, o, stride), Block(o, o, 1), Block(o, o, 1)]
            setattr(self, f"layer{k + 1}", nn.Sequential(*blocks))
            i = o
        self.linear = nn.Linear(64, 10)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        x = F.avg_pool2d(x, 8)
        return self.linear(x.view(x.size(0), -1))


def images(path):
    d = np.load(path)
    x = d["x"].astype(np.float32) / 255 if d["x"].dtype == np.uint8 else d["x"]
    if "mean" in d:
        x = (x - d["mean"].reshape(1, 3, 1, 1)) / d["std"].reshape(1, 3, 1, 1)
    return torch.from_numpy(x.astype(np.float32)), d["y"]


def save(program, path):
    used = {s.target for s in program.graph_signature.input_specs}
    for key in [k for k in program.state_dict if k not in used]:
        del program._state_dict[key]
    program._example_inputs = None
    file = io.BytesIO()
    torch.export.save(program, file)
    with zipfile.ZipFile(file) as whole, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as small:
        for record in whole.namelist():
            small.writestr(record, whole.read(record))


def main(data, out):
    import torch.ao.quantization.quantizer.x86_inductor_quantizer as x86
    from torch.ao.quantization.quantize_pt2e import convert_pt2e, prepare_pt2e
    from torch.ao.quantization.quantizer.xnnpack_quantizer import XNNPACKQuantizer, get_symmetric_quantization_config

    torch.set_num_threads(1)
    state = torch.load(f"{data}/resnet20.th", map_location="cpu", weights_only=False)
    state = state.get("state_dict", state)
    calib, _ = images(f"{data}/calib.npz")
    test, labels = images(f"{data}/test.npz")
    xnnpack = XNNPACKQuantizer().set_global(get_symmetric_quantization_config(is_per_channel=True))
    inductor = x86.X86InductorQuantizer().set_global(x86.get_default_x86_inductor_quantization_config())
    for name, quantizer in (("x86", inductor), ("xnnpack", xnnpack)):
        model = ResNet().eval()
        model.load_state_dict({k.removeprefix("module."): v for k, v in state.items()})
        dims = {"x": {0: torch.export.Dim("batch", min=1, max=1024)}}
        program = torch.export.export_for_training(model, (calib[:2],), dynamic_shapes=dims).module()
        prepared = prepare_pt2e(program, quantizer)
        with torch.no_grad():
            for i in range(0, len(calib), 64):
                prepared(calib[i : i + 64])
        converted = convert_pt2e(prepared)
        save(torch.export.export(converted, (calib[:2],), dynamic_shapes=dims), f"{out}/resnet20_{name}.pt2")
        with torch.no_grad():
            logits = torch.cat([converted(test[i : i + 113]) for i in range(0, len(test), 113)]).numpy()
        np.savez_compressed(f"{out}/resnet20_{name}.npz", logits=logits)
        print(name, "accuracy", (logits.argmax(1) == labels).mean(), len(labels))


if __name__ == "__main__":
    main(*sys.argv[1:])
