"""The worker's part of metering: make a call of full size, and count.

    dry(softmax, [blank], {}, recorder)         its Plan: no program runs
    plan(script, [blank], kernels, {"sm_90": 87})   the costs of its launches, by the kernels alone
    call(softmax, [blank], {}, {"sm_90": 87})       the same of a call as it is, and what torch does for it

Nothing is computed that anybody looks at: tensors hold no values, and of a large grid a few programs run.
"""

import contextlib
import types
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import torch
from torch import Tensor

from clozekit.kernels import interpret
from clozekit.kernels import plan as plans
from clozekit.kernels.alone import Kernels
from clozekit.kernels.bounds import OutOfBounds
from clozekit.kernels.libdevice import NotOnCpu
from clozekit.kernels.private import Autotuner, KernelInterface
from clozekit.kernels.record import Recorder
from clozekit.kernels.replay import Memory
from clozekit.meters import coalescing, compiling, costs, tuning
from clozekit.meters.blank import blank, empty_pages
from clozekit.meters.callstring import Blank, CallString
from clozekit.meters.eager import CannotCount, TorchMeter
from clozekit.meters.kernel import KernelMeter
from clozekit.meters.writers import Allocations, Writers
from clozekit.values import DTYPES

DIFFERENT = 16  # kernels, or specialisations of one, that are compiled for a call


def dry(function: Callable[..., Any], args: list[Any], kwargs: dict[str, Any], recorder: Recorder) -> plans.Plan:
    """What the host does, while no program of any launch runs."""
    forget_tuning(function)
    with interpret.ordered(nothing), untouched(), torch.no_grad(), tuning.tuned(), recorder:
        result = function(*args, **kwargs)
    return recorder.finish(result)


def nothing(grid: interpret.Grid) -> tuple[interpret.Grid, ...]:
    """No program of any grid."""
    return ()


def plan(
    script: plans.Plan,
    inputs: list[Tensor],
    kernels: Kernels,
    targets: dict[costs.Target, int],
    seed: int = 0,
    effort: int = 1,
) -> list[costs.Launch]:
    """The costs of a plan's launches. What its other steps write, no cost depends on.

    seed: of the sample. effort: how large it is, in usual ones; 0: kernels are compiled only, and no program runs.
    """
    programs = contextlib.nullcontext() if effort else interpret.ordered(nothing)
    memory = Memory(inputs, kernels)
    known: dict[Any, int] = {}  # of a launch, which one was the first of its like
    order: list[int] = []
    with KernelMeter(observe=Compiler(targets), seed=seed, effort=effort) as meter, programs:
        for step in script.steps:
            if isinstance(step, plans.Allocate):
                memory.buffers.append(empty_pages(step.size))
            elif isinstance(step, plans.Launch):
                like = _like(step)
                if like not in known:
                    known[like] = len(known)
                    memory.do(step)
                order.append(known[like])
    again = [msgspec.structs.replace(launch, compiled={}) for launch in meter.launches]
    first = {at: place for place, at in reversed(list(enumerate(order)))}
    return [meter.launches[at] if first[at] == place else again[at] for place, at in enumerate(order)]


def _like(launch: plans.Launch) -> bytes:
    """The same for two launches that cost the same: their tensors lie elsewhere, in the same layout."""
    layouts = {
        name: msgspec.structs.replace(argument, buffer=0, offset=argument.offset % costs.SECTOR)
        if isinstance(argument, plans.View)
        else argument
        for name, argument in launch.arguments.items()
    }
    return msgspec.msgpack.encode(msgspec.structs.replace(launch, arguments=layouts))


def call(
    function: Callable[..., Any], args: list[Any], kwargs: dict[str, Any], targets: dict[costs.Target, int]
) -> tuple[list[costs.Launch], TorchMeter]:
    """The costs of one call: of its launches, and of what torch does. What ends it early is told by the last launch."""
    eager = TorchMeter()
    forget_tuning(function)
    writers = Writers()
    compiler = Compiler(targets)
    counting = KernelMeter(observe=compiler, writers=writers, keep=True)
    with untouched(), torch.no_grad(), tuning.tuned(), counting as meter, Allocations(writers), eager:
        try:
            function(*args, **kwargs)
        except OutOfBounds as error:
            meter.launches[-1].out_of_bounds, meter.launches[-1].message = error.lanes, str(error)[:4000]
        except NotOnCpu as error:
            meter.launches[-1].message = f"{error}: not counted, only compiled"[:4000]
    compiler.coalesce(meter)
    return meter.launches, eager


def operators(function: Callable[..., Any], wanted: CallString) -> TorchMeter:
    """What torch does for a call of full size, backward included: on tensors without memory, unless it asks for values."""
    try:
        return _operators(function, wanted, meta)
    except CannotCount:
        return _operators(function, wanted, real)


def _operators(function: Callable[..., Any], wanted: CallString, make: Callable[[Blank], Tensor]) -> TorchMeter:
    args, kwargs = wanted.filled(make)
    with untouched(), TorchMeter() as meter:
        function(*args, **kwargs)
    return meter


def real(layout: Blank) -> Tensor:
    """Pages that are not there yet: a kernel can touch them."""
    return blank(layout.dtype, layout.shape, layout.strides)


def meta(layout: Blank) -> Tensor:
    """A layout and nothing else: what torch would compute with it takes no time."""
    return torch.empty_strided(layout.shape, layout.strides, dtype=DTYPES[layout.dtype], device="meta")


def forget_tuning(function: Callable[..., Any]) -> None:
    """What autotuners found best for small tensors is none of a large call's business."""
    for thing in getattr(function, "__globals__", {}).values():
        if isinstance(thing, Autotuner):
            thing.cache.clear()


def launches_kernels(module: types.ModuleType) -> bool:
    """Whether a file has a kernel: then its tensors need addresses."""
    return any(isinstance(thing, KernelInterface) for thing in vars(module).values())


@contextlib.contextmanager
def untouched() -> Iterator[None]:
    """Let torch.empty take no memory: elsewhere it is filled with NaN, so that what nobody writes shows."""
    before = torch.utils.deterministic.fill_uninitialized_memory
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[assignment]
    try:
        yield
    finally:
        torch.utils.deterministic.fill_uninitialized_memory = before  # type: ignore[assignment]


class Compiler:
    """Compiles each launch for some targets, once if it is made again. `targets`: the PTX version of each."""

    def __init__(self, targets: dict[costs.Target, int]):
        self.targets = targets
        self.first: dict[str, costs.Launch] = {}
        self.layouts: dict[tuple[int, costs.Target], list[coalescing.Layout]] = {}

    def __call__(self, launch: costs.Launch, kernel: Any, given: dict[str, Any]) -> None:
        options = {"num_warps": launch.num_warps, "num_stages": launch.num_stages}
        if not self.targets:
            return
        key = compiling.key(kernel, given, **options)
        if key in self.first:
            launch.compiled_as = self.first[key].compiled_as
        elif len(self.first) < DIFFERENT:
            self.first[key] = launch
            launch.compiled_as = len(self.first)
            for target, version in self.targets.items():
                seen: list[str] = []
                launch.compiled[target] = compiling.compile(kernel, given, target, version, seen.append, **options)
                self.layouts[launch.compiled_as, target] = coalescing.layouts(seen[0]) if seen else []

    def coalesce(self, meter: KernelMeter) -> None:
        """Join the layouts with the addresses that the programs touched."""
        for launch, touched in zip(meter.launches, meter.kept, strict=True):
            for target, compiled in launch.compiled.items():
                shared = coalescing.share(self.layouts[launch.compiled_as, target], touched)
                launch.compiled[target] = msgspec.structs.replace(compiled, coalescing=shared)
