"""Compiled kernels, loaded and launched through the CUDA driver itself.

    kernel = Kernel("softmax_kernel", ..., signature={"y_ptr": "*fp32", "cols": "i32"})
    launch = Launcher(Driver(), "cuda:0").bind(step, (kernel, ptx), memory)
    launch()                                    cuLaunchKernel(function, 4096, 1, 1, 128, 1, 1, shared, stream, parameters)

libcuda's entry points have been the same since CUDA 4. Triton's own launcher wants a C compiler on the machine, and what it is
given changes from one release to the next. What it does is little: a parameter for each argument that is not compiled in, in the
order of the signature, then a pointer for each kind of scratch memory.
"""

import contextlib
import ctypes
import math
import struct
from collections.abc import Callable
from typing import Any

import torch

from clozekit.bench.job import Kernel
from clozekit.bench.planned import Compiled, Fault
from clozekit.errors import CannotCheck, why
from clozekit.kernels import plan
from clozekit.kernels.replay import Memory
from clozekit.report import Problem

LIBRARY = "libcuda.so.1"
WARP = 32
SHARED_STATIC = 48 << 10  # bytes of shared memory that a kernel gets without asking
DYNAMIC_SHARED = 8  # CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
FORMATS = {  # of scalars, by their type in Triton
    **dict.fromkeys(("i1", "i8"), "<b"),
    **{"u1": "<B", "u8": "<B", "i16": "<h", "u16": "<H", "i32": "<i", "u32": "<I", "i64": "<q", "u64": "<Q"},
    **{"fp16": "<e", "fp32": "<f", "fp64": "<d"},
}


FAULTS = (700, 702, 710, 714, 715, 716, 717, 718, 719)  # of CUresult: those that a kernel causes, by what it does


class Unsupported(CannotCheck):
    """A kernel that takes what we cannot pass."""


class Driver:
    """libcuda, in the context that torch has made current. `load` is for those who have another one."""

    def __init__(self, load: Callable[[str], Any] = ctypes.CDLL):
        try:
            self.library = load(LIBRARY)
        except OSError as error:
            raise CannotCheck(Problem("cuda-driver", why(error))) from None

    def call(self, name: str, *arguments: Any) -> None:
        """Raises RuntimeError with the driver's own words where it refuses, Fault if it is for what a kernel did."""
        if status := getattr(self.library, name)(*arguments):
            text = ctypes.c_char_p()
            self.library.cuGetErrorString(status, ctypes.byref(text))
            said = (text.value or b"?").decode()
            raise Fault(f"{said} ({status})") if status in FAULTS else RuntimeError(f"{name}: {said} ({status})")

    def version(self) -> int:
        """Of CUDA, the newest that it knows: 12080 for 12.8."""
        version = ctypes.c_int()
        self.call("cuDriverGetVersion", ctypes.byref(version))
        return version.value

    def function(self, code: bytes, kernel: Kernel) -> ctypes.c_void_p:
        """A kernel of a cubin or of PTX, with leave to use its shared memory."""
        module, function = ctypes.c_void_p(), ctypes.c_void_p()
        self.call("cuModuleLoadData", ctypes.byref(module), code + b"\0")
        self.call("cuModuleGetFunction", ctypes.byref(function), module, kernel.name.encode())
        if kernel.shared > SHARED_STATIC:
            self.call("cuFuncSetAttribute", function, DYNAMIC_SHARED, kernel.shared)
        return function

    def forget_persisting(self) -> None:
        """Lines of the L2 cache that a kernel asked to keep are as good as others again."""
        self.call("cuCtxResetPersistingL2Cache")


class Launcher:
    """Launches kernels in the current context of a device."""

    def __init__(self, driver: Driver, device: str):
        self.driver, self.device = driver, device
        self.functions: dict[tuple[str, bytes], ctypes.c_void_p] = {}

    def bind(self, step: plan.Launch, compiled: Compiled, memory: Memory) -> Callable[[], object]:
        """One launch, on whatever stream is current then."""
        kernel, code = compiled
        if (kernel.name, code) not in self.functions:
            self.functions[kernel.name, code] = self.driver.function(code, kernel)
        function = self.functions[kernel.name, code]
        programs = math.prod(step.grid)
        scratch = [torch.empty(size * programs, dtype=torch.uint8, device=self.device) for size in kernel.scratch]
        values = parameters(step, kernel, memory) + [struct.pack("<Q", each.data_ptr()) for each in scratch]
        cells = [ctypes.create_string_buffer(value, len(value)) for value in values]
        pointers = (ctypes.c_void_p * len(cells))(*map(ctypes.addressof, cells))
        block = (WARP * kernel.num_warps, 1, 1)

        def launch(kept: object = (scratch, cells)) -> None:
            stream = ctypes.c_void_p(torch.cuda.current_stream().cuda_stream)
            self.driver.call("cuLaunchKernel", function, *step.grid, *block, kernel.shared, stream, pointers, None)

        return launch if programs else lambda: None

    def wait(self) -> None:
        self.driver.call("cuCtxSynchronize")


def parameters(step: plan.Launch, kernel: Kernel, memory: Memory) -> list[bytes]:
    """What the kernel takes, in order; of a tuple each item, which the signature calls `strides[0]`.

    Raises:
        Unsupported: a tensor descriptor, a type that we do not know, or no argument of that name.
    """
    given = dict(step.arguments)
    for name, argument in step.arguments.items():
        if isinstance(argument, plan.Many):
            given |= {f"{name}[{place}]": item for place, item in enumerate(argument.items)}
    return [
        _packed(name, type, given.get(name), memory) for name, type in kernel.signature.items() if type != "constexpr"
    ]


def _packed(name: str, type: str, argument: plan.Argument, memory: Memory) -> bytes:
    if type.startswith("*") and isinstance(argument, plan.View):
        return struct.pack("<Q", memory.view(argument).data_ptr())
    if isinstance(argument, bool | int | float):
        if type == "bf16":
            return struct.pack("<f", argument)[2:]
        with contextlib.suppress(KeyError, struct.error):
            return struct.pack(FORMATS[type], argument)
    raise Unsupported(f"`{name}` of a kernel is a {type}, which cannot be passed on a device yet")
