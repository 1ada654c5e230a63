"""What NVIDIA's management library tells of a GPU: its clock, and what holds it back.

    Gpu("GPU-5c2b…").pace()         Pace(mhz=1410, full=1980, reason="power")

libnvidia-ml comes with the driver; torch.cuda.clock_rate asks it too, but through a package that may not be installed, and
nothing of torch tells why a clock is low.
"""

import ctypes
from collections.abc import Callable
from typing import Any

from clozekit.bench.pace import Pace
from clozekit.errors import CannotCheck, why
from clozekit.report import Problem

LIBRARY = "libnvidia-ml.so.1"
SM = 1  # NVML_CLOCK_SM
REASONS = {  # nvmlClocksEventReason…, by its bit
    0x002: "application clocks",
    0x004: "power",
    0x008: "hardware",
    0x010: "sync boost",
    0x020: "heat",
    0x040: "heat",
    0x080: "power brake",
    0x100: "display clocks",
}


class Nvml:
    """The library, ready to be asked."""

    def __init__(self, load: Callable[[str], Any] = ctypes.CDLL):
        try:
            self.library = load(LIBRARY)
        except OSError as error:
            raise CannotCheck(Problem("nvidia-driver", why(error))) from None
        self.ask("nvmlInit_v2")

    def ask(self, name: str, *arguments: Any) -> None:
        """Raises CannotCheck where the library refuses."""
        if status := getattr(self.library, name)(*arguments):
            raise CannotCheck(Problem("nvidia-says", {"name": name, "status": str(status)}))


def devices(load: Callable[[str], Any] = ctypes.CDLL) -> int:
    """How many GPUs there are, one at least; CUDA is not started for that.

    Raises:
        CannotCheck: none.
    """
    count = ctypes.c_uint()
    Nvml(load).ask("nvmlDeviceGetCount_v2", ctypes.byref(count))
    if not count.value:
        raise CannotCheck(Problem("nvidia-none"))
    return count.value


class Gpu:
    """One GPU, by its UUID: numbers differ between CUDA and NVML."""

    def __init__(self, nvml: Nvml, uuid: str):
        self.nvml, self.handle = nvml, ctypes.c_void_p()
        nvml.ask("nvmlDeviceGetHandleByUUID", uuid.encode(), ctypes.byref(self.handle))

    def pace(self) -> Pace:
        """How fast it runs now."""
        mhz, full, reasons = ctypes.c_uint(), ctypes.c_uint(), ctypes.c_ulonglong()
        self.nvml.ask("nvmlDeviceGetClockInfo", self.handle, SM, ctypes.byref(mhz))
        self.nvml.ask("nvmlDeviceGetMaxClockInfo", self.handle, SM, ctypes.byref(full))
        self.nvml.ask("nvmlDeviceGetCurrentClocksThrottleReasons", self.handle, ctypes.byref(reasons))
        names = dict.fromkeys(name for bit, name in REASONS.items() if reasons.value & bit)
        return Pace(mhz.value, full.value, ", ".join(names))
