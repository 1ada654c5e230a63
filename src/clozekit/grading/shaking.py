"""Stochastic rounding of a float64 computation, as if it ran in a smaller dtype.

    with Shaken(torch.float32, seed=0):
        y = x / x.square().mean(-1, keepdim=True).sqrt()    # every result times (1 ± 2^-24), signs at random

This is Monte Carlo arithmetic (Parker 1997), as in Verificarlo (Denis, de Oliveira Castro, Petit 2016) and CADNA
(Jézéquel, Chesneaux 2008), by a dispatch mode: it sees what autograd and torch's composite functions call, too.
"""

import contextlib
import inspect
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch._decomp import decomposition_table
from torch.utils._python_dispatch import TorchDispatchMode

from clozekit.grading.trees import is_floating, leaves, mapped


def unit_roundoff(dtype: torch.dtype) -> float:
    """Half the distance from 1 to the next number: 2^-24 for float32, 2^-11 for float16, 2^-8 for bfloat16."""
    return torch.finfo(dtype).eps / 2


COARSEST = ContextVar("COARSEST", default=math.inf)  # what `at_least` allows a result to be off


@contextlib.contextmanager
def at_least(dtype: torch.dtype) -> Iterator[None]:
    """For steps of a reference that are asked for in float32, say: their results are no further off, whatever is computed."""
    before = COARSEST.set(unit_roundoff(dtype))
    try:
        yield
    finally:
        COARSEST.reset(before)


class Shaken(TorchDispatchMode):
    """Inside it, every floating result is off by one unit roundoff of `compute`, sign by sign at random.

    A sum of n terms is off by sqrt(n)/4 roundings of its accumulator as well, and so is each of its terms: what a
    loop over the terms does to a sum of one sign, and to one that cancels. An accumulator has at least float32, so
    half precision gets nothing extra: to add up in float16 is a mistake, not a style.
    """

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # nothing here is compiled, and to be skipped, a mode imports torch._dynamo: a second

    def __init__(self, compute: torch.dtype, seed: int) -> None:
        super().__init__()
        self.of_compute = unit_roundoff(compute)
        self.accumulator = min(self.of_compute, unit_roundoff(torch.float32))
        self.generator = torch.Generator().manual_seed(seed)

    @property
    def roundoff(self) -> float:
        """By which a result is off."""
        return min(self.of_compute, COARSEST.get())

    def shake(self, value: Any, roundoff: float | None = None) -> Any:
        """The value times (1 ± roundoff), by default that of `compute`, if it is a float64 or complex128 tensor."""
        if not is_floating(value):
            return value
        if value.is_complex():
            return torch.view_as_complex(self.shake(torch.view_as_real(value.resolve_conj()), roundoff))
        roundoff = roundoff or self.roundoff
        bits = torch.empty_like(value).random_(0, 2, generator=self.generator)
        return bits.mul_(2 * roundoff).add_(1 - roundoff).mul_(value)

    def __torch_dispatch__(self, op, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        nature = _nature(op)
        if nature.formula:
            with self:
                return nature.formula(*args, **kwargs)
        if nature.is_exact(args, kwargs):
            return op(*args, **kwargs)
        roundoff = self.roundoff
        if nature.terms:
            position, count = nature.terms
            drift = self.accumulator * math.sqrt(count(args)) / 4
            roundoff += drift
            if drift > self.roundoff:
                args = [self.shake(a, drift) if i == position else a for i, a in enumerate(args)]
        result = op(*args, **kwargs)
        if nature.written:
            for i, name in nature.written:
                written = args[i] if i < len(args) else kwargs.get(name)
                for leaf in filter(is_floating, (leaf for _, leaf in leaves(written))):
                    _refuse_lower_precision(op, leaf)
                    leaf.copy_(self.shake(leaf, roundoff))
            return result

        def shake(leaf: Any) -> Any:
            _refuse_lower_precision(op, leaf)
            return self.shake(leaf, roundoff)

        return mapped(shake, result)


def _refuse_lower_precision(op: Any, value: Any) -> None:
    if is_floating(value) and value.dtype not in (torch.float64, torch.complex128):
        raise TypeError(
            f"the reference computes {op} in {value.dtype}, which rounds on its own. "
            "Compute in the dtype of the arguments, which is float64 here: x.to(y.dtype), not x.float()"
        )


# What there is to know of an operation. An in-place form (add_) goes by the name of the other (add).

# Results without a rounding: moved, selected, compared, of another sign, integral, constant or drawn; all views, too.
EXACT = frozenset(
    [
        *("clone", "copy", "_to_copy", "detach", "lift", "lift_fresh", "contiguous", "resize", "set"),
        *("_unsafe_view", "_reshape_alias", "_reshape_copy", "unsafe_split", "unsafe_split_with_sizes", "unsafe_chunk"),
        *("where", "masked_fill", "masked_select", "masked_scatter", "gather", "scatter", "take", "embedding"),
        *("index", "_unsafe_index", "index_select", "index_copy", "index_fill"),
        *("select_scatter", "slice_scatter", "diagonal_scatter", "as_strided_scatter"),
        *("select_backward", "slice_backward", "diagonal_backward", "threshold_backward"),
        *("cat", "stack", "repeat", "repeat_interleave", "flip", "roll", "rot90", "tril", "triu", "diag_embed"),
        *("constant_pad_nd", "reflection_pad1d", "replication_pad1d", "pixel_shuffle", "pixel_unshuffle"),
        *("sort", "topk", "kthvalue", "median", "nanmedian", "mode", "max", "min", "amax", "amin", "aminmax"),
        *("cummax", "cummin", "maximum", "minimum", "fmax", "fmin", "max_pool2d_with_indices"),
        *("relu", "relu6", "hardtanh", "clamp", "clamp_min", "clamp_max", "threshold", "nan_to_num"),
        *("neg", "abs", "sign", "sgn", "copysign", "conj_physical", "complex", "ldexp"),
        *("round", "floor", "ceil", "trunc", "fmod", "floor_divide"),
        *(
            "full",
            "full_like",
            "zeros",
            "zeros_like",
            "ones",
            "ones_like",
            "eye",
            "arange",
            "scalar_tensor",
            "fill",
            "zero",
        ),
        *(
            "empty",
            "empty_like",
            "empty_strided",
            "new_empty",
            "new_empty_strided",
            "new_full",
            "new_ones",
            "new_zeros",
        ),
        *("rand", "rand_like", "randn", "randn_like", "uniform", "normal", "bernoulli", "exponential", "geometric"),
    ]
)

# Exact or not, as their arguments say.
EXACT_IF: dict[str, Callable[[Sequence, Mapping], bool]] = {
    "div": lambda args, kwargs: kwargs.get("rounding_mode") is not None,
    "index_put": lambda args, kwargs: not (args[3] if len(args) > 3 else kwargs.get("accumulate")),
}


def _along(position: int) -> Callable[[Sequence], int]:
    """How many elements a reduction adds up, by its `dim` argument at this position."""

    def count(args: Sequence) -> int:
        shape = args[0].shape
        dims = args[position] if len(args) > position else None
        if isinstance(dims, int):
            dims = [dims]
        return math.prod(shape[d] for d in dims) if dims and shape else shape.numel()

    return count


def _inner(position: int) -> Callable[[Sequence], int]:
    """How many products a matrix multiplication adds up, by its left matrix at this position."""
    return lambda args: args[position].shape[-1]


# Operations that add up (or multiply) many terms: the position of the operand that holds them, and their number.
TERMS: dict[str, tuple[int, Callable[[Sequence], int]]] = {
    "sum": (0, _along(1)),
    "nansum": (0, _along(1)),
    "mean": (0, _along(1)),
    "prod": (0, _along(1)),
    "cumsum": (0, _along(1)),
    "cumprod": (0, _along(1)),
    "linalg_vector_norm": (0, _along(2)),
    "mm": (0, _inner(0)),
    "bmm": (0, _inner(0)),
    "mv": (0, _inner(0)),
    "dot": (0, _inner(0)),
    "addmm": (1, _inner(1)),
    "addmv": (1, _inner(1)),
    "baddbmm": (1, _inner(1)),
    "convolution": (0, lambda args: args[1][0].numel()),
}


def _gelu(x: Tensor, *, approximate: str = "none") -> Tensor:
    if approximate == "tanh":
        return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return 0.5 * x * (1 + torch.erf(x / math.sqrt(2)))


def _logsumexp(x: Tensor, dim: Sequence[int], keepdim: bool = False) -> Tensor:
    highest = x.amax(dim, keepdim=True)
    highest = torch.where(highest.isinf(), 0.0, highest)
    total = (x - highest).exp().sum(dim, keepdim=True).log() + highest
    return total if keepdim else total.squeeze(dim)


def _log_softmax(x: Tensor, dim: int, half_to_float: bool = False) -> Tensor:
    """By the logarithm of the sum, whose rounding it has as well: flash attention and many a loss go this way."""
    return x - _logsumexp(x, [dim], keepdim=True)


def _softmax(x: Tensor, dim: int, half_to_float: bool = False) -> Tensor:
    return _log_softmax(x, dim).exp()


def _safe_softmax(x: Tensor, dim: int, dtype: torch.dtype | None = None) -> Tensor:
    """Where everything is masked, 0."""
    return torch.where((x == -math.inf).all(dim, keepdim=True), 0.0, _softmax(x, dim))


def _var_mean(
    x: Tensor, dim: Sequence[int] | None = None, *, correction: float | None = None, keepdim: bool = False
) -> tuple[Tensor, Tensor]:
    dim = list(dim or range(x.ndim))
    freedom = math.prod(x.shape[d] for d in dim) - (1 if correction is None else correction)
    mean = x.mean(dim, keepdim=True)
    var = (x - mean).square().sum(dim, keepdim=True) / max(0, freedom)
    return (var, mean) if keepdim else (var.squeeze(dim), mean.squeeze(dim))


def _var(*args, **kwargs) -> Tensor:
    return _var_mean(*args, **kwargs)[0]


def _std(*args, **kwargs) -> Tensor:
    return _var(*args, **kwargs).sqrt()


def _layer_norm(
    x: Tensor, shape: Sequence[int], weight: Tensor | None, bias: Tensor | None, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    var, mean = _var_mean(x, range(x.ndim - len(shape), x.ndim), correction=0, keepdim=True)
    scale = (var + eps).rsqrt()
    y = (x - mean) * scale
    y = y if weight is None else y * weight
    return y if bias is None else y + bias, mean, scale


def _group_norm(
    x: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    batch: int,
    channels: int,
    positions: int,
    groups: int,
    eps: float,
) -> tuple[Tensor, Tensor, Tensor]:
    y, mean, scale = _layer_norm(x.reshape(batch, groups, -1), [channels // groups * positions], None, None, eps)
    per_channel = [1, channels] + [1] * (x.ndim - 2)
    y = y.reshape(x.shape)
    y = y if weight is None else y * weight.reshape(per_channel)
    y = y if bias is None else y + bias.reshape(per_channel)
    return y, mean.squeeze(-1), scale.squeeze(-1)


# Kernels that do the work of a formula in one call: shaking only their results would leave out what happens inside.
# Other kernels for single numbers (tanh, softplus, erf) count as elementary.
FORMULAS: dict[str, Any] = {
    "gelu": _gelu,
    "logsumexp": _logsumexp,
    "_log_softmax": _log_softmax,
    "_softmax": _softmax,
    "_safe_softmax": _safe_softmax,
    "var_mean": _var_mean,
    "var": _var,
    "std": _std,
    "native_layer_norm": _layer_norm,
    "native_group_norm": _group_norm,
} | {
    # Unwrapped: the wrappers cast to a larger dtype, which there is none of, and import sympy for it.
    name: inspect.unwrap(decomposition_table[getattr(torch.ops.aten, name).default])
    for name in [
        "native_layer_norm_backward",
        *("native_group_norm_backward", "native_batch_norm", "native_batch_norm_backward"),
        *("_softmax_backward_data", "_log_softmax_backward_data", "nll_loss_forward", "mse_loss"),
        *("log_sigmoid_forward", "log_sigmoid_backward", "binary_cross_entropy", "binary_cross_entropy_with_logits"),
        *("gelu_backward", "silu", "silu_backward", "sigmoid_backward", "tanh_backward"),
    ]
}


@dataclass(frozen=True)
class _Nature:
    exact: bool
    exact_if: Callable[[Sequence, Mapping], bool] | None
    formula: Callable | None
    terms: tuple[int, Callable[[Sequence], int]] | None
    written: tuple[tuple[int, str], ...]  # position and name of the arguments that it writes to

    def is_exact(self, args: Sequence, kwargs: Mapping) -> bool:
        return self.exact or (self.exact_if is not None and self.exact_if(args, kwargs))


@cache
def _nature(op: Any) -> _Nature:
    name = op.overloadpacket.__name__.removesuffix("_")
    exact = op.is_view or name in EXACT
    written = tuple(
        (i, a.name) for i, a in enumerate(op._schema.arguments) if a.alias_info is not None and a.alias_info.is_write
    )
    formula = None
    if not (exact or written):
        composite = torch._C._dispatch_has_kernel_for_dispatch_key(op.name(), "CompositeImplicitAutograd")
        formula = op.decompose if composite else FORMULAS.get(name)
    return _Nature(exact, EXACT_IF.get(name), formula, TERMS.get(name), written)
