"""Whether one program loads what another one stores, though here they run one after the other."""

import pytest
import torch
import triton
import triton.language as tl

from clozekit.kernels.races import Race

HEAD = """
    @triton.jit
    def kernel(y_ptr, x_ptr, n, B: tl.constexpr):
        pid = tl.program_id(0)
        i = pid * B + tl.arange(0, B)
"""


def launch(load, body: str) -> torch.Tensor:
    """What four programs of four lanes leave in y."""
    y, x = torch.zeros(16), torch.arange(16.0)
    load(HEAD + "".join(f"        {line}\n" for line in body.split("; "))).kernel[(4,)](y, x, 16, B=4)
    return y


@pytest.mark.parametrize(
    "body",
    [
        "tl.store(y_ptr + i, tl.load(x_ptr + i)); tl.store(x_ptr + i, tl.load(y_ptr + (i + 12) % 16))",  # a neighbour's
        "s = tl.load(y_ptr); tl.store(y_ptr, s + tl.sum(tl.load(x_ptr + i)))",  # a sum that every program adds to
        "tl.store(y_ptr + i, tl.load(x_ptr)); tl.store(x_ptr, 1.0, mask=pid == 3)",  # the load runs first, here
    ],
)
def test_what_another_program_stores_must_not_be_loaded(load, body):
    with pytest.raises(Race, match=r"kernel, line \d: `.*` loads element \d+ of \w_ptr, which another program of this"):
        launch(load, body)


@pytest.mark.parametrize(
    "body",
    [
        "tl.store(x_ptr + i, tl.load(x_ptr + i) + 1); tl.store(y_ptr + i, tl.load(x_ptr + i))",  # each its own
        "tl.store(y_ptr + i, tl.load(x_ptr)); tl.store(x_ptr + i, 1.0, mask=i < 0)",  # no lane takes part
        "tl.store(y_ptr + tl.arange(0, 4), 1.0)",  # all store the same
        "tl.atomic_add(y_ptr, 1.0); tl.store(x_ptr + pid, 1.0); tl.store(y_ptr + 4 + i, tl.load(x_ptr), mask=i < 4)",
    ],
)
def test_what_is_no_race_is_let_be(load, body):
    launch(load, body)


@triton.jit
def product_kernel(y_ptr, x_ptr, PRECISION: tl.constexpr):
    i = tl.arange(0, 16)
    x = tl.load(x_ptr + i[:, None] * 16 + i[None, :])
    tl.store(y_ptr + i[:, None] * 16 + i[None, :], tl.dot(x, x, input_precision=PRECISION))


@pytest.mark.parametrize(("precision", "exact"), [(None, False), ("tf32", False), ("ieee", True), ("tf32x3", True)])
def test_a_product_of_float32_has_the_precision_that_it_asks_for(precision, exact):
    x, y = torch.rand(16, 16), torch.empty(16, 16)
    product_kernel[(1,)](y, x, precision)
    off = ((y - x @ x).abs() / (x @ x)).max().item()
    assert (off < 1e-6) is exact
    assert off < 2e-3
