"""What a piece of eager PyTorch costs, counted operator by operator as it runs.

    with TorchMeter() as meter:
        F.softmax(x @ w, dim=-1).sum().backward()
    meter.counts()       Counts(flops=…, matmul_flops=…, read_bytes=…, written_bytes=…, peak_bytes=…, operators={"aten::mm": 3})
    meter.records        [Record("aten::mm", ([128, 64], [64, 32]), "float32", read_bytes=40960, …), …]

Real, meta and fake tensors cost the same, so that `torch.empty(65536, 8192, device="meta")` is counted in microseconds; a
FakeTensorMode is entered before the meter. Not seen: what an operator allocates and frees inside, other threads, and whatever
does not go through torch's dispatcher. Operators that take functions (flex_attention) are known by name only.
"""

import weakref
from collections import Counter
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from clozekit.meters.counts import Counts, Record
from clozekit.meters.operators import Called, is_real, storage, tensors
from clozekit.meters.passes import passes


class CannotCount(Exception):
    """An operator asks for values, of tensors that have none."""


class TorchMeter:
    """Counts while it is entered, forward and backward."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.memory = Memory()
        self._modes = (FusedAttention(), Operators(self))

    def __enter__(self) -> "TorchMeter":
        for mode in self._modes:
            mode.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        for mode in reversed(self._modes):
            mode.__exit__(*error)

    def add(self, called: Called) -> None:
        """Count one operator that ran."""
        for tensor in called.fresh:
            self.memory.watch(tensor)
        changed = [tensor for name in called.written for tensor in called.operands[name]]
        for tensor in (*called.fresh, *changed):
            self.memory.measure(tensor)
        if called.is_view:
            return
        operands = [tensor for operand in called.operands.values() for tensor in operand]
        costs = called.read_bytes(), called.written_bytes(), called.matmul_flops(), called.other_flops()
        if any(costs):
            dtype = next((tensor.dtype for tensor in (*operands, *called.results) if is_real(tensor)), torch.int64)
            shapes = tuple(list(tensor.shape) for tensor in operands)
            name = str(dtype).removeprefix("torch.")
            self.records.append(Record(called.func._schema.name, shapes, name, *costs, passes(called)))

    def counts(self) -> Counts:
        """The sums."""
        matmul_flops = sum(record.matmul_flops for record in self.records)
        return Counts(
            flops=matmul_flops + sum(record.other_flops for record in self.records),
            matmul_flops=matmul_flops,
            read_bytes=sum(record.read_bytes for record in self.records),
            written_bytes=sum(record.written_bytes for record in self.records),
            peak_bytes=self.memory.peak,
            operators=dict(Counter(record.operator for record in self.records)),
        )


class Operators(TorchDispatchMode):
    """Hands each operator to the meter, with what it returned."""

    supports_higher_order_operators = True

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # to be skipped, a mode imports torch._dynamo: a second

    def __init__(self, meter: TorchMeter):
        super().__init__()
        self.meter = meter

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if not isinstance(func, torch._ops.OpOverload):  # it takes functions and has no schema
            self.meter.records.append(Record(f"higher_order::{func.name()}"))
            return func(*args, **kwargs)
        if func.namespace == "prim":  # a question about a fake tensor
            return func(*args, **kwargs)
        if _is_composite(func):  # below autograd an operator shows before it is taken apart
            with self:
                return func.decompose(*args, **kwargs)
        _refuse_valueless(func, args)
        result = func(*args, **kwargs)
        self.meter.add(Called(func, args, kwargs, result))
        return result


def _is_composite(func: Any) -> bool:
    """Whether an operator is made of others, and no kernel does it at once (as one does silu_backward)."""
    return func._can_decompose() and not torch._C._dispatch_has_kernel_for_dispatch_key(func.name(), "CPU")


class Memory:
    """The storages that operators made and that somebody still holds, autograd among others."""

    def __init__(self) -> None:
        self.live = self.peak = 0
        self._sizes: dict[int, int] = {}
        self._watched: dict[int, weakref.ref] = {}

    def watch(self, tensor: Tensor) -> None:
        """From now on the memory of this new tensor counts, until it is freed."""
        key = storage(tensor)
        if key not in self._sizes:
            self._sizes[key] = 0
            self._watched[key] = weakref.ref(tensor.untyped_storage(), partial(self._freed, key))

    def measure(self, tensor: Tensor) -> None:
        """How large it is now: what is given as `out=` may have grown."""
        key = storage(tensor)
        if key in self._sizes:
            self.live += tensor.untyped_storage().nbytes() - self._sizes[key]
            self._sizes[key] = tensor.untyped_storage().nbytes()
            self.peak = max(self.peak, self.live)

    def _freed(self, key: int, _: Any) -> None:
        del self._watched[key]
        self.live -= self._sizes.pop(key)


class FusedAttention(TorchFunctionMode):
    """Has torch's attention take its fused operator on meta tensors, as it does on the CPU and on a GPU."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is F.scaled_dot_product_attention and all(each.is_meta for each in tensors([*args, *kwargs.values()])):
            return _attention(*args, **kwargs)
        return func(*args, **kwargs)


def _attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    **options: Any,
) -> Tensor:
    is_plain = query.ndim == key.ndim == value.ndim == 4 and query.shape[-1] == key.shape[-1] == value.shape[-1]
    if not is_plain or dropout_p or (attn_mask is not None and attn_mask.requires_grad):  # taken apart everywhere
        return F.scaled_dot_product_attention(query, key, value, attn_mask, dropout_p, is_causal, **options)
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        attn_mask = torch.where(attn_mask, _scalar(0.0, query), _scalar(-torch.inf, query))
    fused = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
    scale = options.get("scale")
    return fused(query, key, value, 0.0, is_causal, attn_mask=attn_mask, scale=scale)[0]  # type: ignore[no-any-return]


def _scalar(value: float, like: Tensor) -> Tensor:
    return torch.scalar_tensor(value, dtype=like.dtype, device=like.device)


def _refuse_valueless(func: Any, args: tuple) -> None:
    """Say so, where torch would say something else for every operator.

    Raises:
        CannotCount: the operator's result depends on values that meta and fake tensors do not have.
    """
    if {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape}.isdisjoint(func.tags):
        return
    if any(tensor.is_meta or hasattr(tensor, "fake_mode") for tensor in tensors(args)):
        raise CannotCount(f"{func._schema.name}: its result depends on values; count it on tensors that have some")
