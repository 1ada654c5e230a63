"""What is asked again after a right answer: one that was remembered is the answer to another question.

    check("rms_norm", x, weight)      right; then, in the same test and unasked for,
    refilled                          the very same tensors, with other values in the middle of them
    repeated                          the first values, in new tensors with gaps between their elements; a module in eval mode

A refilled tensor keeps its identity, address, version, shape, first and last element. Its new values are the old ones in another
order, or one of them moved towards another: inside the range that the case is about, and no two equal that were not.
"""

import random
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from clozekit.grading.trees import leaves, mapped

Kind = Literal["refilled", "repeated"]
ROUNDS = 128  # of one call with little to do, before it is judged: whoever counts calls has lost count by then
LITTLE = 256  # elements and characters of all arguments
TOWARDS = 0.381966  # how far one value moves: to no simple fraction, which might meet a third value
TRIES = 4  # elements that may move; in half precision one in a hundred would meet a third value all the same


class Again(NamedTuple):
    """Another call: its arguments, a module's parameters among them."""

    kind: Kind
    parameters: Any
    args: tuple
    kwargs: dict


def refilled(parameters: Any, args: tuple, kwargs: dict, draw: random.Random) -> Again | None:
    """The same call with other values in its floating tensors and its texts; None where there is nothing to change."""
    change = _exchanged if draw.random() < 0.5 else _moved
    call = [parameters, list(args), kwargs]
    other = mapped(lambda leaf: change(leaf) if _is_real(leaf) else _shortened(leaf), call)
    pairs = zip(leaves(call), leaves(other), strict=True)
    if all(ours is theirs for (_, ours), (_, theirs) in pairs):
        return None
    return Again("refilled", other[0], tuple(other[1]), other[2])


def repeated(parameters: Any, args: tuple, kwargs: dict) -> Again:
    """The same call once more; its tensors are views of larger ones."""
    spread = mapped(lambda leaf: _spread_out(leaf) if _is_real(leaf) else leaf, [list(args), kwargs])
    return Again("repeated", parameters, tuple(spread[0]), spread[1])


def is_little(args: tuple, kwargs: dict) -> bool:
    """Whether a call with these arguments has so little to do that it can be made ROUNDS times."""
    return sum(_size(leaf) for _, leaf in leaves([list(args), kwargs])) <= LITTLE


def _is_real(leaf: Any) -> bool:
    return isinstance(leaf, Tensor) and leaf.is_floating_point()


def _size(leaf: Any) -> int:
    return leaf.numel() if isinstance(leaf, Tensor) else len(leaf) if isinstance(leaf, str | bytes) else 1


def _middle(x: Tensor) -> tuple[Tensor, list[int]]:
    """A copy of x, flat, and the places of its middle row, without the very first and the very last element of x."""
    flat = x.detach().clone().reshape(-1)
    width = x.shape[-1] if x.ndim and x.shape[-1] > 2 else flat.numel()  # of a row too short, all rows together
    first = flat.numel() // width // 2 * width if width else 0
    return flat, [place for place in range(first, first + width) if 0 < place < flat.numel() - 1]


def _exchanged(x: Tensor) -> Tensor:
    """Two elements of the middle row have changed places."""
    if _overlaps(x):
        return x
    flat, places = _middle(x)
    for i, j in zip(places, reversed(places), strict=True):
        if i < j and flat[i] != flat[j]:
            flat[i], flat[j] = flat[j].clone(), flat[i].clone()
            return flat.reshape(x.shape)
    return _moved(x)


def _moved(x: Tensor) -> Tensor:
    """An element of the middle row has moved towards another one, to a value that x does not hold."""
    flat, places = _middle(x)
    places = places or list(range(flat.numel()))
    finite = [place for place, holds in zip(places, flat[places].isfinite().tolist(), strict=True) if holds]
    middle = len(finite) // 2
    for here in () if _overlaps(x) else finite[middle : middle + TRIES]:
        for there in (finite[0], finite[-1], 0):
            value = flat[here].double() + (flat[there].double() - flat[here].double()) * TOWARDS
            if value.isfinite() and not (flat == value.to(x.dtype)).any():
                flat[here] = value.to(x.dtype)
                return flat.reshape(x.shape)
    return x


def _overlaps(x: Tensor) -> bool:
    """Whether one place in memory is several elements, so that they cannot differ."""
    return any(stride == 0 and length > 1 for stride, length in zip(x.stride(), x.shape, strict=True))


def _shortened(leaf: Any) -> Any:
    """A text, known by the white space in it, without its middle character; a word may be a name that means something."""
    if type(leaf) is not str or len(leaf.split()) < 2:
        return leaf
    middle = len(leaf) // 2
    return leaf[:middle] + leaf[middle + 1 :]


def _spread_out(x: Tensor) -> Tensor:
    """Equal to x, and every other element of a larger tensor, from its second on; between them is NaN."""
    if not x.ndim:
        return x
    larger = torch.full((*x.shape[:-1], 2 * x.shape[-1] + 1), torch.nan, dtype=x.dtype)
    view = larger[..., 1::2]
    view.copy_(x.detach())
    return view
