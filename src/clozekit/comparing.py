"""`cloze bench`: what the calls of an exercise cost a file, beside the solution and beside eager PyTorch.

    for each in compare(exercise, upload, processes, "H100", exercise.costs):
        each.meters         {"loads": Meter("loads", 49152000, bar=16384000, verdict="failed"), ...}
        each.points()       [Point("yours", intensity=1.3, flops=2.1e12), Point("ours", ...), Point("eager", ...)]

The same counts that the grader judges, without the values. No torch in this process.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from clozekit import blanks
from clozekit.errors import ClozeError
from clozekit.exercise import Exercise
from clozekit.meters import bills, callstring
from clozekit.meters.costs import Target
from clozekit.meters.devices import DEVICES
from clozekit.meters.roofline import Prediction
from clozekit.meters.standing import points
from clozekit.processes import Processes
from clozekit.profiling import CallProfile, profile
from clozekit.protocol import Measured
from clozekit.report import Meter, MeterName, Point, Problem
from clozekit.submission import Upload


class Comparison(NamedTuple):
    """One call of an exercise, made by a file and by the solution, which has eager PyTorch beside it."""

    text: str
    device: str  # a key of DEVICES
    yours: CallProfile
    ours: CallProfile
    meters: dict[MeterName, Meter]
    costs: dict[MeterName, float]  # the solution's
    measured: Measured | None = None  # where there was a device to measure on

    def predicted(self) -> dict[str, Prediction]:
        """What the device would take for each of the three, as far as something is known."""
        found = {}
        for name, each in (("yours", self.yours), ("ours", self.ours)):
            if forecast := each.predictions().get(self.device):
                found[name] = forecast.call
                if name == "ours" and forecast.eager:
                    found["eager"] = forecast.eager
        return found

    def verdicts(self) -> list[str]:
        """Of every cost, and of the time if it was measured. Where there is neither, it could not be checked."""
        if self.yours.problem or self.ours.problem:
            return ["could not check"]
        found: list[str] = [meter.verdict for meter in self.meters.values()]
        found += [self.measured.verdict] if self.measured else []
        return found or ["could not check"]

    def points(self) -> list[Point]:
        """As far as something is known."""
        useful = sum(launch.dot_flops + launch.plain_flops for launch in self.ours.launches)
        moved = {
            "yours": sum(launch.unique_bytes for launch in self.yours.launches),
            "ours": sum(launch.unique_bytes for launch in self.ours.launches),
            "eager": sum(record.read_bytes + record.written_bytes for record in self.ours.eager),
        }
        return points(useful, moved, {name: each.seconds for name, each in self.predicted().items()})


def compare(
    exercise: Exercise, upload: Upload, processes: Processes, device: str, texts: Sequence[str]
) -> Iterator[Comparison]:
    """One call after the other.

    Raises:
        ClozeError: there is none.
    """
    if not texts:
        raise ClozeError(Problem("no-calls", {"id": exercise.id}))
    target = DEVICES[device].target
    targets: list[Target] = [target] if target else []
    for text in texts:
        call = callstring.parse(text)
        eager = exercise.eager(call.target)
        source = blanks.reveal(exercise.solution) + (f"\n\n{eager.source}" if eager else "")
        solution = Upload("solution.py", source.encode())
        yours = profile(processes, upload, call, targets)
        ours = profile(processes, solution, call, targets, eager.name if eager else "")
        mine, solutions = (bills.of_launches(each.launches, each.facts) for each in (yours, ours))
        counted = not (yours.problem or ours.problem or mine.refused or solutions.refused)
        meters = bills.held(mine, solutions, exercise.sheet.thresholds) if counted else {}
        yield Comparison(text, device, yours, ours, meters, solutions.costs)
