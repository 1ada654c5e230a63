"""PTX, assembled by the ptxas that comes with Triton, and what can be read off: registers, stack, tensor-core instructions.

    facts(Compiled(ptx, shared_bytes=16, num_warps=4), "sm_90")
        Facts(registers=26, stack_bytes=0, spill_bytes=0, tensor_core_instructions=0, load_bits=32, occupancy=1.0, ...)

The PTX may be a stranger's: ptxas reads it confined, under limits, and its output is thrown away. No torch here.

Registers say little (under the worst spilling ptxas reports few of them); the stack says it all: what does not fit into
registers lies there, in memory. Compare facts of one Triton only.
"""

import functools
import importlib.util
import math
import os
import re
import resource
import shutil
import signal
import subprocess
import time
from pathlib import Path

from msgspec import Struct

from clozekit.errors import CannotCheck, why
from clozekit.meters.costs import Compiled, Target
from clozekit.report import Problem
from clozekit.sandbox import landlock, libc

SECONDS = 20  # of processor time: a kernel that ptxas works on for longer is none that anybody wants to run
PATIENCE = 10  # times as long on the clock, on a machine with much else to do
MEMORY = 4 << 30
REGISTERS, WARPS, BLOCKS = 65536, 64, 32  # of one multiprocessor, the same for all three targets
SHARED: dict[Target, int] = {"sm_80": 164 << 10, "sm_90": 228 << 10, "sm_100": 228 << 10}  # bytes of one multiprocessor
OF_A_BLOCK: dict[Target, int] = {
    "sm_80": 163 << 10,
    "sm_90": 227 << 10,
    "sm_100": 227 << 10,
}  # CUDA C++ guide, table of limits
RESERVED = 1024  # bytes of shared memory that the system takes for each block
LINKER = "/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"

TENSOR_CORE = re.compile(r"^\s*(?:@\S+\s+)?(?:mma\.sync|wmma\.mma|wgmma\.mma_async|tcgen05\.mma)", re.M)
LOADS = re.compile(r"^\s*(?:@\S+\s+)?ld\.global(?:\.\w+(?:::\w+)*)*?(?:\.v(\d))?\.[bufs](\d+)\s", re.M)
COPIES = re.compile(r"^\s*(?:@\S+\s+)?cp\.async\.c[ag]\.shared\.global.*?(0x[0-9a-f]+|\b\d+)\s*(?:,[^;]*)?;", re.M)
BULK = re.compile(r"^\s*(?:@\S+\s+)?cp\.async\.bulk", re.M)
RELEASE = re.compile(r"release (\d+)\.(\d+)")
USED = re.compile(r"Used (\d+) registers")
STACK = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")


class Facts(Struct, frozen=True):
    """What the hardware will be asked for; see the CUDA binary utilities and the PTX manual.

    load_bits: of the widest load or copy from global memory that one thread makes. async_copies: cp.async and bulk copies.
    occupancy: warps that fit a multiprocessor, of those that it can hold. coalescing: of the sectors that warps ask for, the
    share that their lanes use, if that was looked at. error: why there are no facts.
    """

    registers: int = 0
    stack_bytes: int = 0
    spill_bytes: int = 0
    shared_bytes: int = 0
    tensor_core_instructions: int = 0
    load_bits: int = 0
    async_copies: int = 0
    occupancy: float = 0.0
    seconds: float = 0.0
    error: str = ""
    coalescing: float = 0.0


def facts(compiled: Compiled, target: Target, seconds: int = SECONDS) -> Facts:
    """Assemble what a compiler made. `seconds`: the processor time that ptxas may take.

    Raises:
        CannotCheck: ptxas does not run, which is nobody's kernel's fault.
    """
    if compiled.error:
        return Facts(error=compiled.error, seconds=round(compiled.seconds, 3))
    if compiled.shared_bytes > OF_A_BLOCK[target]:
        most = f"{compiled.shared_bytes} bytes of shared memory, and a block may have {OF_A_BLOCK[target]}"
        return Facts(error=f"it needs {most}: take smaller blocks or fewer stages", seconds=round(compiled.seconds, 3))
    began = time.monotonic()
    said, error = _ptxas(compiled.ptx, target, seconds)
    spent = round(compiled.seconds + time.monotonic() - began, 3)
    used = USED.search(said)
    if error or not used:
        return Facts(error=error or f"ptxas says nothing of registers: {said[-1000:]}", seconds=spent)
    stack, stores, loads = map(int, found.groups()) if (found := STACK.search(said)) else (0, 0, 0)
    registers = int(used[1])
    return Facts(
        registers,
        stack,
        stores + loads,
        compiled.shared_bytes,
        len(TENSOR_CORE.findall(compiled.ptx)),
        _widest(compiled.ptx),
        len(COPIES.findall(compiled.ptx)) + len(BULK.findall(compiled.ptx)),
        occupancy(registers, compiled.shared_bytes, compiled.num_warps, target),
        spent,
        coalescing=compiled.coalescing,
    )


def occupancy(registers: int, shared_bytes: int, num_warps: int, target: Target) -> float:
    """The share of a multiprocessor's warps that blocks of this size can fill."""
    return round(resident(registers, shared_bytes, num_warps, SHARED[target]) * num_warps / WARPS, 3)


def resident(
    registers: int, shared_bytes: int, num_warps: int, shared: int, warps: int = WARPS, blocks: int = BLOCKS
) -> int:
    """Blocks that fit a multiprocessor with so much shared memory (CUDA C++ Best Practices Guide, §11)."""
    by_warp = max(1, math.ceil(registers * 32 / 256)) * 256  # registers are given out in units of 256 to a warp
    return min(blocks, warps // num_warps, REGISTERS // by_warp // num_warps, shared // (shared_bytes + RESERVED))


def _widest(ptx: str) -> int:
    loads = [int(vector or 1) * int(bits) for vector, bits in LOADS.findall(ptx)]
    copies = [8 * int(size, 0) for size in COPIES.findall(ptx)]
    return max(loads + copies, default=0)


@functools.cache
def assembler(target: Target) -> Path | None:
    """The ptxas for a target, found without importing Triton."""
    spec = importlib.util.find_spec("triton")
    newer = target == "sm_100" or (target == "sm_90" and spec and _release() >= (3, 9))  # as Triton itself chooses
    name = "ptxas-blackwell" if newer else "ptxas"
    for place in spec.submodule_search_locations or [] if spec else []:
        path = Path(place, "backends", "nvidia", "bin", name)
        if path.exists():
            return path
    system = shutil.which("ptxas")
    return Path(system) if system else None


def _release() -> tuple[int, ...]:
    """Of Triton, which is not imported here."""
    from importlib import metadata  # a quarter of what `cloze list` would import

    return tuple(map(int, metadata.version("triton").split(".")[:2]))


@functools.cache
def ptx_version(target: Target) -> int:
    """The newest PTX that the ptxas for a target reads: 87 for PTX ISA 8.7 (release notes of the PTX manual).

    Raises:
        CannotCheck: there is no ptxas, or it does not run.
    """
    program = assembler(target)
    if program is None:
        raise CannotCheck(Problem("ptxas-missing"))
    try:
        said = subprocess.check_output([str(program), "--version"], text=True, timeout=60)
    except (OSError, subprocess.SubprocessError) as error:
        raise CannotCheck(Problem("ptxas-broken", {"program": str(program), **why(error)})) from None
    release = RELEASE.search(said)
    if not release:
        raise CannotCheck(Problem("ptxas-version", {"program": str(program), "output": said[:200]}))
    return ptx_of(*map(int, release.groups()))


def ptx_of(major: int, minor: int) -> int:
    """The newest PTX that a release of CUDA reads, from 12.0 on."""
    return 10 * major - 40 + minor if major >= 13 else 80 + minor - (minor >= 6)


def _ptxas(ptx: str, target: Target, seconds: int) -> tuple[str, str]:
    """What ptxas says of this PTX, and why not, if so."""
    program = assembler(target)
    if program is None:
        raise CannotCheck(Problem("ptxas-missing"))
    architecture = target if target == "sm_80" else f"{target}a"
    command = [str(program), "-v", "--regAllocOptLevel=2", f"--gpu-name={architecture}", "-o", os.devnull, "/dev/stdin"]
    try:
        done = subprocess.run(
            command,
            input=ptx,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PATIENCE * seconds,
            env={"PATH": "", "TMPDIR": "/nowhere"},
            preexec_fn=functools.partial(_confine, str(program), seconds),
        )
    except subprocess.TimeoutExpired:
        raise CannotCheck(Problem("ptxas-late", {"seconds": str(PATIENCE * seconds)})) from None
    except (OSError, subprocess.SubprocessError) as error:
        raise CannotCheck(Problem("ptxas-broken", {"program": str(program), **why(error)})) from None
    if done.returncode == -signal.SIGXCPU:
        return "", f"ptxas takes longer than {seconds} s"
    if done.returncode == -signal.SIGKILL:
        raise CannotCheck(Problem("ptxas-killed"))
    if done.returncode:
        return "", f"ptxas fails ({done.returncode}): {(done.stderr or done.stdout)[-1000:].strip()}"
    return done.stdout + done.stderr, ""


def _confine(program: str, seconds: int) -> None:
    """In the child: bounded, and where the kernel can, without a file but those it needs."""
    for what, limit in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(what, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))  # SIGXCPU comes before SIGKILL
    libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)
    try:
        libraries = ("/lib", "/usr/lib", "/lib64", "/usr/lib64", "/etc/ld.so.cache", "/proc/self", "/dev/null")
        landlock.confine(landlock.ruleset(libraries, [os.devnull], [program, *LINKER]))
    except OSError:
        return  # a kernel without Landlock: tier C
