"""cloze gradebook: what a teacher sees, corrects, brings back from a spreadsheet, and has deleted."""

import errno
import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from clozekit.classroom import databases, outputs
from clozekit.classroom.decided import Decision
from clozekit.classroom.handed import Handed
from clozekit.classroom.store import Store
from clozekit.errors import ClozeError

ID = "normalization/rms_norm"
OTHER = "sampling/top_p"


def decision(student, points, exercise=ID, verdict="passed", content="x", day=1, of=10.0):
    when = datetime(2027, 3, day, 12, tzinfo=UTC)
    report = {"schema": 1, "exercise": exercise, "verdict": verdict, "points": points, "max_points": of}
    return Decision(Handed(student, exercise, f"{exercise}.py", Path(), None, when), f"d{content}", content, report)


@pytest.fixture
def out(tmp_path):
    """What `cloze grade` has left: ada and bob in two exercises, of cyd nothing that could be checked."""
    out = tmp_path / "out"
    with Store(databases.beside(out)) as store:
        store.add(
            [
                decision("ada", 9.0, content="a", day=3),
                decision("bob", 4.5, content="b"),
                decision("ada", 2.0, OTHER, content="c", of=4.0),
                decision("bob", 4.0, OTHER, content="d", of=4.0),
                decision("cyd", 0.0, verdict="could not check", content="e"),
            ]
        )
        outputs.write(out, store, [ID, OTHER])
    return out


@pytest.fixture
def syllabus(tmp_path):
    path = tmp_path / "course.toml"
    path.write_text(f'[deadlines]\n"{ID}" = 2027-03-01T12:00:00Z\n[grades]\nlate_per_day = 0.25\ndrop_lowest = 1\n')
    return path


def table(out):
    return (out / "grades.csv").read_text()


def test_the_table(cloze, out):
    shown = cloze("gradebook", out)
    assert shown.exit_code == 0
    assert [line.split() for line in shown.output.splitlines()] == [
        ["student", ID, OTHER, "total"],
        ["ada", "9", "2", "11/14"],
        ["bob", "4.5", "4", "8.5/14"],
        ["cyd", "?", "0/14?"],
        "?: could not be checked".split(),
    ]
    assert cloze("gradebook", "--store", f"sqlite:///{out}/store.db").output == shown.output


def test_the_table_of_a_course_marks_what_its_rules_did(cloze, out, syllabus):
    """ada is two days late: half of 9 is left, as good a share as that of the other exercise, which is left out as the later."""
    cloze("gradebook", "set", "bob", OTHER, "1", "--reason", "copied", "--out", out)
    lines = cloze("gradebook", out, "--course", syllabus).output.splitlines()
    assert lines[1].split() == ["ada", "[4.5", "(-4.5)]", "2", "2/4"]
    assert lines[2].split() == ["bob", "4.5", "[1*]", "4.5/10"]
    assert lines[4:] == [
        "(-1): taken off for lateness",
        "*: set by a teacher; `cloze gradebook history STUDENT` says why",
        "?: could not be checked",
        "[ ]: left out of the sum",
    ]


def test_the_table_as_csv(cloze, out, tmp_path):
    cloze("gradebook", out, "--csv", tmp_path / "table.csv")
    expected = f"student,{ID},{OTHER},total\nada,9.0,2.0,11.0\nbob,4.5,4.0,8.5\ncyd,?,,0.0\n"
    assert (tmp_path / "table.csv").read_text() == cloze("gradebook", out, "--csv", "-").output == expected


def test_the_table_as_platforms_import_it(cloze, out, syllabus, tmp_path):
    """With what lateness takes off, and what a teacher has set: two copies of the gradebook must not differ."""
    cloze("gradebook", "set", "bob", OTHER, "1", "--reason", "copied", "--out", out)
    forms = ("--format", f"canvas={tmp_path}/canvas.csv", "--format", "moodle")
    shown = cloze("gradebook", out, "--course", syllabus, *forms)
    assert shown.output.splitlines() == [f"idnumber,{ID},{OTHER}", "ada,4.5,2", "bob,4.5,1", "cyd,,"]
    assert (tmp_path / "canvas.csv").read_bytes().splitlines()[2:] == [
        b"ada,,ada,ada,,4.5,2",
        b"bob,,bob,bob,,4.5,1",
        b"cyd,,cyd,cyd,,,",
    ]


def test_what_is_set_counts_until_it_is_unset(cloze, out):
    assert cloze("gradebook", "set", "cyd", ID, "7.5", "--reason", "by hand", "--out", out).exit_code == 0
    assert "cyd,7.5," in table(out)
    assert "7.5*" in cloze("gradebook", out).output
    assert cloze("gradebook", "unset", "cyd", ID, "--out", out).exit_code == 0
    assert "cyd,?," in table(out)
    told = [line.split()[2:] for line in cloze("gradebook", "history", "cyd", "--out", out).output.splitlines()]
    assert told[1:] == [
        [ID, f"{ID}.py", "could", "not", "check", "de"],
        [ID, "override", "7.5", "by", "hand"],
        [ID, "override", "what", "was", "graded", "counts", "again"],
    ]
    assert "override" not in cloze("gradebook", "history", "cyd", OTHER, "--out", out).output


def test_grades_in_exercises_of_a_content_that_is_not_at_hand_are_kept(cloze, out):
    """Else a correction without --content would take their columns out of grades.csv."""
    with Store(databases.beside(out)) as store:
        store.add([decision("ada", 3.0, "lab/square", content="s"), decision("bob", 1.0, "lab/square", content="t")])
    assert cloze("gradebook", "set", "bob", "lab/square", "2", "--reason", "x", "--out", out).exit_code == 0
    assert table(out) == f"student,{ID},{OTHER},lab/square\nada,9.0,2.0,3.0\nbob,4.5,4.0,2.0\ncyd,?,,\n"
    assert "2*" in cloze("gradebook", out).output


REFUSED = {
    "an unknown student": (
        ["set", "adda", ID, "1", "--reason", "x"],
        "nobody is called `adda` here; did you mean `ada`?",
    ),
    "an unknown exercise": (["set", "ada", "normalization/rms", "1", "--reason", "x"], "rms_norm"),
    "no number": (["set", "ada", ID, "nan", "--reason", "x"], "nan is no number of points"),
    "less than nothing": (["set", "ada", ID, "--reason", "x", "--", "-1"], "-1.0 is no number of points"),
    "no reason": (["set", "ada", ID, "1"], "Missing option '--reason'"),
    "nothing to take back": (["unset", "ada", ID], "nothing is set for ada and"),
    "nobody to forget": (["forget", "zoe"], "nobody is called `zoe` here; `cloze gradebook OUT` shows who is"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_meant_is_refused(name, cloze, out):
    (command, *arguments), why = REFUSED[name]
    before = table(out), cloze("gradebook", out).output
    done = cloze("gradebook", command, "--out", out, *arguments)
    assert done.exit_code == 2
    assert why in done.stderr
    assert (table(out), cloze("gradebook", out).output) == before


def test_nobody_said_which_results(cloze, tmp_path):
    assert "Give the directory of `cloze grade --out`, or --store URL" in cloze("gradebook", "history", "ada").stderr
    done = cloze("gradebook", tmp_path / "outt")
    assert done.exit_code == 2
    assert f"outt/store.db does not exist; `cloze grade DIRECTORY --out {tmp_path}/outt` makes it" in done.stderr
    assert not (tmp_path / "outt").exists()


def test_nothing_is_changed_while_a_class_is_graded(cloze, out):
    with databases.alone(databases.beside(out)):
        done = cloze("gradebook", "set", "ada", ID, "1", "--reason", "x", "--out", out)
        assert done.exit_code == 2
        assert "wait for it" in done.stderr
        assert cloze("gradebook", out).exit_code == 0


# A spreadsheet


def test_corrected_points_come_back(cloze, out, syllabus, tmp_path):
    """What is as the table had it, under the same rules, is no correction; nor is what a spreadsheet shows with fewer digits."""
    path = tmp_path / "table.csv"
    cloze("gradebook", "set", "bob", OTHER, 0.1 + 0.2, "--reason", "adds up", "--out", out)
    cloze("gradebook", out, "--course", syllabus, "--csv", path)
    text = path.read_text()
    for before, after in {"ada,4.5,2.0": "ada,4.50,3.5", "0.30000000000000004": "0.3", "cyd,?": "cyd,1"}.items():
        assert before in text
        text = text.replace(before, after)
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    command = ["gradebook", "import", path, "--reason", "second look", "--course", syllabus, "--out", out]
    assert cloze(*command).output == f"ada  {OTHER}  3.5\ncyd  {ID}  1\n2 changed\n"
    assert cloze(*command).output == "0 changed\n"
    assert "second look" in cloze("gradebook", "history", "ada", "--out", out).output
    assert table(out) == f"student,{ID},{OTHER}\nada,9.0,3.5\nbob,4.5,0.30000000000000004\ncyd,1.0,\n"


BAD = {
    "another student": (f"student,{ID}\nada,1\nzoe,2\n", "line 3: nobody is called `zoe` here"),
    "another exercise": ("student,rms_norm\nada,1\n", "line 1: no exercise is called `rms_norm`"),
    "no students": (f"{ID}\n1\n", "line 1: the first column has to be `student`"),
    "nothing": ("", "line 1: the first column has to be `student`"),
    "semicolons": (f"student;{ID}\nada;1\n", "divided by `;`, save it with commas"),
    "a decimal comma": (f"student,{ID}\nada,2,5\n", "line 2: 3 cells under 2 columns; a decimal point is a `.`"),
    "words": (f"student,{ID}\nbob,1\nada,good\n", f"line 3, {ID}: `good` is no number of points"),
    "less than nothing": (f"student,{ID}\nada,-1\n", "`-1` is no number of points"),
    "infinite": (f"student,{ID}\nada,inf\n", "`inf` is no number of points"),
    "one student twice": (f"student,{ID}\nada,1\nada,2\n", "line 3: `ada` has a line already"),
    "one exercise twice": (f"student,{ID},{ID}\nada,1,2\n", "has two columns"),
    "after a cell of two lines": (f'student,{ID}\nada,"\n"\nzoe,1\n', "line 4: nobody is called `zoe`"),
    "an open quote": (f'student,{ID}\n"ada,1\n', "no CSV: unexpected end of data"),
    "another encoding": (f"student,{ID}\nada,1\n".encode() + b"\xe4\n", "line 3 is not UTF-8"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_table_with_one_bad_line_changes_nothing(name, cloze, out, tmp_path):
    text, why = BAD[name]
    path = tmp_path / "bad.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    before = table(out)
    done = cloze("gradebook", "import", path, "--reason", "x", "--out", out)
    assert done.exit_code == 2
    assert "cloze: bad.csv: line " in done.stderr
    assert why in done.stderr
    assert table(out) == before


# Deleting


def test_who_is_forgotten_is_in_no_file_any_more(cloze, out):
    cloze("gradebook", "set", "ada", ID, "1", "--reason", "ada was ill", "--out", out)
    done = cloze("gradebook", "forget", "ada", "--out", out)
    assert "deleted: 2 attempts, 1 corrections, 2 results" in done.output
    assert "what was handed in" in done.output
    assert not [path.name for path in out.iterdir() if b"ada" in path.read_bytes()]
    assert table(out) == f"student,{ID},{OTHER}\nbob,4.5,4.0\ncyd,?,\n"
    assert cloze("gradebook", "history", "ada", "--out", out).exit_code == 2


def test_what_is_not_rewritten_is_said(cloze, out):
    """Without --out nobody knows where files were written."""
    done = cloze("gradebook", "forget", "ada", "--store", f"sqlite:///{out}/store.db")
    assert "give --out to have them rewritten" in done.output
    assert "ada" in table(out)


def test_results_of_an_older_clozekit_can_be_read(cloze, out):
    before = cloze("gradebook", out).output
    (out / "store.db").unlink()
    assert cloze("gradebook", out).output == before
    assert sqlite3.connect(out / "store.db").execute("SELECT count(*) FROM results").fetchone() == (4,)


def test_a_merge_needs_parts_that_exist_and_a_place(cloze, out, tmp_path):
    assert "Give --out DIR" in cloze("gradebook", "merge", out).stderr
    done = cloze("gradebook", "merge", out, tmp_path / "none", "--out", tmp_path / "all")
    assert done.exit_code == 2
    assert "none/store.db does not exist" in done.stderr


def test_every_command_below_has_help(cloze):
    for name in ("show", "set", "unset", "import", "history", "forget", "merge"):
        shown = cloze("gradebook", name, "--help")
        assert shown.exit_code == 0
        assert name in cloze("gradebook", "--help").output


def test_a_table_with_sums_is_imported_by_the_course_that_made_it(cloze, out, syllabus, tmp_path):
    """Or what lateness took off would become a correction for ever."""
    cloze("gradebook", out, "--course", syllabus, "--csv", tmp_path / "table.csv")
    refused = cloze("gradebook", "import", tmp_path / "table.csv", "--reason", "second look", "--out", out)
    assert refused.exit_code == 2
    assert "give the --course that it was written with" in refused.output
    options = "--reason", "second look", "--course", syllabus, "--out", out
    assert cloze("gradebook", "import", tmp_path / "table.csv", *options).output == "0 changed\n"


@pytest.mark.parametrize("reason", ["", " \n"])
def test_points_need_a_reason_that_says_something(reason, cloze, out):
    refused = cloze("gradebook", "set", "cyd", OTHER, "4", "--reason", reason, "--out", out)
    assert refused.exit_code == 2
    assert "--reason is empty" in refused.output
    assert "4" not in table(out).splitlines()[-1]


def test_a_merge_is_of_all_parts_or_of_none(cloze, out, tmp_path):
    merged = tmp_path / "merged"
    assert cloze("gradebook", "merge", out, tmp_path / "nope", "--out", merged).exit_code == 2
    other = tmp_path / "other"
    for place, seed in ((out, 1), (other, 2)):
        with Store(databases.beside(place)) as store:
            store.used(seed)
    refused = cloze("gradebook", "merge", out, other, "--out", merged)
    assert refused.exit_code == 2
    assert "with another seed" in refused.output
    assert not merged.exists()


def test_platforms_get_the_exercises_of_the_course(cloze, out, tmp_path):
    with Store(databases.beside(out)) as store:
        store.add([decision("cyd", 0.0, "sampling/topp", "could not check", "f")])
    (tmp_path / "one.toml").write_text(f'exercises = ["{ID}"]\n')
    header = cloze("gradebook", out, "--format", "canvas=-", "--course", tmp_path / "one.toml").output.splitlines()[0]
    assert ID in header
    assert OTHER not in header
    assert "sampling/topp" not in cloze("gradebook", out, "--format", "canvas=-").output


def test_a_deadline_that_nobody_can_hold_anyone_to_is_said(cloze, out, syllabus):
    assert "nobody knows when" not in cloze("gradebook", out, "--course", syllabus).stderr
    with Store(databases.beside(out)) as store:
        timeless = decision("dan", 3.0, content="g")
        store.add([timeless._replace(handed=timeless.handed._replace(handed_in=None))])
    assert f"of 1 answers to {ID} nobody knows when" in cloze("gradebook", out, "--course", syllabus).stderr


def test_a_name_that_a_spreadsheet_would_run_is_text_there_and_comes_back(cloze, out, tmp_path):
    name = "=HYPERLINK(1)"
    with Store(databases.beside(out)) as store:
        store.add([decision(name, 3.0, content="f")])
    path = tmp_path / "table.csv"
    path.write_text(f"student,{ID}\n'{name},4.0\n")
    assert cloze("gradebook", "import", path, "--reason", "second look", "--out", out).exit_code == 0
    assert f"\n'{name},4.0" in table(out)


def test_who_may_only_read_the_results_can_read_them(cloze, out, monkeypatch):
    """A test that runs as root may write everywhere, so that the system is made to say no."""
    shown, really = cloze("gradebook", out).output, os.open

    def read_only(path, flags, *mode, **options):
        if str(path).startswith(str(out)) and flags & os.O_RDWR:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return really(path, flags, *mode, **options)

    monkeypatch.setattr(os, "open", read_only)
    assert cloze("gradebook", out).output == shown
    refused = cloze("gradebook", "set", "bob", ID, "1", "--reason", "x", "--out", out)
    assert refused.exit_code == 2
    assert "store.db.lock" in refused.output
    with Store(databases.beside(out)) as store, pytest.raises(ClozeError, match="you may only read it"):
        store.plant(1)
