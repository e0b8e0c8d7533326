"""Expressions on tensors in this language (`cs`) beside PyTorch 2.11.0's (`torch`). Inputs stand in
fixture.safetensors as `in/NAME`, results as `out/CASE`; where the case has `grad`, so stand the gradients of the
result's sum with respect to `a` as `grad/CASE`. The result's dtype counts, too."""
import sys
from pathlib import Path

import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common import Fixture

f = Fixture(__file__, __doc__.replace("\n", " "))
g = torch.Generator().manual_seed(3)


def randn(*shape):
    return torch.randn(*shape, generator=g)


S = randn(4, 4)
INPUTS = {
    "a": randn(3, 4), "b": randn(3, 4), "row": randn(4), "p": torch.rand(3, 4, generator=g) * 0.8 + 0.1,
    "n": torch.tensor([[3, -1, 0, 7], [2, 2, -5, 1], [0, 9, 4, -8]]), "k": torch.tensor([2, 0, 1]),
    "at": torch.tensor([[0, 3], [1, 1], [2, 0]]), "mask": torch.tensor([True, False, True, True]),
    "flags": torch.tensor([[True, False, True, True], [False] * 4, [True] * 4]),
    "img": randn(2, 4, 6, 6), "w": randn(3, 4, 3, 3), "wt": randn(4, 2, 3, 3), "bias": randn(3), "seq": randn(2, 3, 5),
    "s": S @ S.T + torch.eye(4), "q": randn(5, 3), "batch": randn(2, 3, 4), "batch2": randn(2, 4, 5),
    "bad": torch.tensor([1.0, float("nan"), float("inf"), -2.0]), "d": randn(2, 3).double(),
    "h": randn(2, 3).half(), "u": torch.tensor([250, 3, 17], dtype=torch.uint8), "z": torch.zeros(0, 3),
    "grid": torch.rand(2, 3, 3, 2, generator=g) * 2 - 1,
}
# Both sides are written alike.
SAME = """\
a + b; a - b; a * b; a / b; a + row; a + 1; a - 2.5; 2 - a; 3 * a; a / 4; 1 / a; a % 0.7; a % b; n % 3; n % -3
n / 2; n + 0.5; 7 - n; n * n; p ** 2; p ** b; 2 ** a; n ** 2; -a; -n; 5 % (n + 10); 2.0 ** n.float(); d + 1; h * 2
d + a[0, 0]; a + d[0, 0]; h + 1.5; u + u; u + 10; u * 2.0; n + a; flags * 2; flags + flags
a == b; a != a; a < b; a <= 0; a > row; a >= 0.5; 0 < a; 1 >= a; 3 == n; n == 2; n != n; mask == true; false != mask
mask & mask; mask | true; mask ^ true; n & 3; n | 8; n ^ 5; (a > 0) & (b > 0); (a > 0) | (b > 0); (a > 0) ^ (b > 0)
a.abs(); a.exp(); p.log(); a.square(); p.sqrt(); p.rsqrt(); a.sigmoid(); a.tanh(); a.relu(); a.sin(); a.cos(); a.sign()
a.floor(); a.ceil(); a.round(); a.trunc(); a.frac(); p.logit(); p.erfinv(); a.erf(); p.lgamma(); p.digamma()
a.reciprocal(); a.expm1(); p.log1p(); p.log2(); p.log10(); p.asin(); p.acos(); a.atan(); p.atanh(); a.sinc(); n.neg()
bad.isnan(); bad.isinf(); bad.isfinite(); bad.nan_to_num(0.5, 9.0, -9.0); bad.nansum(); bad.abs(); a.exp2()
a.clamp(-0.5, 0.5); a.clamp_min(0.1); a.clamp_max(row); n.clamp(0, 5); a.maximum(b); a.minimum(row); a.fmod(b)
a.atan2(b); a.hypot(b); p.xlogy(p); a.copysign(b); a.logaddexp(b); n.floor_divide(3); a.remainder(0.3); a.lerp(b, 0.3)
a.pow(3); a.add(b); a.sub(row); a.mul(2); a.div(b); a.eq(b); a.lt(b); a.logical_and(b); n.logical_not(); n.bitwise_and(3)
a.isclose(b, 0.5, 0.5); a.dist(b); a.dist(b, 1)
a.sum(); a.sum(0); a.sum(-1, true); n.sum(1); flags.sum(); flags.sum(0); img.sum([2, 3]); img.mean([0, 2, 3]); a.mean()
a.mean(1); a.prod(); a.prod(1); a.amax(1); a.amin([0, 1]); a.argmax(); a.argmax(1); a.argmin(0, true); a.max(); a.min()
a.max(b); flags.all(); flags.any(1); flags.all(0); n.any(); n.count_nonzero(); n.count_nonzero(1); a.norm(); a.norm(1)
a.norm(2, 1); a.norm(3, 0, true); a.median(); a.logsumexp(1); img.logsumexp([2, 3]); a.quantile(0.3); a.quantile(0.7, 1)
a.std(); a.std(1); img.std([2, 3]); z.sum(); z.sum(0); z.mean(0); a.cumsum(0); a.cumprod(1); a.logcumsumexp(1); a.diff()
a.diff(2, 0); n.cumsum(1); a.argsort(1); n.argsort(0, true); n.unique(); (n + 8).flatten().bincount(); a.histc(5, -1, 1)
a.softmax(1); a.log_softmax(0); a.softmax(-1); a.trace(); a.t(); a.reshape([2, 6]); a.view([4, 3]); a.view([2, -1])
img.permute([0, 2, 3, 1]); img.transpose(1, 2); img.flatten(1); img.flatten(1, 2); a.unsqueeze(1); a.unsqueeze(-1)
a[[0]].squeeze(); a.expand([2, 3, 4]); row.expand([3, -1]); a.repeat([2, 2]); a.tile([2]); a.flip([0]); a.flip([0, 1])
a.roll(1, 0); a.roll([1, 2], [0, 1]); a.roll(5); a.rot90(1, [0, 1]); a.tril(); a.triu(1); row.diag(); s.diag(); s.diagonal(1)
a.movedim(0, 1); a.unflatten(1, [2, 2]); a.narrow(1, 1, 2); a.select(0, 2); row.unfold(0, 2, 1); row.diag_embed()
a.repeat_interleave(2, 0); a.split(2, 1)[1]; a.split([1, 3], 1)[1]; a.chunk(2)[1]; a.unbind(1)[3]; a.ravel(); a.fliplr()
a.gather(1, at); a.index_select(0, k); a.take(k); a.masked_fill(a > 0, -9); a.masked_select(a > 0); n.nonzero()
a.scatter(1, at, 7.0); a.scatter_add(1, at, a); a.index_add(0, k, b); a.index_fill(0, k[..2], 5)
a.take_along_dim(a.argsort(1), 1); a.masked_scatter(a > 0, b); a.where(a > 0, b)
a.matmul(b.t()); a.mm(b.t()); batch.bmm(batch2); batch.matmul(batch2); s.mv(row); row.dot(row); a.matmul(row)
row.outer(row); a.kron(s[..2]); s.det(); s.logdet(); s.inverse(); s.cholesky(); s.matrix_power(3)
a.cov(); a.corrcoef(); a.float(); a.double(); a.half(); a.long(); a.int(); a.bool(); n.float(); n.bool(); mask.int()
a.prelu(row[..1])"""
# `cs` | `torch`; cases of SAME above whose names differ are here.
TABLE = """\
n.isin(k) | torch.isin(n, k); k.one_hot() | F.one_hot(k); k.one_hot(4) | F.one_hot(k, 4)
q.pinv() | torch.linalg.pinv(q); a.variance() | a.var(); a.variance(0) | a.var(0)
a.std(1, #{correction: 0}) | a.std(1, correction=0); a.variance(#{correction: 0}) | a.var(correction=0)
a.std([0, 1], #{keepdim: true}) | a.std([0, 1], keepdim=True); a.max(1).values | a.max(1)[0]
a.max(1).indices | a.max(1)[1]; a.min(0, true).values | a.min(0, keepdim=True)[0]; a.norm("inf") | a.norm(float("inf"))
a.norm("fro") | a.norm("fro"); a.median(1).values | a.median(1)[0]; a.median(1).indices | a.median(1)[1]
n.mode(1).values | n.mode(1)[0]; a.sort(1).values | a.sort(1)[0]; a.sort(0, true).indices | a.sort(0, True)[1]
a.topk(2).values | a.topk(2)[0]; a.topk(2, 0, false).indices | a.topk(2, 0, False)[1]
a.kthvalue(2, 1).values | a.kthvalue(2, 1)[0]; a.cummax(1).values | a.cummax(1)[0]; a.cummin(0).indices | a.cummin(0)[1]
a.quantile([0.25, 0.5], 0) | a.quantile(torch.tensor([0.25, 0.5]), 0)
n.unique(#{return_counts: true}).counts | n.unique(return_counts=True)[1]
n.unique(#{return_inverse: true}).inverse | n.unique(return_inverse=True)[1]
n.unique(#{dim: 0}) | n.unique(dim=0); row.sort().values.searchsorted(a[0]) | torch.searchsorted(row.sort()[0], a[0])
a.bucketize(row.sort().values) | torch.bucketize(a, row.sort()[0]); a.clamp((), 0.2) | a.clamp(max=0.2)
a.round(1) | a.round(decimals=1); a.addcmul(a, b, 0.5) | a.addcmul(a, b, value=0.5)
a.addcdiv(a, p, 0.5) | a.addcdiv(a, p, value=0.5); a.leaky_relu(0.2) | F.leaky_relu(a, 0.2)
a.elu(0.7) | F.elu(a, 0.7); a.gelu() | F.gelu(a); a.gelu("tanh") | F.gelu(a, approximate="tanh"); a.silu() | F.silu(a)
a.mish() | F.mish(a); a.softplus() | F.softplus(a); a.softplus(2) | F.softplus(a, 2); a.hardtanh() | F.hardtanh(a)
a.relu6() | F.relu6(a * 1); a.logsigmoid() | F.logsigmoid(a); a.softmin(1) | F.softmin(a, 1); a.glu(1) | F.glu(a, 1)
a.selu() | F.selu(a); a.hardswish() | F.hardswish(a); a.normalize() | F.normalize(a); a.normalize(1, 0) | F.normalize(a, 1, 0)
a.threshold(0.1, 20) | F.threshold(a, 0.1, 20); img.pixel_shuffle(2) | F.pixel_shuffle(img, 2); a.T | a.T; batch.mT | batch.mT
tensor::where(a > 0, a, 0) | torch.where(a > 0, a, 0); tensor::where(flags, 1, 2.5) | torch.where(flags, 1, 2.5)
tensor::where(a > 0)[1] | torch.where(a > 0)[1]; tensor::where(a > 0, n, b) | torch.where(a > 0, n, b)
tensor::cat([a, b]) | torch.cat([a, b]); tensor::cat([a, b], 1) | torch.cat([a, b], 1)
tensor::stack([a, b], 1) | torch.stack([a, b], 1); tensor::hstack([a, b]) | torch.hstack([a, b])
tensor::vstack([row, a]) | torch.vstack([row, a]); tensor::einsum("ij,kj->ik", a, b) | torch.einsum("ij,kj->ik", a, b)
tensor::einsum("bij,bjk->bik", batch, batch2) | torch.einsum("bij,bjk->bik", batch, batch2)
tensor::einsum("ij->j", [a]) | torch.einsum("ij->j", a); tensor::outer(row, k) | torch.outer(row, k)
tensor::meshgrid([row, bias])[1] | torch.meshgrid(row, bias, indexing="ij")[1]
tensor::meshgrid([row, bias], "xy")[0] | torch.meshgrid(row, bias, indexing="xy")[0]
tensor::cdist(q, q[1..3]) | torch.cdist(q, q[1:3]); tensor::cdist(q, q[..2], 1) | torch.cdist(q, q[:2], 1)
tensor::cosine_similarity(a, b) | F.cosine_similarity(a, b)
tensor::cosine_similarity(a, b, #{dim: 0}) | F.cosine_similarity(a, b, dim=0)
tensor::pairwise_distance(a, b) | F.pairwise_distance(a, b); tensor::cartesian_prod([k, k]) | torch.cartesian_prod(k, k)
tensor::arange(5) | torch.arange(5); tensor::arange(2, 9, 3) | torch.arange(2, 9, 3)
tensor::arange(0, 1, 0.2) | torch.arange(0, 1, 0.2); tensor::arange(3.0) | torch.arange(3.0)
tensor::arange(3, #{dtype: "float64"}) | torch.arange(3, dtype=torch.float64)
tensor::linspace(0, 1, 7) | torch.linspace(0, 1, 7); tensor::logspace(0, 2, 5) | torch.logspace(0, 2, 5)
tensor::logspace(0, 3, 4, #{base: 2}) | torch.logspace(0, 3, 4, base=2); tensor::eye(3) | torch.eye(3)
tensor::eye(2, 4) | torch.eye(2, 4); tensor::full([2, 3], 7) | torch.full([2, 3], 7)
tensor::full([2], 0.5) | torch.full([2], 0.5); tensor::full([2], true) | torch.full([2], True)
tensor::zeros([2, 3]) | torch.zeros(2, 3); tensor::ones([2], #{dtype: "int64"}) | torch.ones(2, dtype=torch.int64)
tensor::zeros_like(n) | torch.zeros_like(n); tensor::ones_like(d) | torch.ones_like(d)
tensor::full_like(n, 3) | torch.full_like(n, 3); tensor([1, 2]) | torch.tensor([1, 2]); tensor([1, 2.5]) | torch.tensor([1, 2.5])
tensor([true, false]) | torch.tensor([True, False]); tensor([true, 2]) | torch.tensor([True, 2]); tensor([]) | torch.tensor([])
tensor([[], []]) | torch.tensor([[], []]); tensor(3) | torch.tensor(3); tensor([[1, 2], [3, 4]]) | torch.tensor([[1, 2], [3, 4]])
tensor([1, 2], #{dtype: "float16"}) | torch.tensor([1, 2], dtype=torch.float16); a.to("float64") | a.to(torch.float64)
a.to(n) | a.to(n); n.type_as(a) | n.type_as(a); tensor::tril_indices(3, 3) | torch.tril_indices(3, 3)
s.svd().S | torch.linalg.svd(s)[1]; s.eigh().eigenvalues | torch.linalg.eigh(s)[0]
q.qr().R.abs() | torch.linalg.qr(q)[1].abs(); s.solve(row) | torch.linalg.solve(s, row); s.slogdet().logabsdet | s.slogdet()[1]
q.lstsq(tensor::ones([5, 2])) | torch.linalg.lstsq(q, torch.ones(5, 2))[0]; q.matrix_rank() | torch.linalg.matrix_rank(q)
a[[.., ..3]].cross(b[[.., ..3]]) | torch.linalg.cross(a[:, :3], b[:, :3])
img.avg_pool2d(2) | F.avg_pool2d(img, 2); img.avg_pool2d(3, #{stride: 2, padding: 1}) | F.avg_pool2d(img, 3, 2, 1)
img.avg_pool2d([3, 2], #{count_include_pad: false, padding: [1, 0]}) | F.avg_pool2d(img, (3, 2), padding=(1, 0), count_include_pad=False)
img.max_pool2d(2) | F.max_pool2d(img, 2); img.max_pool2d(3, #{stride: 1, dilation: 2}) | F.max_pool2d(img, 3, 1, dilation=2)
img.max_pool2d(4, #{ceil_mode: true}) | F.max_pool2d(img, 4, ceil_mode=True)
img.adaptive_avg_pool2d([2, 3]) | F.adaptive_avg_pool2d(img, (2, 3)); img.adaptive_max_pool2d(2) | F.adaptive_max_pool2d(img, 2)
img.conv2d(w) | F.conv2d(img, w); img.conv2d(w, bias, #{padding: 1, stride: 2}) | F.conv2d(img, w, bias, padding=1, stride=2)
img.conv_transpose2d(wt, (), #{stride: 2, output_padding: 1}) | F.conv_transpose2d(img, wt, stride=2, output_padding=1)
a.linear(b, bias) | F.linear(a, b, bias); a.pad([1, 2]) | F.pad(a, [1, 2])
a.pad([1, 0, 0, 2], #{value: 3}) | F.pad(a, [1, 0, 0, 2], value=3)
img.pad([1, 2, 2, 1], #{mode: "reflect"}) | F.pad(img, [1, 2, 2, 1], mode="reflect")
img.pad([1, 1, 1, 1], #{mode: "replicate"}) | F.pad(img, [1] * 4, mode="replicate")
img.pad([1, 1, 1, 1], #{mode: "circular"}) | F.pad(img, [1] * 4, mode="circular")
img.interpolate(#{scale_factor: 2}) | F.interpolate(img, scale_factor=2)
img.interpolate(#{size: [3, 9]}) | F.interpolate(img, size=[3, 9])
img.interpolate(#{size: 8, mode: "nearest-exact"}) | F.interpolate(img, size=8, mode="nearest-exact")
img.interpolate(#{size: 9, mode: "bilinear"}) | F.interpolate(img, size=9, mode="bilinear")
img.interpolate(#{scale_factor: 1.7, mode: "bilinear"}) | F.interpolate(img, scale_factor=1.7, mode="bilinear")
img.interpolate(#{size: 9, mode: "bilinear", align_corners: true}) | F.interpolate(img, size=9, mode="bilinear", align_corners=True)
img.interpolate(#{size: 4, mode: "bilinear", antialias: true}) | F.interpolate(img, size=4, mode="bilinear", antialias=True)
img.interpolate(#{size: 9, mode: "bicubic"}) | F.interpolate(img, size=9, mode="bicubic")
img.interpolate(#{size: 4, mode: "area"}) | F.interpolate(img, size=4, mode="area")
seq.interpolate(#{size: 8, mode: "linear"}) | F.interpolate(seq, size=8, mode="linear")
img.grid_sample(grid) | F.grid_sample(img, grid, align_corners=False)
img.grid_sample(grid, true) | F.grid_sample(img, grid, align_corners=True)"""
GRAD = {"a.leaky_relu(0.2)", "a.elu(0.7)", "a.softplus(2)", "a.norm()", "a.clamp(-0.5, 0.5)", "a.max(1).values",
        "a.normalize()", "a * b", "1 / a", "2 ** a", "a.addcmul(a, b, 0.5)", "a.log_softmax(0)", "a.sort(1).values",
        "tensor::where(a > 0, a, 0)", "tensor::cat([a, b], 1)", "a.T", "a.std(1)", "a.double()", "a.reshape([2, 6])",
        "tensor::einsum(\"ij,kj->ik\", a, b)", "a.gather(1, at)", "a.hardtanh()", "a.amax(1)", "a.masked_fill(a > 0, -9)"}


def python(text):
    for cs, py in [("true", "True"), ("false", "False"), ("[..", "[:")]:
        text = text.replace(cs, py)
    return text


def host(text):
    return text.replace("[0, 0]", "[[0, 0]]")


pairs = [(host(e), python(e)) for e in SAME.replace("\n", ";").split(";")]
pairs += [tuple(line.split(" | ")) for line in TABLE.replace("\n", ";").split(";")]
for name, t in INPUTS.items():
    f[f"in/{name}"] = t
seen = set()
for cs, text in ((cs.strip(), text.strip()) for cs, text in pairs):
    assert cs not in seen, cs
    seen.add(cs)
    scope = {k: v.clone() for k, v in INPUTS.items()} | {"torch": torch, "F": F}
    scope["a"].requires_grad_(cs in GRAD)
    try:
        out = eval(text, scope)
    except Exception as e:
        raise SystemExit(f"{text}: {e}")
    name = f"op_{len(seen):03}"
    f[f"out/{name}"] = out
    if cs in GRAD:
        out.sum().backward()
        f[f"grad/{name}"] = scope["a"].grad
    f.case(name, cs=cs, torch=text, grad=cs in GRAD)
assert not GRAD - seen, GRAD - seen
f.save()
