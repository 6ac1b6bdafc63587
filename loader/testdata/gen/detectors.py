"""Makes the fixtures of torchvision's detectors, with narrow backbones, from PyTorch 1.13 and 2.14.

Each is a file ../detectors/<model>-<version>.json.gz in the format of script/gen.py: two cases, the model traced and
scripted, of the same weights. The pictures are drawn so that a model finds at least 20 boxes, one, none, and as many as it
may give, in pictures of two sizes. Run it with each PyTorch, with no arguments for all models or with the names of some.
"""

import gzip
import json
import os
import sys
import warnings
from collections import OrderedDict

import torch
from torch import nn

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "script"))

from gen import encode, flatten, records  # noqa: E402
from torchvision.models.detection import FCOS, FasterRCNN, KeypointRCNN, MaskRCNN, RetinaNet  # noqa: E402
from torchvision.models.detection.anchor_utils import AnchorGenerator, DefaultBoxGenerator  # noqa: E402
from torchvision.models.detection.rpn import RegionProposalNetwork  # noqa: E402
from torchvision.models.detection.ssd import SSD  # noqa: E402
from torchvision.models.detection.ssdlite import SSDLiteHead  # noqa: E402
from torchvision.ops import FeaturePyramidNetwork, MultiScaleRoIAlign  # noqa: E402

warnings.filterwarnings("ignore")

CAP = 30  # boxes of a picture
WIDTH = 8  # channels of the pyramid


def block(inputs, outputs, stride):
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())


class Pyramid(nn.Module):
    """Three levels of features, at a quarter to a sixteenth of the picture's size."""

    def __init__(self, width=WIDTH):
        super().__init__()
        self.out_channels = width
        self.stem, self.a, self.b, self.c = block(3, 8, 2), block(8, 8, 2), block(8, 12, 2), block(12, 12, 2)
        self.fpn = FeaturePyramidNetwork([8, 12, 12], width)

    def forward(self, x):
        a = self.a(self.stem(x))
        b = self.b(a)
        return self.fpn(OrderedDict([("0", a), ("1", b), ("2", self.c(b))]))


class Levels(nn.Module):
    """Two levels without a pyramid, as single-shot detectors have them."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Sequential(block(3, 8, 2), block(8, 8, 2), block(8, 16, 2)), block(16, 16, 2)

    def forward(self, x):
        a = self.a(x)
        return OrderedDict([("0", a), ("1", self.b(a))])


def rcnn(make, **options):
    anchors = AnchorGenerator(((12,), (24,), (48,)), ((0.5, 1.0, 2.0),) * 3)
    return make(
        Pyramid(), None, min_size=64, max_size=96, rpn_anchor_generator=anchors, rpn_pre_nms_top_n_test=60, rpn_post_nms_top_n_test=60,
        box_roi_pool=MultiScaleRoIAlign(["0", "1", "2"], 4, 2), box_head=Head(WIDTH * 16), box_predictor=Predictor(32, 4),
        box_detections_per_img=CAP, **options)


class Head(nn.Module):
    def __init__(self, inputs):
        super().__init__()
        self.fc = nn.Linear(inputs, 32)

    def forward(self, x):
        return torch.relu(self.fc(x.flatten(start_dim=1)))


class Predictor(nn.Module):
    def __init__(self, inputs, classes):
        super().__init__()
        self.score, self.box = nn.Linear(inputs, classes), nn.Linear(inputs, 4 * classes)

    def forward(self, x):
        return self.score(x), self.box(x)


def mask_rcnn():
    from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor

    return rcnn(MaskRCNN, mask_roi_pool=MultiScaleRoIAlign(["0", "1", "2"], 6, 2), mask_head=MaskRCNNHeads(WIDTH, (8,), 1), mask_predictor=MaskRCNNPredictor(8, 8, 4))


def keypoint_rcnn():
    from torchvision.models.detection.keypoint_rcnn import KeypointRCNNHeads, KeypointRCNNPredictor

    return rcnn(
        KeypointRCNN,
        keypoint_roi_pool=MultiScaleRoIAlign(["0", "1", "2"], 6, 2), keypoint_head=KeypointRCNNHeads(WIDTH, (8,)), keypoint_predictor=KeypointRCNNPredictor(8, 3))


def dense(make, width, ratios, **options):
    anchors = AnchorGenerator(((12,), (24,), (48,)), (ratios,) * 3)
    return make(Pyramid(width), 4, min_size=64, max_size=96, anchor_generator=anchors, detections_per_img=CAP, topk_candidates=60, **options)


def fcos():
    from torchvision.models.detection.fcos import FCOSHead

    return dense(FCOS, 32, (1.0,), head=FCOSHead(32, 1, 4, num_convs=1))  # 32 groups of channels are normalized


def retinanet():
    from torchvision.models.detection.retinanet import RetinaNetHead

    return dense(RetinaNet, WIDTH, (0.5, 1.0, 2.0), head=RetinaNetHead(WIDTH, 3, 4))


def ssd(**options):
    boxes = DefaultBoxGenerator([[2], [2, 3]], scales=[0.15, 0.4, 0.7])
    return SSD(Levels(), boxes, (64, 80), 4, detections_per_img=CAP, topk_candidates=60, **options)


def ssdlite():
    boxes = DefaultBoxGenerator([[2, 3], [2, 3]], min_ratio=0.2, max_ratio=0.95)
    head = SSDLiteHead([16, 16], boxes.num_anchors_per_location(), 4, lambda c: nn.BatchNorm2d(c, eps=0.001, momentum=0.03))
    return SSD(Levels(), boxes, (64, 80), 4, head=head, detections_per_img=CAP, topk_candidates=60, image_mean=[0.5, 0.5, 0.5], image_std=[0.5, 0.5, 0.5])


MODELS = {
    "faster_rcnn": lambda: rcnn(FasterRCNN),
    "mask_rcnn": mask_rcnn,
    "keypoint_rcnn": keypoint_rcnn,
    "retinanet": retinanet,
    "fcos": fcos,
    "ssd": ssd,
    "ssdlite": ssdlite,
}


class One(nn.Module):
    """The detections of one picture, as a tuple: what can be traced."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, image):
        return tuple(self.model([image])[0].values())


def settle(model, seed):
    """Gives weights that are multiples of 1/64, which compress well, and normalization that keeps activations apart."""
    generator = torch.Generator().manual_seed(seed)
    for name, p in model.named_parameters():
        fan = max(p[0].numel(), 1)
        spread = 1.8 / fan**0.5 if p.dim() > 1 else 0.1
        p.data = (torch.randn(p.shape, generator=generator) * spread * 64).round() / 64
        if p.dim() == 1 and ("bn" in name or p.shape == (0,)):
            p.data += 1
    for m in model.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.weight.data = 1 + (torch.randn(m.weight.shape, generator=generator) * 6).round() / 64
            m.eps = 1e-3
    return model.eval()


def picture(h, w, seed, contrast=1.0):
    """Rectangles of flat colors, values of 1/64."""
    g = torch.Generator().manual_seed(seed)
    x = torch.full((3, h, w), 0.5)
    for _ in range(12):
        y0, x0 = int(torch.randint(0, h - 6, (1,), generator=g)), int(torch.randint(0, w - 6, (1,), generator=g))
        dy, dx = int(torch.randint(4, h // 2, (1,), generator=g)), int(torch.randint(4, w // 2, (1,), generator=g))
        x[:, y0 : y0 + dy, x0 : x0 + dx] = torch.rand(3, 1, 1, generator=g)
    return ((0.5 + (x - 0.5) * contrast) * 64).round() / 64


def threshold(model, value):
    for m in model.modules():
        if hasattr(m, "score_thresh") and not isinstance(m, RegionProposalNetwork):
            m.score_thresh = value


def steady(model, image, found):
    """Returns how many of the detections, the best first, no rounding decides: noise of some units in the last place leaves them and their order."""
    generator, n = torch.Generator().manual_seed(1), len(found["scores"])
    for _ in range(3):
        other = model([image * (1 + (torch.rand(image.shape, generator=generator) - 0.5) * 5e-7)])[0]
        for k in ("boxes", "labels", "scores"):
            n = min(n, len(other[k]))
            same = ((other[k][:n] - found[k][:n]).abs() <= 5e-5 * found[k].abs().max()).view(n, -1).all(1) if n else torch.tensor([])
            n = int(same.long().cumprod(0).sum()) if n else 0
    return n


def pictures(model):
    """Sets the threshold of scores, and returns pictures in which the model finds 20 boxes or more, the cap, none and one."""
    shapes = [(56, 72), (72, 64)]
    candidates = [picture(*shapes[s % 2], s, c) for s in range(10) for c in (0.0, 0.2, 0.4, 0.7, 1.0, 1.4)]
    threshold(model, 0.0)
    all_found = [model([x])[0] for x in candidates]  # the best, so that a threshold leaves the first of them
    scores, sure = [f["scores"] for f in all_found], {}
    for t in sorted({round(float(s[i]), 3) + 0.0005 for s in scores for i in range(len(s))}, reverse=True):
        found = {}
        for i, (x, s) in enumerate(zip(candidates, scores)):
            n = int((s > t).sum())
            if len(s) and (s - t).abs().min() < 2e-4:
                continue  # rounding could decide
            kind = n if n in (0, 1, CAP) else 20 if n >= 20 else None
            if kind is None or (kind, i // 6 % 2) in found:
                continue
            if n > 0 and i not in sure:
                threshold(model, 0.0)
                sure[i] = steady(model, x, all_found[i])
            if n == 0 or n <= sure[i]:
                found[kind, i // 6 % 2] = x
        kinds = {k for k, _ in found}
        if kinds == {0, 1, 20, CAP} and len({s for k, s in found if k >= 20}) == 2:
            threshold(model, t)
            return [x for _, x in sorted(found.items(), key=lambda e: (-e[0][0], e[0][1]))]
    raise ValueError("no threshold has pictures of all kinds")


def coarse(v):
    """Masks [N, 1, H, W] are kept to eight bits, which compress well."""
    return (v * 256).round() / 256 if v.dim() == 4 else v


def runs(m, inputs, results):
    out = []
    for x in inputs:
        run = {"in": [encode(v) for v in flatten(x)]}
        with torch.no_grad():
            run["out"] = [encode(coarse(v)) for v in flatten(results(m(x)))]
        out.append(run)
    return out


def main():
    torch.set_num_threads(1)
    folder = os.path.join(HERE, "..", "detectors")
    os.makedirs(folder, exist_ok=True)
    version = ".".join(torch.__version__.split(".")[:2])
    for name in sys.argv[1:] or MODELS:
        torch.manual_seed(0)
        for seed in range(40):
            model = settle(MODELS[name](), seed)
            try:
                with torch.no_grad():
                    shown = pictures(model)
                break
            except ValueError as e:
                print(name, "seed", seed, e)
        with torch.no_grad():
            traced = torch.jit.trace(One(model), shown[0], check_trace=False)
        scripted = torch.jit.script(model)
        cases = [
            {"what": "traced", "files": records(traced), "tol": 1e-5, "runs": runs(traced, shown, lambda out: out)},
            {"what": "scripted", "files": records(scripted), "tol": 1e-5, "runs": runs(scripted, [[x] for x in shown] + [shown[:2]], lambda out: out[1])},
        ]
        path = os.path.join(folder, f"{name}-{version}.json.gz")
        with open(path, "wb") as f, gzip.GzipFile(filename="", mode="wb", fileobj=f, mtime=0) as z:
            z.write(json.dumps(cases, separators=(",", ":")).encode())
        print(name, version, "seed", seed, "boxes", [r["out"][0]["s"][0] for r in cases[0]["runs"]], os.path.getsize(path), sum(p.numel() for p in model.parameters()))


if __name__ == "__main__":
    main()
