"""Writes small pictures of every kind, what Pillow decodes them to (pixels.npz), and what torchvision's transforms
make of them. Run it first with Pillow 9.4 and torchvision 0.14, then, with the argument "again", with torchvision 0.27,
which adds its own results (torchvision-VERSION.npz) for the same files.

    python3 pictures.py FOLDER [again]
"""

import io
import os
import sys

import numpy as np
import torch
import torchvision
from PIL import Image, ImageOps
from torchvision import transforms as T
from torchvision.transforms import functional as F


def scene(w, h, seed):
    """Smooth colours, hard edges and some noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:h, 0:w]
    planes = []
    for c in range(3):
        a, b, p = rng.uniform(0.05, 0.4, 3)
        v = 128 + 70 * np.sin(a * x + 3 * p) + 60 * np.cos(b * y + 5 * p)
        v[(x // 7 + y // 5 + c) % 4 == 0] = 40 + 80 * c
        planes.append(v + rng.normal(0, 6, v.shape))
    return Image.fromarray(np.clip(np.stack(planes, -1), 0, 255).astype(np.uint8))


def with_alpha(picture):
    w, h = picture.size
    alpha = Image.fromarray(np.linspace(0, 255, w * h).reshape(h, w).astype(np.uint8))
    picture = picture.copy()
    picture.putalpha(alpha)
    return picture


def write(folder):
    files = {}

    def save(name, picture, **options):
        buffer = io.BytesIO()
        picture.save(buffer, **options)
        files[name] = buffer.getvalue()

    for n, (w, h) in enumerate([(37, 29), (16, 16), (33, 48), (5, 3), (1, 7)]):
        rgb = scene(w, h, n)
        for name, subsampling in [("444", 0), ("422", 1), ("420", 2)]:
            save(f"{name}-{w}x{h}.jpg", rgb, format="JPEG", quality=85, subsampling=subsampling)
    rgb = scene(37, 29, 10)
    exif = Image.Exif()
    exif[0x0112] = 6
    save("turned.jpg", rgb, format="JPEG", quality=90, exif=exif)
    save("progressive.jpg", rgb, format="JPEG", quality=80, subsampling=2, progressive=True)
    save("low.jpg", rgb, format="JPEG", quality=10, subsampling=2)
    save("grey.jpg", rgb.convert("L"), format="JPEG", quality=90)
    save("cmyk.jpg", rgb.convert("CMYK"), format="JPEG", quality=90)
    # An Adobe marker that says YCCK.
    for name in ["cmyk.jpg"]:
        data = bytearray(files[name])
        at = data.index(b"Adobe")
        data[at + 11] = 2
        files[name.replace("cmyk", "ycck")] = bytes(data)

    save("rgb.png", rgb, format="PNG")
    save("rgba.png", with_alpha(rgb), format="PNG")
    save("grey.png", rgb.convert("L"), format="PNG")
    save("grey-alpha.png", with_alpha(rgb.convert("L")), format="PNG")
    save("one-bit.png", rgb.convert("1"), format="PNG")
    palette = rgb.quantize(23)
    save("palette.png", palette, format="PNG")
    save("palette-alpha.png", palette, format="PNG", transparency=bytes(range(0, 230, 10)))

    save("lossy.webp", rgb, format="WEBP", quality=80)
    save("lossy-16.webp", scene(16, 16, 4), format="WEBP", quality=40)
    save("lossy-1x7.webp", scene(1, 7, 5), format="WEBP", quality=60)
    save("lossy-alpha.webp", with_alpha(rgb), format="WEBP", quality=80)
    save("lossless.webp", rgb, format="WEBP", lossless=True)
    save("lossless-alpha.webp", with_alpha(rgb), format="WEBP", lossless=True, exact=True)
    save("animated.webp", rgb, format="WEBP", quality=80, save_all=True, append_images=[scene(37, 29, 11)])
    for name, data in files.items():
        with open(os.path.join(folder, name), "wb") as f:
            f.write(data)


# Name, edge or (height, width), crop, channels.
RESIZES = [
    ("down", 12, 10, 3), ("up", 48, 40, 3), ("exact", (20, 31), None, 3), ("odd", 17, 12, 3),
    ("beyond", 10, 16, 3), ("same", 29, None, 3), ("grey", 14, 11, 1), ("tall", (61, 9), None, 3),
]
RESIZED = ["rgb.png", "palette.png", "cmyk.jpg"]


def resize(folder):
    results = {}
    for file in RESIZED:
        picture = Image.open(os.path.join(folder, file))
        for name, size, crop, channels in RESIZES:
            pil = picture.convert("RGB" if channels == 3 else "L")
            tensor = F.pil_to_tensor(pil)
            a = F.resize(pil, size)
            b = F.resize(tensor, size, antialias=True)
            if crop is not None:
                a, b = F.center_crop(a, crop), F.center_crop(b, crop)
            results[f"{file}/{name}/pil"] = F.pil_to_tensor(a).numpy()
            results[f"{file}/{name}/tensor"] = b.numpy()
    picture = Image.open(os.path.join(folder, "rgb.png")).convert("RGB")
    mean, std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    steps = T.Compose([T.Resize(24), T.CenterCrop(20), T.ToTensor(), T.Normalize(mean, std)])
    results["normalized"] = steps(picture).numpy()
    version = torchvision.__version__.split("a")[0]
    np.savez_compressed(os.path.join(folder, f"torchvision-{version}.npz"), **results)


def decode(folder):
    results = {}
    for file in sorted(os.listdir(folder)):
        if file.endswith((".jpg", ".png", ".webp")):
            picture = Image.open(os.path.join(folder, file))
            results[file] = np.asarray(picture.convert("RGB"))
            if file == "turned.jpg":
                results["upright"] = np.asarray(ImageOps.exif_transpose(picture).convert("RGB"))
    np.savez_compressed(os.path.join(folder, "pixels.npz"), **results)


def main():
    folder = sys.argv[1]
    torch.manual_seed(0)
    if sys.argv[2:] != ["again"]:
        write(folder)
        decode(folder)
    resize(folder)


main()
