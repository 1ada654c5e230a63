"""What a machine's tier means, and what would raise it: for `cloze doctor`.

    explain(Found(...))     Advice(tier="B", lost=["a disk of its own: ..."], raises=["docker run --security-opt ..."])

The tier comes from trying (`probe`). Only where to look for the missing command is told from the surroundings.
"""

import os
import platform
import sys
from pathlib import Path

from msgspec import Struct

from clozekit.phrases import say
from clozekit.protocol import Found
from clozekit.report import Tier

MEANS = {"A": "tier-A-means", "B": "tier-B-means", "C": "tier-C-means"}
LOST = {"namespaces": "lost-namespaces", "landlock": "lost-landlock", "seccomp": "lost-seccomp"}
CONTAINER = "docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined -it python:3.12 bash"
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


def explain(found: Found, language: str = "en") -> Advice:
    """What to tell about this machine."""
    lost = {name: say(language, LOST[name]) for name in LOST if name in found.missing}
    raises = list(dict.fromkeys(_raise(name, language) for name in lost))
    return Advice(found.layers.tier, say(language, MEANS[found.layers.tier]), lost, dict(found.missing), raises)


def _raise(layer: str, language: str) -> str:
    """The command, or the step, that most likely brings a missing layer back here."""
    if sys.platform == "darwin":
        return say(language, "raise-macos", command=CONTAINER)
    if sys.platform != "linux":
        return say(language, "raise-windows")
    if layer == "landlock":
        return say(language, "raise-wsl") if windows() else say(language, "raise-landlock")
    if layer == "seccomp":
        return say(language, "raise-seccomp", machine=platform.machine())
    if container():
        return CONTAINER
    for name, (wrong, right) in SWITCHES.items():
        if switch(name) == wrong:
            return f"sudo sysctl -w {name}={right}"
    return say(language, "raise-namespaces")


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
