"""The GPU that is not there: an H100 on paper, for wrappers that ask before they launch.

    properties = triton.runtime.driver.active.utils.get_device_properties(0)    # 132 multiprocessors
    compiled = kernel.warmup(..., grid=(1,)); compiled.n_regs                   # 32

What it says of a compiled kernel is a plausible constant: nothing is compiled.
"""

from types import SimpleNamespace
from typing import Any

import torch
from triton.backends.compiler import GPUTarget

from clozekit.kernels.private import DriverBase

PROPERTIES = {
    "max_shared_mem": 232448,
    "max_num_regs": 65536,
    "multiprocessor_count": 132,
    "warpSize": 32,
    "sm_clock_rate": 1755000,
    "mem_clock_rate": 2619000,
    "mem_bus_width": 5120,
}


class PaperDriver(DriverBase):
    """Answers questions, runs nothing."""

    utils = SimpleNamespace(get_device_properties=lambda device: dict(PROPERTIES))

    @classmethod
    def is_active(cls) -> bool:
        return True

    def map_python_to_cpp_type(self, ty: str) -> str:
        return ty

    def get_current_target(self) -> GPUTarget:
        return GPUTarget("cuda", 90, 32)

    def get_active_torch_device(self) -> torch.device:
        return torch.device("cpu")

    def get_device_interface(self) -> Any:
        return torch.cpu

    def get_current_device(self) -> int:
        return 0

    def set_current_device(self, device: int) -> None:
        pass

    def get_current_stream(self, device: int | None = None) -> int:
        return 0

    def get_device_capability(self, device: int | None = None) -> tuple[int, int]:
        return 9, 0

    def get_benchmarker(self) -> Any:
        return lambda call, quantiles=None, **options: [0.0] * len(quantiles) if quantiles else 0.0


class PaperKernel:
    """What `kernel.warmup` and a launch return in place of compiled code."""

    n_regs, n_spills, n_max_threads = 32, 0, 1024

    def __init__(self, kernel: Any, keywords: dict[str, Any], num_warps: int, num_stages: int):
        self._kernel, self._keywords = kernel, keywords
        self.name = kernel.__name__
        self.asm: dict[str, str] = {}
        self.metadata = SimpleNamespace(
            name=self.name, num_warps=num_warps, num_stages=num_stages, num_ctas=1, shared=16384
        )

    def _init_handles(self) -> None:
        pass

    def __getitem__(self, grid: Any) -> Any:
        """Launch with what the warm-up fixed by keyword, as compiled code would."""

        def launch(*args: Any) -> Any:
            given = self._kernel.arg_names[: len(args)]
            return self._kernel[grid](*args, **{name: v for name, v in self._keywords.items() if name not in given})

        return launch
