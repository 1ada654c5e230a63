"""Are two answers to the same inputs the same, as far as their rounding allows?

    share = slack(expected)                             [3.1e-6]: of each tensor's largest element
    differ([y], [reference_y], share)                   None, or Problem("speed-answer", {"where": "[0]", ...})

That the candidate is right was judged before, in detail. Here it must show that it still is while it is being timed: of the many
inputs that are drawn then, the reference kernel tells the answer, on the device, and nobody the spread.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from clozekit.grading.shaking import unit_roundoff
from clozekit.grading.tolerance import BAR, Expected
from clozekit.grading.trees import leaves
from clozekit.report import Problem


def slack(expected: Expected) -> list[float]:
    """How far two right answers may part, for each tensor: each may be BAR spreads from the truth, and is rounded."""
    spreads = dict(leaves(expected.spread))
    shares = []
    for path, value in leaves(expected.value):
        if isinstance(value, Tensor) and spreads[path] is None:
            shares.append(0.0)
        elif isinstance(value, Tensor):
            rounding = unit_roundoff(expected.dtype_at(path) or expected.compute)
            largest, spread = (_largest(each) for each in (value, spreads[path]))
            shares.append(2 * ((BAR * spread / largest if largest else 0.0) + rounding))
    return shares


def differ(yours: Sequence[Tensor], theirs: Sequence[Tensor], shares: Sequence[float]) -> Problem | None:
    """The first tensor that is another one, and its worst element."""
    if len(yours) != len(theirs):
        counts = {"yours": f"{len(yours)} tensors", "expected": f"{len(theirs)} tensors"}
        return Problem("speed-answer", {"where": ""} | counts)
    for place, (mine, other, share) in enumerate(zip(yours, theirs, shares, strict=True)):
        where = f"[{place}]" if len(yours) > 1 else ""
        if mine.shape != other.shape or mine.dtype != other.dtype:
            return Problem("speed-answer", {"where": where, "yours": _kind(mine), "expected": _kind(other)})
        left, right = (each.to(torch.float64).flatten() for each in (mine, other))
        same = (left == right) | (left.isnan() & right.isnan())
        off = torch.where(same, 0.0, (left - right).abs().nan_to_num(nan=torch.inf, posinf=torch.inf))
        if off.numel() and off.max() > share * _largest(right):
            worst = off.argmax()
            index = [int(i) for i in torch.unravel_index(worst, mine.shape)]
            facts = {"yours": f"{float(left[worst]):g}", "expected": f"{float(right[worst]):g}"}
            return Problem("speed-answer", {"where": where + str(index)} | facts)
    return None


def _largest(tensor: Tensor) -> float:
    """The largest finite magnitude."""
    return float(tensor.abs().nan_to_num(nan=0.0, posinf=0.0).max()) if tensor.numel() else 0.0


def _kind(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')}{list(tensor.shape)}"
