"""The two marks of a grader: what is right, and what is wrong.

A mistake's source is read and typed into the solution (see `Exercise.mistaken`); nothing here ever calls it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import torch  # a plugin of pytest lies in this package: loaded by every pytest run, also by those that know no torch

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Reference:
    """An independent definition of `target`, evaluated in float64.

    compute: the dtype whose rounding an honest answer may show; None means the coarsest floating one of the inputs.
    dtypes: by path, of what in the answer has a dtype of its own: {"[0]": torch.float32}.
    """

    target: str
    function: Callable[..., Any]
    compute: torch.dtype | None
    dtypes: Mapping[str, torch.dtype]


def reference(
    target: str, compute: torch.dtype | None = None, dtypes: Mapping[str, torch.dtype] | None = None
) -> Callable[[Function], Function]:
    """Mark the pure function that defines what `target` returns: a function, a class (its forward), or "Class.method".

    For a module it is called as `function(parameters, *inputs, **constructor_arguments)`. Where the answer is drawn at
    random it returns a law in place of the tensor, see `laws`.
    """

    def mark(function: Function) -> Function:
        function.__dict__["cloze_reference"] = Reference(target, function, compute, dtypes or {})
        return function

    return mark


def mistake(
    target: str | None = None, *, blank: str | None = None, rounding: bool = False
) -> Callable[[Function], Function]:
    """Mark what a learner would have typed: another body for the function `target` or for a blank of the solution.

    The function's name keys `mistakes` in the .toml. It uses what the solution's file imports and defines, nothing of
    the grader's. rounding: its error is noise, so it is recognised by the cases that it fails, not by its values.
    """
    if (target is None) == (blank is None):
        raise TypeError("a mistake replaces either a function, @mistake('name'), or a blank, @mistake(blank='name')")
    return lambda function: function


def references(grader: ModuleType) -> dict[str, Reference]:
    """All references of a grader by target."""
    marked = [getattr(thing, "cloze_reference", None) for thing in vars(grader).values()]
    return {found.target: found for found in marked if isinstance(found, Reference)}
