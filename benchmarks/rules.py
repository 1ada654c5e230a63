"""What the source rules cost a file after warm-up: of every honest one the median, of the hostile ones the worst.

python benchmarks/rules.py [ROUNDS]
"""

import statistics
import sys
import time
from pathlib import Path

from clozekit import rules, submission
from clozekit.catalog import builtin_root
from clozekit.exercise import Exercise

TESTS = Path(__file__).parent.parent / "tests"


def main(rounds: int) -> None:
    for kind in ("honest", "attacks"):
        times = {path: milliseconds(path, rounds) for path in sorted((TESTS / kind).rglob("*.py"))}
        times = {path: took for path, took in times.items() if took is not None}
        ordered = sorted(times, key=times.__getitem__)
        worst = ", ".join(f"{path.stem} {times[path]:.1f}" for path in ordered[:-4:-1])
        print(f"{kind:8} {len(times)} files   median {statistics.median(times.values()):5.1f} ms   worst: {worst}")


def milliseconds(path: Path, rounds: int) -> float | None:
    """The median over some rounds; None of a file that cannot be parsed."""
    sheet = Exercise(builtin_root(), f"{path.parent.parent.name}/{path.parent.name}").sheet
    try:
        tree = submission.parse(path.read_bytes(), path.name).tree
    except submission.Unreadable:
        return None
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        rules.findings(tree, sheet.policy)
        times.append(1e3 * (time.perf_counter() - began))
    return statistics.median(times)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
