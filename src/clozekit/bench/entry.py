"""What workers have handed over of a call, as a bench process takes it.

    compare((plan, launches), (plan, launches), [x], expected, threshold=1.25, target="sm_90")
        Compare(Entry(plan, [Kernel("softmax_kernel", 5096, {"y_ptr": "*fp32", ...})], uses=[0]), ...), [x, code, code]

A worker compiles what it launches to PTX; the device's driver makes its code of that, in the same way for both sides. What is
launched, and how, is read off the PTX where it says so.
"""

import re
from collections.abc import Sequence
from typing import Any

from torch import Tensor

from clozekit import values
from clozekit.bench.answers import slack
from clozekit.bench.driver import WARP, Unsupported
from clozekit.bench.job import Compare, Entry, Kernel
from clozekit.grading.tolerance import Expected
from clozekit.kernels import plan
from clozekit.meters.costs import Compiled, Launch, Target

HEADER = re.compile(r"\.entry\s+(?P<name>[\w$]+)\s*\((?P<parameters>[^)]*)\)(?P<directives>[^{]*)\{")
THREADS = re.compile(r"\.reqntid\s+(\d+)")
CLUSTER = ".reqnctapercluster"

TARGETS: dict[int, Target] = {9: "sm_90", 10: "sm_100"}  # by the major number of a device's compute capability

Handed = tuple[plan.Plan, Sequence[Launch]]  # the plan of a call, and what its launches were compiled to


def compare(
    reference: Handed,
    candidate: Handed,
    inputs: Sequence[Tensor],
    expected: Expected,
    threshold: float,
    target: Target,
) -> tuple[Compare, list[Any]]:
    """The request, and the buffers that go with it. `expected`: what the call must return.

    Raises:
        Unsupported: a kernel that was not compiled, or is launched in a way that we do not know.
    """
    buffers: list[Any] = []
    arrays = [values.encode(each, buffers, strided=True) for each in inputs]
    ours, codes = entry(*reference, target)
    theirs, more = entry(*candidate, target)
    return Compare(ours, theirs, arrays, slack(expected), threshold), [*buffers, *codes, *more]


def target_of(capability: tuple[int, int]) -> Target:
    """What to compile to for a device: PTX for sm_80 runs on all that came after it, that for the others on theirs alone.

    Raises:
        Unsupported: the device is older.
    """
    if capability < (8, 0):
        raise Unsupported(f"a device of compute capability {capability[0]}.{capability[1]}; 8.0 is the least")
    return TARGETS.get(capability[0], "sm_80")


def entry(script: plan.Plan, launches: Sequence[Launch], target: Target) -> tuple[Entry, list[bytes]]:
    """One side, and the code of its kernels."""
    firsts = [launch for launch in launches if launch.compiled_as and target in launch.compiled]
    kinds = {launch.compiled_as: launch.compiled[target] for launch in firsts}
    kernels = {number: kernel(compiled, target) for number, compiled in kinds.items()}
    for launch in launches:
        if launch.compiled_as not in kernels:
            raise Unsupported(f"`{launch.kernel}` was not compiled for {target}")
    places = {number: place for place, number in enumerate(kernels)}
    codes = [compiled.ptx.encode() for compiled in kinds.values()]
    return Entry(script, list(kernels.values()), [places[launch.compiled_as] for launch in launches]), codes


def kernel(compiled: Compiled, target: Target) -> Kernel:
    """How to launch what was compiled."""
    header = HEADER.search(compiled.ptx)
    if compiled.error or not header:
        raise Unsupported(f"a kernel does not compile for {target}: {compiled.error or 'no entry in its PTX'}")
    threads = THREADS.search(header["directives"])
    taken = sum(type != "constexpr" for type in compiled.signature.values()) + len(compiled.scratch)
    if header["parameters"].count(".param") != taken or not threads:
        raise Unsupported(f"`{header['name']}` takes other parameters than its {taken} arguments")
    if CLUSTER in header["directives"]:
        raise Unsupported(f"`{header['name']}` runs in clusters of blocks")
    size = len(compiled.ptx.encode())
    warps = int(threads[1]) // WARP
    return Kernel(header["name"], size, compiled.signature, warps, compiled.shared_bytes, compiled.scratch)
