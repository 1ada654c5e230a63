"""What a worker may read: the standard library, named packages, shared libraries. Nothing that we wrote.

    readable()      ("/usr/lib/python3.11/abc.py", ..., "/home/ada/venv/lib/python3.11/site-packages/torch", ...)

A package is granted by itself, never the site-packages around it: another package there may hold graders and solutions,
ours for one. Where a directory holds something forbidden (a standard library with site-packages in it), its other
entries are granted one by one.
"""

import glob
import importlib.util
import os
import sys
import sysconfig
from collections.abc import Collection, Iterator, Sequence
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

import clozekit

# What learners may import, and what that imports later on: all that torch, numpy and triton depend on.
PACKAGES = (
    "einops", "filelock", "fsspec", "functorch", "jinja2", "markupsafe", "mpmath", "networkx", "numpy", "nvidia",
    "opt_einsum", "sympy", "torch", "torchgen", "triton", "typing_extensions",
)  # fmt: skip
SYSTEM = (
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/usr/share/zoneinfo",
    "/usr/lib/locale",
    "/dev/urandom",
    "/dev/zero",
    "/proc/cpuinfo",  # torch and LLVM look which processor this is, OpenMP how many there are
    "/sys/devices/system/cpu",
)
WRITABLE = ("/dev/null",)
NODES = ("/dev/nvidia*", "/dev/dxg")  # of NVIDIA's driver; under WSL
DRIVER = ("/proc/driver/nvidia", "/proc/devices")  # where CUDA looks for it
SITES = ("site-packages", "dist-packages")


@cache
def readable() -> tuple[str, ...]:
    """Existing paths without symbolic links.

    The zygote asks, for all workers: so the import system takes note of site-packages, which no worker may list.
    """
    packages = [place for name in PACKAGES for place in places(name)]
    never = forbidden()
    whole = [directory for directory in libraries() if not holds(directory, never)]
    found = [path for root in (*standard_library(), *packages) for path in without(root, never)]
    return tuple(dict.fromkeys(path for path in (*found, *whole, *SYSTEM) if os.path.exists(path)))


def devices() -> tuple[str, ...]:
    """The nodes of all GPUs, and of the driver."""
    return tuple(sorted(path for pattern in NODES for path in glob.glob(pattern)))


def forbidden() -> frozenset[str]:
    """Our own directory, and every directory with packages in it, be it in use or inside the standard library."""
    sites = [path for path in sys.path if os.path.basename(path) in SITES]
    sites += [os.path.join(root, name) for root in standard_library() for name in SITES]
    return frozenset(map(os.path.realpath, (*sites, os.path.dirname(clozekit.__file__))))


def standard_library() -> list[str]:
    modules = sysconfig.get_config_var("DESTSHARED") or os.path.dirname(os.__file__)  # those in C
    return list(dict.fromkeys(map(os.path.realpath, (os.path.dirname(os.__file__), modules))))


def places(package: str) -> Iterator[str]:
    """Where an installed package lies, with the shared libraries that a wheel puts beside it."""
    spec = importlib.util.find_spec(package)
    if spec is None:
        return
    for path in spec.submodule_search_locations or [spec.origin or ""]:
        yield os.path.realpath(path)
        yield os.path.realpath(f"{path}.libs")


def libraries() -> list[str]:
    """The system's directories of shared libraries."""
    multiarch = sysconfig.get_config_var("MULTIARCH") or f"{os.uname().machine}-linux-gnu"
    names = [f"{root}/{multiarch}" for root in ("/lib", "/usr/lib")] + ["/lib64", "/usr/lib64"]
    return sorted({os.path.realpath(name) for name in names if os.path.isdir(name)})


class Granted(PathFinder):
    """Takes the place of the import system's finder in a worker: what is not granted is as good as not installed.

    Otherwise its import would raise PermissionError, which `try: import colorama except ImportError` does not expect.
    """

    @classmethod
    def find_spec(
        cls, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        top = name.partition(".")[0]
        if top in sys.stdlib_module_names or top in PACKAGES or top.startswith("_sysconfigdata"):
            return PathFinder.find_spec(name, path, target)
        return None

    @classmethod
    def install(cls) -> None:
        sys.meta_path[:] = [cls if finder is PathFinder else finder for finder in sys.meta_path]


def holds(directory: str, paths: Collection[str]) -> bool:
    """Whether one of these paths is a directory or below it."""
    directory = directory.rstrip("/")
    return any(path == directory or path.startswith(directory + "/") for path in paths)


def without(path: str, never: Collection[str]) -> Iterator[str]:
    """A path, or, where it holds something forbidden, what else it holds. Links that lead to something forbidden are left out."""
    if not holds(path, never):
        yield path
    elif path not in never:
        for entry in os.scandir(path):
            target = os.path.realpath(entry.path)
            if not entry.is_symlink():
                yield from without(target, never)
            elif not holds(target, never) and not any(holds(place, {target}) for place in never):
                yield target
