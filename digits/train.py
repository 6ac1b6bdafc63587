#!/usr/bin/python3
"""Trains the small network that `octet demo` runs on scikit-learn's handwritten digits.

Needs python3-torch and python3-sklearn. Writes, beside this file, digits.pth (the state_dict in float16, as
torch.save writes it), calib.npz and test.npz, and PyTorch's answers to the latter in testdata/logits.npz. The
network is written again in digits.go.

The 1797 images of 8x8 pixels are split in three: train (never shipped), calib and test.
"""
import pathlib

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

CALIB, TEST = 256, 512


class Block(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(y)) + x)


class Digits(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(32)
        self.block = Block(32)
        self.pool = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(32, 64, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(64)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(64, 10)

    def forward(self, x):
        x = torch.relu(self.bn1(self.conv1(x)))
        x = self.pool(self.block(x))
        x = torch.relu(self.bn2(self.conv2(x)))
        return self.fc(torch.flatten(self.avgpool(x), 1))


def main():
    torch.manual_seed(0)
    torch.set_num_threads(1)
    data = load_digits()
    x = np.rint(data.images * (255 / 16)).astype(np.uint8)[:, None]
    y = data.target.astype(np.int64)
    order = np.random.default_rng(0).permutation(len(x))
    test, calib, train = order[:TEST], order[TEST:TEST + CALIB], order[TEST + CALIB:]
    mean = np.float32((x[train] / 255).mean())
    std = np.float32((x[train] / 255).std())
    images = torch.from_numpy((x.astype(np.float32) / np.float32(255) - mean) / std)
    labels = torch.from_numpy(y)

    model = Digits()
    epochs, size = 30, 64
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4, nesterov=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    for epoch in range(epochs):
        model.train()
        total = 0.0
        for batch in torch.from_numpy(np.random.default_rng(epoch).permutation(train)).split(size):
            # Digits wander by a pixel; the images are too small for more.
            dy, dx = torch.randint(-1, 2, (2,)).tolist()
            loss = nn.functional.cross_entropy(model(torch.roll(images[batch], (dy, dx), (2, 3))), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
        schedule.step()
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1}: loss {total / len(train):.4f}")
    model.eval()
    # The file is part of the program, and half as long in float16. The answers are those of the rounded weights.
    halves = {name: value.half() if value.is_floating_point() else value for name, value in model.state_dict().items()}
    model.load_state_dict(halves)
    with torch.no_grad():
        logits = model(images[test])
    right = int((logits.argmax(1) == labels[test]).sum())
    print(f"{right} of {TEST} test images right")

    here = pathlib.Path(__file__).parent
    torch.save(halves, here / "digits.pth")
    scaling = dict(mean=np.array([mean]), std=np.array([std]))
    np.savez_compressed(here / "calib.npz", x=x[calib], y=y[calib], **scaling)
    np.savez_compressed(here / "test.npz", x=x[test], y=y[test], **scaling)
    (here / "testdata").mkdir(exist_ok=True)
    np.savez_compressed(here / "testdata" / "logits.npz", logits=logits.numpy())


if __name__ == "__main__":
    main()
