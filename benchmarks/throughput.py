"""How fast a class is graded, and in how much memory: `cloze grade`, from its start to its end, beside a cold pytest.

    python benchmarks/throughput.py [SUBMISSIONS] [WORKERS] [EXECUTOR]

Every student hands in another text for the ten tests of rms_norm, three right ones for each that forgets the square root.
Memory is that of every process of the run (PSS, which counts a shared page once), looked at while it lasts: it may not grow.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from latency import cold_pytest, course
from watch import CLOZE, members, memory

LOOKS = 20  # at the memory, in one run


def hand_in(folder: Path, source: str, submissions: int) -> None:
    wrong = source.replace("torch.rsqrt(", "1 / (")
    assert wrong != source
    for number in range(submissions):
        path = folder / f"{number:06}/normalization/rms_norm.py"
        path.parent.mkdir(parents=True)
        path.write_text(f"{source if number % 4 else wrong}# {number}\n")


def main(submissions: int, workers: int, executor: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        course(root)
        hand_in(root / "class", (root / "cold/submission.py").read_text(), submissions)
        options = ["--out", root / "out", "--content", root, "--workers", str(workers), "--executor", executor]
        began = time.perf_counter()
        run = subprocess.Popen(
            [*CLOZE, "grade", root / "class", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"TMPDIR": folder},
        )
        held, every = [], max(submissions // LOOKS, 1)
        run.stderr.readline()
        first = time.perf_counter() - began
        for done, _ in enumerate(run.stderr, 2):
            if not done % every:
                held.append(memory(members(folder), "Pss:"))
        said, _ = run.communicate()
        seconds = time.perf_counter() - began
        print(said.strip().splitlines()[-1])
        rate = (submissions - 1) / (seconds - first)
        print(f"{submissions / seconds:.1f} submissions a second, {seconds:.1f} s from start to end")
        print(f"{rate:.1f} a second from the first report on, which was there after {first:.1f} s")
        cold = min(cold_pytest(root) for _ in range(3))
        print(f"a cold pytest of the same tests {cold:.2f} s, {cold * submissions / seconds:.1f} times as long")
        print("MB of all processes in the course of it: " + " ".join(f"{each:.0f}" for each in held))


if __name__ == "__main__":
    submissions, workers, executor = [*sys.argv[1:], *("300", "2", "local")[len(sys.argv) - 1 :]]
    main(int(submissions), int(workers), executor)
