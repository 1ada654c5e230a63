"""The process in which speed is measured: compiled kernels, buffers and clocks of its own, no learner's Python.

    python -m clozekit.bench.process FD         FD: a stream socket; a Compare comes in, a Measured goes out

It serves one job and ends: a kernel that breaks its CUDA context breaks nobody else's. One at a time measures on a device.
"""

import contextlib
import fcntl
import os
import secrets
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor

from clozekit import values
from clozekit.bench.answers import differ
from clozekit.bench.job import Compare, Entry
from clozekit.bench.measure import Device, Race
from clozekit.bench.planned import Compiled, Launcher, Planned, moved
from clozekit.errors import CannotCheck
from clozekit.grading.evidence import other
from clozekit.kernels import plan
from clozekit.protocol import Measured
from clozekit.wire import Channel, Violation


class Machine(NamedTuple):
    """What a job is measured on. place: where its tensors lie, as torch calls it."""

    device: Device
    launcher: Launcher
    place: str


def cuda() -> Machine:
    """The first CUDA device; CUDA_VISIBLE_DEVICES says which one that is.

    Raises:
        CannotCheck: there is none.
    """
    from clozekit.bench.cuda import Cuda
    from clozekit.bench.driver import Launcher

    device = Cuda(0)
    return Machine(device, Launcher(device.driver, device.place), device.place)


def serve(channel: Channel, machine: Callable[[], Machine] = cuda, **options: Any) -> None:
    """One job. Whatever happens, it is answered."""
    request, payload, _ = channel.receive(Compare)
    try:
        answer = measure(request, payload, machine(), **options)
    except Exception as error:  # of the device, or ours: that a kernel is at fault is not proven by it
        answer = Measured.impossible(error)
    channel.send(answer)


def measure(request: Compare, payload: bytearray, machine: Machine, **options: Any) -> Measured:
    """Measure both entries on the same inputs.

    Raises:
        CannotCheck: a plan that makes no sense, a kernel that cannot be launched here.
        Violation: code and tensors are not what the frame says.
    """
    reader = values.Reader(payload, strided=True)
    base = [reader.decode(value) for value in request.inputs]
    codes = memoryview(payload)[reader.offset :]
    sizes = [each.size for each in request.inputs if isinstance(each, values.Array)]
    entries = []
    for entry in (request.reference, request.candidate):
        compiled, codes = unpack(entry, codes)
        entries.append(planned(entry.plan, sizes, base, compiled, machine))
    if len(codes):
        raise Violation(f"{len(codes)} bytes too many")
    base = [moved(tensor, machine.place) for tensor in base]
    draw = torch.Generator(machine.place)
    draw.manual_seed(secrets.randbits(62))
    reference, candidate = entries
    race = Race(
        machine.device,
        reference,
        candidate,
        draw=lambda: [other(tensor, draw) for tensor in base],
        differ=lambda yours, theirs: differ(yours, theirs, request.slack),
        threshold=request.threshold,
        seconds=request.seconds,
        **options,
    )
    with alone(machine.device.name):
        return race.measure()


def planned(
    script: plan.Plan, sizes: list[int], inputs: Sequence[Tensor], compiled: Sequence[Compiled], machine: Machine
) -> Planned:
    """A plan with buffers on a machine. `sizes`: the bytes of each input.

    Raises:
        CannotCheck: it makes no sense.
    """
    try:
        plan.check(script, sizes)
    except plan.Impossible as impossible:
        raise CannotCheck(f"no plan: {impossible}") from None
    if plan.has_unknown(script):
        raise CannotCheck("a plan with a tensor from elsewhere")
    return Planned(script, inputs, machine.launcher, compiled, machine.place)


def unpack(entry: Entry, codes: memoryview) -> tuple[Sequence[Compiled], memoryview]:
    """The kernel of each launch with its code, and the bytes after the last one."""
    compiled = []
    for kernel in entry.kernels:
        if kernel.size > len(codes):
            raise Violation("a kernel without its code")
        compiled.append((kernel, bytes(codes[: kernel.size])))
        codes = codes[kernel.size :]
    launches = sum(isinstance(step, plan.Launch) for step in entry.plan.steps)
    if len(entry.uses) != launches or any(use >= len(compiled) for use in entry.uses):
        raise Violation(f"{launches} launches, for which there are {len(entry.uses)} kernels")
    return [compiled[use] for use in entry.uses], codes


@contextmanager
def alone(device: str) -> Iterator[None]:
    """Wait until nobody else measures on this device, and keep others away. The kernel lets go for whoever dies."""
    path = os.path.join(tempfile.gettempdir(), f"clozekit-{device}.lock")
    with contextlib.suppress(FileExistsError):
        new = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        os.fchmod(new, 0o644)  # other users lock it too, for which they need to read it
        os.close(new)
    lock = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


if __name__ == "__main__":
    serve(Channel(socket.socket(fileno=int(sys.argv[1]))))
