"""When a student's repository was committed to last, without running anything that is written in it.

committed(Path("hw1-ada/.git"))  ->  datetime(2027, 3, 1, 22, 59, tzinfo=UTC)

A repository's configuration can name programs that git runs, as a monitor, a pager or to check a signature. So git is shown a new
repository of ours, which has the objects of the student's and nothing else. The time is that of the student's own clock.
"""

import os
import re
import subprocess
import tempfile
from datetime import datetime
from pathlib import Path

HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
SECONDS = 20


def committed(git: Path) -> datetime | None:
    """The committer's time of what is checked out; None if there is none, or no git here."""
    try:
        commit = _head(git)
        with tempfile.TemporaryDirectory(prefix="cloze-git-") as ours:
            for folder in ("objects", "refs"):
                Path(ours, folder).mkdir()
            Path(ours, "HEAD").write_text("ref: refs/heads/none\n")
            sha256 = "\trepositoryformatversion = 1\n[extensions]\n\tobjectFormat = sha256\n"
            Path(ours, "config").write_text("[core]\n" + (sha256 if len(commit) == 64 else ""))
            environment = {
                "PATH": os.environ.get("PATH", os.defpath),
                "GIT_DIR": ours,
                "GIT_OBJECT_DIRECTORY": str((git / "objects").absolute()),
                "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_CONFIG_GLOBAL": os.devnull,
                "GIT_NO_REPLACE_OBJECTS": "1",
                "GIT_ALLOW_PROTOCOL": "",
            }
            command = ["git", "log", "-1", "--format=%cI", commit, "--"]
            done = subprocess.run(command, env=environment, cwd=ours, capture_output=True, timeout=SECONDS, check=True)
        return datetime.fromisoformat(done.stdout.decode().strip())
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def _head(git: Path) -> str:
    """The hash of what is checked out.

    Raises:
        OSError, ValueError: it cannot be found.
    """
    if git.is_symlink():
        raise OSError("a link")
    text = _small(git / "HEAD")
    if text.startswith("ref: refs/"):
        ref = text.removeprefix("ref: ")
        if ".." in ref.split("/"):
            raise ValueError(ref)
        if (git / ref).is_file():
            text = _small(git / ref)
        else:
            packed = (line.split(" ") for line in _small(git / "packed-refs").splitlines())
            text = next((words[0] for words in packed if words[1:] == [ref]), "")
    if not HASH.fullmatch(text):
        raise ValueError(text)
    return text


def _small(path: Path) -> str:
    """A text file of less than a megabyte, not what a link leads to."""
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW), "rb") as file:
        return file.read(1 << 20).decode().strip()
