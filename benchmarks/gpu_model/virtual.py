"""Torch without computing: what is large exists as address space only, and operators on it do nothing.

    with Virtual():
        logits = x @ w.t()      [32768, 128256], in microseconds; kernels can be launched on it
        (labels != -100).sum().item()       small tensors are real

Shapes, views, autograd and aliasing are torch's own. So the host code of a published kernel runs as it is, at full size.
"""

import mmap
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

SMALL = 1 << 17  # elements: enough for labels and statistics of rows
NORESERVE = 0x4000  # of Linux: address space that no memory stands behind
DIRECTLY = {"aten::_local_scalar_dense", "aten::_unsafe_view", "aten::equal", "aten::is_nonzero", "aten::nonzero"}


class Virtual(TorchDispatchMode):
    """Entered before a meter, which then sees every operator and its results."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func._schema.name in DIRECTLY or _is_view(func):
            return func(*args, **kwargs)
        given = [each for each in torch.utils._pytree.tree_leaves((args, kwargs)) if isinstance(each, Tensor)]
        results = func(*_on_meta(_without_masks(func, args)), **_on_meta(kwargs))
        made = [each for each in torch.utils._pytree.tree_leaves(results) if isinstance(each, Tensor)]
        if all(tensor.numel() <= SMALL for tensor in (*given, *made)):
            return func(*args, **kwargs)
        changed = _changed(func, args, kwargs)
        if changed is not None:
            return changed
        return tree_map_only(Tensor, _blank, results)


def _is_view(func: Any) -> bool:
    aliases = [argument.alias_info for argument in func._schema.arguments if argument.alias_info]
    return bool(aliases) and not any(alias.is_write for alias in aliases)


def _changed(func: Any, args: Any, kwargs: Any) -> Any:
    """What an operator writes to, in place or as out=; it is what it returns."""
    names = [argument.name for argument in func._schema.arguments]
    given = dict(zip(names, args, strict=False)) | kwargs
    written = [
        given[each.name] for each in func._schema.arguments if each.alias_info and given.get(each.name) is not None
    ]
    if not written:
        return None
    return written[0] if len(written) == 1 else tuple(written)


def _without_masks(func: Any, args: Any) -> Any:
    """Positions in place of masks, as on meta tensors nobody knows how many are chosen."""
    if func._schema.name not in ("aten::index", "aten::index_put", "aten::index_put_"):
        return args
    positions: list[Any] = []
    for index in args[1]:
        is_mask = index is not None and index.dtype == torch.bool
        positions += index.nonzero(as_tuple=True) if is_mask else [index]
    return (args[0], positions, *args[2:])


def _on_meta(values: Any) -> Any:
    def meta(value: Any) -> Any:
        if isinstance(value, torch.device):
            return torch.device("meta")
        empty = torch.empty_strided(value.shape, value.stride(), dtype=value.dtype, device="meta")
        return empty.requires_grad_(False)

    return tree_map_only((Tensor, torch.device), meta, values)


def _blank(like: Tensor) -> Tensor:
    """Address space of the same layout, aligned to a page. Nothing is reserved for it."""
    if not like.numel():
        return torch.empty_strided(like.shape, like.stride(), dtype=like.dtype)
    last = sum((length - 1) * stride for length, stride in zip(like.shape, like.stride(), strict=True))
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | NORESERVE
    pages = mmap.mmap(-1, (last + 1) * like.dtype.itemsize, flags=flags)
    return torch.frombuffer(pages, dtype=like.dtype, count=last + 1).as_strided(like.shape, like.stride())
