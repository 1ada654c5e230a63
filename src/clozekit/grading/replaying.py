"""A pytest plugin that collects the recorded cases of a course pack: each is a test that asks what the grader's would ask.

pytest -p clozekit.grading.replaying pack/cases/normalization/rms_norm.cases
"""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from clozekit.errors import ContentError
from clozekit.grading.evidence import Bars, Solution
from clozekit.grading.plugin import GRADING, case_name
from clozekit.grading.tape import Case, Tape, read
from clozekit.meters.bills import Bill
from clozekit.pack import versions
from clozekit.report import Problem

NO_GRADER = ModuleType("no_grader")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> "Cases | None":
    return Cases.from_parent(parent, path=file_path) if file_path.suffix == ".cases" else None


class Cases(pytest.File):
    """One file of cases."""

    def collect(self) -> Iterator["Replayed"]:
        try:
            found = read(self.path.read_bytes())
        except ContentError as error:
            raise self.CollectError(str(error)) from None
        for question in (each for case in found.cases for each in case.script):
            question.comparable = is_comparable(found)
        for case in found.cases:
            item = Replayed.from_parent(self, name=case.name)
            item.tape, item.case = found, case
            item.add_marker(pytest.mark.points(case.points))
            yield item


class Replayed(pytest.Item):
    """One recorded case."""

    tape: Tape
    case: Case

    def runtest(self) -> None:
        check = self.config.stash[GRADING].check(case_name(self), NO_GRADER, hidden=False)
        check.replay(self.case.script)


def tape_of(items: list[pytest.Item]) -> Tape | None:
    """What these tests were read from; None if they are a grader's."""
    return items[0].tape if isinstance(items[0], Replayed) else None


def measures(played: Tape, thresholds: Bars, kernel: bool) -> tuple[Solution | None, None]:
    """In place of a reference kernel: what it cost where the cases were recorded. Those of torch have their bars with them."""
    if not kernel:
        return None, None
    found = Solution("", thresholds, played.seed, comparable=is_comparable(played))
    found.bills |= {text: Bill(costs) for text, costs in played.bills.items()}
    return found, None


def is_comparable(played: Tape) -> bool:
    return played.versions == versions()


def notes(played: Tape, thresholds: Bars) -> list[Problem]:
    """What a report has to say of a pack's cases beside their verdicts."""
    found = [Problem("hidden-elsewhere", {"count": str(played.hidden)})] if played.hidden else []
    if thresholds and not is_comparable(played):
        facts = {"theirs": _listed(played.versions), "ours": _listed(versions())}
        found.append(Problem("counted-elsewhere", facts))
    return found


def _listed(known: dict[str, str]) -> str:
    return ", ".join(f"{package} {version or '-'}" for package, version in known.items())
