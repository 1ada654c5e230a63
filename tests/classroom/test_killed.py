"""A class that is killed at twenty random steps is graded once, and its results are those of a run that nobody disturbed."""

import json
import os
import subprocess
import sys
from pathlib import Path

from clozekit.classroom.store import Store

STUB = Path(__file__).parent.parent / "stubs/killed_classes.py"
STUDENTS, DIFFERENT, KILLS = 300, 240, 20  # every fifth student hands in what the one before has


def run(course, folder, out, url, kills=0):
    command = [sys.executable, STUB, course, folder, out, url, kills, 20270301]
    done = subprocess.run([str(each) for each in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def lines(out):
    return [json.loads(line) for line in (out / "results.jsonl").read_text().splitlines()]


def test_every_submission_is_graded_once_whenever_it_is_killed(course, handed, url, tmp_path):
    folder = handed({f"{each:03}/lab/square.py": f"x = {each - (each % 5 == 4)}" for each in range(STUDENTS)})
    quiet, loud = tmp_path / "quiet", tmp_path / "loud"
    (once,) = run(course, folder, quiet, f"sqlite:///{tmp_path}/quiet.db")["graded"]
    assert len(once) == len({*once}) == DIFFERENT
    found = run(course, folder, loud, url, KILLS)
    assert found["killed"] == KILLS
    under_way = 2 * len(os.sched_getaffinity(0))  # what a kill may cost
    total = 0
    for number, graded in enumerate(found["graded"]):
        held = len(found["held"][number - 1]) if number else 0
        assert len(graded) == len({*graded})
        assert total - held <= number * under_way
        total += len(graded)
    for earlier, later in zip(found["held"], found["held"][1:], strict=False):
        assert {*earlier} <= {*later}
    assert total <= DIFFERENT + KILLS * under_way
    assert {digest for graded in found["graded"] for digest in graded} == {*once}
    assert [line | {"seconds": 0} for line in lines(loud)] == [line | {"seconds": 0} for line in lines(quiet)]
    assert (loud / "grades.csv").read_text() == (quiet / "grades.csv").read_text()
    with Store(url) as store:
        assert store.lines() == lines(loud)
