"""What a grading says: a Report, of Results, each with a verdict and, if it did not pass, a Problem.

    Report(exercise="normalization/rms_norm", verdict="failed", tests=[
        Result("values: rows as small as eps", "failed", problem=Problem("value", {"where": "[1, 2]", "yours": "2.46253", ...}),
               mistake="eps_outside_sqrt")])

A Problem is facts, not words: `describe.py` turns it into a sentence in the learner's language.
"""

from typing import Literal, NamedTuple

from msgspec import Struct

Verdict = Literal["passed", "failed", "could not check"]
Tier = Literal["A", "B", "C"]
OnEachCall = Literal["launches", "loads", "stores", "scratch"]  # of a kernel; all but the first in bytes
OfFullSize = Literal["sectors", "flops", "plain_flops", "stack"]  # of a kernel, asked by a grader; the last in bytes
OfTorch = Literal["flops", "bytes", "peak_bytes", "operators", "steps"]  # the last: of Python itself
Counted = Literal[OnEachCall, OfFullSize, OfTorch]
MeterName = Literal[Counted, "time"]  # the last is measured on a device, by `cloze bench` alone
EXIT_STATUS: dict[str, int] = {"passed": 0, "failed": 1, "could not check": 3}
WRONG = ("value", "nan", "infinite")  # kinds of problems of an answer that was compared, number by number


class Problem(Struct, frozen=True):
    """Why a test did not pass: `kind` is a key of phrases/*.toml, `facts` fill its fields."""

    kind: str
    facts: dict[str, str] = {}


class Picture(Struct, frozen=True):
    """What a refused tensor looks like. One of `errors` and the row is there at least.

    shape: of the tensor.
    errors: a coarse map of its last two axes, a string a row, a digit a cell for the worst element in it and along all other
        axes: 0 for right, from 1 for just beyond the bar to 9 for the farthest, infinite or NaN. Empty where every cell is
        off, or only one element.
    row: where the row that holds the worst element is, "[0, 2]"; "" if the tensor is one.
    yours, expected: the values of that row, None for what is not finite; empty where it is long.
    """

    shape: list[int]
    errors: list[str] = []
    row: str = ""
    yours: list[float | None] = []
    expected: list[float | None] = []


class Result(Struct):
    """The outcome of one test. `output` is what the learner's code printed meanwhile."""

    name: str
    verdict: Verdict
    hidden: bool = False
    points: float = 1.0
    problem: Problem | None = None
    mistake: str | None = None
    output: str = ""
    picture: Picture | None = None

    @property
    def earned(self) -> float:
        return self.points if self.verdict == "passed" else 0.0


class Finding(Struct, frozen=True):
    """What a static rule found. `column` counts from 1, in characters."""

    code: str
    severity: Literal["error", "warning"]
    line: int
    column: int
    problem: Problem


class Meter(Struct, frozen=True):
    """What one cost of a call was and may be at most: of all visible calls, the one nearest to its bar or farthest beyond.

    A bar of infinity, null in JSON, refuses nothing: the cost is only shown.
    """

    name: MeterName
    value: float
    bar: float
    verdict: Verdict

    @property
    def share(self) -> float:
        return self.value / self.bar if self.bar else float(self.value > 0)


class Point(NamedTuple):
    """Where something stands under the roofline: FLOPs per byte that it moves, FLOPs per second."""

    name: str  # "yours", "ours", "eager"
    intensity: float
    flops: float


class Roofline(Struct, frozen=True):
    """A visible call of full size under the roofline of a GPU, as its counts predict it. doubt: what they leave out."""

    call: str
    device: str
    points: list[Point]
    doubt: Problem | None = None


class Step(NamedTuple):
    """The dearest call of one test, and what it may cost."""

    test: str
    value: float
    bar: float


class Growth(Struct, frozen=True):
    """How one cost grows from test to test, the smallest first: where only the larger ones are refused, the growth is wrong."""

    name: MeterName
    steps: list[Step]


class Margin(Struct, frozen=True):
    """How far one compared answer was from the reference, in spreads; the bar is the same for all."""

    test: str
    excess: float


class Report(Struct):
    """The whole grading of one file.

    problem: why nothing could be graded, if so. unstable: where the shaken references disagree (for `cloze verify`).
    notes: what else there is to say of this grading, whatever its verdict.
    cell: of a notebook, from which lines are counted: "3" in a file, "[3]" as a kernel numbers what it ran.
    """

    exercise: str
    verdict: Verdict
    tier: Tier
    tests: list[Result] = []
    findings: list[Finding] = []
    meters: list[Meter] = []
    growths: list[Growth] = []
    rooflines: list[Roofline] = []
    margins: list[Margin] = []
    unstable: list[str] = []
    mistake: str | None = None
    seconds: float = 0.0
    problem: Problem | None = None
    cell: str = ""
    notes: list[Problem] = []

    @property
    def max_points(self) -> float:
        return sum(test.points for test in self.tests)

    @property
    def points(self) -> float:
        """Partial credit; none where a rule was broken."""
        if any(finding.severity == "error" for finding in self.findings):
            return 0.0
        return sum(test.earned for test in self.tests)

    @property
    def score(self) -> float:
        return self.points / self.max_points if self.max_points else 0.0


def worst(verdicts: list[Verdict]) -> Verdict:
    """Of several verdicts, failed wins over could not check, that over passed. Of none: could not check."""
    for verdict in ("failed", "could not check"):
        if verdict in verdicts:
            return verdict  # type: ignore[return-value]
    return "passed" if verdicts else "could not check"
