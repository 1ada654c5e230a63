"""What a watch looks at, where it runs alone, and what it advises, without a terminal and a judge."""

from types import SimpleNamespace

import pytest

from clozekit import clock
from clozekit.catalog import Catalog
from clozekit.cli.page import Page
from clozekit.cli.watch import LOCK, _alone
from clozekit.cli.watch import _targets as watched
from clozekit.errors import ClozeError
from clozekit.files import locked
from clozekit.report import Problem, Report, Result
from clozekit.state import Interview
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
