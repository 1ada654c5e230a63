"""What the store costs a class run: looking a file up, and writing down what was decided of it.

    python benchmarks/store.py [SUBMISSIONS] [URL]

A run decides one to four files at a time and writes them in one transaction. Its thread waits for the disk meanwhile, while
the graders go on: what a class pays is the processor time. One fsync of the same disk is there to compare with.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

from clozekit.classroom.decided import Decision
from clozekit.classroom.handed import Handed
from clozekit.classroom.store import Store

TESTS = [{"name": f"test {number}", "verdict": "failed", "hidden": False, "message": "x" * 200} for number in range(20)]
REPORT = {"schema": 1, "exercise": "lab/square", "verdict": "failed", "points": 0.0, "max_points": 20.0, "tests": TESTS}


def run(url: str, submissions: int, together: int) -> tuple[float, float]:
    """Milliseconds of time and of processor time for each submission."""
    with Store(url) as store:
        began, spent = time.perf_counter(), time.process_time()
        for first in range(0, submissions, together):
            keys = [f"{together} {number}" for number in range(first, first + together)]
            assert not any(store.result(key) for key in keys)
            store.add([Decision(Handed(key, "lab/square", "lab/square.py", Path()), "", key, REPORT) for key in keys])
        scale = 1000 / submissions
        return (time.perf_counter() - began) * scale, (time.process_time() - spent) * scale


def fsync(folder: str, times: int = 100) -> float:
    """Milliseconds to append a report to a file and have it on the disk."""
    with open(Path(folder) / "file", "ab") as file:
        began = time.perf_counter()
        for _ in range(times):
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
        return (time.perf_counter() - began) * 1000 / times


def main(submissions: int, url: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for together in (1, 2, 4):
            taken, spent = run(url or f"sqlite:///{folder}/{together}.db", submissions, together)
            print(f"{together} at a time  {spent:5.2f} ms of processor, {taken:6.2f} ms with the waiting")
        print(f"one fsync    {fsync(folder):5.2f} ms")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300, sys.argv[2] if len(sys.argv) > 2 else "")
