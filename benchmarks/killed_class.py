"""What kills cost a class: it is graded once in peace, and once killed at random moments and resumed until it is done.

    python benchmarks/killed_class.py [SUBMISSIONS] [KILLS] [SEED]

The submissions are those of throughput.py: no two are equal. Each kill is SIGKILL, a random number of files after the start and a
random part of a second later. Gradings are counted where they begin, so that what was under way at a kill counts twice.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from latency import course
from throughput import hand_in

COUNTED = """
import hashlib, os, sys
from clozekit import engine
from clozekit.cli import main
log, grade = os.open(sys.argv.pop(1), os.O_WRONLY | os.O_CREAT | os.O_APPEND), engine.Engine.grade
def counted(self, exercise, upload, **options):
    os.write(log, hashlib.sha256(upload.raw).hexdigest().encode() + b"\\n")
    return grade(self, exercise, upload, **options)
engine.Engine.grade = counted
main()
"""


def run(root: Path, out: str, kill_after: int | None = None) -> bool:
    """Whether it came to its end. kill_after: files that are told before the kill."""
    arguments = ["grade", root / "class", "--out", root / out, "--content", root, "--seed", "7", "--lang", "en"]
    command = [sys.executable, "-c", COUNTED, str(root / f"{out}.log"), *map(str, arguments)]
    options = {"env": os.environ | {"TMPDIR": str(root)}, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **options) as process:
        for told, _ in enumerate(process.stderr, 1):
            if told == kill_after:
                time.sleep(random.random())
                process.send_signal(signal.SIGKILL)
                break
        process.stderr.read()
    return process.returncode == 0


def lines(root: Path, out: str) -> list[dict]:
    text = (root / out / "results.jsonl").read_text("utf-8")
    return [json.loads(line) | {"seconds": 0} for line in text.splitlines()]


def main(submissions: int, kills: int, seed: int) -> None:
    random.seed(seed)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        course(root)
        hand_in(root / "class", (root / "cold/submission.py").read_text("utf-8"), submissions)
        began = time.perf_counter()
        assert run(root, "quiet")
        quiet = time.perf_counter() - began
        began, share = time.perf_counter(), submissions / (kills + 1)
        ended = [run(root, "loud", int(share * (kill + random.random())) + 1) for kill in range(kills)]
        ended.append(run(root, "loud"))
        assert ended[-1]
        gradings = Counter((root / "loud.log").read_text().split())
        twice = sum(gradings.values()) - len(gradings)
        print(f"{submissions} submissions, killed {ended.count(False)} times")
        print(f"{quiet:.1f} s in peace, {time.perf_counter() - began:.1f} s with the kills")
        print(f"{len(gradings)} graded; {twice} were under way at a kill and graded again")
        print(f"the same results but for `seconds`: {lines(root, 'quiet') == lines(root, 'loud')}")


if __name__ == "__main__":
    given = [int(each) for each in sys.argv[1:]]
    main(*given, *(300, 20, 20270301)[len(given) :])
