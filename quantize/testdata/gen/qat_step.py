#!/usr/bin/python3
"""Times one training step of ResNet-20 with quantization in the loop, in octet and in PyTorch, in turn.

    qat_step.py --octet BIN --data DIR [--rounds 5] [--steps 12] [--batch 64] [--threads 2]

DIR has resnet20.th, calib.npz and train.npz. PyTorch's model is the toolkit's: a learnable fake-quantize (LSQ) on the input
and output of each convolution and linear layer and, per channel, on its weight; one on each value, biases in float. Each side runs as its own process, so that
peak memory is its own too. The first two steps of a process are warm-up. Prints medians over all rounds.
"""
import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time


def torch_side(args):
    import numpy as np
    import torch
    import torch.nn.functional as F
    from torch import nn

    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    quantized = args.side == "torch-qat"
    bits = args.bits

    class LSQ(nn.Module):
        """Learnable fake-quantize, set up by the first value it sees."""

        def __init__(self, channels=None):
            super().__init__()
            self.channels = channels
            n = channels or 1
            self.scale, self.zero = nn.Parameter(torch.ones(n)), nn.Parameter(torch.zeros(n))
            self.ready = False
            self.lo, self.hi = (-(2 ** (bits - 1)) + 1, 2 ** (bits - 1) - 1) if channels else (0, 2**bits - 1)

        def forward(self, x):
            if not quantized:
                return x
            with torch.no_grad():
                if not self.ready:
                    self.ready = True
                    if self.channels:
                        self.scale.copy_(x.flatten(1).abs().amax(1) / self.hi)
                    else:
                        low, high = x.min().clamp(max=0), x.max().clamp(min=0)
                        self.scale.fill_((high - low) / (self.hi - self.lo))
                        self.zero.copy_((self.lo - low / self.scale).round().clamp(self.lo, self.hi))
                self.scale.clamp_(min=torch.finfo(torch.float32).eps)
                if self.channels:
                    self.zero.zero_()
                else:
                    self.zero.clamp_(self.lo, self.hi)
            factor = 1.0 / (self.hi * x.numel()) ** 0.5
            if self.channels:
                return torch._fake_quantize_learnable_per_channel_affine(x, self.scale, self.zero, 0, self.lo, self.hi, factor)
            return torch._fake_quantize_learnable_per_tensor_affine(x, self.scale, self.zero, self.lo, self.hi, factor)

    class Conv(nn.Conv2d):
        def __init__(self, i, o, stride=1):
            super().__init__(i, o, 3, stride, 1, bias=False)
            self.w, self.y = LSQ(o), LSQ()

        def forward(self, x):
            return self.y(F.conv2d(x, self.w(self.weight), None, self.stride, self.padding))

    class Linear(nn.Linear):
        def __init__(self, i, o):
            super().__init__(i, o)
            self.w, self.y = LSQ(o), LSQ()

        def forward(self, x):
            return self.y(F.linear(x, self.w(self.weight), self.bias))

    class Block(nn.Module):
        def __init__(self, i, o, stride):
            super().__init__()
            self.conv1, self.bn1, self.conv2, self.bn2 = Conv(i, o, stride), nn.BatchNorm2d(o), Conv(o, o), nn.BatchNorm2d(o)
            self.q1, self.q2 = LSQ(), LSQ()
            self.grow = o - i

        def forward(self, x):
            y = self.q1(F.relu(self.bn1(self.conv1(x))))
            y = self.bn2(self.conv2(y))
            if self.grow:
                x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.grow // 2, self.grow // 2))
            return self.q2(F.relu(y + x))

    class ResNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.x, self.conv1, self.bn1, self.q1, self.pooled = LSQ(), Conv(3, 16), nn.BatchNorm2d(16), LSQ(), LSQ()
            blocks, i = [], 16
            for o, stride in ((16, 1), (32, 2), (64, 2)):
                for k in range(3):
                    blocks.append(Block(i, o, stride if k == 0 else 1))
                    i = o
            self.blocks, self.linear = nn.Sequential(*blocks), Linear(64, 10)

        def forward(self, x):
            x = self.q1(F.relu(self.bn1(self.conv1(self.x(x)))))
            x = self.blocks(x).mean((2, 3))
            return self.linear(self.pooled(x))

    model = ResNet().train()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4, momentum=0.9)
    data = np.load(os.path.join(args.data, "train.npz"))
    seconds = []
    for i in range(args.steps):
        x = data["x"][i * args.batch : (i + 1) * args.batch].astype(np.float32) / 255
        x = torch.from_numpy((x - data["mean"].reshape(1, 3, 1, 1)) / data["std"].reshape(1, 3, 1, 1))
        y = torch.from_numpy(data["y"][i * args.batch : (i + 1) * args.batch])
        start = time.perf_counter()
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        seconds.append(time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"seconds": seconds[2:], "peak_mb": peak / 1024}))


def octet_side(args, deployed):
    with tempfile.TemporaryDirectory() as d:
        import numpy as np

        data = dict(np.load(os.path.join(args.data, "train.npz")))
        n = args.steps * args.batch
        np.savez(os.path.join(d, "train.npz"), x=data["x"][:n], y=data["y"][:n], mean=data["mean"], std=data["std"])
        log = os.path.join(d, "log")
        command = [args.octet, "qat", os.path.join(args.data, "resnet20.th"), "--arch", "resnet20-cifar", "--data", os.path.join(d, "train.npz"),
                   "--calib", os.path.join(args.data, "calib.npz"), "--bits", str(args.bits), "--weight-bits", str(args.bits), "--epochs", "1", "--lr", "1e-4",
                   "--freeze-bn", "1000", "--batch", str(args.batch), "--threads", str(args.threads), "--log", log, "-o", os.path.join(d, "o.safetensors")]
        if not deployed:
            command += ["--backend", "reference"]
        p = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(p.pid, 0)
        if status:
            sys.exit("octet failed: " + " ".join(command))
        with open(log) as f:
            lines = [json.loads(line) for line in f]
        seconds = [line["seconds"] for line in lines if "rate" in line]
        return {"seconds": seconds[2:], "peak_mb": usage.ru_maxrss / 1024}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--octet", help="the binary")
    p.add_argument("--data", required=True)
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--steps", type=int, default=12)
    p.add_argument("--batch", type=int, default=64)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--bits", type=int, default=8)
    p.add_argument("--side", help=argparse.SUPPRESS)
    args = p.parse_args()
    if args.side:
        return torch_side(args)
    sides = {"octet native (deployed forward)": "native", "octet reference": "reference", "PyTorch QAT": "torch-qat", "PyTorch float": "torch-float"}
    results = {name: {"seconds": [], "peak_mb": []} for name in sides}
    for _ in range(args.rounds):
        for name, side in sides.items():
            if side.startswith("torch"):
                command = [sys.executable, __file__, "--side", side] + [f"--{k}={getattr(args, k)}" for k in ("data", "steps", "batch", "threads", "bits")]
                r = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            else:
                r = octet_side(args, side == "native")
            results[name]["seconds"] += r["seconds"]
            results[name]["peak_mb"].append(r["peak_mb"])
    for name, r in results.items():
        print(f"{name:34} step {1000 * statistics.median(r['seconds']):6.0f} ms   peak {max(r['peak_mb']):5.0f} MB")


if __name__ == "__main__":
    main()
