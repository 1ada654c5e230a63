"""When a repository was committed to: told by git, while nothing that is written in the repository runs."""

import os
import shutil
import subprocess
from datetime import datetime, timedelta, timezone

import pytest

from clozekit.classroom import layouts, trees
from clozekit.classroom.commits import committed

KNOWN = ["sampling/top_p"]
WHEN = datetime(2027, 3, 1, 22, 59, tzinfo=timezone(timedelta(hours=1)))
SIGNED = """\
tree {tree}
author Ada <ada@example.edu> 1 +0000
committer Ada <ada@example.edu> {seconds} +0100
gpgsig -----BEGIN PGP SIGNATURE-----
 
 x
 -----END PGP SIGNATURE-----

The last one
"""

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="there is no git here")


@pytest.fixture
def git(tmp_path):
    """git(arguments): what git says in a new repository hw1-ada of a class."""
    home = tmp_path / "hw1-submissions/hw1-ada"
    (home / "sampling").mkdir(parents=True)
    (home / "sampling/top_p.py").write_bytes(b"#")
    environment = {"PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1", "HOME": str(tmp_path)}

    def git(*arguments, **options):
        done = subprocess.run(
            ["git", *arguments], cwd=home, env=environment, capture_output=True, text=True, check=True, **options
        )
        return done.stdout.strip()

    git("init", "-q")
    git("add", ".")
    commit = SIGNED.format(tree=git("write-tree"), seconds=int(WHEN.timestamp()))
    git("update-ref", "HEAD", git("hash-object", "-t", "commit", "-w", "--stdin", input=commit))
    git.home = home
    return git


@pytest.mark.parametrize(
    "how", [["status"], ["pack-refs", "--all"], ["gc", "-q"], ["checkout", "-q", "--detach"]], ids=" ".join
)
def test_the_time_of_a_commit_wherever_it_is_kept(how, git):
    git(*how)
    assert committed(git.home / ".git") == WHEN


def test_a_class_of_clones_has_the_time_of_each(git, tmp_path):
    with trees.opened(tmp_path / "hw1-submissions", tmp_path / "out") as tree:
        found = layouts.find(tree, KNOWN)
    assert found.layout == "github"
    assert [(each.student, each.exercise, each.handed_in) for each in found.handed] == [("ada", "sampling/top_p", WHEN)]


def test_nothing_that_a_repository_names_is_run(git, tmp_path):
    """`git log` in the repository itself would run it."""
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    program.chmod(0o755)
    for key in ("gpg.program", "core.fsmonitor", "core.pager", "core.sshCommand", "core.alternateRefsCommand"):
        git("config", key, str(program))
    git("config", "log.showSignature", "true")
    assert committed(git.home / ".git") == WHEN
    assert not (tmp_path / "ran").exists()
    git("log", "-1")
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "head", [b"", b"\xff", b"ref: refs/heads/none", b"ref: refs/../../x", b"0" * 40, b"ref: refs/heads"]
)
def test_of_a_head_that_leads_nowhere_there_is_no_time(head, git):
    (git.home / ".git/HEAD").write_bytes(head)
    assert committed(git.home / ".git") is None


def test_a_head_is_no_option_of_gits(git, tmp_path):
    (git.home / ".git/HEAD").write_text(f"--output={tmp_path}/written")
    assert committed(git.home / ".git") is None
    assert not (tmp_path / "written").exists()


def test_a_link_is_not_followed(git, tmp_path):
    (tmp_path / "link").symlink_to(git.home / ".git")
    assert committed(tmp_path / "link") is None
    (git.home / ".git/HEAD").rename(tmp_path / "head")
    (git.home / ".git/HEAD").symlink_to(tmp_path / "head")
    assert committed(git.home / ".git") is None
