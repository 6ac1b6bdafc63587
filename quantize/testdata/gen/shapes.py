"""Trains a narrow SSDlite of torchvision (PyTorch 1.13) to find drawn shapes, and writes it traced, with pictures: ../shapes.ts.pt and
../shapes.npz, arrays calib and test, uint8 [N, 3, 96, 96]. It takes some minutes of one core."""

import os
import warnings

import numpy as np
import torch
from torch import nn
from torchvision.models.detection.anchor_utils import DefaultBoxGenerator
from torchvision.models.detection.ssd import SSD
from torchvision.models.detection.ssdlite import SSDLiteHead
from collections import OrderedDict

warnings.filterwarnings("ignore")

HERE = os.path.dirname(os.path.abspath(__file__))
SIZE, CLASSES = 96, 4  # background, rectangles, ellipses, triangles
WIDTHS = (16, 24, 48, 64)


def norm(c):
    return nn.BatchNorm2d(c, eps=0.001, momentum=0.03)


def separable(inputs, outputs, stride):
    return nn.Sequential(
        nn.Conv2d(inputs, inputs, 3, stride, 1, groups=inputs, bias=False), norm(inputs), nn.ReLU6(),
        nn.Conv2d(inputs, outputs, 1, bias=False), norm(outputs), nn.ReLU6())


class Backbone(nn.Module):
    """Two levels of features, at an eighth and a sixteenth of the picture's size."""

    def __init__(self):
        super().__init__()
        a, b, c, d = WIDTHS
        self.stem = nn.Sequential(nn.Conv2d(3, a, 3, 2, 1, bias=False), norm(a), nn.ReLU6())
        self.a = nn.Sequential(separable(a, b, 2), separable(b, b, 1), separable(b, c, 2), separable(c, c, 1), separable(c, c, 1))
        self.b = nn.Sequential(separable(c, d, 2), separable(d, d, 1))

    def forward(self, x):
        a = self.a(self.stem(x))
        return OrderedDict([("0", a), ("1", self.b(a))])


def build():
    boxes = DefaultBoxGenerator([[2], [2]], scales=[0.18, 0.38, 0.6])
    head = SSDLiteHead([WIDTHS[2], WIDTHS[3]], boxes.num_anchors_per_location(), CLASSES, norm)
    return SSD(
        Backbone(), boxes, (SIZE, SIZE), CLASSES, head=head, score_thresh=0.3, detections_per_img=20, topk_candidates=60,
        image_mean=[0.5, 0.5, 0.5], image_std=[0.5, 0.5, 0.5])


def draw(rng):
    """A picture of one to four shapes that hardly overlap, with their boxes and classes."""
    x = np.empty((3, SIZE, SIZE), np.uint8)
    x[:] = rng.integers(0, 256, 3)[:, None, None]
    yy, xx = np.mgrid[:SIZE, :SIZE] + 0.5
    boxes, labels = [], []
    for _ in range(rng.integers(1, 5)):
        for _ in range(20):
            w, h = rng.integers(14, 44, 2)
            x0, y0 = rng.integers(0, SIZE - w), rng.integers(0, SIZE - h)
            if all(x0 >= b[2] or y0 >= b[3] or x0 + w <= b[0] or y0 + h <= b[1] for b in boxes):
                break
        else:
            continue
        kind = int(rng.integers(1, CLASSES))
        u, v = (xx - x0) / w, (yy - y0) / h
        inside = (u >= 0) & (u <= 1) & (v >= 0) & (v <= 1)
        if kind == 2:
            inside = (2 * u - 1) ** 2 + (2 * v - 1) ** 2 <= 1
        elif kind == 3:
            inside &= np.abs(2 * u - 1) <= v
        color = rng.integers(0, 256, 3)
        while np.abs(color - x[:, 0, 0].astype(int)).max() < 60:
            color = rng.integers(0, 256, 3)
        x[:, inside] = color[:, None]
        boxes.append([x0, y0, x0 + w, y0 + h])
        labels.append(kind)
    return x, {"boxes": torch.tensor(boxes, dtype=torch.float32), "labels": torch.tensor(labels)}


class One(nn.Module):
    """The detections of one picture, as a tuple: what can be traced."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, image):
        found = self.model([image])[0]
        return found["boxes"], found["scores"], found["labels"]


def main():
    torch.manual_seed(0)
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    model = build()
    print(sum(p.numel() for p in model.parameters()), "parameters", flush=True)
    steps, batch = int(os.environ.get("STEPS", 1000)), 16
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    mean = 0.0
    for step in range(steps):
        pictures, targets = zip(*[draw(rng) for _ in range(batch)])
        losses = model([torch.from_numpy(p) / 255 for p in pictures], list(targets))
        loss = sum(losses.values())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        mean += (loss.item() - mean) / min(step + 1, 50)
        if step % 100 == 99:
            print(step + 1, round(mean, 3), flush=True)
    model.eval()
    calib, test = (np.stack([draw(rng)[0] for _ in range(n)]) for n in (48, 96))
    one = One(model).eval()
    with torch.no_grad():
        traced = torch.jit.trace(one, torch.from_numpy(test[0]) / 255, check_trace=False)
        found = [traced(torch.from_numpy(x) / 255) for x in test]
    print("above 0.5:", sum(int((f[1] > 0.5).sum()) for f in found), "of", len(found), "pictures")
    path = os.path.join(HERE, "..", "shapes.ts.pt")
    torch.jit.save(traced, path)
    np.savez_compressed(os.path.join(HERE, "..", "shapes.npz"), calib=calib, test=test)
    print(os.path.getsize(path), "bytes")


if __name__ == "__main__":
    main()
