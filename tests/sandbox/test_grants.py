"""A worker may read the standard library and named packages, and nothing that holds graders, whatever the layout."""

import errno
import os
import sys
from pathlib import Path

import pytest

import clozekit
from clozekit.catalog import builtin_root
from clozekit.sandbox import grants

CONTENT = [builtin_root() / name for name in ("exercises", "graders", "kernels", "solutions")]


def granted(path):
    """Whether a path is readable: it is granted, or lies in what is granted."""
    return any(grants.holds(root, {os.path.realpath(path)}) for root in grants.readable())


def test_content_and_the_kit_itself_are_not_granted():
    for path in (*CONTENT, *Path(clozekit.__file__).parent.rglob("*.py"), Path.home(), *grants.forbidden()):
        assert not granted(path), path


def test_packages_are_granted_one_by_one():
    import networkx
    import torch

    for module in (torch, networkx, os, sys.modules["json"], sys.modules["_json"]):
        assert granted(module.__file__)
    assert not granted(pytest.__file__)
    assert not granted(Path(torch.__file__).parent.parent)


def lay_out(root, *paths):
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()


def below(root, paths):
    return sorted(os.path.relpath(path, root) for path in paths)


def test_a_directory_is_granted_without_what_is_forbidden_in_it(tmp_path):
    """pyenv, Docker's python images: packages in the standard library. pip install --target: content beside torch."""
    lay_out(tmp_path, "lib/os.py", "lib/json/decoder.py", "lib/site-packages/torch/nn.py")
    lay_out(tmp_path, "target/einops/layers.py", "target/clozekit/content/graders/test_secret.py")
    never = [f"{tmp_path}/lib/site-packages", f"{tmp_path}/target/clozekit"]
    assert below(tmp_path, grants.without(f"{tmp_path}/lib", never)) == ["lib/json", "lib/os.py"]
    assert below(tmp_path, grants.without(f"{tmp_path}/lib/site-packages/torch", never)) == ["lib/site-packages/torch"]
    assert below(tmp_path, grants.without(str(tmp_path), never)) == ["lib/json", "lib/os.py", "target/einops"]


def test_links_do_not_lead_to_what_is_forbidden(tmp_path):
    lay_out(tmp_path, "lib/os.py", "lib/site-packages/pip.py", "etc/site.py", "kit/content/graders/test_secret.py")
    for link, target in {
        "site.py": "etc/site.py",
        "loop": "lib",
        "kit": "kit",
        "graders": "kit/content/graders",
    }.items():
        (tmp_path / "lib" / link).symlink_to(tmp_path / target)
    never = [f"{tmp_path}/lib/site-packages", f"{tmp_path}/kit/content"]
    assert below(tmp_path, grants.without(f"{tmp_path}/lib", never)) == ["etc/site.py", "lib/os.py"]


def test_what_is_not_granted_is_as_good_as_not_installed():
    assert grants.Granted.find_spec("torch")
    assert grants.Granted.find_spec("json")
    assert grants.Granted.find_spec("pytest") is None
    assert grants.Granted.find_spec("clozekit.catalog", clozekit.__path__) is None
    assert grants.Granted.find_spec("no_such_package") is None


def test_the_nodes_of_gpus_are_found_by_their_names(tmp_path, monkeypatch):
    lay_out(tmp_path, "nvidia0", "nvidiactl", "nvidia-uvm", "nvidia-caps/nvidia-cap1", "sda", "tty")
    monkeypatch.setattr(grants, "NODES", (f"{tmp_path}/nvidia*", f"{tmp_path}/dxg"))
    assert below(tmp_path, grants.devices()) == ["nvidia-caps", "nvidia-uvm", "nvidia0", "nvidiactl"]


def drive(granted, other):
    """What a process may do with a device that it was granted, and with another one."""
    import os
    import termios

    from clozekit.sandbox import landlock, libc

    libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)
    landlock.confine(landlock.ruleset((), (), devices=(granted,)))
    node = os.open(granted, os.O_RDWR)
    try:
        termios.tcgetattr(node)
        asked = 0
    except termios.error as error:
        asked = error.args[0]
    try:
        os.open(other, os.O_RDONLY)
        opened = True
    except PermissionError:
        opened = False
    return asked, opened


def test_a_device_may_be_driven_and_no_other_one_opened(apart, need):
    """ENOTTY is what the device itself says; Landlock would say EACCES."""
    need("landlock")
    assert apart(drive, "/dev/zero", "/dev/full") == [errno.ENOTTY, False]
