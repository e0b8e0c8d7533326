"""repr() of tensors, asked of PyTorch 2.11.0. fixture.safetensors holds the tensors under the cases' names, in
their own dtypes; cases.json says what each prints as. requires_grad: only of leaves."""
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common import Fixture

f = Fixture(__file__, "name: key of the tensor; repr: what print gives; requires_grad: to be set on the tensor")
T = torch.tensor
inf, nan = float("inf"), float("nan")
g = torch.Generator().manual_seed(0)


def randn(*shape):
    return torch.randn(*shape, generator=g)


def add(name, t, requires_grad=False):
    assert t.is_contiguous() or t.numel() < 2 or name.startswith("strided"), name
    t = t.contiguous().requires_grad_(requires_grad)
    f[name] = t
    dtype = str(t.dtype).removeprefix("torch.")
    f.case(name, dtype=dtype, shape=list(t.shape), requires_grad=requires_grad, repr=repr(t))


for name, value in {
    "pi": 3.14159265, "integral": 2.0, "zero": 0.0, "negative_zero": -0.0, "negative": -1.5, "large": 1e8,
    "small": 1e-5, "huge": 3e38, "nan": nan, "inf": inf, "minus_inf": -inf, "int": 7, "bool": True,
    "ten_million": 1e7, "hundred_million": 123456792.0,
}.items():
    add("scalar_" + name, T(value))
add("scalar_int_negative", T(-12))
add("scalar_float64", T(0.1, dtype=torch.float64))
add("scalar_float16", T(0.1, dtype=torch.float16))
add("scalar_uint8", T(255, dtype=torch.uint8))
add("scalar_grad", T(1.5), True)

for name, values in {
    "integral": [1.0, 2.0, 3.0], "integral_wide": [1.0, 20.0, 300.0], "integral_negative": [-1.0, 0.0, 10.0],
    "decimals": [0.5, 1.25, -3.75], "four_digits": [0.12345678, 12.345678, -123.45678], "one": [0.1],
    "ratio_1000": [0.001, 1.0], "ratio_over_1000": [0.0009, 1.0], "ratio_exactly": [1.5, 1500.0],
    "ratio_above": [1.5, 1501.0], "small": [0.00009, 0.00005], "small_limit": [0.0001, 0.0005],
    "large": [123456789.0, 1.5], "large_limit": [1e8, 0.5e8 + 0.5], "integral_large": [1e7, 2e7],
    "integral_sci": [1e9, 1.0], "integral_ratio": [1.0, 100000.0], "integral_limit": [99999999.0, 1.0],
    "nan_decimals": [nan, 1.5, -2.25], "nan_integral": [nan, 1.0, 2.0], "inf_decimals": [inf, -inf, 0.5],
    "inf_integral": [inf, 2.0], "only_nan": [nan, nan], "only_inf": [inf, -inf], "nan_sci": [nan, 1e-7, 1e7],
    "zeros": [0.0, 0.0], "zero_and_small": [0.0, 1e-6], "zero_and_decimal": [0.0, 0.25],
    "half_to_even": [0.00005, 0.00015, 1.00005], "negative_sci": [-1e-10, 2.5e10], "rounds_up": [0.99999, 0.5],
}.items():
    add("float_" + name, T(values))

add("int64", T([1, -20, 300]))
add("int64_2d", T([[1, 2], [-30, 4]]))
add("int64_large", T([2**40, -1]))
for dtype in [torch.int32, torch.int16, torch.int8, torch.uint8]:
    add(str(dtype).removeprefix("torch."), T([1, 2, 100], dtype=dtype))
add("bool", T([True, False]))
add("bool_true", T([True, True]))
add("bool_2d", T([[True, False], [False, False]]))
add("float64", T([0.1, 1 / 3], dtype=torch.float64))
add("float64_integral", T([1.0, 2.0], dtype=torch.float64))
add("float16", T([0.1, 65504.0], dtype=torch.float16))
add("float16_2d", T([[0.5, 1.0]], dtype=torch.float16))
add("bfloat16", T([0.1, 3.0], dtype=torch.bfloat16))
add("float64_grad", T([0.1, 0.2], dtype=torch.float64), True)
add("leaf_grad", T([[1.0, -2.0], [0.5, 3.0]]), True)
for shape in [(0,), (0, 3), (3, 0), (2, 0, 4)]:
    add("empty_" + "x".join(map(str, shape)), torch.empty(shape))
add("empty_int64", torch.empty(0, dtype=torch.int64))
add("empty_int64_2d", torch.empty((2, 0), dtype=torch.int64))
add("empty_bool", torch.empty((0, 2), dtype=torch.bool))
add("empty_grad", torch.empty((0, 2)), True)

add("two_d", randn(3, 4))
add("one_by_one", T([[5.0]]))
add("three_d", randn(2, 3, 2))
add("four_d", randn(2, 2, 2, 3))
add("five_d", torch.arange(8).reshape(1, 2, 1, 2, 2))
add("wide_row", randn(2, 20))
add("long_float", randn(30))
add("long_int", torch.arange(100))
add("long_bool", torch.arange(30) % 3 == 0)
add("long_uint8", torch.arange(0, 250, 5).to(torch.uint8))
add("long_grad", randn(15), True)
add("width_exact", torch.arange(1000, 1013))
add("exactly_1000", torch.arange(1000).to(torch.float16))
add("summary_1d", torch.arange(1001.0))
add("summary_1d_int", torch.arange(2000).to(torch.int16))
add("summary_1d_sci", torch.arange(1500.0).to(torch.bfloat16) * 100.5)
add("summary_2d", randn(100, 100).half())
add("summary_2d_float32", randn(40, 30))
add("summary_thin", torch.arange(1002.0).reshape(501, 2))
add("summary_flat", torch.arange(1002.0).reshape(2, 501))
add("summary_six", torch.arange(1200).to(torch.uint8).reshape(6, 200))
add("summary_3d", torch.arange(1008).to(torch.int16).reshape(8, 9, 14))
add("summary_4d", torch.zeros(2, 3, 20, 20).bool())
add("summary_hidden_extreme", torch.ones(1100).index_fill(0, T([500]), 1e9))
add("summary_grad", torch.ones(1100), True)
f.save()
