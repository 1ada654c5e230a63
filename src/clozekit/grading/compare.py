"""One answer against what is expected: where it is wrong, and by how much.

    difference((3, 8) answer, expected)
    Difference(kind="value", where="[1, 2]", yours="2.46253", expected="1.3219", excess=4.1e6, wrong=8, total=24)

Answers come from the learner's process: plain data, of any size and shape, never to be trusted to match.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from clozekit.grading import laws
from clozekit.grading.shaking import unit_roundoff
from clozekit.grading.tolerance import BAR, Expected
from clozekit.grading.trees import parts
from clozekit.values import Foreign

Kind = Literal["type", "device", "length", "keys", "shape", "dtype", "nan", "infinite", "value"]


class Leaf(NamedTuple):
    """A tensor of the answer, what it must be, and how many spreads each element is off."""

    answer: Tensor
    value: Tensor
    off: Tensor


@dataclass(frozen=True)
class Difference:
    """The first leaf of an answer that is wrong.

    Attributes:
        kind: type: another Python type. device: a tensor that does not lie where the arguments do. length: of a list or
            tuple. keys: of a dict. shape, dtype: of a tensor. nan, infinite: not a number, or infinite, where a finite
            number was expected. value: all else.
        where: The path to the leaf ("" for the whole answer, "[0]", ".loss", "['k']") and the index of the worst
            element in it ("[1, 2]").
        yours, expected: Short texts: of the worst element for nan, infinite and value, else of the type, length,
            shape or dtype. For keys those that only the one side has, "" if there are none.
        excess: How far off the worst element is, in spreads; infinite for all but floating values.
        wrong: How many elements are off.
        total: How many elements the leaf has.
        position: For a length, the first position at which the two differ.
        leaf: The numbers that were compared, if any were.
    """

    kind: Kind
    where: str
    yours: str
    expected: str
    excess: float = math.inf
    wrong: int = 1
    total: int = 1
    position: int | None = None
    leaf: Leaf | None = field(default=None, compare=False, repr=False)

    def facts(self) -> dict[str, str]:
        """What a report tells of it."""
        return {name: str(getattr(self, name)) for name in ("where", "yours", "expected", "wrong", "total")}


def difference(answer: Any, expected: Expected) -> Difference | None:
    """The first leaf of the expected tree from which the answer is more than BAR spreads off; None if it is right."""
    return next(_differences(answer, expected, expected.value, expected.spread, "", BAR), None)


def excess(answer: Any, expected: Expected) -> float:
    """How far off the worst leaf is, in spreads: 0 within the rounding of its dtype, inf for another structure."""
    found = _differences(answer, expected, expected.value, expected.spread, "", 0.0)
    return max((each.excess for each in found), default=0.0)


def _differences(answer: Any, whole: Expected, value: Any, spread: Any, path: str, bar: float) -> Iterator[Difference]:
    if isinstance(answer, Foreign) and answer.device and isinstance(value, Tensor):
        yield Difference("device", path, answer.device, "")
    elif not _same_type(answer, value):
        yield Difference("type", path, type_name(answer), type_name(value))
    elif isinstance(value, Tensor):
        yield from _tensor(answer, value, spread, whole.dtype_at(path), path, bar)
    elif isinstance(value, laws.Law):
        yield from _drawn(answer, value, whole.dtype_at(path), path, bar)
    elif isinstance(value, float | complex):
        yield from _values(_number(answer), _number(value), spread, whole.compute, path, bar)
    elif isinstance(value, dict):
        if answer.keys() != value.keys():
            yield Difference("keys", path, _keys(answer, value), _keys(value, answer))
        else:
            for key in value:
                yield from _differences(answer[key], whole, value[key], spread[key], f"{path}[{key!r}]", bar)
    elif isinstance(value, list | tuple):
        yield from _sequence(answer, whole, value, spread, path, bar)
    elif answer != value:
        yield Difference("value", path, *_short(answer, value))


def _sequence(answer: Any, whole: Expected, value: Any, spread: Any, path: str, bar: float) -> Iterator[Difference]:
    steps = list(parts(value) or ())
    found = (
        list(_differences(a, whole, v, s, path + step, bar))
        for a, v, s, step in zip(answer, value, spread, steps, strict=False)
    )
    if len(answer) == len(value):
        for each in found:
            yield from each
    else:
        first = next((i for i, each in enumerate(found) if each), min(len(answer), len(value)))
        yield Difference("length", path, str(len(answer)), str(len(value)), position=first)


def _tensor(
    answer: Tensor, value: Tensor, spread: Tensor | None, dtype: torch.dtype | None, path: str, bar: float
) -> Iterator[Difference]:
    if answer.shape != value.shape:
        yield Difference("shape", path, str(tuple(answer.shape)), str(tuple(value.shape)), total=value.numel())
    elif spread is None:
        if _kind(answer.dtype) != _kind(value.dtype):
            yield Difference("dtype", path, _dtype(answer.dtype), _dtype(value.dtype), total=value.numel())
        else:
            yield from _exactly(answer.long(), value.long(), path)
    else:
        if value.is_complex():
            dtype = dtype and dtype.to_complex()
        if dtype != answer.dtype if dtype else _kind(answer.dtype) != _kind(value.dtype):
            yield Difference("dtype", path, _dtype(answer.dtype), _dtype(dtype or value.dtype), total=value.numel())
        else:
            yield from _values(answer.to(value.dtype), value, spread, answer.dtype, path, bar)


def _drawn(answer: Tensor, law: laws.Law, dtype: torch.dtype | None, path: str, bar: float) -> Iterator[Difference]:
    """A tensor whose elements are random: what is compared are its statistics."""
    if answer.shape != law.shape:
        yield Difference("shape", path, str(tuple(answer.shape)), str(law.shape), total=math.prod(law.shape))
    elif dtype != answer.dtype if dtype else _kind(answer.dtype) != "float":
        yield Difference("dtype", path, _dtype(answer.dtype), _dtype(dtype or torch.float32), total=answer.numel())
    else:
        worst = laws.complaint(answer, law)
        if worst.off * BAR > bar:
            texts = _texts(worst.value, worst.expected)
            yield Difference("value", path + worst.name, *texts, worst.off * BAR)


def _exactly(answer: Tensor, value: Tensor, path: str) -> Iterator[Difference]:
    """Integers, and bools as 0 and 1."""
    off = answer != value
    if off.any():
        worst = int(off.flatten().int().argmax())
        yours, theirs = (str(int(t.flatten()[worst])) for t in (answer, value))
        leaf = Leaf(answer, value, torch.where(off, math.inf, 0.0))
        where = path + index(worst, value.shape)
        yield Difference("value", where, yours, theirs, wrong=int(off.sum()), total=off.numel(), leaf=leaf)


def _values(
    answer: Tensor, value: Tensor, spread: Tensor, dtype: torch.dtype, path: str, bar: float
) -> Iterator[Difference]:
    """Floating values of equal shape, in float64; `dtype` is that in which the answer was rounded."""
    leaf = Leaf(answer, value, elementwise_excess(answer, value, spread, dtype))
    off = leaf.off.flatten()
    wrong = off > bar
    if wrong.any():
        worst = int(off.argmax())
        a, v = answer.flatten()[worst], value.flatten()[worst]
        kind: Kind = "value"
        if a.isnan() and not v.isnan():
            kind = "nan"
        elif a.isinf() and v.isfinite():
            kind = "infinite"
        where = path + index(worst, value.shape)
        texts = _texts(a.item(), v.item())
        count = int(wrong.sum())
        yield Difference(kind, where, *texts, off[worst].item(), count, off.numel(), leaf=leaf)


def elementwise_excess(answer: Tensor, value: Tensor, spread: Tensor, dtype: torch.dtype) -> Tensor:
    """How many spreads each element is off, beyond the rounding of its own dtype.

    Args:
        answer, value: float64 or complex128, of one shape.
        spread: float64, of that shape. Where it is 0 the reference rounds nothing, so that any deviation beyond the
            answer's own rounding is infinitely wrong.
        dtype: That in which the answer was rounded. One unit in the last place is free (Triton's interpreter
            truncates to bfloat16 instead of rounding), and so is a number too small for the dtype.

    Returns:
        float64, of that shape. A NaN is answered by NaN and an infinity by itself, else it is infinitely off; an
        infinity of the right sign also answers a finite value that overflows the dtype.
    """
    info = torch.finfo(dtype)
    # float16 keeps its subnormal numbers everywhere; float32 and bfloat16 lose them on some devices.
    tiny = info.tiny * info.eps if dtype == torch.float16 else info.tiny
    rounding = 2 * unit_roundoff(dtype) * value.abs() + tiny
    beyond = ((answer - value).abs() - rounding).clamp_min(0)
    off = torch.where(beyond == 0, beyond, beyond / spread)
    special = ~(value.isfinite() & answer.isfinite())
    if special.any():
        overflows = value.abs() + rounding + BAR * spread > info.max
        alike = torch.where(
            value.isnan(),
            answer.isnan(),
            (answer == value) | (answer.isinf() & overflows & (answer.sgn() == value.sgn())),
        )
        off = torch.where(special, torch.where(alike, 0.0, math.inf), off)
    return off


# Types and texts.


def type_name(value: Any) -> str:
    """The name of a type as a learner knows it: "Tensor", "None", "list"."""
    if isinstance(value, Tensor | laws.Law):
        return "Tensor"
    if isinstance(value, Foreign):
        return value.name
    return "None" if value is None else type(value).__name__


def _same_type(answer: Any, value: Any) -> bool:
    """Strict, but an int will do for a float, and a plain tuple for a NamedTuple, whose class the learner keeps."""
    if isinstance(value, Tensor | laws.Law):
        return isinstance(answer, Tensor)
    if isinstance(value, bool) or isinstance(answer, bool):
        return type(answer) is type(value)
    if isinstance(value, complex):
        return isinstance(answer, int | float | complex)
    if isinstance(value, float):
        return isinstance(answer, int | float)
    for plain in (int, str, bytes, tuple, list, dict):
        if isinstance(value, plain):
            return isinstance(answer, plain)
    return type(answer) is type(value)


def _number(number: complex) -> Tensor:
    if isinstance(number, complex):
        return torch.tensor(number, dtype=torch.complex128)
    try:
        return torch.tensor(float(number), dtype=torch.float64)
    except OverflowError:  # an int beyond float64
        return torch.tensor(math.inf if number > 0 else -math.inf, dtype=torch.float64)


def _kind(dtype: torch.dtype) -> str:
    if dtype == torch.bool:
        return "bool"
    if dtype.is_complex:
        return "complex"
    return "float" if dtype.is_floating_point else "int"


def _dtype(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def index(flat: int, shape: torch.Size) -> str:
    """[1, 2]; nothing for a 0-d tensor."""
    found = [int(i) for i in torch.unravel_index(torch.tensor(flat), shape)]
    return str(found) if found else ""


def _texts(yours: complex, expected: complex) -> tuple[str, str]:
    """Six digits, or as many as it takes to tell the two apart."""
    for digits in (6, 9, 12, 17):
        texts = f"{yours:.{digits}g}", f"{expected:.{digits}g}"
        if texts[0] != texts[1]:
            break
    return texts


def _short(yours: Any, expected: Any, width: int = 40) -> tuple[str, str]:
    """Both as Python writes them; of long strings the part where they begin to differ."""
    if not isinstance(yours, str | bytes):
        return _cut(yours), _cut(expected)
    same = next(
        (i for i, (a, b) in enumerate(zip(yours, expected, strict=False)) if a != b), min(len(yours), len(expected))
    )
    start = max(0, same - width // 2)

    def part(text: str | bytes) -> str:
        return ("…" if start else "") + repr(text[start : start + width]) + ("…" if len(text) > start + width else "")

    return part(yours), part(expected)


def _cut(value: Any, width: int = 60) -> str:
    try:
        text = repr(value)
    except ValueError:  # Python refuses to write an int of thousands of digits
        text = hex(value) if isinstance(value, int) else type_name(value)
    return text if len(text) <= width else text[:width] + "…"


def _keys(ours: dict, theirs: dict) -> str:
    only = [key for key in ours if key not in theirs]
    return ", ".join(_cut(key) for key in only[:5]) + (", …" if len(only) > 5 else "")
