"""The source rules on a file, by themselves. Nothing of it runs, and no torch is needed.

lint(Path("normalization/rms_norm.py"), sheet)  ->  [Finding("CZ001", "error", 7, 12, ...)]

A hostile file may want to keep the parser busy for ever, or fill the memory. So a child reads it, under limits.
"""

import contextlib
import os
import re
import resource
import signal
from pathlib import Path

import msgspec

from clozekit import rules, submission
from clozekit.errors import CannotCheck, unreadable
from clozekit.exercise import Sheet
from clozekit.report import Finding, Problem

CPU_SECONDS = 10
MEMORY_MB = 1024
OUT_OF_MEMORY = 70  # exit status


def lint(path: Path, sheet: Sheet) -> list[Finding]:
    """What the rules find. A file that is no Python, or exceeds the limits, is a finding itself.

    Raises:
        ClozeError: the file cannot be read at all.
        CannotCheck: the rules themselves failed.
    """
    try:
        upload = submission.read(path)
    except OSError as error:
        raise unreadable(path, error) from None
    reading, writing = os.pipe()
    with open(reading, "rb") as told:
        child = os.fork()
        if not child:
            _tell(writing, upload, sheet)
        os.close(writing)
        answer = told.read()
        _, status = os.waitpid(child, 0)
    if status == 0:
        return msgspec.json.decode(answer, type=list[Finding])
    if (problem := _limit(status)) is None:
        raise CannotCheck(
            Problem("rules-failed", {"path": str(path), "status": str(os.waitstatus_to_exitcode(status))})
        )
    return [Finding("CZ902", "error", 1, 1, problem)]


def _tell(writing: int, upload: submission.Upload, sheet: Sheet) -> None:
    """The child's whole life. It leaves by _exit: what the parent has buffered is the parent's to write."""
    status = 1
    try:
        _confine()
        found = _found(upload, sheet)
        with open(writing, "wb") as answer:
            answer.write(msgspec.json.encode(found))
        status = 0
    except MemoryError:
        status = OUT_OF_MEMORY
    finally:
        os._exit(status)


def _found(upload: submission.Upload, sheet: Sheet) -> list[Finding]:
    try:
        return rules.findings(submission.parse(upload.raw, upload.name).tree, sheet.policy)
    except submission.Unreadable as error:
        problem = error.problem
    if problem.facts.get("reason") in ("MemoryError", "RecursionError"):  # the parser has both words for both
        return [Finding("CZ902", "error", 1, 1, Problem("CZ902-deep"))]
    place = re.fullmatch(r"(?:line )?(\d+)", problem.facts.get("line") or problem.facts.get("place", ""))
    return [Finding("CZ901", "error", int(place[1]) if place else 1, 1, problem)]


def _confine() -> None:
    """Limit this process, for good."""
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))  # SIGXCPU comes before SIGKILL
    limits = [(resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 0)]
    with contextlib.suppress(OSError):  # where there is no /proc, memory has no limit
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limits.append((resource.RLIMIT_AS, pages * resource.getpagesize() + (MEMORY_MB << 20)))
    for what, limit in limits:
        resource.setrlimit(what, (limit, limit))


def _limit(status: int) -> Problem | None:
    """Which limit a child ran into that did not answer; None if it failed by itself."""
    ended = os.waitstatus_to_exitcode(status)
    if ended == -signal.SIGSEGV:  # the stack of C
        return Problem("CZ902-deep")
    if ended == -signal.SIGXCPU:
        return Problem("CZ902-cpu", {"limit": str(CPU_SECONDS)})
    if ended in (OUT_OF_MEMORY, -signal.SIGKILL, -signal.SIGABRT):
        return Problem("CZ902-memory", {"limit": str(MEMORY_MB)})
    return None
