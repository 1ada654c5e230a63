"""Who is to blame where a device does not answer: a peer that says its part and then nothing."""

import socket
import threading

import pytest
import torch

from clozekit import values
from clozekit.bench.job import Entry, Launching, Opened, Ran, Run
from clozekit.errors import CannotCheck
from clozekit.grading import on_device
from clozekit.grading.on_device import Bench
from clozekit.kernels.plan import Plan
from clozekit.report import Problem
from clozekit.wire import Channel

OPENED = Opened((9, 0), 12080)
RUN = Run(Entry(Plan(), [], []), [])
BUFFERS: list = []
ANSWER = Ran([values.encode(torch.ones(2), BUFFERS)])


@pytest.fixture
def bench():
    """bench(["Opened, then ..."], ...): one whose first process says this, the next one that, and then nothing."""
    kept = []  # a channel that is closed would be an answer

    def bench(*scripts: list, seconds: float = 60.0) -> Bench:
        left = iter(scripts)

        def borrow() -> Channel:
            ours, theirs = map(Channel, socket.socketpair())
            kept.append(theirs)

            def say(first, *more):
                theirs.send(first)
                for frame in more:
                    if not isinstance(frame, Launching):
                        buffers = BUFFERS if frame is ANSWER else []
                        theirs.send(frame, buffers)
                        continue
                    theirs.receive(Run)
                    theirs.send(frame)

            if script := next(left):
                threading.Thread(target=say, args=script, daemon=True).start()
            return ours

        return Bench(borrow, seconds)

    return bench


def test_an_answer(bench):
    found = bench([OPENED, Launching(), ANSWER])
    assert torch.equal(found.run(RUN, [])[0], torch.ones(2))


def test_launches_that_do_not_end_are_the_kernels(bench):
    found = bench([OPENED, Launching()], [OPENED, Launching(), ANSWER], seconds=0.2)
    assert found.run(RUN, []) == Problem("device-timeout", {"seconds": "0.2"})
    found.seconds = 60.0
    assert torch.equal(found.run(RUN, [])[0], torch.ones(2))  # by another process


def test_what_takes_long_before_a_launch_is_nobodys(bench, monkeypatch):
    monkeypatch.setattr(on_device, "LOAD_SECONDS", 0.2)
    with pytest.raises(CannotCheck, match="before a kernel ran"):
        bench([OPENED]).run(RUN, [])


def test_a_device_that_others_keep_is_waited_for_once(bench, monkeypatch):
    monkeypatch.setattr(on_device, "START_SECONDS", 0.2)
    found = bench([])
    for _ in range(2):  # a second process would be one too many
        with pytest.raises(CannotCheck, match="does not answer"):
            found.run(RUN, [])


def test_an_answer_that_makes_no_sense_is_ours(bench):
    with pytest.raises(CannotCheck, match="while kernels ran"):
        bench([OPENED, Launching(), Ran([values.Array("float32", [2], 8)])]).run(RUN, [])


def test_what_cannot_be_launched_is_nobodys(bench):
    with pytest.raises(CannotCheck, match="`x` of a kernel is a tuple"):
        bench([OPENED, Launching(), Ran(impossible="`x` of a kernel is a tuple")]).run(RUN, [])
