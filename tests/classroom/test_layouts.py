"""What the platforms hand over: for each layout, a class that is written in it is read as the same class."""

import io
import tarfile
import tempfile
import zipfile
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from clozekit.classroom import layouts, roster, trees
from clozekit.classroom.moments import moment
from clozekit.describe import describe
from clozekit.errors import ClozeError, ContentError, NotFound

KNOWN = ["attention/kv_cache", "normalization/rms_norm", "sampling/top_p", "triton/rms_norm"]


def read(files, name="class", layout="auto", table=None, packing=""):
    """(student, exercise, bytes or what is said, attempt, time) of each file that is found in a directory with these files."""
    with tempfile.TemporaryDirectory() as place:
        source = Path(place, name)
        if packing:
            source = Path(place, f"{name}{packing}")
            source.write_bytes(packed(files, packing))
        else:
            for file, content in files.items():
                path = source / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        people = None
        if table is not None:
            Path(place, "students.csv").write_text(table, "utf-8")
            people = roster.read(Path(place, "students.csv"), KNOWN)
        with trees.opened(source, Path(place, "out")) as tree:
            found = layouts.find(tree, KNOWN, layout, people)
            lines = [(h.student, h.exercise, told(h), h.attempt, h.handed_in) for h in found.handed]
    return found.layout, lines


def told(handed):
    return describe(handed.problem, "en") if handed.problem else handed.path.read_bytes()


def packed(files, packing):
    raw = io.BytesIO()
    if packing == ".zip":
        with zipfile.ZipFile(raw, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
    else:
        with tarfile.open(fileobj=raw, mode="w:gz") as archive:
            for name, content in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return raw.getvalue()


# Each layout: a class, written and read


def plain(work):
    files = {f"{student}/{id}.py": raw for student, id, raw, _, _ in work}
    return files, {(student, id, raw, "", None) for student, id, raw, _, _ in work}


def github(work):
    files = {f"hw-1-{student}/{id}.py": raw for student, id, raw, _, _ in work}
    return files, {(student, id, raw, "", None) for student, id, raw, _, _ in work}


def gradescope(work):
    metadata, files, expected = {}, {}, set()
    for student, id, raw, attempt, time in work:
        stamp = f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}000 Z"
        submitter = {":name": "Somebody", ":sid": student, ":email": "x@example.edu"}
        metadata[f"submission_{attempt}"] = {
            ":submitters": [submitter],
            ":created_at": stamp,
            ":history": [{":created_at": stamp, ":score": 1.0}],
        }
        files[f"submission_{attempt}/{id}.py"] = raw
        expected.add((student, id, raw, f"submission_{attempt}", time))
    return files | {"submission_metadata.yml": yaml.safe_dump(metadata, allow_unicode=True).encode()}, expected


def moodle(work):
    files = {f"{student}_{at}_assignsubmission_file/{id}.py": raw for at, (student, id, raw, _, _) in enumerate(work)}
    return files, {(student, id, raw, "", None) for student, id, raw, _, _ in work}


def moodle_older(work):
    """With a line at the end of each folder, and beside it a folder of what was typed in."""
    files, expected = moodle(work)
    files = {name.replace("_file/", "_file_/"): raw for name, raw in files.items()}
    return files | {f"{work[0][0]}_0_assignsubmission_onlinetext_/onlinetext.html": b"<p>"}, expected


def moodle_flat(work):
    work = [each for each in work if not each[1].endswith("rms_norm")] or [("Z", "sampling/top_p", b"", "", None)]
    names = [f"{student}_{at}_assignsubmission_file_{Path(id).name}.py" for at, (student, id, *_) in enumerate(work)]
    return dict(zip(names, (each[2] for each in work), strict=True)), {
        (s, id, raw, "", None) for s, id, raw, _, _ in work
    }


def nbgrader(work):
    files, expected = {}, set()
    for student, id, raw, attempt, time in work:
        files[f"submitted/{student}/ps{attempt}/{id}.ipynb"] = raw
        files[f"submitted/{student}/ps{attempt}/timestamp.txt"] = (
            f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f} UTC".encode()
        )
        expected.add((student, id, raw, f"ps{attempt}", time))
    return files, expected


def exchange(work):
    files, expected = {}, set()
    for at, (student, id, raw, _, time) in enumerate(work):
        stamp = f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f} UTC"
        files[f"{student}+ps1+{stamp}{'+aB-_123' if at % 2 else ''}/{id}.ipynb"] = raw
        expected.add((student, id, raw, stamp, time))
    return files, expected


def collected(work):
    files, expected = {}, set()
    for student, id, raw, _, time in work:
        if not id.endswith("rms_norm"):
            time = time.astimezone(UTC).replace(microsecond=0)
            stamp = f"{time:%Y-%m-%d-%H-%M-%S}"
            files[f"ps_1_{student}_attempt_{stamp}_{Path(id).name}.ipynb"] = raw
            expected.add((student, id, raw, stamp, time))
    return (files, expected) if files else collected([("z", "sampling/top_p", b"", "", work[0][4])])


LOGIN = st.from_regex(r"[a-z0-9]{1,4}(-[a-z0-9]{1,4}){0,2}", fullmatch=True)
NAME = st.text("abé李-'.+ ", min_size=1, max_size=8).filter(lambda name: name == name.strip() and name[0] != ".")
WRITERS = {
    "plain": (plain, "plain", NAME, "class"),
    "github": (github, "github", LOGIN, "hw-1-submissions"),
    "gradescope": (gradescope, "gradescope", NAME, "assignment_123_export"),
    "moodle": (moodle, "moodle", NAME, "LLM-hw1-77"),
    "moodle, older": (moodle_older, "moodle", NAME, "LLM-hw1-77"),
    "moodle, flat": (moodle_flat, "moodle", NAME, "LLM-hw1-77"),
    "nbgrader": (nbgrader, "nbgrader", NAME, "course"),
    "nbgrader, exchange": (exchange, "nbgrader", NAME, "inbound"),
    "nbgrader, collected": (collected, "nbgrader", st.from_regex(r"[a-z0-9]{1,6}", fullmatch=True), "downloaded"),
}
TIME = st.datetimes(
    datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.sampled_from([UTC, ZoneInfo("America/New_York")])
)


@pytest.mark.parametrize("name", WRITERS)
@settings(max_examples=40, deadline=None)
@given(data=st.data(), packing=st.sampled_from(["", ".zip", ".tar.gz"]), forced=st.booleans(), wrapped=st.booleans())
def test_a_class_that_is_written_is_read_as_it_was(name, data, packing, forced, wrapped):
    write, layout, students, folder = WRITERS[name]
    one = st.tuples(students, st.sampled_from(KNOWN), st.binary(max_size=9), st.just(""), TIME)
    work = data.draw(st.lists(one, min_size=1, max_size=6, unique_by=(lambda each: each[:1], lambda each: each[4])))
    work = [(*each[:3], str(at), each[4]) for at, each in enumerate(work)]
    files, expected = write(work)
    if wrapped and packing:
        files = {f"{folder}/{file}": raw for file, raw in files.items()}
    found, lines = read(files, folder, layout if forced else "auto", packing=packing)
    assert found == layout
    assert {(*line[:4], line[4] and line[4].astimezone(UTC)) for line in lines} == {
        (*each[:4], each[4] and each[4].astimezone(UTC)) for each in expected
    }
    assert len(lines) == len(expected)


def test_several_attempts_are_several_lines():
    files = {f"ada+ps1+2027-03-0{day} 10:00:00.0 UTC/top_p.ipynb": bytes([day]) for day in (1, 2)}
    assert [(line[0], line[1], line[2], line[4].day) for line in read(files)[1]] == [
        ("ada", "sampling/top_p", b"\1", 1),
        ("ada", "sampling/top_p", b"\2", 2),
    ]


@pytest.mark.parametrize(
    ("files", "students"),
    [
        ({"team-a/sampling/top_p.py": b"", "team-b/sampling/top_p.py": b""}, ["team-a", "team-b"]),
        (
            {"ada/sampling/timestamp.txt": b"", "bob/sampling/top_p.py": b"", "ada/sampling/top_p.py": b""},
            ["ada", "bob"],
        ),
        ({"ada/submission_metadata.yml": b"", "ada/sampling/top_p.py": b""}, ["ada"]),
        ({"ada/Li_1_assignsubmission_file/top_p.py": b"", "ada/sampling/top_q/x.md": b""}, ["ada"]),
    ],
)
def test_what_is_not_surely_a_platforms_is_plain(files, students):
    layout, lines = read(files)
    assert (layout, [line[0] for line in lines]) == ("plain", students)


def test_clones_without_the_folder_that_names_their_assignment():
    """A login may begin with another one."""
    names = ["hw-1-ada", "hw-1-ada-b"]
    files = {f"{name}/{file}": b"" for name in names for file in (".git/HEAD", "sampling/top_p.py")}
    assert [line[0] for line in read(files)[1]] == ["ada", "ada-b"]
    assert [line[0] for line in read({name: raw for name, raw in files.items() if ".git" not in name})[1]] == names


def test_the_folder_in_an_archive_of_its_name_may_be_the_only_student():
    files = {"ada/sampling/top_p.py": b"#"}
    assert [line[0] for line in read(files, "ada", packing=".zip")[1]] == ["ada"]
    assert [
        line[0] for line in read({f"hw1/{name}": raw for name, raw in files.items()}, "hw1", packing=".zip")[1]
    ] == ["ada"]


def test_who_worked_together_each_has_a_line():
    people = b"  :submitters:\n  - :name: Ada\n  - :email: bob@x\n    :name: Bob\n"
    metadata = b"submission_1:\n" + people + b"  :created_at: 2027-03-01 22:59:00.5 -0500\n"
    files = {"submission_metadata.yml": metadata, "submission_1/top_p.py": b"#", "submission_2/a": b""}
    when = datetime(2027, 3, 1, 22, 59, 0, 500_000, tzinfo=timezone(-timedelta(hours=5)))
    assert read(files)[1] == [
        ("Ada", "sampling/top_p", b"#", "submission_1", when),
        ("bob@x", "sampling/top_p", b"#", "submission_1", when),
        ("submission_2", "", "nothing was handed in: there is no TRACK/NAME.py", "submission_2", None),
    ]


def test_two_of_one_name_are_told_apart_by_their_numbers():
    files = {f"{who}_assignsubmission_file/top_p.py": b"" for who in ("Li Lei_1", "Li Lei_2", "Participant_3", "Zoe")}
    assert [line[0] for line in read(files)[1]] == ["Li Lei_1", "Li Lei_2", "Participant", "Zoe"]


def test_a_table_tells_who_is_who_and_what_is_what():
    files = {"hw-1-ada-l/a/one.py": b"1", "hw-1-bob/sampling/top_p.py": b"2", "hw-1-cyd/top_p.py": b"3"}
    table = "\ufeffaccount,student,file,exercise\nada-l,s1815,,\nhw-1-cyd,s3,,\n,,*/one.py,attention/kv_cache\n"
    _, lines = read(files, "hw-1-submissions", table=table)
    assert [line[:3] for line in lines] == [
        ("bob", "", "bob is not in the table of students (--map), so that nobody can say whose it is; add a row"),
        ("s1815", "attention/kv_cache", b"1"),
        ("s3", "sampling/top_p", b"3"),
    ]


def test_a_table_of_paths_stands_for_any_layout():
    files = {"week1/A.zip": packed({"x/top_p.py": b"1"}, ".zip"), "week1/b/top_p.py": b"2", "week1/c/top_p.py": b"3"}
    layout, lines = read(files, table="path,student\nweek1/A.zip,s1\nweek1/b/,s2\nweek1/d,s4\n")
    assert layout == "map"
    assert [(line[0], line[2]) for line in lines] == [
        ("", "week1/c/top_p.py is not in the table of students (--map), so that nobody can say whose it is; add a row"),
        ("s1", b"1"),
        ("s2", b"2"),
        ("s4", "nothing was handed in: there is no TRACK/NAME.py"),
    ]


TABLES = {
    "": "give the columns",
    "account\nada": "give the columns",
    "name,student\nada,1": "row 1: no column `name` is wanted here",
    "account,student\nada,1\nada,2": "row 3: `ada` is 1 already",
    "account,student\nada,": "row 2: a cell is empty",
    "file,exercise\n*.py,lab/square": "no exercise is called `lab/square`",
    'account,student\n"ada,1': "not CSV",
}


@pytest.mark.parametrize("table", TABLES)
def test_a_table_that_cannot_be_meant_is_refused(table):
    with pytest.raises(ContentError, match=TABLES[table]):
        read({"ada/top_p.py": b""}, table=table)


@pytest.mark.parametrize("layout", ["github", "gradescope", "moodle", "nbgrader"])
def test_a_layout_that_is_not_there_is_refused(layout):
    with pytest.raises(ClozeError, match=rf"class is not arranged like --layout {layout}: .*; try --layout auto"):
        read({"ada/sampling/top_p.py": b""}, layout=layout)


@pytest.mark.parametrize("metadata", [b"", b"[", b"- a", b"submission_1: 3", b"\xff\xfe\0", b"a: &a [*a", b"[" * 9999])
def test_metadata_that_nobody_can_read_is_named(metadata):
    with pytest.raises(ClozeError, match=r"submission_metadata\.yml.*; download the export again"):
        read({"submission_metadata.yml": metadata, "submission_1/top_p.py": b""})


def test_a_missing_directory_is_named(tmp_path):
    with pytest.raises(NotFound, match="nowhere does not exist"), trees.opened(tmp_path / "nowhere", tmp_path):
        pass


# What a file is for

NB = b'{"cells": [{"source": ["# cloze: sampling/top_p\\n", "x"]}, {"source": "# cloze: attention/kv_cache"}]}'
FILES = {
    "sampling/top_p.py": [("sampling/top_p", b"")],
    "hw/week 1/sampling/top_p.py": [("sampling/top_p", b"")],
    "attention/top_p.py": [("sampling/top_p", b"")],
    "top_p.py": [("sampling/top_p", b"")],
    "review/sampling/top_p.py": [],
    "interview/2027-03-01/sampling/top_p.py": [],
    "hw1.py": [
        ("", "which exercise hw1.py is for cannot be told; hand it in as TRACK/NAME.py, or begin it with the line")
    ],
    "hw/rms_norm.py": [("", "hw/rms_norm.py may be for any of normalization/rms_norm, triton/rms_norm; hand it in as")],
    "sampling/top_q.py": [("sampling/top_q", "there is no exercise sampling/top_q")],
    "sampling/top_p.py.txt": [("sampling/top_p", "sampling/top_p.py.txt lies where no submission is looked for")],
    "sampling/top_p (1).py": [("sampling/top_p (1)", "there is no exercise sampling/top_p (1)")],
    "README.md": [],
    "figures/loss.png": [],
    "venv/lib/top_p.py": [],
    "__MACOSX/sampling/._top_p.py": [],
}
MARKED = {
    "hw1.py": (b"\xef\xbb\xbf# cloze: sampling/top_p\r\nx", ["sampling/top_p"]),
    "rms_norm.py": (b"# cloze: triton/rms_norm", ["triton/rms_norm"]),
    "hw2.py": (b"x = 1\n# cloze: sampling/top_p\n", [""]),
    "week1.ipynb": (NB, ["attention/kv_cache", "sampling/top_p"]),
    "hw3.py": (b"# cloze: sampling/top_q\n", ["sampling/top_q"]),
}


@pytest.mark.parametrize("file", FILES)
def test_what_a_file_is_for_its_place_and_name_tell(file):
    lines = [line for line in read({f"ada/{file}": b"", "ada/attention/kv_cache.py": b"#"})[1] if line[2] != b"#"]
    assert [line[1] for line in lines] == [id for id, _ in FILES[file]]
    assert all(
        line[2] == why or (why and line[2].startswith(why)) for line, (_, why) in zip(lines, FILES[file], strict=True)
    )


@pytest.mark.parametrize("file", MARKED)
def test_else_its_first_line_tells(file):
    raw, ids = MARKED[file]
    assert [line[1] for line in read({f"ada/{file}": raw})[1]] == ids


def test_of_several_for_one_exercise_the_one_that_lies_least_deep_counts():
    files = {"ada/sampling/top_p.py": b"1", "ada/old/sampling/top_p.py": b"2", "ada/sampling/top_p.ipynb": b"3"}
    assert [line[2] for line in read(files)[1]] == [
        "old/sampling/top_p.py is not graded: sampling/top_p.py is for the same exercise; hand in one of them",
        b"3",
        b"1",
    ]
    files = {"ada/a/top_p.py": b"1", "ada/b/top_p.py": b"2"}
    assert all("is not graded" in line[2] for line in read(files)[1])


# Times

MOMENTS = {
    "2026-04-26 17:34:00.861687000 Z": datetime(2026, 4, 26, 17, 34, 0, 861687, UTC),
    "2026-04-26 17:34:00 -07:00": datetime(2026, 4, 27, 0, 34, tzinfo=UTC),
    "2026-07-01 12:00:00.5 America/New_York": datetime(2026, 7, 1, 16, 0, 0, 500000, UTC),
    "2026-01-01 12:00:00 America/New_York": datetime(2026, 1, 1, 17, tzinfo=UTC),
    "2016-01-30-15-00-00": datetime(2016, 1, 30, 15, tzinfo=UTC),
    "2026-04-26 17:34:00 EST": None,
    "2026-04-26 17:34:00 Nowhere/Land": None,
    "2026-04-26 17:34:00 ../../etc/passwd": None,
    "2026-02-30 17:34:00 UTC": None,
    "yesterday": None,
    "": None,
}


@pytest.mark.parametrize("text", MOMENTS)
def test_a_time_has_a_zone_or_is_none(text):
    assert moment(text) == MOMENTS[text]
