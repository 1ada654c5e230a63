"""Which tier a machine has is found by trying. Other machines are imitated by a filter that refuses what they refuse."""

import errno
import platform
import struct
import sys

import pytest

from clozekit.protocol import Found, Layers
from clozekit.sandbox import advice, libc, probe, seccomp
from clozekit.sandbox.syscalls import NUMBERS

MACHINE = platform.machine()
ALL = Layers(namespaces=True, landlock=True, seccomp=True)
CALLS = {  # system calls that the sandbox makes through libc only, on x86_64 and aarch64
    "unshare": (272, 97),
    "mount": (165, 40),
    "setns": (308, 268),
}


def find_on_a_machine_that_refuses(calls, error):
    """What the probe finds where these system calls fail with this error."""
    known = NUMBERS[MACHINE] | {name: numbers[MACHINE == "aarch64"] for name, numbers in CALLS.items()}
    steps = [(seccomp.LOAD, 0, 0, seccomp.NUMBER)]
    for call in calls:
        steps += [(seccomp.JUMP_EQUAL, 0, 1, known[call]), (seccomp.RETURN, 0, 0, seccomp.ERROR | error)]
    steps += [(seccomp.RETURN, 0, 0, seccomp.ALLOW)]
    libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)
    seccomp.confine(b"".join(struct.pack("=HBBI", *step) for step in steps))
    found = probe.find()
    layers = found.layers
    return [layers.namespaces, layers.landlock, layers.seccomp], found.missing, layers.tier


def test_this_machine_says_why_a_layer_is_missing(found):
    assert {name for name in Layers.__struct_fields__ if not getattr(found.layers, name)} == set(found.missing)
    print(f"this machine has tier {found.layers.tier}; missing: {found.missing or 'nothing'}")


# A machine: what it refuses, the error, what is found there, what is told.
MACHINES = {
    "a container with Docker's filter": (
        ["unshare", "mount", "setns"],
        errno.EPERM,
        ([False, True, True], "B"),
        {"namespaces": "unshare: Operation not permitted"},
    ),
    "a runner on which AppArmor takes privileges away": (
        ["mount"],
        errno.EACCES,
        ([False, True, True], "B"),
        {"namespaces": "mount: Permission denied"},
    ),
    "a kernel before 5.13": (
        ["landlock_create_ruleset"],
        errno.ENOSYS,
        ([True, False, True], "C"),
        {"landlock": "landlock_create_ruleset: Function not implemented"},
    ),
    "a kernel that was started without Landlock": (
        ["landlock_create_ruleset"],
        errno.EOPNOTSUPP,
        ([True, False, True], "C"),
        {"landlock": "landlock_create_ruleset: Operation not supported"},
    ),
    "a container that forbids filters": (
        ["seccomp", "unshare"],
        errno.EPERM,
        ([False, True, False], "C"),
        {"namespaces": "unshare: Operation not permitted", "seccomp": "seccomp: Operation not permitted"},
    ),
}


@pytest.mark.parametrize("uid", [None, 12345], ids=["as we are", "as an ordinary user"])
@pytest.mark.parametrize("name", MACHINES)
def test_the_tier_of(name, uid, apart, found):
    if found.layers != ALL:
        pytest.skip(f"only a machine that has all layers can imitate others; this one lacks {', '.join(found.missing)}")
    calls, error, (layers, tier), missing = MACHINES[name]
    assert apart(find_on_a_machine_that_refuses, calls, error, uid=uid) == [layers, missing, tier]


def find_where_landlock_does_nothing():
    """The call says that it worked, and nothing is refused."""
    real = libc.syscall
    libc.syscall = lambda name, *args: 0 if name == "landlock_restrict_self" else real(name, *args)
    return probe.find(("namespaces", "seccomp")).missing["landlock"]


def test_a_layer_that_is_entered_but_holds_nothing_back_is_missing(apart, need):
    need("landlock")
    assert apart(find_where_landlock_does_nothing) == "landlock was entered without an error but holds nothing back"


def find_without(names):
    found = probe.find(names)
    return found.layers.tier, found.missing


def test_layers_can_be_switched_off(apart, found):
    if found.layers != ALL:
        pytest.skip(f"this machine lacks {', '.join(found.missing)}")
    assert apart(find_without, ["namespaces"]) == ["B", {"namespaces": "switched off"}]
    assert apart(find_without, ["seccomp"]) == ["C", {"seccomp": "switched off"}]
    assert apart(find_without, list(Layers.__struct_fields__))[0] == "C"


def test_nothing_is_left_of_a_probe(apart, tmp_path):
    assert apart(probe_in, str(tmp_path)) == [[], 0]


def probe_in(folder):
    """What is left in the directory for temporary files, and how many children."""
    import os
    import tempfile

    tempfile.tempdir = folder
    probe.find()
    try:
        children = os.waitpid(-1, os.WNOHANG)[0]
    except ChildProcessError:
        children = 0
    return os.listdir(folder), children


# What `cloze doctor` makes of it


def lacking(*names):
    return Found(Layers(**{name: name not in names for name in Layers.__struct_fields__}), dict.fromkeys(names, "why"))


def test_a_machine_that_lacks_nothing_needs_no_advice():
    told = advice.explain(lacking())
    assert (told.tier, told.lost, told.raises) == ("A", {}, [])
    assert "confined by namespaces, Landlock, seccomp" in told.means


def test_what_is_lost_at_b_and_c_is_told():
    at_b, at_c = advice.explain(lacking("namespaces")), advice.explain(lacking("landlock", "seccomp"))
    assert (at_b.tier, at_c.tier) == ("B", "C")
    assert at_b.lost == {"namespaces": "a submission can fill the disk with files"}
    assert set(at_c.lost) == {"landlock", "seccomp"}
    assert "only files that you trust" in at_c.means


# Surroundings, and the command that is advised for each missing layer.
ADVICE = {
    "docker": ({"container": True}, "namespaces", "docker run --security-opt seccomp=unconfined"),
    "GitHub's Ubuntu": (
        {"kernel.apparmor_restrict_unprivileged_userns": "1"},
        "namespaces",
        "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
    ),
    "an old Debian": (
        {"kernel.unprivileged_userns_clone": "0"},
        "namespaces",
        "sudo sysctl -w kernel.unprivileged_userns_clone=1",
    ),
    "a hardened machine": (
        {"user.max_user_namespaces": "0"},
        "namespaces",
        "sudo sysctl -w user.max_user_namespaces=15000",
    ),
    "an unknown reason": ({}, "namespaces", "CONFIG_USER_NS"),
    "WSL": ({"windows": True}, "landlock", "wsl --update"),
    "an old kernel": ({}, "landlock", "Linux 5.13"),
    "macOS": ({"platform": "darwin"}, "namespaces", "docker run"),
    "Windows": ({"platform": "win32"}, "seccomp", "wsl --install"),
}


@pytest.mark.parametrize("name", ADVICE)
def test_the_advice_for(name, monkeypatch):
    surroundings, layer, step = ADVICE[name]
    monkeypatch.setattr(advice, "container", lambda: "container" in surroundings)
    monkeypatch.setattr(advice, "windows", lambda: "windows" in surroundings)
    monkeypatch.setattr(advice, "switch", lambda name: surroundings.get(name, ""))
    monkeypatch.setattr(sys, "platform", surroundings.get("platform", "linux"))
    (told,) = advice.explain(lacking(layer)).raises
    assert step in told


def test_elsewhere_than_on_linux_nothing_is_tried(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    found = probe.find()
    assert found.layers.tier == "C"
    assert set(found.missing.values()) == {"darwin has no such thing"}


def test_an_error_names_the_call():
    with pytest.raises(OSError, match=r"^\[Errno 22\] seccomp: Invalid argument$"):
        libc.syscall("seccomp", 1 << 20, 0, None)
    with pytest.raises(OSError, match=r"^no_such_call: there is no such call on "):
        libc.call("no_such_call")
