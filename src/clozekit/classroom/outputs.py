"""The files that a class run leaves in OUT, always written from the store.

    results.jsonl   {"student": "ada", "file": "normalization/rms_norm.py", …, "verdict": "passed", …, "key": "5e0c…"}
    grades.csv      student,normalization/rms_norm
                    ada,15.0

Before there was a store results.jsonl and .seed were the truth themselves; `take_over` makes a store of them.
"""

import contextlib
import csv
import fcntl
import io
import json
import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from clozekit.classroom.decided import WHOSE, Decision, place_of
from clozekit.classroom.gradebook import Grade, Total, grades, in_order, is_final
from clozekit.classroom.handed import Handed, Line
from clozekit.classroom.store import Store
from clozekit.classroom.syllabus import Syllabus
from clozekit.errors import ClozeError
from clozekit.exports.tables import harmless
from clozekit.files import put

COUNTS = ("student", "exercise", "attempt", "handed_in", "verdict", "points", "max_points")  # of a line, for grades


@contextlib.contextmanager
def alone(out: Path) -> Iterator[None]:
    """Nobody else grades into OUT meanwhile, whatever their store.

    Raises:
        ClozeError: somebody does.
    """
    out.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(out, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ClozeError(f"another `cloze grade` writes to {out}; wait for it, or give another --out") from None
        yield
    finally:
        os.close(descriptor)


def write(out: Path, store: Store, order: Iterable[str]) -> None:
    """results.jsonl and grades.csv, each whole or not at all."""
    brief: list[Line] = []

    def whole() -> Iterator[bytes]:
        for line in store.each_line():
            brief.append({name: line[name] for name in COUNTS})
            yield json.dumps(line, ensure_ascii=False).encode() + b"\n"

    out.mkdir(parents=True, exist_ok=True)
    put(out / "results.jsonl", whole())
    found = grades(brief, store.overrides())
    text = as_csv(found, Syllabus(), in_order(found, order), store.students())
    put(out / "grades.csv", text.encode())


def as_csv(
    found: list[Grade], syllabus: Syllabus, order: Iterable[str], students: Iterable[str], totals: Iterable[Total] = ()
) -> str:
    """A row a student, a column an exercise in learning order: points, ? where it could not be checked, else nothing.

    Who is called =cmd has an apostrophe before it, which `corrections.read` takes off again.
    """
    sums = {total.student: total.points for total in totals}
    cells = {(grade.student, grade.exercise): grade.points if is_final(grade) else "?" for grade in found}
    columns = [id for id in syllabus.chosen(order) if id in {exercise for _, exercise in cells}]
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["student", *columns, *(["total"] if sums else [])])
    for student in students:
        total = [sums[student]] if sums else []
        table.writerow([harmless(student), *(cells.get((student, id), "") for id in columns), *total])
    return text.getvalue()


def take_over(out: Path, store: Store) -> None:
    """Bring into a store what an older clozekit left in OUT: its seed, and what it had decided.

    Raises:
        ClozeError: the seed is none.
    """
    old = out / ".seed"
    if not store.fresh and not old.exists():
        return
    decisions: dict[str, Decision] = {}
    with contextlib.suppress(FileNotFoundError):
        for text in (out / "results.jsonl").read_bytes().split(b"\n"):  # a run that was cut off left half a line
            with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError):
                decision = _decision(json.loads(text))
                decisions[place_of(decision.handed)] = decision
    if old.exists():
        try:
            store.plant(int(old.read_text("utf-8")))
        except ValueError:
            raise ClozeError(f"{old} is not a number; delete it and all will be graded again") from None
    store.add(decisions.values())
    old.unlink(missing_ok=True)


def _decision(line: Line) -> Decision:
    """Raises KeyError or TypeError: it is no line of ours."""
    when = datetime.fromisoformat(line["handed_in"]) if line.get("handed_in") else None
    whose = Handed(line["student"], line["exercise"], line["file"], Path(), None, when, line.get("attempt", ""))
    "".join((*whose[:3], line["key"], line["verdict"]))
    report = {name: value for name, value in line.items() if name not in (*WHOSE, "key")}
    return Decision(whose, "", line["key"], report)
