"""The process in which compiled kernels compute on a device, for what they answer: no learner's Python, no clock.

    python -m clozekit.bench.runner FD      FD: a stream socket; Opened goes out, then for each Run a Launching and a Ran

It has the device for itself as long as it lives: until nobody asks any more, or a kernel has broken the CUDA context. Where a
kernel never ends, whoever asked has to end it.
"""

import contextlib
import socket
import sys
from collections.abc import Callable
from typing import Any

import torch

from clozekit import values
from clozekit.bench import process
from clozekit.bench.job import Launching, Opened, Ran, Run
from clozekit.bench.planned import Fault, Planned
from clozekit.bench.process import Machine, alone
from clozekit.grading.trees import mapped
from clozekit.leaves import same, tensors
from clozekit.wire import Channel, Gone, Violation


def cuda() -> tuple[Machine, Opened]:
    """The first CUDA device.

    Raises:
        CannotCheck: there is none.
    """
    machine = process.cuda()
    return machine, Opened(torch.cuda.get_device_capability(0), machine.launcher.driver.version())  # type: ignore[attr-defined]


def serve(channel: Channel, open_device: Callable[[], tuple[Machine, Opened]] = cuda) -> None:
    """Answer until nobody asks any more, or the device is lost."""
    try:
        machine, opened = open_device()
    except Exception as error:
        channel.send(Opened(impossible=str(error)[:500]))
        return
    with alone(machine.device.name), contextlib.suppress(Gone):
        channel.send(opened)
        while True:
            request, payload, _ = channel.receive(Run)
            buffers: list[Any] = []
            ran = answer(request, payload, machine, channel, buffers)
            channel.send(ran, buffers)
            if ran.fault:
                return


def answer(request: Run, payload: bytearray, machine: Machine, channel: Channel, buffers: list[Any]) -> Ran:
    """One request. Whatever happens, it is answered."""
    try:
        reader = values.Reader(payload, strided=True)
        inputs = [reader.decode(value) for value in request.inputs]
        sizes = [each.size for each in request.inputs if isinstance(each, values.Array)]
        compiled, rest = process.unpack(request.entry, memoryview(payload)[reader.offset :])
        if len(rest):
            raise Violation(f"{len(rest)} bytes too many")
        planned = process.planned(request.entry.plan, sizes, inputs, compiled, machine)
        planned.give(inputs)
        machine.launcher.wait()
        channel.send(Launching())
        answers = computed(planned, inputs, machine, request.rounds)
        return Ran([values.encode(each, buffers) for each in answers])
    except Fault as fault:
        return Ran(fault=str(fault)[:500])
    except Gone:
        raise
    except Exception as error:  # of the device, or ours: that a kernel is at fault is not proven by it
        return Ran(impossible=f"{type(error).__name__}: {error}"[:500])


def computed(planned: Planned, inputs: list[torch.Tensor], machine: Machine, rounds: int) -> list[Any]:
    """What the plan answers, on the processor. Races need not show each time: answers that differ are all there."""
    found: list[Any] = []
    for _ in range(rounds):
        planned.give(inputs)
        planned.clear()
        planned.launch()
        machine.launcher.wait()
        value = mapped(lambda leaf: leaf.cpu().clone() if isinstance(leaf, torch.Tensor) else leaf, planned.value())
        if not any(all(map(same, tensors([value]), tensors([known]))) for known in found):
            found.append(value)
    return found


if __name__ == "__main__":
    serve(Channel(socket.socket(fileno=int(sys.argv[1]))))
