"""What the tests of hint, explain, diff, solution and debug share."""

import contextlib
import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from clozekit.report import Report
from clozekit.workspace import Workspace

ID = "normalization/rms_norm"
MISTAKE = "eps_outside_sqrt"
HERE = {name: value for name, value in os.environ.items() if not name.startswith(("CLOZE", "LC_", "PYTEST"))}
ENVIRONMENT = HERE | {"LANG": "C.UTF-8", "COLUMNS": "120"}


@pytest.fixture
def cloze(cloze, engine, monkeypatch):
    """cloze("hint", ID) in a workspace of one track."""
    monkeypatch.setattr("clozekit.explaining.Engine", lambda seed=None: contextlib.nullcontext(engine))
    assert cloze("init", ".", "--track", "normalization").exit_code == 0
    return cloze


@pytest.fixture
def workspace(cloze, tmp_path) -> Workspace:
    return Workspace(tmp_path)


@pytest.fixture
def mistaken(cloze, rms_norm, workspace) -> Report:
    """The learner has made a mistake, and the check has found it."""
    workspace.file(rms_norm).write_text(rms_norm.mistaken(rms_norm.mistakes[MISTAKE]))
    assert cloze("check", ID).exit_code == 1
    report = workspace.last_report(ID)
    assert report.mistake == MISTAKE
    return report


@pytest.fixture
def passed(cloze, workspace, rms_norm, solution) -> None:
    """The learner has passed."""
    workspace.file(rms_norm).write_text(solution)
    assert cloze("check", ID).exit_code == 0


@pytest.fixture(scope="session")
def process() -> Callable[..., subprocess.CompletedProcess]:
    """process("hint", ID): a process of its own, so that what runs in it does not change this one."""

    def process(*arguments: str, **options) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "clozekit", *arguments]
        given = {"capture_output": True, "stdin": subprocess.DEVNULL} | options
        return subprocess.run(command, text=True, env=ENVIRONMENT, check=False, **given)

    return process


@pytest.fixture(scope="session")
def at_a_terminal() -> Callable[..., tuple[int, str]]:
    """at_a_terminal({prompt: answer}, "diff", ID): what it says to somebody who types each answer once its prompt is there.

    And again if nothing comes of it: a Ctrl-C between a prompt and the read that follows is seen only after the read.
    """

    def at_a_terminal(answers: dict[bytes, bytes], *arguments: str) -> tuple[int, str]:
        leader, follower = pty.openpty()
        command = [sys.executable, "-m", "clozekit", *arguments]

        def log_in() -> None:
            os.login_tty(follower)
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # which a shell ignores for what it runs in the background

        running = subprocess.Popen(command, env=ENVIRONMENT, preexec_fn=log_in)
        os.close(follower)
        said, waiting, typed, patience = b"", dict(answers), b"", 12
        try:
            while patience:
                if not select.select([leader], [], [], 5)[0]:
                    os.write(leader, typed)
                    patience -= 1
                    continue
                said += os.read(leader, 1 << 16)
                for prompt in [prompt for prompt in waiting if prompt in said]:
                    typed = waiting.pop(prompt)
                    os.write(leader, typed)
        except OSError:  # its last user has gone, and may not have ended yet: a hangup would kill it
            running.wait(60)
        os.close(leader)  # which ends a program that still waits
        return running.wait(60), said.decode().replace("\r\n", "\n")

    return at_a_terminal
