"""The store, on SQLite and on PostgreSQL: what was added is there once, whoever else writes, and failures are told in words."""

import os
import socket
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sql

from clozekit import clock
from clozekit.classroom import databases, store
from clozekit.classroom.decided import Decision
from clozekit.classroom.gradebook import Override
from clozekit.classroom.handed import Handed
from clozekit.classroom.store import Store
from clozekit.errors import ClozeError

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)


def decision(
    student="ada",
    content="x",
    points=1.0,
    verdict="passed",
    file="lab/square.py",
    handed_in=None,
    attempt="",
    id="lab/square",
):
    """One file, of which content is the key."""
    handed = Handed(student, id, file, Path(), None, handed_in, attempt)
    report = {"schema": 1, "exercise": id, "verdict": verdict, "points": points, "seconds": 0.5}
    return Decision(handed, f"digest of {content}", content, report)


def rows(kept, table):
    with kept.reading() as connection:
        return connection.execute(sql.select(table)).all()


def told(kept):
    return [(line["student"], line["key"], line["verdict"]) for line in kept.lines()]


def test_what_is_added_comes_out_in_order(url):
    whose = decision("李雷", handed_in=NOON.astimezone(), attempt="2")
    with Store(url) as kept:
        kept.add([whose, decision("bob", verdict="failed", content="y"), decision("ada")])
    with Store(url) as kept:
        assert told(kept) == [("ada", "x", "passed"), ("bob", "y", "failed"), ("李雷", "x", "passed")]
        assert list(kept.lines()[2].items()) == [
            ("student", "李雷"),
            ("file", "lab/square.py"),
            ("attempt", "2"),
            ("handed_in", "2027-03-01T12:00:00+00:00"),
            *whose.report.items(),
            ("key", "x"),
        ]


def test_a_second_time_changes_nothing(url):
    with Store(url) as kept:
        kept.add([decision("ada"), decision("bob")])
        lines = kept.lines()
        again = decision("ada")
        kept.add([again._replace(report=again.report | {"seconds": 9.0})])
        assert kept.lines() == lines
        assert (len(rows(kept, store.results)), len(rows(kept, store.attempts))) == (1, 2)


def test_of_what_lay_at_a_place_the_last_counts_and_all_is_kept(url, monkeypatch):
    """Even if the clock was put back in the meantime."""
    with Store(url) as kept:
        kept.add([decision(content="old", points=2.0)])
    monkeypatch.setattr(clock, "now", lambda: NOON - timedelta(days=4000))
    with Store(url) as kept:
        kept.add([decision(content="new")])
        assert told(kept) == [("ada", "new", "passed")]
        kept.add([decision(content="old")])
        assert told(kept) == [("ada", "old", "passed")]
        assert [(event.what, event.points) for event in kept.history("ada")] == [
            ("lab/square.py", 2.0),
            ("lab/square.py", 1.0),
        ]


def test_attempts_of_the_layout_count_side_by_side(url):
    with Store(url) as kept:
        kept.add([decision(content=f"try {number}", attempt=number) for number in ("1", "2")])
        assert [line["attempt"] for line in kept.lines()] == ["1", "2"]


def test_one_file_may_answer_several_exercises(url):
    with Store(url) as kept:
        kept.add([decision(file="all.ipynb", id=each, content=each) for each in ("lab/cube", "lab/square")])
        assert [line["key"] for line in kept.lines()] == ["lab/cube", "lab/square"]


def test_what_could_not_be_checked_is_no_result(url):
    undecided = decision(verdict="could not check", points=0.0)
    with Store(url) as kept:
        kept.add([undecided])
        assert told(kept) == [("ada", "x", "could not check")]
        assert kept.result("x") is None
        assert kept.current() == {}
        kept.add([decision("bob")])  # the same file, and now it could be
        assert told(kept) == [("ada", "x", "passed"), ("bob", "x", "passed")]
        kept.add([undecided])
        assert told(kept)[0] == ("ada", "x", "passed")


def test_of_a_file_that_is_gone_only_what_was_decided_stays(url, tmp_path):
    here = decision("ada", "x1", verdict="could not check")
    gone = [decision("canary", "x2", verdict="could not check"), decision("cyd", "x3")]
    with Store(url) as kept:
        kept.add([here, *gone])
        kept.drop_undecided([here.handed])
        assert told(kept) == [("ada", "x1", "could not check"), ("cyd", "x3", "passed")]
    assert not [path for path in tmp_path.iterdir() if b"canary" in path.read_bytes()]


def test_names_of_any_length(url):
    deep = "/".join(["d" * 250] * 15)
    with Store(url) as kept:
        kept.add([decision(file=deep), decision(file=deep + "e")])
        assert [len(line["file"]) for line in kept.lines()] == [len(deep), len(deep) + 1]


# The seed


def test_the_seed_is_drawn_once_and_is_another_for_every_store(url, tmp_path):
    with Store(url) as one, Store(url) as same, Store(f"sqlite:///{tmp_path}/other.db") as other:
        assert one.seed() == same.seed() != other.seed()
        one.plant(7)
        assert one.seed() == same.seed() != 7


def test_a_file_is_its_owners_alone(tmp_path):
    Store(f"sqlite:///{tmp_path}/new/store.db")
    assert (tmp_path / "new/store.db").stat().st_mode & 0o777 == 0o600


# Several at once


def at_once(action, count=4):
    together = threading.Barrier(count)

    def act(number):
        together.wait(60)
        return action(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(act, range(count)))


def test_who_comes_first_makes_the_tables(url):
    assert len(set(at_once(lambda _: Store(url).seed()))) == 1


def test_several_write_at_once_and_no_row_is_lost_or_doubled(url):
    """Each has files of its own and some that all have, in another order."""

    def write(number):
        with Store(url) as kept:
            for step in range(15):
                shared = [decision(f"all {i}", f"shared {i}") for i in range(step, step + 3)]
                kept.add(
                    [decision(f"{number}", f"own {number} {step}", attempt=f"{step}"), *shared[:: 1 - 2 * (number % 2)]]
                )

    Store(url)
    at_once(write)
    with Store(url) as kept:
        assert len(kept.lines()) == len(rows(kept, store.attempts)) == 4 * 15 + 17
        assert len(rows(kept, store.results)) == 4 * 15 + 17


def test_a_second_grader_hears_who_the_first_one_is(tmp_path):
    url = databases.parsed(f"sqlite:///{tmp_path}/store.db")
    who = rf"process {os.getpid()} on {socket.gethostname()} \(since 20.*\) writes to .*store\.db; wait for it"
    with databases.alone(url), pytest.raises(ClozeError, match=who), databases.alone(url):
        pass
    with databases.alone(url):  # it has gone
        pass


def test_a_server_takes_several_graders(database):
    url = databases.parsed(database)
    with databases.alone(url), databases.alone(url):
        pass


# What goes wrong


def test_a_locked_database_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(databases, "PATIENCE", 0.0)
    with Store(f"sqlite:///{tmp_path}/store.db") as kept:
        other = sqlite3.connect(tmp_path / "store.db")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(ClozeError, match=r"store\.db: database is locked; another program has it open"):
            kept.add([decision()])
        other.close()
        kept.add([decision()])
        assert told(kept) == [("ada", "x", "passed")]


def test_on_a_full_disk_what_was_added_stays(tmp_path):
    with Store(f"sqlite:///{tmp_path}/store.db") as kept:
        with kept.reading() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        sql.event.listen(kept.engine, "begin", lambda c: c.exec_driver_sql(f"PRAGMA max_page_count = {pages + 4}"))
        kept.add([decision()])
        with pytest.raises(
            ClozeError, match=r"store\.db: database or disk is full; make room and run the same command"
        ):
            kept.add([decision(f"{number}", f"{number}" * 100) for number in range(300)])
        assert told(kept) == [("ada", "x", "passed")]


DAMAGE = {
    "no database": (b"student,points\n" * 100, "file is not a database; it is no store; move it away"),
    "damaged": (None, "malformed; the file is damaged; restore it"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_file_that_is_no_store_is_told(name, tmp_path):
    content, why = DAMAGE[name]
    path = tmp_path / "store.db"
    if not content:
        with Store(f"sqlite:///{path}") as kept:
            kept.add([decision(f"{number}") for number in range(100)])
        whole = path.read_bytes()
        content = whole[:4096] + b"\xff" * (len(whole) - 4096)
    path.write_bytes(content)
    with pytest.raises(ClozeError, match=why):
        Store(f"sqlite:///{path}").lines()


def test_a_newer_store_is_refused_and_left_as_it_is(url):
    with Store(url) as kept, kept.writing() as connection:
        connection.execute(sql.update(store.meta).where(store.meta.c.name == "schema").values(value="99"))
    for _ in range(2):
        with pytest.raises(ClozeError, match="is of schema 99, written by a newer clozekit"):
            Store(url)


@pytest.mark.parametrize("address", ["results", "mysql://db/course", "sqlite://", "sqlite:///:memory:", "https://x/y"])
def test_what_is_no_address_of_a_store_is_told(address):
    with pytest.raises(ClozeError, match="is no address of a store; write sqlite:///"):
        Store(address)


def test_a_server_that_is_not_there_is_told_without_the_password(tmp_path):
    with pytest.raises(ClozeError, match=r"No such file or directory|connection") as error:
        Store(f"postgresql://grader:canary@/course?host={tmp_path}")
    assert "canary" not in str(error.value)


# Overrides, forgetting, merging


def test_the_last_override_counts_and_the_history_has_all(url):
    place = ("ada", "lab/square")
    with Store(url) as kept:
        kept.override({place: 2.0}, "by hand")
        kept.override({place: 2.5}, "once more")
        assert kept.overrides() == {place: Override(2.5, "once more")}
        kept.override({place: None}, "no")
        assert kept.overrides() == {}
        assert [(event.points, event.detail) for event in kept.history("ada")] == [
            (2.0, "by hand"),
            (2.5, "once more"),
            (None, "no"),
        ]
        assert kept.students() == ["ada"]


def test_who_is_forgotten_leaves_nothing_and_takes_nothing_of_others(url, tmp_path):
    with Store(url) as kept:
        kept.add([decision("canary", "shared"), decision("bob", "shared"), decision("canary", "canary's")])
        kept.add([decision("canary", "canary's own", attempt="2")])
        kept.override({("canary", "lab/square"): 1.0}, "canary")
        assert kept.forget("canary") == (3, 1, 2)
        assert told(kept) == [("bob", "shared", "passed")]
        assert kept.students() == ["bob"]
        assert kept.history("canary") == []
    for path in tmp_path.iterdir():
        assert b"canary" not in path.read_bytes()


def test_a_store_takes_in_another_once(url, tmp_path):
    with Store(f"sqlite:///{tmp_path}/part.db") as part, Store(url) as whole:
        part.add([decision("ada", "x"), decision("bob", "y", verdict="could not check")])
        part.override({("ada", "lab/square"): 2.0}, "by hand")
        part.used(7)
        whole.add([decision("ada", "newer"), decision("cyd", "x")])
        for _ in range(2):
            whole.take_in(part)
            assert [line[:2] for line in told(whole)] == [("ada", "newer"), ("bob", "y"), ("cyd", "x")]
            assert whole.overrides() == {("ada", "lab/square"): Override(2.0, "by hand")}
            assert [len(rows(whole, table)) for table in (store.results, store.attempts, store.overrides)] == [2, 4, 1]


def test_other_seeds_do_not_mix(url, tmp_path):
    with Store(f"sqlite:///{tmp_path}/part.db") as part, Store(url) as whole:
        part.used(7)
        part.add([decision("ada", "x")])
        whole.used(8)
        with pytest.raises(
            ClozeError, match=r"part\.db was graded with another seed than .* with the seed of the others"
        ):
            whole.take_in(part)
        assert whole.lines() == []
