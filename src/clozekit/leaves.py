"""The tensors in what a learner's function gets and gives.

tensors([x, {"y": (y, 1)}])     [x, y]
same(x, before)                 True: bit for bit, a NaN like any other value
outline([x, {"n": 3}])          what == compares after a call: which tensors, which values, in which places
"""

from typing import Any

import torch

PLAIN = (type(None), bool, int, float, complex, str, bytes)


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


def outline(tree: Any) -> Any:
    """What is in nested lists, tuples, dicts and sets. No method of the values runs, neither here nor when two are compared."""
    if type(tree) is dict:
        return {key: outline(value) for key, value in tree.items()}
    if type(tree) in (list, tuple):
        return [type(tree), *map(outline, tree)]
    if type(tree) in (set, frozenset):
        return [type(tree), {(type(item), item) if type(item) in PLAIN else id(item) for item in tree}]
    return (type(tree), tree) if type(tree) in PLAIN else id(tree)


def same(leaf: torch.Tensor, old: torch.Tensor) -> bool:
    """Whether a tensor still has its bytes (a NaN equals itself)."""
    return (
        leaf.shape == old.shape
        and torch.equal(leaf.detach().nan_to_num(), old.nan_to_num())
        and bool(torch.equal(leaf.detach().isnan(), old.isnan()))
    )
