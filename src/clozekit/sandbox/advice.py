"""What a machine's tier means, and what would raise it: for `cloze doctor`.

    explain(Found(...))     Advice(tier="B", lost=["a disk of its own: ..."], raises=["docker run --security-opt ..."])

The tier comes from trying (`probe`). Only where to look for the missing command is told from the surroundings.
"""

import os
import platform
import sys
from pathlib import Path

from msgspec import Struct

from clozekit.protocol import Found
from clozekit.report import Tier

MEANS = {
    "A": "submissions are confined by namespaces, Landlock, seccomp and limits",
    "B": "submissions are confined by Landlock, seccomp and limits, without namespaces",
    "C": "submissions are not confined but by some limits: check only files that you trust",
}
LOST = {
    "namespaces": "a submission can fill the disk with files",
    "landlock": "a submission can read and change every file that you can: graders, solutions, your own",
    "seccomp": "a submission can start programs, open connections, and change modes and owners of your files",
}
CONTAINER = "docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined -it python:3.12 bash"
LANDLOCK = (
    "Linux 5.13 or newer has it; where it is built in but off, add it to the lsm= list on the kernel's command line "
    "(see /sys/kernel/security/lsm)"
)
SWITCHES = {  # of the kernel: the wrong value, and a right one
    "kernel.apparmor_restrict_unprivileged_userns": ("1", "0"),
    "kernel.unprivileged_userns_clone": ("0", "1"),
    "user.max_user_namespaces": ("0", "15000"),
}


class Advice(Struct):
    """For people: what the tier means, what is lost and why, and one command or step for each thing that can be gained."""

    tier: Tier
    means: str
    lost: dict[str, str]
    why: dict[str, str]
    raises: list[str]


def explain(found: Found) -> Advice:
    """What to tell about this machine."""
    lost = {name: LOST[name] for name in LOST if name in found.missing}
    raises = list(dict.fromkeys(_raise(name) for name in lost))
    return Advice(found.layers.tier, MEANS[found.layers.tier], lost, dict(found.missing), raises)


def _raise(layer: str) -> str:
    """The command, or the step, that most likely brings a missing layer back here."""
    if sys.platform == "darwin":
        return f"macOS has nothing of the kind; run clozekit in Linux: {CONTAINER}"
    if sys.platform != "linux":
        return "run clozekit in WSL 2: wsl --install"
    if layer == "landlock":
        return "in PowerShell: wsl --update" if windows() else LANDLOCK
    if layer == "seccomp":
        return f"there is a list of system calls for x86_64 and aarch64 only, this is {platform.machine()}"
    if container():
        return CONTAINER
    for name, (wrong, right) in SWITCHES.items():
        if switch(name) == wrong:
            return f"sudo sysctl -w {name}={right}"
    return "a kernel with user namespaces (CONFIG_USER_NS)"


def switch(name: str) -> str:
    """A setting of the kernel; nothing where it has none of that name."""
    try:
        return Path("/proc/sys", name.replace(".", "/")).read_text().strip()
    except OSError:
        return ""


def container() -> bool:
    """Whether this looks like a container."""
    return any(map(os.path.exists, ("/.dockerenv", "/run/.containerenv"))) or "container" in os.environ


def windows() -> bool:
    """Whether this is Linux inside Windows."""
    return "microsoft" in platform.release().lower()
