"""What a course has decided, in a database: SQLite beside the results, or a school's PostgreSQL.

    store = Store("sqlite:///results/store.db")
    store.add([Decision(handed, digest, key, report)])      committed when it returns; a second time changes nothing
    store.lines()                                           what results.jsonl holds, in its order

    results     key -> report           by content, without the student: equal files are graded once
    attempts    place, key -> student, file, attempt, when it was handed in and seen; older versions stay as history
    overrides   student, exercise -> points, reason, when; only ever added to
    meta        schema, the secret seed, a digest of the seed that was used last

A place is where a file of a student lies, once for each exercise that it answers. Of the versions seen there the one seen last
counts. What could not be checked is no result: the reason stays with the attempt until a run decides it.
"""

import contextlib
import hashlib
import json
import secrets
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sql
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Connection, Row

from clozekit import clock
from clozekit.classroom import databases
from clozekit.classroom.decided import WHOSE, Decision, in_utc, is_decided, place_of
from clozekit.classroom.gradebook import Override
from clozekit.classroom.handed import Handed, Line
from clozekit.errors import ClozeError

SCHEMA = 1
SEEDS = ("seed", "seed used")  # of meta
tables = sql.MetaData()
meta = sql.Table(
    "meta",
    tables,
    sql.Column("name", sql.Text, primary_key=True),
    sql.Column("value", sql.Text, nullable=False),
)
results = sql.Table(
    "results",
    tables,
    sql.Column("key", sql.Text, primary_key=True),
    sql.Column("report", sql.Text, nullable=False),  # JSON
)
attempts = sql.Table(
    "attempts",
    tables,
    sql.Column(
        "place", sql.Text, primary_key=True
    ),  # a digest of student, exercise, file and attempt, which may be long
    sql.Column("key", sql.Text, primary_key=True),
    sql.Column("student", sql.Text, nullable=False, index=True),
    sql.Column("exercise", sql.Text, nullable=False),
    sql.Column("file", sql.Text, nullable=False),
    sql.Column("attempt", sql.Text, nullable=False),
    sql.Column("handed_in", sql.Text, nullable=False),
    sql.Column("digest", sql.Text, nullable=False),
    sql.Column("first_seen", sql.Text, nullable=False),
    sql.Column("seen", sql.Text, nullable=False),  # when it became the one that counts
    sql.Column("undecided", sql.Text),  # the report on what could not be checked
)
overrides = sql.Table(
    "overrides",
    tables,
    sql.Column("id", sql.Integer, primary_key=True),
    sql.Column("student", sql.Text, nullable=False, index=True),
    sql.Column("exercise", sql.Text, nullable=False),
    sql.Column("points", sql.Float),  # NULL: what was graded counts again
    sql.Column("reason", sql.Text, nullable=False),
    sql.Column("at", sql.Text, nullable=False),
)


class Event(NamedTuple):
    """Of a student's history: a version of a file that was seen, or points that a teacher gave or (None) took back."""

    at: str
    exercise: str
    what: str
    verdict: str
    points: float | None
    detail: str  # the beginning of the file's digest; why points were given


class Store:
    """One course. Used by one thread.

    fresh: it was empty when it was opened.

    Raises:
        ClozeError: it cannot be opened, or is of a newer kit.
    """

    def __init__(self, url: str | URL):
        self.url = databases.parsed(url)
        self.engine = databases.engine(self.url)
        on_sqlite = self.url.get_backend_name() == "sqlite"
        self.insert = sqlite.insert if on_sqlite else postgresql.insert
        self.by_bytes = "BINARY" if on_sqlite else "C"  # the collation that orders text as Python does
        with self.reading() as connection:
            schema = self._meta(connection, "schema") if sql.inspect(connection).has_table("meta") else None
        self.fresh = schema is None
        if self.fresh:
            with self.writing() as connection:
                databases.one_at_a_time(connection)
                tables.create_all(connection)
                self._remember(connection, "schema", str(SCHEMA))
        elif int(schema or 0) > SCHEMA:
            raise ClozeError(
                f"{self.url} is of schema {schema}, written by a newer clozekit than this one, which knows schema {SCHEMA}; "
                "install that version"
            )
        with self.reading() as connection:
            self.last = connection.scalar(sql.select(sql.func.max(attempts.c.seen))) or ""

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.dispose()

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction: all of it is on the disk when the block ends, or nothing."""
        connected = self.engine.connect().execution_options(writes=True)
        with databases.told(self.url), connected as connection, connection.begin():
            yield connection

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        with databases.told(self.url), self.engine.connect() as connection:
            yield connection

    # The seed

    def seed(self) -> int:
        """The secret seed of the course, drawn when first asked for. Who knows it can foresee every hidden case."""
        with self.writing() as connection:
            self._remember(connection, "seed", str(secrets.randbits(62)))
            return int(self._meta(connection, "seed") or 0)

    def plant(self, seed: int) -> None:
        """The seed that is kept from now on, unless there is one already."""
        with self.writing() as connection:
            self._remember(connection, "seed", str(seed))

    def used(self, seed: int) -> None:
        """Keep which seed results come from, so that a merge finds shards that were asked other questions."""
        with self.writing() as connection:
            connection.execute(sql.delete(meta).where(meta.c.name == "seed used"))
            self._remember(connection, "seed used", digest_of(seed))

    def used_another(self, seed: int) -> bool:
        """Whether results come from another seed than this."""
        with self.reading() as connection:
            return (self._meta(connection, "seed used") or digest_of(seed)) != digest_of(seed)

    def need_same_seed(self, other: "Store") -> None:
        """Raises ClozeError where the results of two stores follow from different seeds."""
        with self.reading() as ours, other.reading() as theirs:
            for name in SEEDS:
                mine, its = self._meta(ours, name), self._meta(theirs, name)
                if mine and its and mine != its:
                    raise ClozeError(
                        f"{other.url} was graded with another seed than {self.url}: its students were asked other questions; "
                        "grade it again with the seed of the others (--seed, or CLOZE_SEED)"
                    )

    def _meta(self, connection: Connection, name: str) -> str | None:
        return connection.scalar(sql.select(meta.c.value).where(meta.c.name == name))

    def _remember(self, connection: Connection, name: str, value: str) -> None:
        """Unless there is a value already."""
        connection.execute(self.insert(meta).values(name=name, value=value).on_conflict_do_nothing())

    # Results and attempts

    def result(self, key: str) -> Line | None:
        """What was decided under this key, by any run."""
        with self.reading() as connection:
            report = connection.scalar(sql.select(results.c.report).where(results.c.key == key))
        return json.loads(report) if report else None

    def current(self) -> dict[str, tuple[str, str]]:
        """Of each place the key that counts and when it was handed in, where that is decided."""
        with self.reading() as connection:
            return {row.place: (row.key, row.handed_in) for row in self._current(connection) if row.report}

    def add(self, decisions: Collection[Decision]) -> None:
        """Remember what was decided of these files, and that they are what lies at their places now."""
        if not decisions:
            return
        decided = {each.key: each.report for each in decisions if is_decided(each.report)}
        now = self._now()
        rows = [
            {
                "place": place_of(each.handed),
                "key": each.key,
                "student": each.handed.student,
                "exercise": each.handed.exercise,
                "file": each.handed.file,
                "attempt": each.handed.attempt,
                "handed_in": in_utc(each.handed.handed_in),
                "digest": each.digest,
                "first_seen": now,
                "seen": now,
                "undecided": None if is_decided(each.report) else json.dumps(each.report),
            }
            for each in decisions
        ]
        with self.writing() as connection:
            self._add_results(connection, {key: json.dumps(report) for key, report in decided.items()})
            self._add_attempts(connection, rows)

    def _now(self) -> str:
        """Later than all that was seen before, even if the clock was put back."""
        now = clock.now()
        if self.last:
            now = max(now, datetime.fromisoformat(self.last) + timedelta(microseconds=1))
        self.last = exact(now)
        return self.last

    def _add_results(self, connection: Connection, reports: dict[str, str]) -> None:
        """Two graders may have decided the same: the first result stays."""
        rows = [{"key": key, "report": report} for key, report in sorted(reports.items())]
        if rows:
            connection.execute(self.insert(results).on_conflict_do_nothing(), rows)

    def _add_attempts(self, connection: Connection, rows: list[dict[str, Any]]) -> None:
        insert = self.insert(attempts)
        changed = {name: insert.excluded[name] for name in ("handed_in", "seen", "undecided")}
        upsert = insert.on_conflict_do_update(index_elements=["place", "key"], set_=changed)
        if rows:  # in order, as two graders that wait for each other's rows would wait for ever
            connection.execute(upsert, sorted(rows, key=lambda row: (row["place"], row["key"])))

    def _current(self, connection: Connection) -> Iterable[Row]:
        """The attempt that counts at every place, with its report."""
        other = attempts.alias()
        last = sql.select(sql.func.max(other.c.seen)).where(other.c.place == attempts.c.place).scalar_subquery()
        joined = attempts.outerjoin(results, results.c.key == attempts.c.key)
        in_order = [attempts.c[name].collate(self.by_bytes) for name in ("student", "exercise", "file", "attempt")]
        return connection.execute(
            sql.select(attempts, results.c.report)
            .select_from(joined)
            .where(attempts.c.seen == last)
            .order_by(*in_order),
            execution_options={"yield_per": 500},  # of a large class no more at a time
        )

    def each_line(self) -> Iterator[Line]:
        """Everything that counts now, as lines of results.jsonl in their order, one at a time."""
        with self.reading() as connection:
            for row in self._current(connection):
                yield _line(row)

    def lines(self) -> list[Line]:
        """All of them at once."""
        return [*self.each_line()]

    def drop_undecided(self, present: Iterable[Handed]) -> None:
        """Forget what could not be checked of files that are not there any more."""
        there = {place_of(handed) for handed in present}
        undecided = sql.select(attempts.c.place, attempts.c.key).where(attempts.c.key.not_in(sql.select(results.c.key)))
        with self.writing() as connection:
            gone = [
                {"of_place": row.place, "of_key": row.key}
                for row in connection.execute(undecided)
                if row.place not in there
            ]
            if gone:
                of = (attempts.c.place == sql.bindparam("of_place")) & (attempts.c.key == sql.bindparam("of_key"))
                connection.execute(sql.delete(attempts).where(of), gone)

    # What a teacher decides

    def override(self, decided: dict[tuple[str, str], float | None], reason: str) -> None:
        """Give points for exercises of students; None: what was graded counts again."""
        at = exact(clock.now())
        rows = [
            {"student": student, "exercise": exercise, "points": points, "reason": reason, "at": at}
            for (student, exercise), points in decided.items()
        ]
        with self.writing() as connection:
            if rows:
                connection.execute(sql.insert(overrides), rows)

    def overrides(self) -> dict[tuple[str, str], Override]:
        """Those that count: of each student and exercise the last."""
        with self.reading() as connection:
            rows = connection.execute(sql.select(overrides).order_by(overrides.c.at, overrides.c.id)).all()
        last = {(row.student, row.exercise): row for row in rows}
        return {place: Override(row.points, row.reason) for place, row in last.items() if row.points is not None}

    def students(self) -> list[str]:
        """Everybody of whom there is anything."""
        both = sql.union(sql.select(attempts.c.student), sql.select(overrides.c.student))
        with self.reading() as connection:
            return sorted(student for student in connection.scalars(both) if student)

    def history(self, student: str) -> list[Event]:
        """All that was seen and decided of a student, in order of time."""
        joined = attempts.outerjoin(results, results.c.key == attempts.c.key)
        with self.reading() as connection:
            seen = connection.execute(
                sql.select(attempts, results.c.report).select_from(joined).where(attempts.c.student == student)
            ).all()
            given = connection.execute(sql.select(overrides).where(overrides.c.student == student)).all()
        events = []
        for row in seen:
            report = _line(row)
            points = report["points"] if is_decided(report) else None
            events.append(Event(row.first_seen, row.exercise, row.file, report["verdict"], points, row.digest[:12]))
        events += [Event(row.at, row.exercise, "override", "", row.points, row.reason) for row in given]
        return sorted(events, key=lambda event: event.at)

    def forget(self, student: str) -> tuple[int, int, int]:
        """Delete what is known of a student; results only where no other student has the same file.

        Returns how many attempts, overrides and results there were. Nothing of them is left in the files of the database.
        """
        with self.writing() as connection:
            counts = [
                connection.execute(sql.delete(table).where(table.c.student == student)).rowcount
                for table in (attempts, overrides)
            ]
            orphan = results.c.key.not_in(sql.select(attempts.c.key))
            counts.append(connection.execute(sql.delete(results).where(orphan)).rowcount)
        with databases.told(self.url):
            databases.vacuum(self.engine)
        return counts[0], counts[1], counts[2]

    def take_in(self, other: "Store") -> None:
        """Add everything that another store of the same course holds. A second time changes nothing.

        Raises:
            ClozeError: its results follow from another seed.
        """
        with other.reading() as theirs:
            held = {
                table: [dict(row._mapping) for row in theirs.execute(sql.select(table))]
                for table in tables.sorted_tables
            }
        self.need_same_seed(other)
        with self.writing() as ours:
            for row in held[meta]:
                if row["name"] in SEEDS:
                    self._remember(ours, row["name"], row["value"])
            self._add_results(ours, {row["key"]: row["report"] for row in held[results]})
            known = {(row.place, row.key): row.seen for row in ours.execute(sql.select(attempts))}
            newer = [row for row in held[attempts] if row["seen"] > known.get((row["place"], row["key"]), "")]
            self._add_attempts(ours, newer)
            given = {tuple(row)[1:] for row in ours.execute(sql.select(overrides))}
            ids = sql.insert(overrides)
            for row in held[overrides]:
                del row["id"]
                if tuple(row.values()) not in given:
                    ours.execute(ids, row)


def digest_of(seed: int) -> str:
    return hashlib.sha256(f"clozekit {seed}".encode()).hexdigest()[:32]


def exact(moment: datetime) -> str:
    """A moment as text that sorts by time."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _line(row: Row) -> Line:
    report = json.loads(row.report or row.undecided)
    return {name: getattr(row, name) for name in WHOSE} | report | {"key": row.key}
