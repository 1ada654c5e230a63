"""A course with one quick exercise, a class that hands in, `cloze grade` on the warm judge, and real databases."""

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import textwrap
from itertools import count
from pathlib import Path

import pytest
from click.testing import CliRunner

from clozekit.cli import main

NUMBERS = count()
GRADER = textwrap.dedent("""\
    import pytest


    def test_plain(check):
        check("square", 3.0, 2.0, returns=18.0)


    @pytest.mark.hidden
    @pytest.mark.points(2)
    def test_large(check):
        check("square", 4.0, 0.5, returns=8.0)
    """)


@pytest.fixture(scope="module")
def course(author):
    """The content root of a course with one quick exercise, lab/square."""
    return author(grader=GRADER, seconds=0.5).root


@pytest.fixture
def handed(tmp_path):
    """handed({"ada/lab/square.py": text}): the directory that holds what a class has handed in."""

    def handed(files):
        for name, content in files.items():
            path = tmp_path / "class" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return tmp_path / "class"

    return handed


@pytest.fixture
def cloze_grade(engine, monkeypatch, course, tmp_path):
    """cloze_grade(options): how it ended, and the lines of results.jsonl. Seeds are drawn, but the warm judge has its own."""

    def cloze_grade(*options, judge=engine, out=tmp_path / "out"):
        monkeypatch.setattr("clozekit.engine.Engine", lambda seed: contextlib.nullcontext(judge))
        arguments = ["grade", tmp_path / "class", "--out", out, "--content", course, "--lang", "en", *options]
        result = CliRunner().invoke(main, [str(argument) for argument in arguments])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        results = out / "results.jsonl"
        return result, [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []

    return cloze_grade


@pytest.fixture
def graded(engine, monkeypatch):
    """The files that the judge is asked about from here on."""
    asked = []
    grade = engine.grade

    def counted(exercise, upload, **options):
        asked.append(upload.raw)
        return grade(exercise, upload, **options)

    monkeypatch.setattr(engine, "grade", counted)
    return asked


@pytest.fixture(scope="session")
def postgres():
    """The address of a PostgreSQL server that lasts as long as the tests: a socket in a directory of its own, no port."""
    homes = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -int(path.parent.name))
    found = [path for path in map(shutil.which, ["initdb", *(home / "initdb" for home in homes)]) if path]
    if not found:
        pytest.skip("no PostgreSQL on this machine: initdb is neither in PATH nor below /usr/lib/postgresql")
    binaries, home = Path(found[0]).parent, Path(tempfile.mkdtemp(prefix="cloze-pg-"))
    become, data = [], home / "data"
    if os.geteuid() == 0:  # the server refuses to run as root
        shutil.chown(home, "postgres", "postgres")
        become = ["runuser", "-u", "postgres", "--"]

    def call(*arguments):
        with open(home / "said", "w+") as said:  # no pipe, which the server would inherit and keep open
            subprocess.run([*become, *map(str, arguments)], cwd=home, stdout=said, stderr=said, check=True)

    call(binaries / "initdb", "-D", data, "-U", "grader", "-A", "trust", "-E", "UTF8", "--no-sync")
    control = binaries / "pg_ctl", "-D", data, "-w", "-s"
    call(*control, "-l", home / "log", "-o", f"-k {home} -c listen_addresses='' -c fsync=off", "start")
    yield f"postgresql+psycopg://grader@/{{}}?host={home}"
    call(*control, "-m", "immediate", "stop")
    shutil.rmtree(home)


@pytest.fixture
def database(postgres):
    """The URL of an empty database on it."""
    import psycopg

    name = f"t{next(NUMBERS)}"
    with psycopg.connect(postgres.format("postgres").replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return postgres.format(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """An empty store, on either database."""
    return request.getfixturevalue("database") if request.param == "postgresql" else f"sqlite:///{tmp_path}/store.db"
