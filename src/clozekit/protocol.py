"""What the trusted processes say to each other, as typed structs. (`calls.py` has what a worker hears and answers.)

front -> zygote    Spawn (descriptors ride along), Reap            zygote -> front    Started, Ended
front -> worker    Analyse, before anything of a file runs; Profile      worker -> front    Analysed; Profiled
front -> worker    Open, before anything of a notebook is analysed      worker -> front    Opened
front -> tester    Collect, once; then a Job a submission     tester -> front   Collected; Graded, and before
                                                                                NeedWorker, EndWorker, NeedBench
front -> tester    Collect with record                        tester -> front   Collected; Recorded
front -> referee   Contest                                    referee -> front  NeedWorker, EndWorker, Measured
"""

from typing import Literal

from msgspec import Struct

from clozekit.cells import Answer
from clozekit.errors import why
from clozekit.exercise import Policy
from clozekit.meters.callstring import CallString
from clozekit.meters.costs import Launch, Target
from clozekit.meters.counts import Counts, Record
from clozekit.report import Finding, Growth, Margin, Meter, MeterName, Problem, Result, Roofline, Tier, Verdict


class Limits(Struct, frozen=True):
    """What one worker may spend. Sizes in bytes, times in seconds.

    processor: the only one that it runs on. device: a GPU that it may use, as torch calls it.
    """

    call_seconds: float = 10.0
    load_seconds: float = 20.0
    cpu_seconds: int = 60
    memory: int = 4 << 30
    file_size: int = 64 << 20
    open_files: int = 64
    processes: int = 256
    output: int = 1 << 20
    threads: int = 1
    processor: int | None = None
    device: str | None = None


class Layers(Struct, frozen=True):
    """What confines a worker beside its limits; see `sandbox`."""

    namespaces: bool = False
    landlock: bool = False
    seccomp: bool = False

    @property
    def tier(self) -> Tier:
        """A: all. B: without namespaces. C: files or system calls are not confined, so submissions must be trusted."""
        if not (self.landlock and self.seccomp):
            return "C"
        return "A" if self.namespaces else "B"


class Found(Struct, frozen=True):
    """The layers that this machine has, and of the others why not."""

    layers: Layers = Layers()
    missing: dict[str, str] = {}


class Spawn(Struct, tag=True, frozen=True):
    """Fork a tester (descriptor: its control socket) or a worker (descriptors: its channel and its output pipe)."""

    kind: Literal["tester", "worker"]
    limits: Limits = Limits()
    scratch: str = ""


class Reap(Struct, tag=True, frozen=True):
    """Ask how a worker ended, or kill it with all that it started. Answered at once, whatever the worker does."""

    pid: int
    kill: bool = False


class Started(Struct, tag=True, frozen=True):
    pid: int


class Ended(Struct, tag=True, frozen=True):
    """How a child ended: exit status, or the negative signal number; None if it has not, or if we had to kill it."""

    status: int | None
    running: bool = False


class Ready(Struct, tag=True, frozen=True):
    """The first frame of a zygote, which has imported everything, and of a worker, which is confined: now it listens."""

    found: Found = Found()


class Analyse(Struct, tag=True, frozen=True):
    """Parse the file in the payload and hold it against the source rules; what it costs, the worker's limits bound."""

    name: str
    policy: Policy


class Analysed(Struct, frozen=True):
    """The source that will run and what the rules found in it; or why the file cannot be taken."""

    source: str = ""
    findings: list[Finding] = []
    problem: Problem | None = None


class Open(Struct, tag=True, frozen=True):
    """Find the answers in the notebook in the payload."""


class Opened(Struct, frozen=True):
    """The answers; or why the notebook cannot be taken."""

    answers: list[Answer] = []
    problem: Problem | None = None


class Profile(Struct, tag=True, frozen=True):
    """Execute the file in the payload, make one call of full size and count what it costs.

    targets: what its kernels are compiled for, each with the version of PTX that is wanted.
    eager: the name of a function of the file that does the same with torch, to compare with; "" for none.
    """

    name: str
    call: CallString
    targets: dict[Target, int]
    eager: str = ""


class Profiled(Struct, frozen=True):
    """The launches of the call, and what torch did for it: summed up, and operator by operator; or why there is nothing.

    eager: the operators of the function to compare with.
    """

    launches: list[Launch] = []
    host: Counts = Counts()
    records: list[Record] = []
    eager: list[Record] = []
    problem: Problem | None = None


class Collect(Struct, tag=True, frozen=True):
    """Load this grader. `seed` fixes all inputs that its cases draw; `kernel`: its answers are Triton kernels.

    solution: the source whose costs are the measure; thresholds: how many times these are allowed.
    record: write the visible cases down in place of grading.
    """

    grader: str
    seed: int
    kernel: bool = False
    solution: str = ""
    thresholds: dict[MeterName, float] = {}
    record: bool = False


class Case(Struct, frozen=True):
    """One test as collected, before it ran."""

    name: str
    hidden: bool
    points: float

    def result(self, verdict: Verdict, problem: Problem) -> Result:
        """What a report says of it where it could not run."""
        return Result(self.name, verdict, self.hidden, self.points, problem)


class Collected(Struct, tag=True, frozen=True):
    """The tests of a grader, or why it could not be loaded (an author's error). notes: for every report."""

    cases: list[Case] = []
    error: str = ""
    notes: list[Problem] = []


class Recorded(Struct, tag=True, frozen=True):
    """The visible cases are in the payload, as `grading.tape` writes them; or why they cannot be written down."""

    error: str = ""


class Job(Struct, tag=True, frozen=True):
    """Grade one submission. `mistaken` holds the source that each known mistake would have, for the diagnosis.

    `margins` asks how far every answer was off; `seconds` bounds the whole job. `device`: a GPU on which kernels must be right as
    well; torch runs on that of its workers' limits.
    """

    source: str
    name: str
    limits: Limits
    mistaken: dict[str, str] = {}
    rounding: list[str] = []
    forbidden: list[str] = []
    stop_at_first: bool = False
    margins: bool = False
    seconds: float = 120.0
    device: str | None = None

    @property
    def late(self) -> Verdict:
        """Of a test for which no time is left: on a device, it may be that which kept us waiting."""
        return "could not check" if self.device or self.limits.device else "failed"


class NeedWorker(Struct, tag=True, frozen=True):
    """The tester wants a fresh worker; the answer is a frame with Started and two descriptors."""


class EndWorker(Struct, tag=True, frozen=True):
    """The tester is done with a worker; the answer is Ended."""

    pid: int
    at_once: bool = False


class NeedBench(Struct, tag=True, frozen=True):
    """The tester wants a process that drives a device, in place of the one it had; the answer is Started and one descriptor."""


class Graded(Struct, tag=True, frozen=True):
    """Everything a tester found out about one submission."""

    results: list[Result]
    meters: list[Meter] = []
    margins: list[Margin] = []
    mistake: str | None = None
    unstable: list[str] = []
    error: str = ""
    growths: list[Growth] = []
    rooflines: list[Roofline] = []


class Contest(Struct, tag=True, frozen=True):
    """Measure how long one call takes a submission, beside the solution. grader: whose reference says what is right.

    device: "cpu" for what torch computes, each side in a worker; "cuda" for kernels. threshold: how many times as long as the
    solution the submission may take. seconds: after which it is given up.
    """

    call: CallString
    source: str
    name: str
    solution: str
    grader: str
    device: Literal["cpu", "cuda"]
    threshold: float
    limits: Limits
    seconds: float = 60.0


class Measured(Struct, tag=True, frozen=True):
    """What came of it. The ratio lies between `low` and `high`; the times are medians of the faster launches, in microseconds."""

    verdict: Literal["passed", "failed", "undecided", "could not check"]
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    pairs: int = 0
    reference_us: float | None = None
    candidate_us: float | None = None
    why: Problem | None = None

    @classmethod
    def impossible(cls, error: Exception) -> "Measured":
        """Nobody's failure."""
        return cls("could not check", why=Problem("speed-impossible", why(error)))
