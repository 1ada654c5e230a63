"""Protocol, overload, TypeVar, TYPE_CHECKING, Final, Annotated; a decorator of its own with functools.wraps."""

import functools
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Final, Optional, ParamSpec, Protocol, TypeVar, cast, overload

import torch

if TYPE_CHECKING:
    from torch import Tensor

P = ParamSpec("P")
R = TypeVar("R")
EPS: Final = 1e-6


class Normaliser(Protocol):
    def __call__(self, x: "Tensor", weight: "Tensor", eps: float = ...) -> "Tensor": ...


def keeps_dtype(function: Callable[P, R]) -> Callable[P, R]:
    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        x = cast("Tensor", args[0])
        return cast(Any, function(*args, **kwargs)).type_as(x)

    return wrapped


@overload
def root(x: float) -> float: ...
@overload
def root(x: "Tensor") -> "Tensor": ...
def root(x):
    return x**0.5 if isinstance(x, float) else torch.sqrt(x)


@keeps_dtype
def rms_norm(x: "Tensor", weight: Annotated["Tensor", "d"], eps: Optional[float] = EPS) -> "Tensor":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        return wide / root(wide.pow(2).mean(dim=-1, keepdim=True) + (eps or EPS)) * weight


norm: Normaliser = rms_norm
