"""The process that runs plans for their answers, from frame to frame, with Triton's interpreter for a device."""

import socket
import threading

import msgspec
import pytest
import torch

from clozekit import values
from clozekit.bench.job import Launching, Opened, Ran, Run
from clozekit.bench.planned import Fault
from clozekit.bench.runner import serve
from clozekit.errors import CannotCheck
from clozekit.wire import Channel, Gone

OPENED = Opened((9, 0), 12080)
X = torch.arange(1.0, 16.0).reshape(3, 5)
DOUBLED = """
    @triton.jit
    def kernel(y_ptr, x_ptr, n, B: tl.constexpr):
        i = tl.arange(0, B)
        tl.store(y_ptr + i, 2 * tl.load(x_ptr + i, mask=i < n), mask=i < n)

    def f(x):
        y = torch.empty(x.shape)
        kernel[(1,)](y, x, x.numel(), B=16)
        return y, x.shape[0]
"""
ADDS = DOUBLED.replace("tl.store(y_ptr + i, 2 *", "tl.store(x_ptr + i, 2 *").replace("return y,", "return x,")
PARTLY = DOUBLED.replace("x.numel(), B", "5, B")


@pytest.fixture
def process(machine):
    """process(): the way to what serves on this machine, and has it for itself until the test ends."""
    ways = []

    def process(open_device=lambda: (machine, OPENED)):
        ours, theirs = map(Channel, socket.socketpair())

        def run():
            serve(theirs, open_device)
            theirs.close()

        threading.Thread(target=run, daemon=True).start()
        ways.append(ours)
        return ours

    yield process
    for way in ways:
        way.close()


@pytest.fixture
def run(compare):
    """run(source, x, rounds): the request for f(x), and its buffers."""

    def run(source: str, x: torch.Tensor = X, rounds: int = 1):
        request, (*_, code) = compare(source, source, [x.clone()])
        buffers: list = []
        return Run(request.candidate, [values.encode(x, buffers, strided=True)], rounds), [*buffers, code]

    return run


def answered(channel: Channel, request: Run, buffers: list) -> list:
    """The answers, or the last frame where there are none."""
    channel.send(request, buffers)
    reply, payload, _ = channel.receive(Launching | Ran)
    if isinstance(reply, Launching):
        reply, payload, _ = channel.receive(Ran)
    reader = values.Reader(payload)
    return [reader.decode(each) for each in reply.answers] or reply


def test_one_process_answers_one_after_the_other(process, run):
    channel = process()
    assert channel.receive(Opened)[0] == OPENED
    for x in (X, 3 * X):
        [(y, rows)] = answered(channel, *run(DOUBLED, x))
        assert rows == 3
        assert torch.equal(y, 2 * x)


def test_each_round_begins_anew(process, run):
    """A kernel that writes to its argument would find twice, four times, eight times as much there."""
    channel = process()
    channel.receive(Opened)
    [(y, _)] = answered(channel, *run(ADDS, rounds=3))
    assert torch.equal(y, 2 * X)


def test_what_no_program_wrote_is_nan(process, run):
    channel = process()
    channel.receive(Opened)
    [(y, _)] = answered(channel, *run(PARTLY))
    assert y.isnan().sum() == 10


def test_answers_that_differ_are_all_told(process, run, machine, monkeypatch):
    """As those of a race do, now and then."""
    rounds = iter(range(5))
    bind = machine.launcher.bind

    def racing(step, compiled, memory):
        launch = bind(step, compiled, memory)

        def again():
            launch()
            memory.view(step.arguments["y_ptr"])[0, 0] += next(rounds) // 2

        return again

    monkeypatch.setattr(machine.launcher, "bind", racing)
    channel = process()
    channel.receive(Opened)
    found = answered(channel, *run(DOUBLED, rounds=5))
    assert [float(y[0, 0]) for y, _ in found] == [2, 3, 4]


def test_a_device_that_a_kernel_broke_is_asked_no_more(process, run, machine, monkeypatch):
    said = iter([None, Fault("an illegal memory access was encountered (700)")])

    def wait():
        if fault := next(said):
            raise fault

    monkeypatch.setattr(machine.launcher, "wait", wait)
    channel = process()
    channel.receive(Opened)
    assert answered(channel, *run(DOUBLED)) == Ran(fault="an illegal memory access was encountered (700)")
    with pytest.raises(Gone):
        channel.receive(Ran)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda request, buffers: (request, [*buffers, b"more"]), "4 bytes too many"),
        (lambda request, buffers: (request, buffers[:-1]), "a kernel without its code"),
        (lambda request, buffers: (msgspec.structs.replace(request, inputs=[]), buffers[1:]), "no plan: buffer"),
    ],
)
def test_a_request_that_makes_no_sense_is_answered_and_so_is_the_next(process, run, change, why):
    channel = process()
    channel.receive(Opened)
    request, buffers = run(DOUBLED)
    assert why in answered(channel, *change(request, buffers)).impossible
    assert torch.equal(answered(channel, request, buffers)[0][0], 2 * X)


def test_without_a_device_it_says_so_and_ends(process):
    def missing():
        raise CannotCheck("no CUDA device 0")

    channel = process(missing)
    assert channel.receive(Opened)[0].impossible == "no CUDA device 0"
    with pytest.raises(Gone):
        channel.receive(Opened)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_the_real_one_finds_no_device_here(process):
    from clozekit.bench.runner import cuda

    assert "no CUDA device" in process(cuda).receive(Opened)[0].impossible
