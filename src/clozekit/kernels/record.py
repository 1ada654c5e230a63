"""Writes down what the host does during one call, as a Plan.

    with Recorder("softmax.py", [x]) as recorder:
        y = softmax(x)
    recorder.finish(y)      Plan(steps=[Allocate(512), Launch("softmax_kernel", ...)], answer=View(1, ...), host={})

The host may allocate, fill with one number, look at its tensors in another way, copy, and launch. All else that computes with
tensors or reads what is in them lands in `host`, by the name that the learner called, also inside a grid function, a
heuristic or a hook. To show a tensor is free: nobody should be refused for a print.
"""

from collections import Counter
from typing import Any

import torch
import triton.language as tl
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from triton.tools.tensor_descriptor import TensorDescriptor

from clozekit.kernels import interpret, plan
from clozekit.kernels.private import JITFunction, unwrap
from clozekit.traces import operator_name, public_name
from clozekit.values import DTYPE_NAMES

UNDEFINED = {"empty", "empty_like", "new_empty", "empty_strided", "new_empty_strided", "empty_permuted"}
FILLED = {"zeros": 0, "zeros_like": 0, "new_zeros": 0, "ones": 1, "ones_like": 1, "new_ones": 1}
FULL = {"full", "full_like", "new_full"}
COPIES = {"clone", "_to_copy", "contiguous", "to", "reshape", "flatten", "ravel", "type_as"}  # or views, some of them
ASKS = {"is_pinned", "is_same_size", "is_set_to", "promote_types", "result_type", "can_cast", "detach_"}  # no values
READS = {  # these read values without an operator that a dispatch mode would see
    f"torch.Tensor.{name}"
    for name in (
        *("numpy", "tolist", "__array__", "__dlpack__", "untyped_storage", "storage", "_typed_storage"),
        *("__reduce_ex__", "__deepcopy__", "apply_", "map_", "map2_"),
    )
}
SHOWS = {"torch.Tensor.__repr__", "torch.Tensor.__format__", "torch.Tensor.__str__"}
LIMIT = 200  # names


class Recorder:
    """Records while it is entered. `file`: that of the submission, whose kernels may be launched."""

    def __init__(self, file: str, inputs: list[Tensor]):
        self.file = file
        self.steps: list[plan.Step] = []
        self.host: Counter[str] = Counter()
        self.buffers: dict[int, int] = {}  # of each storage, by its identity
        self.storages: list[Any] = []  # kept, or another one could get the same identity
        self.calling = ""  # the function of torch that the learner called
        for tensor in inputs:
            self.number(tensor)
        self._modes = (_Functions(self), _Operators(self))

    def __enter__(self) -> "Recorder":
        interpret.observers.append(self.launched)
        for mode in self._modes:
            mode.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        for mode in reversed(self._modes):
            mode.__exit__(*error)
        interpret.observers.remove(self.launched)

    def finish(self, result: Any) -> plan.Plan:
        """The whole call, once it has returned `result`."""
        return plan.Plan(self.steps, self.argument(result), dict(self.host.most_common(LIMIT)))

    def number(self, tensor: Tensor) -> int:
        """The number of a new buffer."""
        storage = tensor.untyped_storage()
        self.storages.append(storage)
        return self.buffers.setdefault(storage._cdata, len(self.buffers))

    def operated(self, operator: Any, args: tuple, result: Any) -> None:
        """One operator that was dispatched."""
        name = operator_name(operator).removeprefix("aten::")
        if not isinstance(operator, torch._ops.OpOverload):
            self.host[name] += 1
            return
        if self.calling in SHOWS or name in ASKS:
            return
        if not operator._schema.is_mutable and _only_looks(args, result):
            return
        if name in UNDEFINED | FULL | FILLED.keys():
            self.allocated(result)
            if name not in UNDEFINED:
                number = FILLED[name] if name in FILLED else args[2 if name == "new_full" else 1]
                self.steps.append(plan.Fill(self.view(result), _plain(number)))
        elif name in COPIES:
            self.copied(args[0], result)
        elif name in ("zero_", "fill_", "copy_"):
            self.overwritten(args[0], 0 if name == "zero_" else args[1])
        else:
            self.host[self.calling or f"torch.ops.aten.{name}"] += 1

    def allocated(self, tensor: Tensor) -> None:
        self.steps.append(plan.Allocate(tensor.untyped_storage().nbytes()))
        self.number(tensor)

    def copied(self, source: Tensor, result: Tensor) -> None:
        """A new tensor with the numbers of another one, in another shape perhaps. Of what is unknown, a copy is as well."""
        if (view := self.view(source)).buffer != plan.UNKNOWN:
            self.allocated(result)
            rows = result if result.shape == source.shape else result.view(source.shape)
            self.steps.append(plan.Copy(view, self.view(rows)))

    def overwritten(self, target: Tensor, source: Any) -> None:
        """All of a tensor; in y[:] = 1 the number comes as a tensor."""
        if isinstance(source, Tensor) and source.ndim == 0 and self.view(source).buffer == plan.UNKNOWN:
            source = source.item()
        if isinstance(source, Tensor):
            self.steps.append(plan.Copy(self.view(source.expand(target.shape)), self.view(target)))
        else:
            self.steps.append(plan.Fill(self.view(target), _plain(source)))

    def launched(self, kernel: JITFunction, grid: tuple[int, int, int], given: dict[str, Any], **options: int) -> None:
        """One launch, before its programs run."""
        arguments = {name: self.argument(value) for name, value in given.items()}
        captured: dict[str, plan.Single] = {}
        for each in (kernel, *(unwrap(value) for value in given.values())):
            if isinstance(each, JITFunction):  # an argument may be one
                self.captured(each, captured)
        self.steps.append(plan.Launch(self.function(kernel), list(grid), arguments, captured, **options))

    def function(self, kernel: JITFunction) -> plan.Function:
        code = kernel.fn.__code__
        if code.co_filename != self.file:
            self.host[f"{kernel.module}.{kernel.__name__}"] += 1
        return plan.Function(kernel.__name__[:200], code.co_firstlineno)

    def captured(self, kernel: JITFunction, found: dict[str, plan.Single]) -> None:
        """Add the constants and kernels of the submission that a kernel names, and those that these name."""
        code, scope = kernel.fn.__code__, kernel.get_capture_scope()
        for name in {*code.co_names, *code.co_freevars} - found.keys():
            value = scope.get(name)
            if isinstance(value, tl.constexpr | tl.dtype):
                constant = self.argument(value)
                found |= {} if isinstance(constant, plan.Many) else {name: constant}
            elif isinstance(value, JITFunction) and value.fn.__code__.co_filename == self.file:
                found[name] = self.function(value)
                self.captured(value, found)

    def argument(self, value: Any) -> plan.Argument:
        """What a kernel is given, or a call returns."""
        value = unwrap(value)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, float):
            return float(value)  # numpy's are floats too
        if isinstance(value, int) and -(1 << 63) <= value < 1 << 63:
            return int(value)
        if type(value) is str and len(value) <= 200:
            return value
        if isinstance(value, Tensor):
            return self.view(value)
        if isinstance(value, tuple | list):
            items = [self.argument(item) for item in value]
            singles = [item for item in items if not isinstance(item, plan.Many)]
            if len(singles) == len(items) <= 100:
                return plan.Many(singles, list(getattr(value, "_fields", ())))
        if isinstance(value, TensorDescriptor):
            shape, strides, block = ([int(n) for n in axes] for axes in (value.shape, value.strides, value.block_shape))
            return plan.Descriptor(self.view(value.base), shape, strides, block, value.padding)
        if isinstance(value, tl.dtype):
            return plan.Kind(value.name)
        if isinstance(value, JITFunction):
            return self.function(value)
        self.host[f"{type(value).__module__}.{type(value).__qualname__}"[:200]] += 1
        return None

    def view(self, tensor: Tensor) -> plan.View:
        """Where a tensor lies."""
        if tensor.dtype not in DTYPE_NAMES or tensor.layout != torch.strided:
            self.host[f"{tensor.dtype}"] += 1
            return plan.View(plan.UNKNOWN, "uint8", 0, [], [])
        number = self.buffers.get(tensor.untyped_storage()._cdata, plan.UNKNOWN)
        offset = tensor.storage_offset() * tensor.element_size()
        return plan.View(number, DTYPE_NAMES[tensor.dtype], offset, list(tensor.shape), list(tensor.stride()))


class _Functions(TorchFunctionMode):
    def __init__(self, recorder: Recorder):
        super().__init__()
        self.recorder = recorder

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = public_name(func) or ""
        if name in READS:
            self.recorder.host[name] += 1
        outer, self.recorder.calling = self.recorder.calling, self.recorder.calling or name
        try:
            return func(*args, **(kwargs or {}))
        finally:
            self.recorder.calling = outer


class _Operators(TorchDispatchMode):
    supports_higher_order_operators = True

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # to be skipped, a mode imports torch._dynamo: a second

    def __init__(self, recorder: Recorder):
        super().__init__()
        self.recorder = recorder

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        with torch._C.DisableTorchFunction():  # what we look at is not what the learner looked at
            self.recorder.operated(func, args, result)
        return result


def _only_looks(args: tuple, result: Any) -> bool:
    """Whether all that came out lies in the memory of what went in."""
    made = [each for each in (result if isinstance(result, tuple | list) else [result]) if isinstance(each, Tensor)]
    given = [each for arg in args for each in (arg if isinstance(arg, tuple | list) else [arg])]
    known = {each.untyped_storage()._cdata for each in given if isinstance(each, Tensor)}
    return bool(made) and all(each.untyped_storage()._cdata in known for each in made)


def _plain(number: Any) -> plan.Number:
    return number if isinstance(number, bool | int | float) else float("nan")
