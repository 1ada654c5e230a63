"""What a worker may open: an allow-list of files and directories that the kernel keeps (Landlock, Linux 5.13).

    rules = ruleset(read=["/usr/lib/python3.11"], write=["/tmp/cloze-1/a"])
    confine(rules)          from here on open("/etc/passwd") raises PermissionError, for good

Each version of Landlock knows more; we take what there is: moving between directories (2), truncating (3), TCP (4),
device ioctls (5), signals and abstract sockets to processes outside (6). What an older one lets through, seccomp refuses.
Never covered: names, sizes and times of files (stat), modes and owners (seccomp refuses to change them).
"""

import os
import stat
import struct
from collections.abc import Iterable

from clozekit.sandbox import libc

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, REMOVE_DIR, REMOVE_FILE = (1 << bit for bit in range(6))
MAKE_CHAR, MAKE_DIR, MAKE_REG, MAKE_SOCK, MAKE_FIFO, MAKE_BLOCK, MAKE_SYM = (1 << bit for bit in range(6, 13))
REFER, TRUNCATE, IOCTL_DEV = (1 << bit for bit in range(13, 16))
BIND_TCP, CONNECT_TCP = 1, 2
ABSTRACT_SOCKET, SIGNAL = 1, 2

FIRST = REFER - 1  # all that version 1 knows
READ = READ_FILE | READ_DIR
WRITE = READ | WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | REFER | TRUNCATE
OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV  # the others make sense for directories only
CREATE_VERSION, PATH_BENEATH = 1, 1


def version() -> int:
    """The newest version of Landlock that this kernel knows.

    Raises:
        OSError: it has none, or it was not switched on at boot.
    """
    return libc.syscall("landlock_create_ruleset", None, 0, CREATE_VERSION)


def handled(version: int) -> tuple[int, int, int]:
    """What is refused unless a rule allows it: of files, of the network, and of processes outside."""
    files = FIRST | (version >= 2) * REFER | (version >= 3) * TRUNCATE | (version >= 5) * IOCTL_DEV
    return files, (version >= 4) * (BIND_TCP | CONNECT_TCP), (version >= 6) * (ABSTRACT_SOCKET | SIGNAL)


def ruleset(read: Iterable[str], write: Iterable[str], execute: Iterable[str] = (), devices: Iterable[str] = ()) -> int:
    """A descriptor that stands for what may be read, written, executed, driven. What cannot be reached is left out."""
    files, network, scope = handled(version())
    attributes = struct.pack("QQQ", files, network, scope)
    length = 24 if scope else 16 if network else 8  # an older kernel refuses fields that it does not know
    rules = libc.syscall("landlock_create_ruleset", attributes[:length], length, 0)
    drive = (READ | WRITE_FILE | IOCTL_DEV) & files
    for paths, rights in ((read, READ), (write, WRITE & files), (execute, READ | EXECUTE), (devices, drive)):
        for path in paths:
            _allow(rules, path, rights)
    return rules


def confine(rules: int) -> None:
    """Leave this thread and its children no more than a ruleset allows, which is closed. Needs no_new_privs."""
    libc.syscall("landlock_restrict_self", rules, 0)
    os.close(rules)


def _allow(rules: int, path: str, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return
    try:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            rights &= OF_FILES
        libc.syscall("landlock_add_rule", rules, PATH_BENEATH, struct.pack("=Qi", rights, descriptor), 0)
    finally:
        os.close(descriptor)
