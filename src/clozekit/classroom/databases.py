"""The two databases that a store may be in, and what they say when they fail.

sqlite:///results/store.db                     a file of 0600; one grader at a time
postgresql+psycopg://grader@db.school/course   any number of graders; a password belongs into ~/.pgpass
"""

import contextlib
import fcntl
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sql
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from clozekit import clock
from clozekit.errors import ClozeError

PATIENCE = 30.0  # seconds that a write waits for another program's
EXAMPLES = "sqlite:///results/store.db or postgresql+psycopg://grader@db.school/course"
ADVICE = {
    "readonly database": "you may only read it: `cloze gradebook` shows it; to change it, work on a copy",
    "database is locked": "another program has it open for writing; wait for it, and run the same command again",
    "disk is full": "make room and run the same command again: what was graded before is kept",
    "not a database": "it is no store; move it away, or give another --store",
    "malformed": "the file is damaged; restore it from a copy, or move it away: results.jsonl beside it is then taken over",
}


def parsed(url: str | URL) -> URL:
    """Raises ClozeError where no store can be."""
    try:
        found = make_url(url)
    except ArgumentError:
        raise ClozeError(f"{url} is no address of a store; write {EXAMPLES}") from None
    if found.get_backend_name() == "postgresql":
        return found.set(drivername="postgresql+psycopg")
    if found.get_backend_name() == "sqlite" and found.database not in (None, "", ":memory:"):
        return found
    raise ClozeError(f"{found} is no address of a store; write {EXAMPLES}")


def engine(url: URL) -> Engine:
    """Connections to a database; an SQLite file is made, and is nobody else's to read: it holds the secret seed.

    One that this user may only read is opened for that.
    """
    if url.get_backend_name() == "postgresql":
        try:
            return sql.create_engine(url)
        except ModuleNotFoundError:
            raise ClozeError(f"for {url} there has to be a driver: pip install 'clozekit[postgres]'") from None
    path = file_of(url)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError:
        if not path.exists():
            raise
        url = url.set(database=path.absolute().as_uri(), query={"mode": "ro", "uri": "true"})
    made = sql.create_engine(url, connect_args={"timeout": PATIENCE})
    sql.event.listen(made, "connect", _connected)
    sql.event.listen(made, "begin", _begun)
    return made


def beside(out: Path) -> URL:
    """The store of a directory of results, if no other is named."""
    return URL.create("sqlite", database=str(out / "store.db"))


def exists(url: URL) -> bool:
    """Whether there is something to open; of a server it is for the server to say."""
    return url.get_backend_name() != "sqlite" or file_of(url).exists()


def file_of(url: URL) -> Path:
    return Path(url.database or "")


def _connected(connection: Any, _: object) -> None:
    """A plain rollback journal: one file to copy, and safe on network file systems, which a write-ahead log is not.

    What is deleted is overwritten, which not every build of SQLite does by itself.
    """
    connection.isolation_level = None  # Python's module would begin transactions late, and commit before a CREATE
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")


def _begun(connection: Connection) -> None:
    """Who writes takes the lock at once: two who read first could both not go on."""
    options = connection.get_execution_options()
    if options.get("isolation_level") != "AUTOCOMMIT":
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("writes") else "BEGIN")


def one_at_a_time(connection: Connection) -> None:
    """Until the transaction ends: PostgreSQL lets two create the same table, and tells one of them that it failed."""
    if connection.dialect.name == "postgresql":
        connection.execute(sql.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": 0xC102E})


def vacuum(engine: Engine) -> None:
    """Give back the room of what was deleted, and overwrite it."""
    statement = "VACUUM (FULL) results, attempts, overrides" if engine.dialect.name == "postgresql" else "VACUUM"
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(statement)


@contextlib.contextmanager
def told(url: URL) -> Iterator[None]:
    """Failures of the database in words: which one, why, what now."""
    try:
        yield
    except DBAPIError as error:
        reason = str(error.orig).strip().partition("\n")[0]
        advice = next((advice for words, advice in ADVICE.items() if words in reason), "")
        raise ClozeError(f"{url}: {reason}{advice and f'; {advice}'}") from None


@contextlib.contextmanager
def alone(url: URL) -> Iterator[None]:
    """No other grader writes to an SQLite store meanwhile; PostgreSQL takes many.

    Raises:
        ClozeError: somebody does; who it is.
    """
    if url.get_backend_name() == "postgresql":
        yield
        return
    path = file_of(url)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ClozeError(f"{lock.read().strip()} writes to {path}; wait for it, or give another --store") from None
        lock.truncate()
        lock.write(f"process {os.getpid()} on {socket.gethostname()} (since {clock.stamp(clock.now())})\n")
        lock.flush()
        yield
