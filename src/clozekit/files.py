"""Files that no crash leaves half written, and that several processes change in turn.

with locked(folder / "lock"):
    put(folder / "workspace.json", change((folder / "workspace.json").read_bytes()))
"""

import contextlib
import fcntl
import os
from collections.abc import Iterable, Iterator
from pathlib import Path


def put(path: Path, content: bytes | Iterable[bytes], mode: int = 0o666) -> None:
    """Write a file, or its parts, whole or not at all. Where `path` is a link, what it leads to is written."""
    path = Path(os.path.realpath(path))
    draft = path.with_name(f"{path.name}.draft")  # in the same directory: a rename within one file system is atomic
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.writelines([content] if isinstance(content, bytes) else content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def aside(path: Path) -> Path:
    """Where a file can be kept beside itself: NAME.bak, or NAME.bak.1 and so on, so that no older one is lost."""
    found, number = path.with_name(f"{path.name}.bak"), 0
    while found.exists():
        number += 1
        found = path.with_name(f"{path.name}.bak.{number}")
    return found


@contextlib.contextmanager
def locked(path: Path, wait: bool = True) -> Iterator[None]:
    """Wait until nobody else holds the lock `path`. The system takes it from a process that ends.

    Raises:
        BlockingIOError: somebody does, and we are not to wait.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    finally:
        os.close(descriptor)
