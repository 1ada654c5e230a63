"""Run a plan with a submission's kernels alone.

    kernels = alone.load(source, "softmax.py")
    answer, counts = replay.run(plan, [x], kernels)        softmax(x), though softmax itself never ran

The inputs need not be those of the recorded call: what the host wrote down before it could see them, it cannot have computed
from them.
"""

import contextlib
import math
from collections import namedtuple
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
import triton.language as tl
from torch import Tensor
from triton.tools.tensor_descriptor import TensorDescriptor

from clozekit.kernels import interpret, plan
from clozekit.kernels.alone import Kernels, Unreachable
from clozekit.kernels.refusal import refused
from clozekit.values import DTYPES


def run(script: plan.Plan, inputs: list[Tensor], kernels: Kernels, backwards: bool = False) -> tuple[Any, plan.Counts]:
    """The answer, and what the programs loaded and stored. The plan has been checked against these inputs.

    backwards: of each launch the last program runs first; then no race is looked for.

    Raises:
        Unreachable: it launches what is no kernel of this source, or one that cannot run alone.
        Exception: whatever a program raises.
    """
    memory = Memory(inputs, kernels)
    with Meter() as meter, interpret.ordered(reverse) if backwards else contextlib.nullcontext():
        for step in script.steps:
            memory.do(step)
    return memory.value(script.answer), meter.counts()


def reverse(grid: interpret.Grid) -> Iterator[interpret.Grid]:
    """All programs of a grid, in the order that is farthest from the interpreter's own."""
    x, y, z = map(range, grid)
    return ((i, j, k) for i in reversed(x) for j in reversed(y) for k in reversed(z))


class Memory:
    """The buffers of a plan."""

    def __init__(self, inputs: list[Tensor], kernels: Kernels):
        self.buffers = [torch.empty(0, dtype=torch.uint8).set_(each.untyped_storage()) for each in inputs]
        self.kernels = kernels

    def do(self, step: plan.Step) -> None:
        """One step of the host."""
        if isinstance(step, plan.Allocate):
            self.buffers.append(torch.empty(step.size, dtype=torch.uint8))
        elif isinstance(step, plan.Fill):
            self.view(step.target).fill_(step.number)
        elif isinstance(step, plan.Copy):
            self.view(step.target).copy_(self.view(step.source))
        else:
            x, y, z = step.grid
            arguments = {name: self.value(value) for name, value in step.arguments.items()}
            kernel = self.kernel(step.kernel)
            captured = {name: self.value(value) for name, value in step.captured.items()}
            kernel.fn.__globals__.update({name: _constant(value) for name, value in captured.items()})
            options = {
                "num_warps": step.num_warps,
                "num_stages": step.num_stages,
            }  # which a parameter may be called as well
            options = {name: value for name, value in options.items() if name not in arguments}
            interpret.run(kernel, grid=(x, y, z), warmup=False, **arguments, **options)

    def view(self, view: plan.View) -> Tensor:
        """A tensor in its buffer."""
        if not math.prod(view.shape):
            return torch.empty(view.shape, dtype=DTYPES[view.dtype])
        flat = self.buffers[view.buffer][view.offset : view.offset + view.span].view(DTYPES[view.dtype])
        return flat.as_strided(view.shape, view.strides)

    def kernel(self, function: plan.Function) -> Any:
        """The kernel on this line."""
        found = self.kernels.get(function.line)
        if found is None or isinstance(found, Unreachable):
            raise found or refused(Unreachable, "kernel-none", name=function.name, line=function.line)
        return found

    def value(self, argument: plan.Argument) -> Any:
        """An argument as the launch takes it."""
        if isinstance(argument, plan.View):
            return self.view(argument)
        if isinstance(argument, plan.Descriptor):
            sizes = (list(argument.shape), list(argument.strides), list(argument.block))
            return TensorDescriptor(self.view(argument.base), *sizes, padding=argument.padding)
        if isinstance(argument, plan.Many):
            items = [self.value(item) for item in argument.items]
            return namedtuple("Given", argument.names)(*items) if argument.names else tuple(items)
        if isinstance(argument, plan.Kind):
            return tl.str_to_ty(argument.name, None)
        return self.kernel(argument) if isinstance(argument, plan.Function) else argument


def _constant(value: Any) -> Any:
    return tl.constexpr(value) if isinstance(value, bool | int | float | str) else value


class Meter:
    """Counts the bytes of every access while it is entered."""

    def __init__(self) -> None:
        self.bytes = {"load": 0, "store": 0, "atomic": 0}

    def __enter__(self) -> "Meter":
        interpret.watchers.append(self.watch)
        return self

    def __exit__(self, *error: Any) -> None:
        interpret.watchers.remove(self.watch)

    def watch(self, access: interpret.Access) -> None:
        shape = access.pointers.shape
        lanes = math.prod(shape) if access.mask is None else int(np.broadcast_to(access.mask, shape).sum())
        self.bytes[access.kind] += lanes * access.size

    def counts(self) -> plan.Counts:
        atomic = self.bytes["atomic"]
        return plan.Counts(self.bytes["load"] + atomic, self.bytes["store"] + atomic)
