"""x[...] of PyTorch 2.11.0 beside the same in this language: `x[[0, .., 1..3]]` is `x[0, :, 1:3]`; `()` is None, a
list or an int64 tensor picks along its axis, a bool tensor masks. Inputs (`x`, masks, …) stand in
fixture.safetensors as `in/NAME`, results as `out/CASE`; after an assignment the result is the whole x.

kind: get | set | error. tags: `two_lists` = two lists pair up as in PyTorch (they are no grid); `chain`, `op` =
needs the host's get-then-set; `clamp` = a range reaches over the end, and PyTorch cuts it."""
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common import Fixture

f = Fixture(__file__, __doc__.split("\n\n")[0].replace("\n", " "))
X = torch.arange(2 * 3 * 4 * 5.0).reshape(2, 3, 4, 5)
INPUTS = {
    "x": X, "big": X > 100, "odd": X % 2 == 1, "m0": torch.tensor([False, True]),
    "m1": torch.tensor([True, False, True]), "m2": torch.tensor([True, False, False, True]),
    "m3": torch.tensor([False, True, False, True, True]), "m01": X[:, :, 0, 0] % 3 == 0, "none": X < 0,
    "i": torch.tensor([2, 0]), "k": torch.tensor([-1, 0, 0, 3]), "grid": torch.tensor([[0, 1], [2, 0]]),
    "one": torch.tensor(1), "v": torch.tensor([10.0, 20.0, 30.0, 40.0, 50.0]),
    "col": torch.tensor([[-1.0], [-2.0], [-3.0], [-4.0]]), "half": torch.full((3, 4, 5), 0.5),
}
GET = """\
x[0] | x[0]; x[-1] | x[-1]; x[[1]] | x[1]; x[[0, 2]] | x[0, 2]; x[[0, -1]] | x[0, -1]
x[[1, 2, 3, 4]] | x[1, 2, 3, 4]; x[[-2, -3, -4, -5]] | x[-2, -3, -4, -5]; x[[0, .., 1..3]] | x[0, :, 1:3]
x[..] | x[:]; x[0..1] | x[0:1]; x[1..] | x[1:]; x[..1] | x[:1]; x[-1..] | x[-1:]; x[..-1] | x[:-1]
x[-2..-1] | x[-2:-1]; x[0..=1] | x[0:2]; x[0..=0] | x[0:1]; x[..=0] | x[:1]; x[0..=-1] | x[0:]
x[[.., 1..3]] | x[:, 1:3]; x[[.., 0..=1]] | x[:, 0:2]; x[[.., .., -3..-1]] | x[:, :, -3:-1]
x[[.., .., -3..=-2]] | x[:, :, -3:-1]; x[[.., .., .., 4]] | x[:, :, :, 4]; x[[.., .., .., -2]] | x[:, :, :, -2]
x[[.., .., .., -2..]] | x[:, :, :, -2:]; x[[.., .., .., ..3]] | x[:, :, :, :3]
x[[.., .., .., ..-1]] | x[:, :, :, :-1]; x[[.., .., .., ..=-2]] | x[:, :, :, :-1]
x[[1.., ..2, 1..3, ..]] | x[1:, :2, 1:3, :]; x[[0, 1.., -1]] | x[0, 1:, -1]
x[[0, 1.., -1, ..=2]] | x[0, 1:, -1, :3]; x[[.., 1]] | x[:, 1]; x[[1, .., .., 0]] | x[1, :, :, 0]
x[[0, 0, 0]] | x[0, 0, 0]; x[[0, 0, 0, 1..4]] | x[0, 0, 0, 1:4]; x[1..1] | x[1:1]; x[[.., 2..1]] | x[:, 2:1]
x[()] | x[None]; x[[.., ()]] | x[:, None]; x[[0, (), 1]] | x[0, None, 1]; x[[(), 0, ()]] | x[None, 0, None]
x[[.., .., .., .., ()]] | x[:, :, :, :, None]; x[[0, .., (), 1..3, ()]] | x[0, :, None, 1:3, None]
x[[1, 2, 3, 4, ()]] | x[1, 2, 3, 4, None]; x[[[0]]] | x[[0]]; x[[[1, 0]]] | x[[1, 0]]
x[[[0, -1, 0]]] | x[[0, -1, 0]]; x[[.., [0, 2]]] | x[:, [0, 2]]; x[[0, [2, 0]]] | x[0, [2, 0]]
x[[0, .., [3, 1]]] | x[0, :, [3, 1]]; x[[.., .., [0, 2]]] | x[:, :, [0, 2]]
x[[.., .., .., [-1, 0]]] | x[:, :, :, [-1, 0]]; x[[1.., [0, 2], ..2]] | x[1:, [0, 2], :2]
x[[.., (), [0, 2]]] | x[:, None, [0, 2]]; x[[1, [0, 1], .., -1]] | x[1, [0, 1], :, -1]; x[[.., i]] | x[:, i]
x[[.., .., k]] | x[:, :, k]; x[one] | x[one]; x[[.., one]] | x[:, one]; x[grid[[0]]] | x[grid[0]]
x[[.., grid]] | x[:, grid]; x[big] | x[big]; x[odd] | x[odd]; x[none] | x[none]; x[x > 100] | x[x > 100]
x[m0] | x[m0]; x[m01] | x[m01]; x[[.., m1]] | x[:, m1]; x[[.., .., m2]] | x[:, :, m2]
x[[0, .., .., m3]] | x[0, :, :, m3]; x[[m0, 1..]] | x[m0, 1:]; x[[m01, .., 0]] | x[m01, :, 0]
x[[1, m1, 2]] | x[1, m1, 2]; x[0][1][2] | x[0][1][2]; x[[0, 1]][[.., 2]] | x[0, 1][:, 2]"""
CLAMP = """\
x[0..9] | x[0:9]; x[5..] | x[5:]; x[-9..] | x[-9:]; x[..=9] | x[:10]; x[[.., 1..100]] | x[:, 1:100]
x[[.., .., -100..2]] | x[:, :, -100:2]"""
TWO = """\
x[[[0, 1], [1, 2]]] | x[[0, 1], [1, 2]]; x[[.., [0, 2], [1, 3]]] | x[:, [0, 2], [1, 3]]
x[[.., i, .., i]] | x[:, i, :, i]; x[[[0, 1], .., [1, 2]]] | x[[0, 1], :, [1, 2]]
x[[[0, 1], [2]]] | x[[0, 1], [2]]"""
SET = """\
x[0] = 1.5 | x[0] = 1.5; x[0] = 7 | x[0] = 7; x[[1, 2, 3, 4]] = -1.0 | x[1, 2, 3, 4] = -1.0
x[-1] = half | x[-1] = half; x[..] = 0 | x[:] = 0; x[[.., 1]] = 2 | x[:, 1] = 2
x[[.., .., 1..3]] = 0.25 | x[:, :, 1:3] = 0.25; x[[0, .., 1..=2, -2..]] = 9 | x[0, :, 1:3, -2:] = 9
x[[.., .., .., ..]] = v | x[:, :, :, :] = v; x[[0, 0, 0]] = v | x[0, 0, 0] = v; x[1..] = v | x[1:] = v
x[[.., 0]] = col | x[:, 0] = col; x[[[1]]] = 3 | x[[1]] = 3; x[[.., [0, 2]]] = -4.5 | x[:, [0, 2]] = -4.5
x[[.., .., [3, 0]]] = v | x[:, :, [3, 0]] = v; x[[.., i]] = 0 | x[:, i] = 0; x[[0, i, 1]] = v | x[0, i, 1] = v
x[big] = 0 | x[big] = 0; x[odd] = -1.5 | x[odd] = -1.5; x[none] = 5 | x[none] = 5
x[x > 60] = 60 | x[x > 60] = 60; x[m0] = v | x[m0] = v; x[[.., m1, 0]] = 0 | x[:, m1, 0] = 0
x[m01] = col | x[m01] = col; x[[.., .., .., m3]] = 8 | x[:, :, :, m3] = 8; x[0] = x[1] | x[0] = x[1]
x[[0, (), 1]] = 6 | x[0, None, 1] = 6; x[1..1] = 3 | x[1:1] = 3; x[[0, 0, 0, 0]] = true | x[0, 0, 0, 0] = True"""
OP = """\
x[0] += 1 | x[0] += 1; x[[.., 1..3]] *= 2 | x[:, 1:3] *= 2; x[big] -= 100.0 | x[big] -= 100.0
x[[1, .., 0]] /= 4 | x[1, :, 0] /= 4; x[[.., [0, 2]]] += 0.5 | x[:, [0, 2]] += 0.5"""
CHAIN = """\
x[0][1] = 3.0 | x[0][1] = 3.0; x[[0, 1]][[.., 2]] = v[..4] | x[0, 1][:, 2] = v[:4]
x[1][2][3] = v | x[1][2][3] = v"""
ERROR = """\
x[2] | x[2]; x[-3] | x[-3]; x[[0, 3]] | x[0, 3]; x[[0, 0, 0, 0, 0]] | x[0, 0, 0, 0, 0]
x[[0, 0, 0, 0, ..]] | x[0, 0, 0, 0, :]; x[[[0, 2]]] | x[[0, 2]]; x[[.., [-4]]] | x[:, [-4]]; x[m1] | x[m1]
x[[.., m0]] | x[:, m0]; x[k] | x[k]; x[v] | x[v]; x[0] = col[[0]] * v[..3] | x[0] = col[0] * v[:3]
x[5] = 1 | x[5] = 1; x[[0, 0]] = half | x[0, 0] = half; x[big] = v | x[big] = v; x[1.5] | x[1.5]"""

for name, t in INPUTS.items():
    f[f"in/{name}"] = t
TABLES = [("", "get", GET), ("clamp", "get", CLAMP), ("two_lists", "get", TWO), ("", "set", SET), ("op", "set", OP),
          ("chain", "set", CHAIN), ("", "error", ERROR)]
for tag, kind, text in TABLES:
    for n, line in enumerate(text.replace("\n", ";").split(";")):
        cs, torch_text = [s.strip() for s in line.split("|")]
        name = f"{tag or kind}_{n:02}"
        scope = {k: v.clone() for k, v in INPUTS.items()}
        try:
            exec(torch_text if "= " in torch_text else f"out = {torch_text}", {}, scope)
            assert kind != "error", line
        except (IndexError, RuntimeError, TypeError) as e:
            assert kind == "error", (line, e)
            f.case(name, kind=kind, cs=cs, torch=torch_text, message=str(e).split("\n")[0])
            continue
        out = scope["x"] if kind == "set" else scope["out"]
        nothing = cs.startswith(("x[none]", "x[1..1]"))
        assert kind == "get" or nothing or not torch.equal(out, X), line
        f[f"out/{name}"] = out
        first = out.flatten()[:3].tolist()
        tags = [tag] if tag else []
        f.case(name, kind=kind, tags=tags, cs=cs, torch=torch_text, shape=list(out.shape), first=first)
f.save()
