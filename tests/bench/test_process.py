"""The bench process, from frame to frame, with Triton's interpreter for a device."""

import fcntl
import socket
import threading

import msgspec
import pytest
import torch

from clozekit.bench import ask
from clozekit.bench.planned import moved
from clozekit.bench.process import alone, serve
from clozekit.describe import describe
from clozekit.kernels import plan
from clozekit.protocol import Measured
from clozekit.wire import Channel

ROWS = """
    @triton.jit
    def kernel(y_ptr, x_ptr, row_stride, cols, B: tl.constexpr):
        row, col = tl.program_id(0), tl.arange(0, B)
        x = tl.load(x_ptr + row * row_stride + col, mask=col < cols)
        {more}
        tl.store(y_ptr + row * cols + col, 2 * x, mask=col < cols)

    def f(x):
        y = torch.{made}(x.shape)
        kernel[(x.shape[0],)](y, x, x.stride(0), x.shape[1], B=8)
        return y
"""
ONCE = ROWS.format(more="", made="empty")
TWICE = ROWS.format(more="x += 0 * tl.load(x_ptr + row * row_stride + col, mask=col < cols)", made="empty")
REMEMBERS = """
    @triton.jit
    def kernel(y_ptr, x_ptr, n, B: tl.constexpr):
        i = tl.arange(0, B)
        old = tl.load(y_ptr + i, mask=i < n)
        x = tl.load(x_ptr + i, mask=i < n)
        tl.store(y_ptr + i, tl.where(old == old, old, 2 * x), mask=i < n)

    def f(x):
        y = torch.empty(x.shape)
        kernel[(1,)](y, x, x.numel(), B=16)
        return y
"""
X = torch.arange(1.0, 16.0).reshape(3, 5)


def answered(request, buffers, machine) -> Measured:
    """What the process says, of which only the process itself is missing."""
    ours, theirs = map(Channel, socket.socketpair())
    sending = threading.Thread(target=ours.send, args=(request, buffers))
    sending.start()
    serve(theirs, machine=lambda: machine)
    sending.join()
    return ours.receive(Measured)[0]


def test_the_same_kernel_passes(compare, machine):
    measured = answered(*compare(ONCE, ONCE, [X]), machine)
    assert (measured.verdict, measured.why) == ("passed", None)
    assert measured.low <= 1.0 <= measured.high
    assert measured.reference_us == pytest.approx(120 / 1e5 * 1e6, rel=0.02)  # 60 bytes in, 60 out


def test_a_kernel_that_reads_twice_is_failed(compare, machine):
    measured = answered(*compare(ONCE, TWICE, [X]), machine)
    assert (measured.verdict, measured.why.kind) == ("failed", "speed-slow")
    assert measured.ratio == pytest.approx(1.5, rel=0.02)
    assert measured.why.facts["bar"] == "1.25"


def test_the_layout_of_the_inputs_arrives(compare, machine):
    wide = torch.arange(24.0).reshape(3, 8)[:, :5]
    assert answered(*compare(ONCE, ONCE, [wide]), machine).verdict == "passed"


@pytest.mark.parametrize(
    "x",
    [torch.rand(3, 8)[:, :5], torch.rand(8, 3).t(), torch.rand(3, 1).expand(3, 4), torch.rand(0, 4), torch.rand(())],
)
def test_a_layout_is_the_same_on_another_device(x):
    there = moved(x, "meta")
    assert (there.device.type, there.shape, there.stride()) == ("meta", x.shape, x.stride())
    assert moved(x, "cpu").tolist() == x.tolist()


def test_what_an_earlier_launch_left_is_gone(compare, machine):
    """Its answer would be that of the first inputs in every launch."""
    assert answered(*compare(ONCE, REMEMBERS, [X], threshold=4.0), machine).verdict == "passed"


def test_fills_and_copies_of_the_host_are_run_each_time(compare, machine):
    filled = ROWS.format(more="x += tl.load(y_ptr + row * cols + col, mask=col < cols)", made="zeros")
    assert answered(*compare(ONCE, filled, [X], threshold=2.0), machine).verdict == "passed"


def test_another_answer_on_other_inputs_is_failed(compare, machine):
    """Its constants are those of the recorded call."""
    source = ONCE.replace("2 * x", "tl.where(x == x.to(tl.int32).to(tl.float32), 2 * x, 2.001 * x)")
    measured = answered(*compare(ONCE, source, [X]), machine)
    assert (measured.verdict, measured.why.kind) == ("failed", "speed-answer")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"threshold": 0.5}, "at least 1"),
        ({"slack": []}, "zip"),
        ({"inputs": []}, "no plan: buffer"),
    ],
)
def test_a_request_that_makes_no_sense_is_answered(compare, machine, change, reason):
    request, buffers = compare(ONCE, ONCE, [X])
    measured = answered(msgspec.structs.replace(request, **change), buffers, machine)
    assert (measured.verdict, measured.why.kind) == ("could not check", "speed-impossible")
    assert reason in describe(measured.why, "en")


def test_code_that_is_missing_or_too_much_is_refused(compare, machine):
    request, buffers = compare(ONCE, ONCE, [X])
    for changed in (buffers[:-1], [*buffers, b"more"]):
        assert answered(request, changed, machine).verdict == "could not check"
    uses = msgspec.structs.replace(request, candidate=msgspec.structs.replace(request.candidate, uses=[7]))
    assert "1 launches" in describe(answered(uses, buffers, machine).why, "en")


def test_memory_from_elsewhere_is_refused(compare, machine):
    request, buffers = compare(ONCE, ONCE, [X])
    script = request.candidate.plan
    answer = msgspec.structs.replace(script.answer, buffer=plan.UNKNOWN)
    entry = msgspec.structs.replace(request.candidate, plan=msgspec.structs.replace(script, answer=answer))
    measured = answered(msgspec.structs.replace(request, candidate=entry), buffers, machine)
    assert "elsewhere" in describe(measured.why, "en")


def test_a_program_that_fails_on_the_device_is_nobodys_fault(compare, machine):
    request, buffers = compare(ONCE, ONCE, [X])
    broken = buffers[-1].replace(b"col < cols", b"col < 9999")
    entry = msgspec.structs.replace(
        request.candidate, kernels=[msgspec.structs.replace(request.candidate.kernels[0], size=len(broken))]
    )
    measured = answered(msgspec.structs.replace(request, candidate=entry), [*buffers[:-1], broken], machine)
    assert measured.verdict == "could not check"
    assert "OutOfBounds" in describe(measured.why, "en")


def test_one_at_a_time_measures_on_a_device(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with alone("stub"), alone("another one"):
        (file,) = tmp_path.glob("*stub*")
        with file.open() as somebody, pytest.raises(BlockingIOError):
            fcntl.flock(somebody, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with file.open() as somebody:
        fcntl.flock(somebody, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_without_a_device_nothing_is_checked(compare):
    measured = ask.measured(*compare(ONCE, ONCE, [X]))
    assert measured.verdict == "could not check"
    assert "no CUDA device" in describe(measured.why, "en")


def test_a_process_that_dies_is_an_answer(compare, monkeypatch):
    monkeypatch.setattr("sys.executable", "/bin/false")
    measured = ask.measured(*compare(ONCE, ONCE, [X]))
    assert measured.verdict == "could not check"
    assert "did not answer" in describe(measured.why, "en")
