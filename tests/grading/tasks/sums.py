"""Chains of matrices, and sums as long as a vocabulary."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from tasks.task import Task, bfloat16, draw, float32, half, in_float32

TASKS: dict[str, Task] = {}


# A chain of matrices, and sums as long as a vocabulary


def chain(x, *weights):
    for weight in weights:
        x = F.linear(x, weight)
    return x


def chain_case(size: int, depth: int, gain: float = 1, dtype: torch.dtype = float32) -> Callable[[], tuple]:
    def case() -> tuple:
        return draw(4, size, dtype=dtype), *(
            (draw(size, size, seed=i) * gain / size**0.5).to(dtype) for i in range(depth)
        )

    return case


def blocks(x, *weights, size=64):
    """Accumulated in float32 over blocks of the inner axis, as a tiled kernel does."""
    for weight in weights:
        total = torch.zeros(x.shape[:-1] + weight.shape[:1])
        for a, b in zip(x.float().split(size, -1), weight.float().split(size, -1), strict=True):
            total = total + a @ b.mT
        x = total.to(x.dtype)
    return x


TASKS["linear chain"] = Task(
    chain,
    {
        "512": chain_case(512, 4),
        "large weights": chain_case(512, 4, gain=3),
        "bfloat16": chain_case(256, 2, dtype=bfloat16),
        "half": chain_case(256, 2, dtype=half),
    },
    {
        "library": chain,
        "einsum": lambda x, *ws: chain_with(lambda x, w: torch.einsum("td,od->to", x, w), x, *ws),
        "blocks": blocks,
        "thin blocks": lambda x, *ws: blocks(x, *ws, size=1),
        "wide to the end": in_float32(chain),
    },
    {
        "half inside": lambda x, *ws: chain(x.half(), *(w.half() for w in ws)).to(x.dtype),
        "bfloat16 inside": lambda x, *ws: chain(x.bfloat16(), *(w.bfloat16() for w in ws)).to(x.dtype),
        "one weight twice": lambda x, *ws: chain(x, ws[0], *ws[:-1]),
    },
    gradients=True,
)


def chain_with(step: Callable, x: Tensor, *weights: Tensor) -> Tensor:
    for weight in weights:
        x = step(x, weight)
    return x


def one_by_one(products: Tensor) -> Tensor:
    total = torch.zeros_like(products[..., 0])
    for column in products.unbind(-1):
        total = total + column
    return total


def cancelling(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Half of the products are the negatives of the other half, in another order."""
    order = torch.randperm(x.shape[-1], generator=torch.Generator().manual_seed(0))
    return torch.cat((x, -x[..., order]), -1), torch.cat((y, y[..., order]), -1)


TASKS["long dot"] = Task(
    lambda x, y: (x * y).sum(-1),
    {
        "both signs": lambda: (draw(6, 16384), draw(6, 16384, seed=1)),
        "all positive": lambda: (draw(6, 16384).abs(), draw(6, 16384, seed=1).abs()),
        "nothing left": lambda: cancelling(draw(6, 16384), draw(6, 16384, seed=1)),
    },
    {
        "sum": lambda x, y: (x * y).sum(-1),
        "matmul": lambda x, y: (x[:, None] @ y[..., None])[:, 0, 0],
        "one by one": lambda x, y: one_by_one(x * y),
        "blocks": lambda x, y: one_by_one((x * y).unflatten(-1, (-1, 64)).sum(-1)),
    },
    {
        "one missing": lambda x, y: (x * y)[..., 1:].sum(-1),
        "half inside": lambda x, y: (x.half() * y.half()).sum(-1).float(),
        "half products": lambda x, y: (x.half() * y.half()).float().sum(-1),
    },
)
TASKS["long dot in bfloat16"] = Task(
    lambda x, y: (x * y).sum(-1),
    {"all positive": lambda: (draw(6, 4096, dtype=bfloat16).abs(), draw(6, 4096, seed=1, dtype=bfloat16).abs())},
    {
        "sum": lambda x, y: (x * y).sum(-1),
        "one by one in float32": lambda x, y: one_by_one((x * y).float()).to(x.dtype),
    },
    {"one by one": lambda x, y: one_by_one(x * y)},
)
TASKS["long matmul"] = Task(
    lambda x, y: x @ y,
    {
        "signs cancel": lambda: (draw(4, 11008), draw(11008, 4, seed=1)),
        "all positive": lambda: (draw(4, 11008).abs(), draw(11008, 4, seed=1).abs()),
    },
    {
        "matmul": lambda x, y: x @ y,
        "one by one": lambda x, y: one_by_one(torch.einsum("tk,ko->tok", x, y)),
        "transposed": lambda x, y: (y.mT @ x.mT).mT,
    },
    {"half inside": lambda x, y: (x.half() @ y.half()).float()},
)
TASKS["log softmax of a vocabulary"] = Task(
    lambda x: F.log_softmax(x, -1),
    {"50257": lambda: (draw(2, 50257) * 3,), "certain": lambda: (draw(2, 1000) * 100,)},
    {
        "library": lambda x: x.log_softmax(-1),
        "formula": lambda x: x - x.logsumexp(-1, keepdim=True),
        "by hand": lambda x: (
            (x - x.amax(-1, keepdim=True)) - (x - x.amax(-1, keepdim=True)).exp().sum(-1, keepdim=True).log()
        ),
    },
    {
        "log of softmax": lambda x: x.softmax(-1).log(),
        "half inside": lambda x: (x.half() - x.logsumexp(-1, keepdim=True).half()).float(),
    },
    gradients=True,
)
