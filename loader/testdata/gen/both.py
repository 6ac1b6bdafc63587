"""Saves modules in both formats, traced and exported by one PyTorch, for tests that compare them.

    chroot PYTORCH_2.14 python3 both.py loader/testdata/both

Written are NAME.ts.pt and NAME.pt2 for ResNet-20 of CIFAR-10, MobileNetV2 of torchvision, a
BERT of transformers with plain attention and a U-Net that goes up by a transposed convolution and by bilinear interpolation, all with
an open batch and the BERT with an open length, and resnet20_64.pt2, whose batch is 64. Weights repeat every 509 elements, so that the files, which are compressed, are small.
"""
import io
import os
import sys
import zipfile

import torch
import torchvision
import transformers

from pt2e_resnet import ResNet

out = sys.argv[1]
os.makedirs(out, exist_ok=True)
torch.manual_seed(0)
BATCH = torch.export.Dim("batch", min=1, max=1024)


class Sentences(torch.nn.Module):
    def __init__(self):
        super().__init__()
        config = transformers.BertConfig(
            vocab_size=5120, hidden_size=64, num_hidden_layers=2, num_attention_heads=4, intermediate_size=128, max_position_embeddings=64, attn_implementation="eager"
        )
        self.bert = transformers.BertForSequenceClassification(config)

    def forward(self, input_ids, attention_mask, token_type_ids):
        return self.bert(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids).logits


class UNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        block = lambda i, o: torch.nn.Sequential(
            torch.nn.Conv2d(i, o, 3, padding=1), torch.nn.BatchNorm2d(o), torch.nn.ReLU(), torch.nn.Conv2d(o, o, 3, padding=1), torch.nn.ReLU()
        )
        self.down1, self.down2, self.bottom = block(3, 8), block(8, 16), block(16, 32)
        self.up2, self.in2 = torch.nn.ConvTranspose2d(32, 16, 2, stride=2), block(32, 16)
        self.up1, self.in1 = torch.nn.UpsamplingBilinear2d(scale_factor=2), block(24, 8)
        self.out = torch.nn.Conv2d(8, 2, 1)

    def forward(self, x):
        pool = torch.nn.functional.max_pool2d
        a = self.down1(x)
        b = self.down2(pool(a, 2))
        y = self.bottom(pool(b, 2))
        y = self.in2(torch.cat([self.up2(y), b], 1))
        y = self.in1(torch.cat([self.up1(y), a], 1))
        return self.out(y)


def compress(data, name):
    with zipfile.ZipFile(io.BytesIO(data)) as whole, zipfile.ZipFile(f"{out}/{name}", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as small:
        for record in whole.namelist():
            if "sample_inputs" not in record and not record.endswith(".debug_pkl"):
                small.writestr(record, whole.read(record))


def export(name, module, inputs, names, dims):
    shapes = {n: dict(dims) for n in names}
    file = io.BytesIO()
    torch.export.save(torch.export.export(module, inputs, dynamic_shapes=shapes, strict=False), file)
    compress(file.getvalue(), name + ".pt2")


def save(name, module, inputs, names, dims={0: BATCH}):
    for p in module.parameters():
        if p.dim() > 1:
            bound = 2 / p[0].numel() ** 0.5
            values = (torch.arange(509) * 37 + 7) % 509
            p.data = ((values - 254) / 254 * bound).repeat(-(-p.numel() // 509))[: p.numel()].view(p.shape).clone()
    module.eval()
    with torch.no_grad():
        traced = torch.jit.trace(module, inputs)
    file = io.BytesIO()
    torch.jit.save(traced, file)
    compress(file.getvalue(), name + ".ts.pt")
    export(name, module, inputs, names, dims)


resnet = ResNet()
save("resnet20", resnet, (torch.randn(2, 3, 32, 32),), ("x",))
export("resnet20_64", resnet, (torch.randn(64, 3, 32, 32),), ("x",), {})
save("mobilenet_v2", torchvision.models.mobilenet_v2(weights=None, width_mult=0.35), (torch.randn(2, 3, 32, 32),), ("x",))
ids = torch.randint(1, 5000, (2, 64))
save("bert", Sentences(), (ids, torch.ones_like(ids), torch.zeros_like(ids)), ("input_ids", "attention_mask", "token_type_ids"), {0: BATCH, 1: torch.export.Dim("words", min=2, max=64)})
save("unet", UNet(), (torch.randn(2, 3, 32, 32),), ("x",))
