"""How long a check of each exercise takes on a warm judge: what is asked is less than 3 s for exercises in torch.

python benchmarks/checks.py [TRACK/NAME...]

first     the solution, before which the grader is collected and its references evaluated: once for each judge
right     the solution once more, the median of three
wrong     the known mistakes with their diagnosis: the median of all, and the slowest
"""

import statistics
import sys
import time

from clozekit import blanks
from clozekit.catalog import Catalog, builtin_root
from clozekit.engine import Engine
from clozekit.exercise import Exercise
from clozekit.submission import Upload

ROW = "{:42} {:>6} {:>6} {:>6} {:>8}  {}"


def seconds(engine: Engine, exercise: Exercise, source: str) -> float:
    began = time.perf_counter()
    engine.grade(exercise, Upload(f"{exercise.name}.py", source.encode()))
    return time.perf_counter() - began


def main(ids: list[str]) -> None:
    catalog = Catalog([builtin_root()])
    print(ROW.format("exercise", "first", "right", "wrong", "slowest", "which"))
    with Engine() as engine:
        for exercise in [catalog[id] for id in ids] or catalog:
            first, *right = (seconds(engine, exercise, blanks.reveal(exercise.solution)) for _ in range(4))
            wrong = {
                name: seconds(engine, exercise, exercise.mistaken(each)) for name, each in exercise.mistakes.items()
            }
            figures = first, statistics.median(right), statistics.median(wrong.values()), max(wrong.values())
            print(
                ROW.format(exercise.id, *(f"{each:.2f}" for each in figures), max(wrong, key=wrong.__getitem__)),
                flush=True,
            )


if __name__ == "__main__":
    main(sys.argv[1:])
