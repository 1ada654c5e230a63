"""How far off may an honest answer be? Ask the reference, shaken.

    expected = expect(rms_norm, [x, weight, 1e-6], compute=torch.float32)
    expected.value                  the reference in float64                             (3, 8) float64
    expected.spread                 how far a correct float32 program strays from it     (3, 8) float64
    difference(answer, expected)    None, or what is wrong and where: see compare.py

A correct implementation differs from the exact answer only by the roundings of its own steps. So the reference is
evaluated once exactly, in float64, and a few times more with every input and every operation's result off by one unit
roundoff of the dtype that the learner computes in, signs at random (shaking.py). The largest deviation is the
*spread*: conditioning, cancellation and intermediate steps included, and no number to invent. An answer may be BAR
spreads off, in every exercise. Which mistakes are exposed is decided by the cases, not by the bar.

What a reference must observe: it is a pure function; it computes in the dtype of its arguments, which arrive in
float64 (the default dtype is float64 meanwhile); and it is the formula with its natural intermediates, or a library
function.
"""

import inspect
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from clozekit.grading.shaking import Shaken
from clozekit.grading.trees import floating_leaves, is_floating, leaves, mapped, parts

# The one bar of the kit, in spreads. tests/grading/test_bars.py measures both sides of it.
BAR = 20.0

# The dtype that an answer must have: one, any (None), or that of the first floating argument.
Dtype: TypeAlias = torch.dtype | Literal["like arguments"] | None


@dataclass(frozen=True)
class Expected:
    """What a call must return, and how far off it may be.

    Attributes:
        value: The exact answer: a tree (trees.py) with floating tensors in float64, complex ones in complex128.
        spread: The same tree: for each floating tensor or float a float64 tensor of its shape, in the unit of the
            value; None for a discrete leaf, which must be met exactly.
        compute: The dtype whose roundings made the spread.
        dtype: What a floating tensor of the answer must have; None accepts any floating dtype.
        dtypes: Exceptions to it, by path.
        unstable: Paths at which the shaken references disagreed on a discrete leaf, a shape or a length, or on being
            finite. There one rounding decides, at a tie or a border: no fair case, and `cloze verify` reports it.
    """

    value: Any
    spread: Any
    compute: torch.dtype
    dtype: torch.dtype | None
    dtypes: Mapping[str, torch.dtype | None] = field(default_factory=dict)
    unstable: tuple[str, ...] = ()

    def dtype_at(self, path: str) -> torch.dtype | None:
        """What a floating tensor at this path must have; None accepts any floating dtype."""
        return self.dtypes.get(path, self.dtype)


def expect(
    reference: Callable,
    args: Sequence,
    kwargs: Mapping[str, Any] | None = None,
    *,
    compute: torch.dtype | None = None,
    dtype: Dtype = "like arguments",
    dtypes: Mapping[str, torch.dtype | None] | None = None,
    samples: int = 8,
) -> Expected:
    """What `reference(*args, **kwargs)` returns, and the spread around it.

    Args:
        reference: It gets copies: floating tensors, also inside lists, tuples and dicts, in float64; generators in
            the state that they are in. Python floats stay as they are.
        compute: The dtype whose unit roundoff shakes it; by default that of the first floating tensor among the
            arguments, or float32 if there is none. For TF32 say torch.float16: both round to 11 bits.
        dtype: What floating tensors of the answer must have; by default the dtype of the first floating argument.
        dtypes: Exceptions to it, by path: {"[1]": torch.float32}.
        samples: How many shaken evaluations.

    The result is the same on every call. torch's global generator is not used for shaking and left as it was; every
    evaluation finds it in the same state.

    Raises:
        TypeError: The reference computes in a smaller dtype than float64.
    """
    given = _floating_dtype([*args, *(kwargs or {}).values()])
    compute = compute or given
    call = {"args": list(args), "kwargs": dict(kwargs or {})}
    exact, *shaken = _evaluations(lambda call: reference(*call["args"], **call["kwargs"]), call, compute, samples)
    return _expected(exact, shaken, compute, given if dtype == "like arguments" else dtype, dtypes)


def expect_gradients(
    reference: Callable,
    args: Sequence,
    kwargs: Mapping[str, Any] | None = None,
    *,
    cotangents: Sequence[Tensor],
    compute: torch.dtype | None = None,
    dtype: Dtype = "like arguments",
    dtypes: Mapping[str, torch.dtype | None] | None = None,
    samples: int = 8,
) -> tuple[Expected, dict[str, Expected]]:
    """What `reference(*args, **kwargs)` returns, and its gradients by every floating tensor in the arguments.

    Args:
        cotangents: One tensor for each floating tensor of the answer (`floating_leaves` lists them), of its shape. The
            gradients are those of the sum of cotangent * output.

    All else is as in `expect`; forward and backward are shaken.

    Returns:
        The answer, and the gradients by the name of the parameter in the reference's signature and the path from
        there: "x", "parameters['q_proj.weight']". Each must have the dtype of its argument. Where the answer does not
        depend on an argument, zeros are expected.
    """
    bound = inspect.signature(reference).bind(*args, **(kwargs or {}))
    given = _floating_dtype(bound.arguments)
    compute = compute or given

    def run(call: dict) -> tuple[Any, dict[str, Tensor]]:
        inputs = _named_floating(call["arguments"])
        for leaf in inputs.values():
            leaf.requires_grad_()
        arguments = inspect.BoundArguments(bound.signature, call["arguments"])
        answer = reference(*arguments.args, **arguments.kwargs)
        return answer, _pulled_back(floating_leaves(answer), call["cotangents"], inputs)

    call = {"arguments": dict(bound.arguments), "cotangents": list(cotangents)}
    (exact, exact_gradients), *shaken = _evaluations(run, call, compute, samples)
    dtype = given if dtype == "like arguments" else dtype
    answer = _expected(exact, [other for other, _ in shaken], compute, dtype, dtypes)
    gradients = {
        path: _expected(exact_gradients[path], [others[path] for _, others in shaken], compute, leaf.dtype)
        for path, leaf in _named_floating(bound.arguments).items()
    }
    return answer, gradients


def _floating_dtype(tree: Any) -> torch.dtype:
    found = floating_leaves(tree)
    return found[0].dtype.to_real() if found else torch.float32


def _named_floating(arguments: Mapping[str, Any]) -> dict[str, Tensor]:
    """The floating tensors among named arguments, by path: "x", "parameters['q_proj.weight']"."""
    return {
        path: leaf for name, argument in arguments.items() for path, leaf in leaves(argument, name) if is_floating(leaf)
    }


def _pulled_back(outputs: list[Tensor], cotangents: list[Tensor], inputs: dict[str, Tensor]) -> dict[str, Tensor]:
    if [o.shape for o in outputs] != [c.shape for c in cotangents]:
        wanted, given = ([tuple(t.shape) for t in tensors] for tensors in (outputs, cotangents))
        raise ValueError(
            f"one cotangent for each floating tensor of the answer: expected shapes {wanted}, given {given}"
        )
    pairs = [(o, c) for o, c in zip(outputs, cotangents, strict=True) if o.requires_grad]
    if not pairs:
        return {path: torch.zeros_like(leaf) for path, leaf in inputs.items()}
    reached, pulls = zip(*pairs, strict=True)
    gradients = torch.autograd.grad(reached, list(inputs.values()), pulls, materialize_grads=True)
    return dict(zip(inputs, gradients, strict=True))


# Evaluating


def _evaluations(run: Callable[[Any], Any], call: Any, compute: torch.dtype, samples: int) -> list:
    """What `run` makes of a copy of the call: exactly first, then shaken, `samples` times."""
    results = []
    with _clean_room():
        state = torch.get_rng_state()
        for mode in [None, *(Shaken(compute, seed) for seed in range(samples))]:
            torch.set_rng_state(state)
            copied = mapped(partial(_copied, mode=mode), call)
            with mode or nullcontext():
                result = run(copied)
            results.append(mapped(lambda leaf: _in_float64(leaf) if is_floating(leaf) else leaf, result))
            if not any(is_floating(leaf) or isinstance(leaf, float | complex) for _, leaf in leaves([call, result])):
                break  # nothing was rounded: another evaluation would say the same
    return results


@contextmanager
def _clean_room() -> Iterator[None]:
    """float64 by default, attention by its formula and not by fused kernels; torch's settings come back at the end."""
    with ExitStack() as stack:
        stack.callback(torch.set_default_dtype, torch.get_default_dtype())
        stack.callback(torch.backends.mha.set_fastpath_enabled, torch.backends.mha.get_fastpath_enabled())
        torch.set_default_dtype(torch.float64)
        torch.backends.mha.set_fastpath_enabled(False)
        stack.enter_context(sdpa_kernel(SDPBackend.MATH))
        stack.enter_context(torch.random.fork_rng(devices=[]))
        stack.enter_context(torch.inference_mode(False))  # gradients on
        yield


def _copied(leaf: Any, mode: Shaken | None) -> Any:
    """A copy that the reference may write to and may track, floating tensors in float64."""
    if is_floating(leaf):
        return mode.shake(_in_float64(leaf)) if mode else _in_float64(leaf).clone()
    if isinstance(leaf, torch.Generator):
        return leaf.clone_state()
    return leaf.clone() if isinstance(leaf, Tensor) else leaf


def _in_float64(leaf: Tensor) -> Tensor:
    return leaf.detach().to(torch.complex128 if leaf.is_complex() else torch.float64)


# The spread


def _expected(
    exact: Any,
    shaken: list,
    compute: torch.dtype,
    dtype: torch.dtype | None,
    dtypes: Mapping[str, torch.dtype | None] | None = None,
) -> Expected:
    """The spread of the shaken answers around the exact one."""
    widths: dict[str, Tensor] = {}
    unstable: dict[str, None] = {}
    for sample in shaken:
        for path, ours, theirs in _pairs(exact, sample):
            if not _agree(ours, theirs):
                unstable[path] = None
            elif is_floating(ours) or isinstance(ours, float | complex):
                width = torch.as_tensor(theirs - ours).abs().to(torch.float64)
                width = width.nan_to_num(0.0, 0.0)  # inf - inf and nan - nan: no width where the value is not finite
                widths[path] = torch.maximum(widths[path], width) if path in widths else width
    paths = iter([path for path, _ in leaves(exact)])
    spread = mapped(lambda leaf: _spread(leaf, widths.get(next(paths))), exact)
    return Expected(exact, spread, compute, dtype, dtypes or {}, tuple(unstable))


def _spread(leaf: Any, width: Tensor | None) -> Tensor | None:
    if width is None:
        floating = is_floating(leaf) or isinstance(leaf, float | complex)
        return torch.zeros(torch.as_tensor(leaf).shape, dtype=torch.float64) if floating else None
    if width.ndim == 0 or width.numel() == 0:
        return width
    # Eight samples of one element are too few (an honest gelu reads 3e3 spreads): the widest along the last axis.
    return width.amax(-1, keepdim=True).expand_as(width)


def _pairs(exact: Any, shaken: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """The leaves of two trees, pair by pair; where their structure differs, the containers."""
    ours, theirs = parts(exact), parts(shaken)
    if ours is None or theirs is None or ours.keys() != theirs.keys():
        yield path, exact, shaken
    else:
        for step, child in ours.items():
            yield from _pairs(child, theirs[step], path + step)


def _agree(exact: Any, shaken: Any) -> bool:
    """Whether two evaluations agree in all but roundings."""
    if type(exact) is not type(shaken) or parts(exact) is not None:
        return False
    if isinstance(exact, float | complex):
        exact, shaken = torch.tensor(exact), torch.tensor(shaken)
    if not isinstance(exact, Tensor):
        return exact == shaken
    if exact.shape != shaken.shape or exact.dtype != shaken.dtype:
        return False
    if is_floating(exact):  # any finite number for a finite one; infinities and NaN at the same places
        return torch.allclose(exact, shaken, rtol=0, atol=math.inf, equal_nan=True)
    return torch.equal(exact, shaken)
