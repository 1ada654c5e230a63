"""What one dispatched operator of torch costs: the bytes that it reads and writes, and its FLOPs.

    aten::mm(x [128, 64], w [64, 32])     reads x and w, writes [128, 32]     2 · 128 · 64 · 32 FLOPs of a matrix product
    aten::_softmax(x [128, 32])           reads x, writes [128, 32]           5 · 128 · 32 other FLOPs
    aten::t(x)                            a view: nothing

Bytes are those that the operator has to move: each operand once, however often its kernel comes back to it (see `passes`), and
of an operand what it holds in memory. An expanded one counts once, the same one given twice once, and of a table that is
looked up only as much as is taken out of it, at most all.

A FLOP is one addition, multiplication, division, comparison or function value (exp, sqrt, tanh) of floating numbers. Matrix
products follow torch's own formulas: two for each multiply-add, masked or not. Any other element-wise operator takes one for
each element of its result, a reduction one for each element of its input; HEAVIER has those that stand for several, as if
they were written out. Integers, booleans, copies and random numbers take none.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.utils import flop_counter

aten = torch.ops.aten

# What is looked up, and whose size says how much of it: that of another operand, or "" of the result.
LOOKED_UP = {
    "embedding": ("weight", ""),
    "gather": ("self", ""),
    "index": ("self", ""),
    "index_select": ("self", ""),
    "nll_loss_forward": ("self", "target"),
    "scatter": ("src", "index"),
    "scatter_add": ("src", "index"),
    "scatter_reduce": ("src", "index"),
    "take": ("self", ""),
}
# In place, these write to some elements only: to as many as this operand has.
PUT = {"index_add_": "source", "index_copy_": "source"} | dict.fromkeys(
    ("scatter_", "scatter_add_", "scatter_reduce_"), "index"
)
OVERWRITES = {"copy_", "fill_", "zero_", "index_copy_", "scatter_"} | {  # in place, and what was there is not read
    f"{name}_" for name in "bernoulli cauchy exponential geometric log_normal normal random uniform".split()
}
UNREAD = {"nll_loss_backward": "self"}  # of it only the shape is used
UNWRITTEN = {"empty", "empty_like", "empty_permuted", "empty_strided", "new_empty", "new_empty_strided"}

NO_ARITHMETIC = {"clone", "copy", "fill", "isfinite", "isinf", "isnan", "masked_fill", "where"}
HEAVIER = {  # FLOPs for each element
    "_fused_rms_norm": 4,  # square, add; scale; weight
    "_log_softmax": 5,  # maximum, subtract, exp, add, subtract
    "_log_softmax_backward_data": 4,  # add, exp, multiply, subtract
    "_safe_softmax": 5,
    "_softmax": 5,  # maximum, subtract, exp, add, divide
    "_softmax_backward_data": 4,  # multiply, add, subtract, multiply
    "addcdiv": 2,
    "addcmul": 2,
    "cumprod": 1,
    "cumsum": 1,
    "lerp": 3,
    "linalg_vector_norm": 2,  # square, add
    "logsumexp": 4,  # maximum, subtract, exp, add
    "native_batch_norm": 7,
    "native_batch_norm_backward": 13,
    "native_dropout": 1,
    "native_dropout_backward": 1,
    "native_group_norm": 7,
    "native_group_norm_backward": 13,
    "native_layer_norm": 7,  # add; subtract, square, add; scale; weight, bias
    "native_layer_norm_backward": 13,  # normalise 2, weight 1, two means 3, their subtraction 3, scale 1; dweight 2, dbias 1
    "std": 4,
    "std_mean": 4,
    "var": 4,  # add; subtract, square, add
    "var_mean": 4,
}
ADDS = {  # one for each element of this operand, or "" of the result: a bias, what is added in place
    "addbmm": "",
    "addmm": "",
    "addmv": "",
    "baddbmm": "",
    "index_add": "source",
    "scatter_add": "index",
}
FUSED_SOFTMAX = {"forward": 5, "backward": 6}  # inside fused attention, for each score; backward it is made again


def _attention(q: Tensor, k: Tensor, v: Tensor, *_: Any, **__: Any) -> int:
    """q kᵀ, and weights times v. Torch's own formula takes as many heads of k as of q only."""
    return 2 * q.numel() * k.shape[-2] + 2 * q[..., 0].numel() * k.shape[-2] * v.shape[-1]


def _attention_backward(grad: Tensor, q: Tensor, k: Tensor, v: Tensor, *_: Any, **__: Any) -> int:
    """q kᵀ again, then the gradients of weights and v, and of q and k."""
    return 6 * q.numel() * k.shape[-2] + 4 * grad.numel() * k.shape[-2]


PRODUCTS: dict[Any, Callable[..., int]] = {  # matrix products that torch has no formula for
    aten.dot: lambda x, y, **_: 2 * x.numel(),
    aten.vdot: lambda x, y, **_: 2 * x.numel(),
    aten.mv: lambda matrix, vector, **_: 2 * matrix.numel(),
    aten.addmv: lambda bias, matrix, vector, **_: 2 * matrix.numel(),
    aten.addbmm: lambda bias, x, y, **_: 2 * x.numel() * y.shape[2],
    aten._int_mm: lambda x, y, **_: 2 * x.numel() * y.shape[1],
    aten._scaled_dot_product_flash_attention_for_cpu: _attention,
    aten._scaled_dot_product_flash_attention_for_cpu_backward: _attention_backward,
}


class Called:
    """One call of an operator, its operands by the names of its schema."""

    def __init__(self, func: Any, args: tuple, kwargs: Mapping[str, Any], result: Any):
        schema = func._schema
        self.func, self.args, self.kwargs, self.result = func, args, kwargs, result
        self.name = schema.name.partition("::")[2]  # in place with its underscore
        self.plain = self.name if self.name.startswith("__") else self.name.removesuffix("_")
        names = [argument.name for argument in schema.arguments]
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        self.operands = {name: found for name in names if (found := list(tensors(given.get(name))))}
        self.results = list(tensors(result))
        written = [each for each in schema.arguments if each.alias_info and each.alias_info.is_write]
        self.written = [each.name for each in written if each.name in self.operands]
        self.outputs = {each.name for each in written if each.is_out}
        held = {storage(tensor) for operand in self.operands.values() for tensor in operand}
        self.fresh = [tensor for tensor in self.results if storage(tensor) not in held]

    @property
    def is_view(self) -> bool:
        """Whether nothing is moved."""
        if torch.Tag.inplace_view in self.func.tags:
            return True
        looked_at = torch.Tag.data_dependent_output in self.func.tags  # item(), equal(): no tensor comes of it
        return not self.fresh and not self.written and not looked_at

    @property
    def first(self) -> Tensor:
        """The operand that the others go along with."""
        return next(iter(self.operands.values()))[0]

    def read_bytes(self) -> int:
        """What has to be read, the same memory once."""
        if self.name.endswith("_like") or self.name.startswith("new_"):
            return 0
        held: dict[Any, int] = {}
        for name, operand in self.operands.items():
            if name in self.outputs or UNREAD.get(self.name) == name or (name == "self" and self._overwrites()):
                continue
            for tensor in operand:
                held[memory(tensor)] = min(bytes_of(tensor), self._share(name) * tensor.element_size())
        return int(sum(held.values()))

    def written_bytes(self) -> int:
        """What has to be written: new results, and what is changed in place."""
        if self.name in UNWRITTEN:
            return 0
        changed = [(tensor, self._put()) for name in self.written for tensor in self.operands[name]]
        held = {memory(tensor): min(bytes_of(tensor), count * tensor.element_size()) for tensor, count in changed}
        held |= {memory(tensor): bytes_of(tensor) for tensor in self.fresh}
        return int(sum(held.values()))

    def matmul_flops(self) -> int:
        """Of the matrix products in it."""
        packet = self.func.overloadpacket
        if formula := PRODUCTS.get(packet):
            return formula(*self.args, **self.kwargs)
        if formula := flop_counter.flop_registry.get(packet):
            return int(formula(*self.args, **self.kwargs, out_val=self.result))
        return 0

    def other_flops(self) -> int:
        """Of everything else."""
        if not any(is_real(tensor) for operand in [*self.operands.values(), self.results] for tensor in operand):
            return 0
        if "attention" in self.name and "query" in self.operands:
            query, key = self.operands["query"][0], self.operands["key"][0]
            scores = query.numel() // query.shape[-1] * key.shape[-2]
            return scores * FUSED_SOFTMAX["backward" if "backward" in self.name else "forward"]
        if (added := ADDS.get(self.plain)) is not None:
            return self._size(added)
        if factor := HEAVIER.get(self.plain):
            return factor * max(self.first.numel(), self._size(""))
        if self.plain in NO_ARITHMETIC:
            return 0
        if torch.Tag.reduction in self.func.tags:
            return self.first.numel()
        if torch.Tag.pointwise in self.func.tags:
            return self._size("")
        if self.name.startswith("_foreach_"):
            return sum(tensor.numel() for tensor in self.operands["self"])
        return 0

    def _size(self, name: str) -> int:
        """The elements of an operand, or of the first result."""
        found = self.operands.get(name) if name else self.results
        return found[0].numel() if found else 0

    def _share(self, name: str) -> float:
        """How many elements of an operand are read at most."""
        table, by = LOOKED_UP.get(self.plain, ("", ""))
        if name == table:
            return self._size(by)
        return self._put() if name == "self" and name in self.written else math.inf

    def _put(self) -> float:
        """How many elements of what is changed in place are written at most."""
        if self.name in PUT:
            return self._size(PUT[self.name])
        if self.name in ("index_put_", "_index_put_impl_"):
            return self._indexed()
        return math.inf

    def _indexed(self) -> float:
        """How many elements x[indices] has; a mask may choose all."""
        x, indices = self.args[0], self.args[1]
        known = [index for index in indices if index is not None]
        if any(index.dtype in (torch.bool, torch.uint8) for index in known):
            return math.inf
        chosen = math.prod(torch.broadcast_shapes(*(index.shape for index in known)))
        others = [size for axis, size in enumerate(x.shape) if axis >= len(indices) or indices[axis] is None]
        return chosen * math.prod(others)

    def _overwrites(self) -> bool:
        """Whether what is in `self` is not looked at."""
        if self.name in ("index_put_", "_index_put_impl_"):
            accumulates = self.args[3] if len(self.args) > 3 else self.kwargs.get("accumulate")
            return not accumulates
        return self.name in OVERWRITES


def tensors(value: Any) -> Iterator[Tensor]:
    """The tensors of an argument or a result; of others than strided ones nobody knows what they hold."""
    if isinstance(value, Tensor) and value.layout is torch.strided:
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from tensors(item)


def storage(tensor: Tensor) -> int:
    """Which memory a tensor lies in; meta tensors as well, which have no address."""
    return tensor.untyped_storage()._cdata


def memory(tensor: Tensor) -> tuple:
    """Equal for two tensors that are the same elements of one storage, in whatever order."""
    axes = [(stride, size) for size, stride in zip(tensor.shape, tensor.stride(), strict=True) if size > 1]
    return storage(tensor), tensor.storage_offset(), tuple(sorted(axes))


def bytes_of(tensor: Tensor) -> int:
    """What a tensor holds in memory: an expanded axis once, overlapping windows at most what they lie in."""
    axes = [(stride, size) for size, stride in zip(tensor.shape, tensor.stride(), strict=True) if stride]
    span = 1 + sum(stride * (size - 1) for stride, size in axes)
    different = min(math.prod(size for _, size in axes), span) if tensor.numel() else 0
    return different * tensor.element_size()


def is_real(tensor: Tensor) -> bool:
    return tensor.is_floating_point() or tensor.is_complex()
