"""Whose each file is, and when it came: by how the platforms arrange what they hand over. docs/layouts.md has a table.

assignment_1_export/submission_987/rms_norm.py  ->  Attempt(("s1815", "ada@…", "Ada Lovelace"), …, "submission_987", 2027-03-01 …)

    plain        STUDENT/TRACK/NAME.py; an archive may stand for a folder
    github       SLUG-submissions/SLUG-LOGIN/…    as `gh classroom clone student-repos` writes (clone/student-repos.go)
    gradescope   submission_metadata.yml          and submission_987/…: "Download Submissions" on the page Review Grades
    moodle       NAME_ID_assignsubmission_file/…  "Download all submissions" (mod/assign/classes/downloader.php)
    nbgrader     submitted/STUDENT/ASSIGNMENT/…   as `nbgrader collect` writes (exchange/default/collect.py),
                 STUDENT+ASSIGNMENT+TIME/…        as it lies in the exchange (exchange/default/submit.py), and
                 ASSIGNMENT_STUDENT_attempt_TIME_FILE    as `nbgrader zip_collect` is given (plugins/zipcollect.py)
"""

import re
from collections import defaultdict
from collections.abc import Callable, Collection
from datetime import datetime
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

from clozekit import submission
from clozekit.classroom import archives
from clozekit.classroom.commits import committed
from clozekit.classroom.gradescope import METADATA, submissions
from clozekit.classroom.handed import SOURCES, Entry, Exercises, Handed, packed
from clozekit.classroom.moments import moment
from clozekit.classroom.roster import Roster
from clozekit.classroom.trees import Tree
from clozekit.errors import ClozeError, NotFound
from clozekit.report import Problem

MOODLE = re.compile(
    r"(?P<full>(?P<name>.*?)(?:_(?P<id>\d+))?)_assignsubmission_(?P<kind>[a-z]+)(?:_(?P<file>.*))?", re.S
)
EXCHANGE = re.compile(r"(?P<student>.+)\+(?P<assignment>[^+]+)\+(?P<time>\d{4}-\d\d-\d\d [^+]+)(?:\+[\w-]+)?")
COLLECTED = re.compile(r".+_(?P<student>[^_]+)_attempt_(?P<time>[\d-]+)_(?P<file>.+)", re.S)
STAMP = "timestamp.txt"


class Attempt(NamedTuple):
    """What somebody handed in at one time.

    accounts: what the layout calls the student, the best first; none if the files are nobody's.
    """

    accounts: tuple[str, ...]
    files: list[Entry]
    name: str = ""
    handed_in: datetime | None = None


class Layout(NamedTuple):
    """fits: whether a tree is arranged like this, beyond doubt. sign: by what that can be seen."""

    fits: Callable[[Tree], bool]
    attempts: Callable[[Tree], list[Attempt]]
    sign: str


class Found(NamedTuple):
    """layout: its name. handed: every file that is a submission or was meant as one, in order."""

    layout: str
    handed: list[Handed]


def find(tree: Tree, known: Collection[str], layout: str = "auto", roster: Roster | None = None) -> Found:
    """Every file that is a submission or was meant as one. A student who handed in nothing has an entry too.

    Raises:
        ClozeError: it is not arranged like the layout that was asked for.
        NotFound: there is nothing at all.
    """
    exercises = Exercises(known, roster and roster.patterns)
    if roster and roster.paths:
        layout, attempts = "map", _by_path(tree, roster.paths)
    else:
        layout, tree = _recognised(tree, layout, exercises.tracks)
        attempts = LAYOUTS[layout].attempts(tree)
    handed = [each for attempt in attempts for each in _handed(attempt, exercises, roster)]
    if not handed:
        raise NotFound(
            f"{tree.name} is empty; give the directory that holds STUDENT/TRACK/NAME.py, or an archive of it"
        )
    return Found(layout, sorted(handed, key=lambda each: (*each[:3], each.attempt)))


def _recognised(tree: Tree, name: str, tracks: set[str]) -> tuple[str, Tree]:
    """The layout of a tree, and the tree without a folder around all of it.

    In a directory that folder may be the only student, whose files must not say how the class is arranged.
    """
    tops, trees = tree.tops(), [tree]
    if len(tops) == 1 and tops <= tree.folders and (tree.packed or name != "auto"):
        inner = tree.below(next(iter(tops)))
        around = tree.packed and inner.name == tree.name and not inner.tops() <= tracks
        trees = [inner] if around else [tree, inner]
    for each in (layout for layout in LAYOUTS if name in ("auto", layout)):
        for at in trees:
            if LAYOUTS[each].fits(at):
                return each, at
    if name not in ("auto", "plain"):
        raise ClozeError(f"{tree.name} is not arranged like --layout {name}: {LAYOUTS[name].sign}; try --layout auto")
    return "plain", trees[0]


def _handed(attempt: Attempt, exercises: Exercises, roster: Roster | None) -> list[Handed]:
    if not attempt.accounts:
        return [_stray(file) for file in attempt.files if _matters(file)]
    student, files = attempt.accounts[0], exercises.submissions(attempt.files)
    if roster and roster.accounts:
        mapped = [roster.accounts[account] for account in attempt.accounts if account in roster.accounts]
        if not mapped:
            problem = Problem("unknown-student", {"account": student})
            return [Handed(student, "", "", Path(), problem, attempt.handed_in, attempt.name)]
        student = mapped[0]
    if not files:
        return [Handed(student, "", "", Path(), Problem("nothing"), attempt.handed_in, attempt.name)]
    return [
        Handed(student, id, file.name, file.path or Path(), problem, attempt.handed_in, attempt.name)
        for file, id, problem in files
    ]


def _matters(file: Entry) -> bool:
    link = file.problem and file.problem.kind == "link"
    return Path(file.name).suffix.lower() in SOURCES or packed(file.name) or bool(file.problem and not link)


def _stray(file: Entry) -> Handed:
    return Handed("", "", file.name, file.path or Path(), file.problem or Problem("misplaced", {"file": file.name}))


def _by_top(tree: Tree) -> dict[str, list[Entry]]:
    """The files below each folder of the root. An archive that could not be unpacked stands for the folder that it would be."""
    tops: dict[str, list[Entry]] = {name: [] for name in tree.tops() if name in tree.folders}
    for entry in tree.entries:
        top, _, below = entry.name.partition("/")
        if top in tops:
            tops[top].append(entry._replace(name=below))
        elif packed(top):
            tops[top] = [entry]
    return tops


def _strays(tree: Tree, taken: Collection[str]) -> list[Attempt]:
    """What lies beside the folders and names that are somebody's."""
    return [Attempt((), [entry for entry in tree.entries if entry.name.partition("/")[0] not in taken])]


def _plain(tree: Tree) -> list[Attempt]:
    """A folder and an archive of one name are one student's."""
    tops = _by_top(tree)
    files: dict[str, list[Entry]] = defaultdict(list)
    for top, theirs in tops.items():
        opened = packed(top) and top in tree.folders
        files[archives.stem(top)] += _within(theirs, f"{top}/") if opened else theirs
    return [*(Attempt((student,), theirs) for student, theirs in files.items()), *_strays(tree, tops)]


def _prefix(tree: Tree) -> str:
    """What the names of all repositories begin with; "" if that cannot be told."""
    slug = tree.name.removesuffix("-submissions")
    folders = [archives.stem(top) for top in _by_top(tree)]
    if slug != tree.name and all(folder.startswith(f"{slug}-") for folder in folders):
        return f"{slug}-"
    words = list(zip(*(folder.split("-")[:-1] for folder in folders), strict=False)) if len(folders) > 1 else []
    return "".join(f"{each[0]}-" for each in takewhile(lambda each: len(set(each)) == 1, words))


def _is_github(tree: Tree) -> bool:
    tops = _by_top(tree)
    cloned = tree.name.endswith("-submissions") or tops.keys() <= tree.repositories.keys()
    return bool(tops) and bool(_prefix(tree)) and cloned


def _github(tree: Tree) -> list[Attempt]:
    prefix, tops = _prefix(tree), _by_top(tree)
    attempts = []
    for top, files in tops.items():
        folder, git = archives.stem(top), tree.repositories.get(top)
        accounts = (folder.removeprefix(prefix) or folder, folder)
        attempts.append(Attempt(accounts, files, handed_in=committed(git) if git else None))
    return attempts + _strays(tree, tops)


def _is_gradescope(tree: Tree) -> bool:
    return any(entry.name == METADATA for entry in tree.entries)


def _gradescope(tree: Tree) -> list[Attempt]:
    """Somebody who hands in again replaces what was there: of former submissions the export has times and scores, no files."""
    metadata = next(entry for entry in tree.entries if entry.name == METADATA)
    tops, told = _by_top(tree), submissions(metadata.path)
    attempts = []
    for folder, each in told.items():
        for accounts in each.submitters:
            attempts.append(Attempt(accounts, tops.get(folder, []), folder, each.created))
    for folder in tops.keys() - told.keys():
        attempts.append(Attempt((folder,), tops[folder], folder))
    return attempts + _strays(tree, {METADATA, *tops})


def _is_moodle(tree: Tree) -> bool:
    return any(map(MOODLE.fullmatch, tree.tops()))


def _moodle(tree: Tree) -> list[Attempt]:
    """By full name. Its number is another one in each assignment, and only told where two students have one name."""
    files: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    taken = set()
    for top in tree.tops():
        if match := MOODLE.fullmatch(top):
            taken.add(top)
            files[match["name"], match["id"] or ""] += []
    for entry in tree.entries:
        top, _, below = entry.name.partition("/")
        if (match := MOODLE.fullmatch(top)) and match["kind"] == "file":
            name = "/".join(filter(None, [match["file"], below]))
            files[match["name"], match["id"] or ""].append(entry._replace(name=name or top))
    numbers = defaultdict(set)
    for name, number in files:
        numbers[name].add(number)
    attempts = []
    for (name, number), theirs in files.items():
        full = f"{name}_{number}" if number else name
        attempts.append(Attempt((full if len(numbers[name]) > 1 else name, full, number), theirs))
    return attempts + _strays(tree, taken)


def _is_nbgrader(tree: Tree) -> bool:
    """By names that nbgrader gives, or a time of each student: one alone may have written it for all."""
    tops = tree.tops()
    below = tree.below("submitted") if tops == {"submitted"} else tree
    stamped = {entry.name.split("/")[0] for entry in below.entries if re.fullmatch(rf"[^/]+/[^/]+/{STAMP}", entry.name)}
    named = any(EXCHANGE.fullmatch(top) or COLLECTED.fullmatch(top) for top in tops)
    everybody = {folder for folder in below.folders if "/" not in folder}
    return named or (bool(stamped) and stamped == everybody)


def _nbgrader(tree: Tree) -> list[Attempt]:
    if tree.tops() == {"submitted"}:
        tree = tree.below("submitted")
    groups: dict[tuple[str, str, str], list[Entry]] = defaultdict(list)  # student, attempt, home
    times: dict[tuple[str, str, str], datetime | None] = {}
    strays = []
    for folder in tree.folders:
        if folder.count("/") == 1 and not EXCHANGE.fullmatch(folder.partition("/")[0]):
            student, assignment = folder.split("/")
            groups[student, assignment, f"{assignment}/"] += []
    for entry in tree.entries:
        top, _, below = entry.name.partition("/")
        if match := EXCHANGE.fullmatch(top):
            key, name = (match["student"], match["time"], f"{match['assignment']}/"), below
            times[key] = moment(match["time"])
        elif match := COLLECTED.fullmatch(top):
            key, name = (match["student"], match["time"], ""), "/".join(filter(None, [match["file"], below]))
            times[key] = moment(match["time"])
        elif below.count("/"):
            assignment, _, name = below.partition("/")
            key = (top, assignment, f"{assignment}/")
        else:
            strays.append(entry)
            continue
        if name == STAMP:
            times[key] = _stamped(entry)
        groups[key].append(entry._replace(name=name))
    attempts = []
    for (student, attempt, home), files in groups.items():
        attempts.append(Attempt((student,), _within(files, home), attempt, times.get((student, attempt, home))))
    return [*attempts, Attempt((), strays)]


def _stamped(entry: Entry) -> datetime | None:
    try:
        raw = submission.read(entry.path, links=False).raw if entry.path else b""
    except OSError:
        return None
    return moment(raw.decode("utf-8", "replace").strip())


def _within(files: list[Entry], home: str) -> list[Entry]:
    return [file._replace(name=f"{home}{file.name}") for file in files]


def _by_path(tree: Tree, paths: dict[str, str]) -> list[Attempt]:
    """Files and folders that a teacher's table names; whatever else is there is told as nobody's."""
    files: dict[str, list[Entry]] = {path: [] for path in paths}
    strays = []
    for entry in tree.entries:
        parts = entry.name.split("/")
        above = ["/".join(parts[:count]) for count in range(len(parts), 0, -1)]
        if home := next((path for path in above if path in paths), ""):
            files[home].append(entry)
        else:
            strays.append(entry)
    nobody = [
        e._replace(problem=e.problem or Problem("unknown-student", {"account": e.name})) for e in strays if _matters(e)
    ]
    return [*(Attempt((paths[path],), each) for path, each in files.items()), Attempt((), nobody)]


LAYOUTS = {
    "gradescope": Layout(_is_gradescope, _gradescope, f"there is no {METADATA}"),
    "moodle": Layout(_is_moodle, _moodle, "nothing is called NAME_NUMBER_assignsubmission_file"),
    "nbgrader": Layout(
        _is_nbgrader, _nbgrader, f"there is no STUDENT/ASSIGNMENT/{STAMP}, and no STUDENT+ASSIGNMENT+TIME"
    ),
    "github": Layout(_is_github, _github, "its folders are no repositories whose names begin alike"),
    "plain": Layout(lambda tree: False, _plain, ""),
}
