"""Who is who, from a teacher's table: `cloze grade --map students.csv`.

account,student            an account as the layout calls it: a login, an address, a full name, a number
ada-l,s1815

path,student               or a file or folder as it lies in what was handed in, whatever its layout
week1/Lovelace A.zip,s1815

file,exercise              and what files are for that say it neither by their name nor in their first line; * stands for anything
*/hw1*.py,attention/kv_cache

The columns may also be together in one table. Whoever is not in it has a line that says so.
"""

import csv
import fnmatch
import io
import re
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from clozekit.errors import ContentError, unreadable

COLUMNS = ("account", "path", "student", "file", "exercise")


class Roster(NamedTuple):
    """accounts, paths: each with its student. patterns: each with its exercise."""

    accounts: dict[str, str]
    paths: dict[str, str]
    patterns: dict[re.Pattern, str]


def read(path: Path, known: Collection[str]) -> Roster:
    """The table in a file.

    Raises:
        NotFound: no such file.
        ContentError: no table; a column that is unknown or missing; somebody with two students; no such exercise.
    """
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise unreadable(path, error) from None
    except UnicodeDecodeError:
        raise ContentError(f"{path} is not UTF-8; save it as `CSV UTF-8`") from None
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise ContentError(f"{path}: not CSV: {error}") from None
    header = [cell.strip() for cell in rows[0]] if rows else []
    _check_header(path, header)
    roster = Roster({}, {}, {})
    for number, row in enumerate(rows[1:], 2):
        if any(row):
            _add(roster, dict(zip(header, map(str.strip, row), strict=False)), f"{path}: row {number}", known)
    return roster


def _check_header(path: Path, header: list[str]) -> None:
    for column in header:
        if column not in COLUMNS or header.count(column) > 1:
            raise ContentError(f"{path}: row 1: no column `{column}` is wanted here; those are {', '.join(COLUMNS)}")
    given = set(header)
    if (
        ("student" in given) != bool(given & {"account", "path"})
        or ("file" in given) != ("exercise" in given)
        or not given
    ):
        raise ContentError(f"{path}: row 1: give the columns account,student or path,student, and maybe file,exercise")


def _add(roster: Roster, row: dict[str, str], place: str, known: Collection[str]) -> None:
    student, file, exercise = (row.get(column, "") for column in ("student", "file", "exercise"))
    accounts = [(roster.accounts, row.get("account", "")), (roster.paths, row.get("path", "").strip("/"))]
    given = [(table, key) for table, key in accounts if key]
    if bool(given) != bool(student) or bool(file) != bool(exercise):
        raise ContentError(f"{place}: a cell is empty: whose is it, or what is it for?")
    for table, key in given:
        if table.setdefault(key, student) != student:
            raise ContentError(f"{place}: `{key}` is {table[key]} already; which one is it?")
    if file:
        if exercise not in known:
            raise ContentError(f"{place}: no exercise is called `{exercise}`; `cloze list` shows them all")
        roster.patterns[re.compile(fnmatch.translate(file))] = exercise
