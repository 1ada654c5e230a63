"""What the trusted processes say to each other, as typed structs. (`calls.py` has what a worker hears and answers.)

front -> zygote    Spawn (descriptors ride along), Reap            zygote -> front    Started, Ended
front -> tester    Collect, once; then a Job a submission          tester -> front    Collected; Reply = NeedWorker | EndWorker | Graded
"""

from typing import Literal

from msgspec import Struct

from clozekit.report import Margin, Result


class Limits(Struct, frozen=True):
    """What one worker may spend. Sizes in bytes, times in seconds."""

    call_seconds: float = 10.0
    load_seconds: float = 20.0
    cpu_seconds: int = 60
    memory: int = 4 << 30
    file_size: int = 64 << 20
    open_files: int = 64
    output: int = 1 << 20
    threads: int = 1


class Spawn(Struct, tag=True, frozen=True):
    """Fork a tester (descriptor: its control socket) or a worker (descriptors: its channel and its output pipe)."""

    kind: Literal["tester", "worker"]
    limits: Limits = Limits()
    scratch: str = ""


class Reap(Struct, tag=True, frozen=True):
    """Wait shortly for a child to end by itself, then kill it."""

    pid: int
    at_once: bool = False


class Started(Struct, tag=True, frozen=True):
    pid: int


class Ended(Struct, tag=True, frozen=True):
    """How a child ended: exit status, or the negative signal number; None if we had to kill it."""

    status: int | None


class Ready(Struct, tag=True, frozen=True):
    """The zygote has imported everything and starts to listen."""


class Collect(Struct, tag=True, frozen=True):
    """Load this grader. `seed` fixes all inputs that its cases draw."""

    grader: str
    seed: int


class Case(Struct, frozen=True):
    """One test as collected, before it ran."""

    name: str
    hidden: bool
    points: float


class Collected(Struct, tag=True, frozen=True):
    """The tests of a grader, or why it could not be loaded (an author's error)."""

    cases: list[Case] = []
    error: str = ""


class Job(Struct, tag=True, frozen=True):
    """Grade one submission. `mistaken` holds the source that each known mistake would have, for the diagnosis.

    `margins` asks how far every answer was off; `seconds` bounds the whole job.
    """

    source: str
    name: str
    limits: Limits
    mistaken: dict[str, str] = {}
    rounding: list[str] = []
    stop_at_first: bool = False
    margins: bool = False
    seconds: float = 120.0


class NeedWorker(Struct, tag=True, frozen=True):
    """The tester wants a fresh worker; the answer is a frame with Started and two descriptors."""


class EndWorker(Struct, tag=True, frozen=True):
    """The tester is done with a worker; the answer is Ended."""

    pid: int
    at_once: bool = False


class Graded(Struct, tag=True, frozen=True):
    """Everything a tester found out about one submission."""

    results: list[Result]
    margins: list[Margin] = []
    mistake: str | None = None
    unstable: list[str] = []
    error: str = ""
