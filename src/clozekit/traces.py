"""What torch was asked to do during one call: public functions by name, and the operators that were dispatched.

    with Trace() as trace:
        F.rms_norm(x, (8,))
    trace.functions      {"torch.nn.functional.rms_norm": 1, ...}
    trace.operators      {"aten::rms_norm": 1, ...}

Two modes, since either alone is blind: an operator that is made of others is taken apart before a dispatch mode sees it, and
`torch.ops` calls pass a function mode by. The record comes from the learner's process: a second lock behind the source
rules, not a proof.
"""

from collections import Counter
from typing import Any

import torch
from torch.overrides import TorchFunctionMode, resolve_name
from torch.utils._python_dispatch import TorchDispatchMode

LIMIT = 2000  # distinct names; nobody's honest code comes near


class Trace:
    """Records while it is entered. Forward and backward, but not other threads."""

    def __init__(self) -> None:
        self.functions: Counter[str] = Counter()
        self.operators: Counter[str] = Counter()
        self._modes = (_Functions(self.functions), _Operators(self.operators))

    def __enter__(self) -> "Trace":
        for mode in self._modes:
            mode.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        for mode in reversed(self._modes):
            mode.__exit__(*error)

    def names(self) -> dict[str, int]:
        """Both records in one, operators as `torch.ops.aten.name`."""
        operators = {f"torch.ops.{name.replace('::', '.')}": count for name, count in self.operators.items()}
        return dict(list((self.functions | operators).items())[:LIMIT])

    @property
    def steps(self) -> int:
        """What Python asked for, call by call and number by number."""
        return self.functions.total() + self.operators.total() + self._modes[0].listed


class _Functions(TorchFunctionMode):
    """`listed`: how many elements of tensors became Python numbers by `tolist`, which is one call for any number."""

    def __init__(self, seen: Counter[str]):
        super().__init__()
        self.seen = seen
        self.listed = 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if name := public_name(func):
            self.seen[name] += 1
        if func is torch.Tensor.tolist:
            self.listed += args[0].numel()
        return func(*args, **(kwargs or {}))


class _Operators(TorchDispatchMode):
    supports_higher_order_operators = True

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # to be skipped, a mode imports torch._dynamo: a second

    def __init__(self, seen: Counter[str]):
        super().__init__()
        self.seen = seen

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.seen[operator_name(func)] += 1
        return func(*args, **(kwargs or {}))


def operator_name(func: Any) -> str:
    """`aten::rms_norm`; `higher_order::flex_attention` of one that takes functions, which has no schema."""
    return func._schema.name if isinstance(func, torch._ops.OpOverload) else f"higher_order::{func.name()}"


def public_name(func: Any) -> str | None:
    """`torch.nn.functional.rms_norm`, `torch.Tensor.softmax`, `torch.ops.aten.rms_norm`; None for what has no name."""
    if isinstance(func, torch._ops.OpOverload):
        return f"torch.ops.{func._schema.name.replace('::', '.')}"
    if isinstance(func, torch._ops.OpOverloadPacket):
        return f"torch.ops.{func._qualified_op_name.replace('::', '.')}"
    name = resolve_name(func)
    return name if name and not name.endswith(".__get__") else None
