"""A function of a source that runs in a worker: what a race between torch exercises is run with.

    candidate = Asked(Candidate(spawn, source, "rms_norm.py", Limits(processor=device.number)), parse("rms_norm(…)"))
    candidate.give([x, weight]);  candidate.launch();  candidate.answer()       [y]

A time has in it what it takes to send the arguments and the answer, for both sides of the race the same: the ratio is nearer
to 1 than that of the functions alone. A worker on the processor of the device finds its caches as cold as everybody does.
"""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from clozekit import calls, values
from clozekit.bench.measure import Stopped
from clozekit.grading.candidate import Answer, Candidate
from clozekit.grading.trees import leaves
from clozekit.meters.callstring import CallString
from clozekit.report import Verdict


class Asked:
    """Makes a call in a worker. blame: the verdict if that fails; for a reference it is not the learner's failure."""

    def __init__(self, candidate: Candidate, call: CallString, blame: Verdict = "failed"):
        self.candidate, self.call, self.blame = candidate, call, blame
        self.buffers: list[Any] = []
        self.request = calls.Call(0, call.target, None, [], {})
        self.reply = Answer()

    def give(self, inputs: Sequence[Tensor]) -> None:
        self.buffers = []
        left = iter(inputs)
        args, kwargs = self.call.filled(lambda _: next(left))
        sent = [values.encode(each, self.buffers, strided=True) for each in args]
        named = {name: values.encode(each, self.buffers, strided=True) for name, each in kwargs.items()}
        self.request = calls.Call(0, self.call.target, None, sent, named, timed=True)

    def clear(self) -> None:
        self.reply = Answer()

    def launch(self) -> None:
        """Raises Stopped where there is no answer."""
        self.reply = self.candidate.ask(self.request, self.buffers)
        if self.reply.problem:
            raise Stopped(self.blame, self.reply.problem)

    def answer(self) -> list[Tensor]:
        return [leaf for _, leaf in leaves(self.reply.value) if isinstance(leaf, Tensor)]
