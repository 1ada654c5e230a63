"""What a watch looks at, where it runs alone, and what it advises, without a terminal and a judge."""

import re
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from rich.cells import cell_len

from clozekit import clock
from clozekit.catalog import Catalog
from clozekit.cli.page import OTHER, Page
from clozekit.cli.watch import LOCK, _alone
from clozekit.cli.watch import _targets as watched
from clozekit.course import following
from clozekit.errors import ClozeError
from clozekit.files import locked
from clozekit.phrases import LANGUAGES, say
from clozekit.report import Problem, Report, Result
from clozekit.state import Interview
from clozekit.submission import Upload
from clozekit.watching import Target, Told
from clozekit.workspace import Workspace

ID = "normalization/rms_norm"


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    return Workspace.create(tmp_path, "en", "guided")


def test_what_is_reviewed_or_asked_in_an_interview_is_watched_too(tmp_path, workspace, rms_norm):
    with workspace.changing() as state:
        workspace.progress(rms_norm.id).reviewing = "2026-12-01T18:00:00Z"
        state.interviews.append(Interview("2026-12-01T18:00:00Z", 45, "interview/2026-12-01", ["sampling/top_p"]))
    targets = watched(None, None, Catalog([rms_norm.root]), workspace)
    paths = {target.path.relative_to(tmp_path).as_posix(): target.id for target in targets}
    assert paths[f"review/{rms_norm.id}.py"] == paths[f"{rms_norm.id}.py"] == rms_norm.id
    assert paths["interview/2026-12-01/sampling/top_p.py"] == "sampling/top_p"
    assert "review/sampling/top_p.py" not in paths


def test_a_workspace_has_one_watch_at_a_time(workspace):
    refused = pytest.raises(ClozeError, match="another `cloze watch` runs in this workspace")
    with _alone(workspace), refused, _alone(workspace):
        pass
    with _alone(workspace), locked(workspace.root / ".cloze/lock", wait=False):
        assert (workspace.root / LOCK).exists(), "what others write waits for nobody"


def test_where_nothing_can_be_written_two_watches_do_no_harm(workspace):
    (workspace.root / LOCK).mkdir()
    with _alone(workspace), _alone(workspace):
        pass


@pytest.mark.parametrize("asked", [False, True])
def test_a_watch_advises_no_hint_in_an_interview(asked, workspace, rms_norm):
    if asked:
        with workspace.changing() as state:
            state.interviews.append(Interview(clock.stamp(clock.now()), 45, "interview/a", [ID]))
    target = Target(workspace.root / "interview/a" / f"{ID}.py", ID)
    tests = [Result("values: one row", "failed", problem=Problem("exit", {"type": "SystemExit"}))]
    told = Told(target, rms_norm, Report(ID, "failed", "A", tests), saved=True, at=None)
    page = Page(None, SimpleNamespace(catalog=Catalog([rms_norm.root]), targets={}), workspace, "en")
    page.turn_to(target)
    page.hear(told)
    assert ("cloze hint" in page.told().plain, "shows the time left" in page.told().plain) == (not asked, asked)


# On screens of every size


class Paper:
    """A screen; what is drawn on it is kept, without colours."""

    def __init__(self, columns: int, rows: int):
        self.size = columns, rows

    def draw(self, lines: list[str], bottom: str) -> None:
        self.page = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in [*lines, bottom]]


@pytest.fixture(scope="module")
def wrong(engine, rms_norm) -> Report:
    source = rms_norm.mistaken(rms_norm.mistakes["eps_outside_sqrt"])
    return engine.grade(rms_norm, Upload("rms_norm.py", source.encode()))


@pytest.fixture
def drawn(workspace, rms_norm, wrong, monkeypatch) -> Callable[..., list[str]]:
    """drawn(40, 12, "en", "m"): the rows of the page of a mistake after these keys."""

    monkeypatch.chdir(workspace.root)

    def drawn(columns: int, rows: int, language: str, keys: str) -> list[str]:
        screen, target = Paper(columns, rows), Target(workspace.file(rms_norm), ID)
        page = Page(screen, SimpleNamespace(catalog=Catalog([rms_norm.root]), targets={}), workspace, language)
        page.turn_to(target)
        page.hear(Told(target, rms_norm, wrong, saved=True, at=None))
        for key in keys:
            page.keys[key]()
        page.draw()
        return screen.page

    return drawn


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("columns", "rows"), [(40, 12), (80, 24), (200, 50)])
@pytest.mark.parametrize(("key", "said"), [("h", "1"), ("m", "wide.pow(2)"), ("?", "Ctrl-C"), ("l", "scratch")])
def test_what_a_key_asks_for_is_seen_on_every_screen(key, said, columns, rows, language, drawn):
    before, page = drawn(columns, rows, language, ""), drawn(columns, rows, language, key)
    assert said in "".join(page[:-1])
    assert page[:-1] != before[:-1]
    assert len(page) <= rows
    assert [row for row in page if cell_len(row) > columns] == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("columns", [20, 40, 80])
def test_no_key_of_the_bottom_line_is_cut_in_two(columns, language, drawn):
    keys = say(language, "watch-keys", level="guided", other=OTHER[language][1]).split("   ")
    shown = drawn(columns, 24, language, "")[-1].strip().split("   ")
    assert shown == keys[: len(shown)]
    assert cell_len(drawn(columns, 24, language, "")[-1]) == columns


@pytest.mark.parametrize("rows", range(6, 24))
def test_however_low_the_screen_the_verdict_is_on_it(rows, drawn):
    page = drawn(80, rows, "en", "")
    assert len(page) <= rows
    assert page[-2].startswith(f"failed  {ID}")


def test_the_last_hint_says_that_it_is(drawn, rms_norm):
    hints = rms_norm.words("en").hints
    assert f"Hint {len(hints)} of {len(hints)}: {hints[-1]}" in drawn(200, 50, "en", "h" * 9)


# The next exercise


def test_where_no_other_file_is_there_n_writes_the_one_that_start_would(workspace, rms_norm):
    """A workspace of `cloze start` has one file, until the next is taken up."""
    workspace.write_starter(rms_norm)
    looked, catalog = [], Catalog([rms_norm.root])
    files = {
        workspace.root / f"{entry.id}.py": Target(workspace.root / f"{entry.id}.py", entry.id)
        for entry in catalog.entries()
    }
    page = Page(None, SimpleNamespace(catalog=catalog, targets=files, look=looked.append), workspace, "en")
    page.turn_to(files[workspace.file(rms_norm)])
    with workspace.changing() as state:
        state.goal = "inference"
    coming = following(catalog.entries(), "inference", set())
    assert page.what_is_next() == f"Next: {coming.id}, {coming.title.en}. n goes there."
    page.next()
    [path] = looked
    assert path == workspace.root / f"{coming.id}.py"
    assert path.read_text() == catalog[coming.id].render("guided", "en")
    path.write_text("mine")
    page.next()
    assert path.read_text() == "mine", "a file that is there stays"
    assert looked == [path, path]


def test_of_a_watched_file_alone_n_writes_nothing(workspace, rms_norm):
    file = Target(workspace.file(rms_norm), ID)
    page = Page(None, SimpleNamespace(catalog=Catalog([rms_norm.root]), targets={file.path: file}), workspace, "en")
    page.turn_to(file)
    page.next()
    assert "Only this file is watched" in page.note()
    assert list(workspace.root.glob("*/*.py")) == []


# What may not be told


def test_m_explains_nothing_in_an_interview(workspace, rms_norm, wrong):
    with workspace.changing() as state:
        state.interviews.append(Interview(clock.stamp(clock.now()), 45, "interview/a", [ID]))
    page = Page(None, SimpleNamespace(catalog=Catalog([rms_norm.root]), targets={}), workspace, "en")
    target = Target(workspace.root / "interview/a" / f"{ID}.py", ID)
    page.turn_to(target)
    page.hear(Told(target, rms_norm, wrong, saved=True, at=None))
    for key in "mh":
        page.keys[key]()
        assert "part of the interview that runs" in page.note()
