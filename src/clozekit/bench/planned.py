"""A plan with buffers of its own, which is launched again and again: what a race is run between.

    softmax = Planned(plan, [x], launcher, [(kernel, ptx)], "cuda:0")
    softmax.give([other(x, draw)]);  softmax.clear();  softmax.launch();  softmax.answer()      [y]

Buffers are allocated once and launches prepared once, so that a launch costs the host as little as it can, and a graph of the
device finds everything where it was.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from clozekit.bench.job import Kernel
from clozekit.kernels import plan
from clozekit.kernels.replay import Memory

Compiled = tuple[Kernel, bytes]  # a kernel and its code


class Fault(Exception):
    """A kernel did what no kernel may, in the words of its device, which is lost for this process."""


class Launcher(Protocol):
    """How kernels are launched on some device."""

    def bind(self, step: plan.Launch, compiled: Compiled, memory: Memory) -> Callable[[], object]:
        """One launch with its arguments, whose tensors stay where they are in this memory."""

    def wait(self) -> None:
        """Until all launches are done.

        Raises:
            Fault.
        """


class Planned:
    """One plan on one device. Of `inputs` only the layout counts. `kernels`: one for each launch, in order."""

    def __init__(
        self,
        script: plan.Plan,
        inputs: Sequence[Tensor],
        launcher: Launcher,
        kernels: Sequence[Compiled],
        device: str,
    ):
        self.inputs = [
            torch.empty_strided(each.shape, each.stride(), dtype=each.dtype, device=device) for each in inputs
        ]
        sizes = [step.size for step in script.steps if isinstance(step, plan.Allocate)]
        self.made = [torch.empty(size, dtype=torch.uint8, device=device) for size in sizes]
        given = [torch.empty(0, dtype=torch.uint8, device=device).set_(each.untyped_storage()) for each in self.inputs]
        self.memory = Memory([], {})
        self.memory.buffers = [*given, *self.made]
        compiled = iter(kernels)
        self.steps = [
            self._prepared(step, launcher, compiled) for step in script.steps if not isinstance(step, plan.Allocate)
        ]
        self.answers = [self.memory.view(view) for view in plan.views(script.answer)]
        self.script = script

    def give(self, inputs: Sequence[Tensor]) -> None:
        """Other values into the same buffers."""
        for mine, other in zip(self.inputs, inputs, strict=True):
            flat(mine).copy_(flat(other))

    def clear(self) -> None:
        """Overwrite what the plan has allocated: all ones, a NaN in every floating dtype."""
        for buffer in self.made:
            buffer.fill_(0xFF)

    def launch(self) -> None:
        """Every step of the host."""
        for step in self.steps:
            step()

    def answer(self) -> list[Tensor]:
        return self.answers

    def value(self) -> Any:
        """All that the call returns: its tensors, and what is around them."""
        return self.memory.value(self.script.answer)

    def _prepared(self, step: plan.Step, launcher: Launcher, kernels: Iterator[Compiled]) -> Callable[[], object]:
        if isinstance(step, plan.Fill):
            target, number = self.memory.view(step.target), step.number
            return lambda: target.fill_(number)
        if isinstance(step, plan.Copy):
            target, source = self.memory.view(step.target), self.memory.view(step.source)
            return lambda: target.copy_(source)
        assert isinstance(step, plan.Launch)
        return launcher.bind(step, next(kernels), self.memory)


def moved(tensor: Tensor, device: str) -> Tensor:
    """The same on another device, gaps between its elements included."""
    return flat(tensor).to(device).as_strided(tensor.shape, tensor.stride())


def flat(tensor: Tensor) -> Tensor:
    """All elements from the first to the last one in memory, gaps included."""
    last = sum((length - 1) * stride for length, stride in zip(tensor.shape, tensor.stride(), strict=True))
    return tensor.as_strided((last + 1 if math.prod(tensor.shape) else 0,), (1,))
