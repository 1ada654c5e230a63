"""Trees: what a call takes and returns.

A tree is a leaf (a tensor, a number, a string, None, ...), or a tuple, NamedTuple, list or dict of trees. A leaf is
addressed by its path as Python would write it:

    (logits, {"k": keys})      "[0]"  "[1]['k']"
    Output(loss=..., z=...)    ".loss"  ".z"
"""

from collections.abc import Callable, Iterator
from typing import Any

from torch import Tensor


def parts(tree: Any) -> dict[str, Any] | None:
    """The children of a container, by the step that leads to each: "[0]", ".loss", "['k']". None for a leaf."""
    if isinstance(tree, dict):
        return {f"[{key!r}]": child for key, child in tree.items()}
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return {f".{name}": child for name, child in zip(tree._fields, tree, strict=True)}
    if isinstance(tree, list | tuple):
        return {f"[{i}]": child for i, child in enumerate(tree)}
    return None


def leaves(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf with its path, depth first."""
    children = parts(tree)
    if children is None:
        yield path, tree
    else:
        for step, child in children.items():
            yield from leaves(child, path + step)


def mapped(change: Callable[[Any], Any], tree: Any) -> Any:
    """The tree with each leaf changed, depth first."""
    if isinstance(tree, dict):
        return {key: mapped(change, child) for key, child in tree.items()}
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*(mapped(change, child) for child in tree))
    if isinstance(tree, list | tuple):
        children = [mapped(change, child) for child in tree]
        return children if isinstance(tree, list) else tuple(children)
    return change(tree)


def is_floating(leaf: Any) -> bool:
    """Whether a leaf is a tensor of floating or complex numbers."""
    return isinstance(leaf, Tensor) and (leaf.is_floating_point() or leaf.is_complex())


def floating_leaves(tree: Any) -> list[Tensor]:
    """The floating and complex tensors of a tree, depth first: the order in which cotangents are given."""
    return [leaf for _, leaf in leaves(tree) if is_floating(leaf)]
