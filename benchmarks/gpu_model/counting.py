"""What each published call costs: Liger's own kernels and torch's operators, run at full size without computing.

    python -m benchmarks.gpu_model.counting /tmp/liger [WORD]

installs the releases that were measured into /tmp/liger, counts every row (of kernels whose name has WORD) that
data/counts.jsonl does not have yet, and adds it there. A release is run in a process of its own.
"""

import collections
import importlib.abc
import importlib.util
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
from msgspec import Struct

from benchmarks.gpu_model.published import DATA, Row, read
from clozekit.meters import bills
from clozekit.meters.assembling import Facts, ptx_version
from clozekit.meters.costs import Launch, Target
from clozekit.meters.counts import Record
from clozekit.meters.devices import DEVICES

COUNTS = DATA / "counts.jsonl"
OPERATIONS = 300  # on blocks, of one launch: a few programs, as all are alike


class Counted(Struct, frozen=True):
    """One row's costs; what comes several times is there once, with how often."""

    key: str
    launches: list[tuple[int, Launch]]
    facts: dict[int, Facts]
    operators: list[tuple[int, Record]]


def load() -> dict[str, Counted]:
    """What has been counted, by the key of its row."""
    if not COUNTS.exists():
        return {}
    lines = COUNTS.read_bytes().splitlines()
    found = [msgspec.json.decode(line, type=Counted) for line in lines]
    return {each.key: each for each in found}


def main(place: Path, word: str) -> None:
    from benchmarks.gpu_model.workloads import release

    known = load()
    missing = [row for row in read() if row.key not in known and word in row.kernel]
    for name in sorted({release(row.kernel, row.version) for row in missing}):
        target = place / name
        install(target, name)
        subprocess.run([sys.executable, "-m", "benchmarks.gpu_model.counting", str(target), word, name], check=True)


def install(target: Path, release: str) -> None:
    """Liger of some release, beside everything else."""
    if not target.exists():
        command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(target)]
        subprocess.run([*command, f"liger-kernel=={release}"], check=True)


def count_release(target: Path, word: str, name: str) -> None:
    """In a process of its own: count the rows that were measured with this release."""
    import torch
    import torch.distributed.tensor  # which Liger takes for granted

    from benchmarks.gpu_model.workloads import release
    from clozekit.kernels import interpret

    interpret.install()
    sys.path.insert(0, str(target))
    sys.meta_path.insert(0, OnDevice())
    known = load()
    for row in read():
        if row.key in known or word not in row.kernel or release(row.kernel, row.version) != name:
            continue
        began = time.monotonic()
        multiprocessors = DEVICES[row.device].multiprocessors
        torch.cuda.get_device_properties = lambda _, many=multiprocessors: SimpleNamespace(multi_processor_count=many)
        try:
            counted = count(row)
        except Exception as error:
            print(f"{row.key}: {type(error).__name__}: {str(error)[:300]}", flush=True)
            continue
        with COUNTS.open("ab") as file:
            file.write(msgspec.json.encode(_brief(msgspec.to_builtins(counted))) + b"\n")
        print(f"{time.monotonic() - began:5.1f} s  {row.key}", flush=True)


def count(row: Row) -> Counted:
    """Run one row's call once for the gradients that it leaves behind, then under the meters."""
    import torch

    from benchmarks.gpu_model.virtual import Virtual
    from benchmarks.gpu_model.workloads import WORKLOADS
    from clozekit.kernels import interpret

    device = DEVICES[row.device]
    assert device.target
    torch.manual_seed(0)
    with Virtual():
        work = WORKLOADS[row.kernel](row.size, row.config, row.provider)
        interpret.samplers.append(lambda grid: ())
        _run(work, row.mode)()
        measured = _run(work, row.mode)
        interpret.samplers.pop()
        for tensor in work.cleared:
            tensor.grad = None
        launches, facts, records = metered(measured, device.target)
    return Counted(row.key, _often(launches), facts, _often(records))


def metered(call: Callable[[], Any], target: Target) -> tuple[list[Launch], dict[int, Facts], list[Record]]:
    """A call's launches, compiled and assembled, and torch's operators in it."""
    from clozekit.meters.eager import TorchMeter
    from clozekit.meters.kernel import KernelMeter
    from clozekit.meters.measuring import Compiler

    compiler = Compiler({target: ptx_version(target)})
    with TorchMeter() as eager, KernelMeter(budget=OPERATIONS, observe=compiler) as meter:
        call()
    facts = bills.assembled(meter.launches).facts
    launches = [msgspec.structs.replace(launch, compiled={}) for launch in meter.launches]
    records = [record._replace(shapes=()) for record in eager.records]
    return launches, {kind: known[target] for kind, known in facts.items()}, records


def _run(work: Any, mode: str) -> Callable[[], Any]:
    """What is timed, once what comes before it has been done."""
    import torch

    def backward(y: Any) -> None:
        if work.summed:
            y.sum().backward()
        elif work.drawn:
            y.backward(torch.randn_like(y))
        elif work.gradient is None:
            y.backward()
        else:
            y.backward(work.gradient, retain_graph=True)

    if mode == "forward":
        return work.forward
    if mode == "backward" and not work.summed:
        y = work.forward()
        return lambda: backward(y)
    return lambda: backward(work.forward())


def _brief(value: Any) -> Any:
    """Without what is as it is by default: nothing, mostly."""
    if isinstance(value, dict):
        return {
            name: _brief(each) for name, each in value.items() if each or name in ("launches", "facts", "operators")
        }
    return [_brief(each) for each in value] if isinstance(value, list | tuple) else value


def _often(things: list[Any]) -> list[tuple[int, Any]]:
    many = collections.Counter(msgspec.json.encode(thing) for thing in things)
    first = {msgspec.json.encode(thing): thing for thing in reversed(things)}
    return [(many[encoded], first[encoded]) for encoded in many]


class OnDevice(importlib.abc.MetaPathFinder):
    """Imports Liger's host code so that it believes to be on a GPU; its kernels are read from their files as they are."""

    SAYS = ('X.device.type == "cuda"', "True")

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        if not name.startswith("liger_kernel."):
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is None or not spec.origin or not spec.origin.endswith(".py"):
            return spec
        loader = importlib.machinery.SourceFileLoader(name, spec.origin)
        loader.get_code = lambda _: compile(  # type: ignore[method-assign]
            Path(spec.origin).read_text("utf-8").replace(*self.SAYS), spec.origin, "exec", dont_inherit=True
        )
        return importlib.util.spec_from_file_location(
            name, spec.origin, loader=loader, submodule_search_locations=spec.submodule_search_locations
        )


if __name__ == "__main__":
    if len(sys.argv) > 3:
        count_release(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
    else:
        main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "")
