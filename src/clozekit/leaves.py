"""The tensors in what a learner's function gets and gives.

tensors([x, {"y": (y, 1)}])     [x, y]
same(x, before)                 True: bit for bit, a NaN like any other value
"""

from typing import Any

import torch


def once(x: torch.Tensor) -> torch.Tensor:
    """A view with each element of an expanded tensor once: torch writes to no other."""
    return x[tuple(slice(None if stride else 1) for stride in x.stride())]


def tensors(tree: Any) -> list[torch.Tensor]:
    """The tensors in nested lists, tuples and dicts, in order."""
    if isinstance(tree, torch.Tensor):
        return [tree]
    if isinstance(tree, dict):
        tree = list(tree.values())
    return [leaf for item in tree for leaf in tensors(item)] if isinstance(tree, list | tuple) else []


def same(leaf: torch.Tensor, old: torch.Tensor) -> bool:
    """Whether a tensor still has its bytes (a NaN equals itself)."""
    return (
        leaf.shape == old.shape
        and torch.equal(leaf.detach().nan_to_num(), old.nan_to_num())
        and bool(torch.equal(leaf.detach().isnan(), old.isnan()))
    )
