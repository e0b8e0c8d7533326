"""Augmentations by torchvision.transforms.v2 (0.26). fixture.safetensors: `picture`, `mask`, `box` (x, y, w, h) are
given; `NAME/picture`, `NAME/mask`, `NAME/box` are what fixed parameters make of them; `draws/NAME/K` is every twentieth of
10,000 sorted draws of parameter K. cases.json: `script` makes our augmentation, `draw` are the numbers it would have
drawn, `size` the picture's for draws."""
import json
import math
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torchvision import tv_tensors
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as F

torch.set_num_threads(1)
torch.manual_seed(0)
here = Path(__file__).parent
H, W = 40, 56
y, x = torch.meshgrid(torch.arange(H).float(), torch.arange(W).float(), indexing="ij")
red = 127 + 120 * torch.sin(x / 7) * torch.cos(y / 9)
green = 255 * (x + y) / (H + W)
blue = torch.where((x - 30) ** 2 + (y - 18) ** 2 < 120, 220.0, 40.0) + 15 * torch.sin(x * 1.3 + y)
picture = torch.stack([red, green, blue]).clamp(0, 255).to(torch.uint8)
mask = ((x - 30) ** 2 + (y - 18) ** 2 < 120).to(torch.uint8) + ((x > 10) & (x < 20) & (y > 25)).to(torch.uint8) * 2
box = torch.tensor([[19.0, 7.0, 22.0, 22.0]])
tensors, cases = {"picture": picture, "mask": mask, "box": box}, []


def case(name, script, draw, f, truth=True):
    tensors[name + "/picture"] = f(tv_tensors.Image(picture)).as_subclass(torch.Tensor).contiguous()
    if truth:
        tensors[name + "/mask"] = f(tv_tensors.Mask(mask)).as_subclass(torch.Tensor).contiguous()
        b = tv_tensors.BoundingBoxes(box, format="XYWH", canvas_size=(H, W))
        tensors[name + "/box"] = f(b).as_subclass(torch.Tensor).contiguous()
    cases.append({"name": name, "script": script, "draw": [float(d) for d in draw]})


NEAREST, BILINEAR, BICUBIC = (v2.InterpolationMode[n] for n in ("NEAREST", "BILINEAR", "BICUBIC"))
case("resize", "augment::resize([24, 70])", [], lambda i: F.resize(i, [24, 70], antialias=True))
case("resize_short", "augment::resize(17)", [], lambda i: F.resize(i, [17], antialias=True))
case("resize_bicubic", 'augment::resize([60, 30], #{interpolation: "bicubic"})', [],
     lambda i: F.resize(i, [60, 30], interpolation=BICUBIC, antialias=True))
case("center_crop", "augment::center_crop([25, 60])", [], lambda i: F.center_crop(i, [25, 60]))
case("random_crop", 'augment::random_crop([30, 33], #{padding: 4, fill: [10, 20, 30]})', [3, 25],
     lambda i: F.crop(F.pad(i, [4, 4, 4, 4], fill=[10, 20, 30] if isinstance(i, tv_tensors.Image) else 0), 3, 25, 30, 33))
case("random_resized_crop", "augment::random_resized_crop(32)", [5, 11, 27, 31],
     lambda i: F.resized_crop(i, 5, 11, 27, 31, [32, 32], antialias=True))
case("random_horizontal_flip", "augment::random_horizontal_flip()", [1], F.horizontal_flip)
case("random_vertical_flip", "augment::random_vertical_flip()", [1], F.vertical_flip)
for angle in (17.3, -90, 145):
    case(f"random_rotation/{angle}", "augment::random_rotation(180)", [angle], lambda i: F.rotate(i, angle))
case("random_rotation/bilinear", 'augment::random_rotation(30, #{interpolation: "bilinear"})', [-23],
     lambda i: F.rotate(i, -23, interpolation=BILINEAR))
case("random_rotation/expand", 'augment::random_rotation(90, #{expand: true, fill: [9, 200, 30]})', [33],
     lambda i: F.rotate(i, 33, expand=True, fill=[9, 200, 30] if isinstance(i, tv_tensors.Image) else 0))
case("random_rotation/center", 'augment::random_rotation(90, #{center: [10, 20]})', [33],
     lambda i: F.rotate(i, 33, center=[10, 20]))
for n, (a, t, s, sh) in enumerate([(15, (3, -2), 1.1, (0, 0)), (-40, (-6, 5), 0.8, (12, 0)), (5, (0, 0), 1.3, (-10, 8))]):
    for mode in ("nearest", "bilinear"):
        case(f"random_affine/{n}/{mode}", f'augment::random_affine(#{{interpolation: "{mode}"}})', [a, *t, s, *sh],
             lambda i: F.affine(i, a, list(t), s, list(sh), interpolation=v2.InterpolationMode(mode)))
ends = [[4, 3], [W - 9, 1], [W - 3, H - 8], [2, H - 5]]
starts = [[0, 0], [W - 1, 0], [W - 1, H - 1], [0, H - 1]]
case("random_perspective", "augment::random_perspective()", [1, *sum(ends, [])],
     lambda i: F.perspective(i, starts, ends))
for n, (order, b, c, s, h) in enumerate([((0, 1, 2, 3), 1.3, 0.7, 1.5, 0.1), ((3, 2, 1, 0), 0.6, 1.4, 0.3, -0.25),
                                         ((1, 3, 0, 2), 1, 1, 1, 0.45), ((2, 0, 3, 1), 1, 1.8, 2.2, 0)]):
    def jitter(i):
        for k in order:
            i = [F.adjust_brightness, F.adjust_contrast, F.adjust_saturation, F.adjust_hue][k](i, (b, c, s, h)[k])
        return i
    case(f"color_jitter/{n}", "augment::color_jitter(0.5, 0.5, 0.5, 0.5)", [*order, b, c, s, h], jitter, False)
case("grayscale", "augment::grayscale()", [], lambda i: F.rgb_to_grayscale(i, num_output_channels=3), False)
case("gaussian_blur", "augment::gaussian_blur([5, 7])", [1.4], lambda i: F.gaussian_blur(i, [7, 5], [1.4, 1.4]), False)
case("random_erasing", "augment::random_erasing(#{value: [5, 99, 7]})", [1, 6, 9, 20, 12, 0],
     lambda i: F.erase(i, 6, 9, 20, 12, torch.tensor([5, 99, 7], dtype=torch.uint8)[:, None, None]), False)
trivial = v2.TrivialAugmentWide()
NAMES = ["Identity", "ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate", "Brightness", "Color", "Contrast",
         "Sharpness", "Posterize", "Solarize", "AutoContrast", "Equalize"]
assert list(trivial._AUGMENTATION_SPACE) == NAMES
for op, m in [(1, 0.4), (2, -0.6), (3, 11.7), (4, -8.2), (5, 67), (6, 0.5), (7, -0.7), (8, 0.9), (9, 0.8), (9, -0.6),
              (10, 3), (11, 130), (12, 0), (13, 0)]:
    case(f"trivial_augment/{NAMES[op]}/{m}", "augment::trivial_augment()", [op, m],
         lambda i: trivial._apply_image_or_video_transform(i, NAMES[op], m / 255 if op == 11 else m, NEAREST, trivial._fill), False)

# Mixtures of a batch.
batch, labels = torch.rand(4, 3, 8, 10), torch.tensor([0, 2, 1, 2])
tensors |= {"batch": batch, "labels": labels}
mixup, cutmix = v2.MixUp(num_classes=3), v2.CutMix(num_classes=3)
params = {"labels": labels, "batch_size": 4, "lam": 0.3}
tensors["mixup/x"], tensors["mixup/y"] = mixup.transform(batch, params), mixup.transform(labels, params)
lam, rx, ry = 0.4, 7, 3
r = 0.5 * math.sqrt(1 - lam)
x1, x2 = max(rx - int(r * 10), 0), min(rx + int(r * 10), 10)
y1, y2 = max(ry - int(r * 8), 0), min(ry + int(r * 8), 8)
params |= {"box": (x1, y1, x2, y2), "lam_adjusted": 1 - (x2 - x1) * (y2 - y1) / 80}
tensors["cutmix/x"], tensors["cutmix/y"] = cutmix.transform(batch, params), cutmix.transform(labels, params)

# Draws.
draws = []
image = tv_tensors.Image(torch.zeros(3, 400, 560, dtype=torch.uint8))


def drawn(name, script, one):
    rows = np.array([one() for _ in range(10000)], dtype=np.float64)
    for k in range(rows.shape[1]):
        tensors[f"draws/{name}/{k}"] = torch.from_numpy(np.sort(rows[:, k])[10::20].astype(np.float32))
    draws.append({"name": name, "script": script, "columns": rows.shape[1]})


def of(t, f):
    return lambda: f(t.make_params([image]))


drawn("random_resized_crop", "augment::random_resized_crop(32)",
      of(v2.RandomResizedCrop(32), lambda p: [p[k] for k in ("top", "left", "height", "width")]))
drawn("random_resized_crop/wide", "augment::random_resized_crop(32, #{scale: [0.6, 1.0], ratio: [1.2, 2.0]})",
      of(v2.RandomResizedCrop(32, (0.6, 1.0), (1.2, 2.0)), lambda p: [p[k] for k in ("top", "left", "height", "width")]))
drawn("random_crop", "augment::random_crop(300, #{padding: 8})",
      of(v2.RandomCrop(300, padding=8), lambda p: [p["top"], p["left"]]))
drawn("random_rotation", "augment::random_rotation([-20, 50])", of(v2.RandomRotation((-20, 50)), lambda p: [p["angle"]]))
drawn("random_affine", "augment::random_affine(#{degrees: 15, translate: [0.1, 0.2], scale: [0.9, 1.4], shear: [-5, 8, 2, 9]})",
      of(v2.RandomAffine(15, (0.1, 0.2), (0.9, 1.4), (-5, 8, 2, 9)),
         lambda p: [p["angle"], *p["translate"], p["scale"], *p["shear"]]))
drawn("color_jitter", "augment::color_jitter(0.4, 0.3, [0.2, 1.1], 0.1)",
      of(v2.ColorJitter(0.4, 0.3, (0.2, 1.1), 0.1), lambda p: [*p["fn_idx"].tolist(), p["brightness_factor"],
         p["contrast_factor"], p["saturation_factor"], p["hue_factor"]]))
drawn("gaussian_blur", "augment::gaussian_blur(5)", of(v2.GaussianBlur(5), lambda p: [p["sigma"][0]]))
drawn("random_erasing", "augment::random_erasing(#{p: 1})",
      of(v2.RandomErasing(), lambda p: [1, p["i"], p["j"], p["h"], p["w"]]))
drawn("mixup", "augment::mixup(0.4)", lambda: [v2.MixUp(alpha=0.4, num_classes=3)._dist.sample().item()])


def perspective():
    # The coefficients hide the corners: they come back by mapping the picture's corners forth.
    a, b, c, d, e, f, g, h = v2.RandomPerspective().make_params([image])["coefficients"]
    back = np.array([[a, b, c], [d, e, f], [g, h, 1]])
    out = [1]
    for sx, sy in [(0, 0), (559, 0), (559, 399), (0, 399)]:
        u = np.linalg.solve(back, [sx, sy, 1])
        out += [round(u[0] / u[2]), round(u[1] / u[2])]
    return out


drawn("random_perspective", "augment::random_perspective(#{p: 1})", perspective)
seen = []
trivial._apply_image_or_video_transform = lambda i, name, m, *a, **k: seen.append([NAMES.index(name), m * 255 if name == "Solarize" else m]) or i
small = tv_tensors.Image(torch.zeros(3, 8, 8, dtype=torch.uint8))


def once():
    trivial(small)
    return seen.pop()


drawn("trivial_augment", "augment::trivial_augment()", once)


def cut():
    p = cutmix.make_params([torch.zeros(2, 1, 40, 56)])
    return [p["lam_adjusted"]]


drawn("cutmix", "augment::cutmix()", cut)

save_file({k: t.contiguous() for k, t in tensors.items()}, here / "fixture.safetensors")
for name, rows in (("cases", cases), ("draws", draws)):
    (here / f"{name}.json").write_text("[\n" + ",\n".join(json.dumps(c) for c in rows) + "\n]\n")
print(len(cases), len(draws), sum(f.stat().st_size for f in here.iterdir()) // 1000, "kB")
