"""A CUDA device that times launches: events on its stream, a cold L2 cache, graphs for what is tiny.

device = Cuda(0)
device.timer(softmax.clear, softmax.launch, repeats=1)()        4.12e-05
"""

import contextlib
from collections.abc import Callable
from typing import Any

import torch

from clozekit.bench.driver import Driver
from clozekit.bench.measure import Launch
from clozekit.bench.nvml import Gpu, Nvml
from clozekit.bench.pace import Pace
from clozekit.errors import CannotCheck
from clozekit.report import Problem

RESOLUTION = 0.5e-6  # seconds, of the difference of two events (CUDA's manual, cudaEventElapsedTime)
FLUSHED = 2  # times the size of the L2 cache
PERSISTING = 8  # from this compute capability on, a kernel can ask the L2 cache to keep its lines


class Cuda:
    """The device of this number, made current; torch begins to use CUDA with it.

    Raises:
        CannotCheck: there is none.
    """

    resolution = RESOLUTION

    def __init__(self, number: int = 0, cuda: Any = torch.cuda):
        if not cuda.is_available() or number >= cuda.device_count():
            raise CannotCheck(Problem("cuda-device", {"number": str(number)}))
        self.cuda = cuda
        cuda.set_device(number)
        properties = cuda.get_device_properties(number)
        self.place = f"cuda:{number}"
        self.name = f"GPU-{str(properties.uuid).removeprefix('GPU-')}"
        self.driver = Driver()
        self.persists = properties.major >= PERSISTING
        self.gpu: Gpu | None = None
        with contextlib.suppress(CannotCheck):  # a virtual GPU, or a part of one, may be unknown there
            self.gpu = Gpu(Nvml(), self.name)
        self.around = torch.empty(FLUSHED * properties.L2_cache_size, dtype=torch.uint8, device=self.place)

    def synchronise(self) -> None:
        self.cuda.synchronize()

    def flush_cache(self) -> None:
        """Write more than the cache holds."""
        self.around.zero_()

    def pace(self) -> Pace | None:
        with contextlib.suppress(CannotCheck):
            return self.gpu.pace() if self.gpu else None
        return None

    def timer(self, prepare: Launch, launch: Launch, repeats: int) -> Callable[[], float]:
        """Two events around the launch alone: while the cache is flushed, the host has time to launch.

        More than one launch becomes a graph, which the host starts as one; the events are nodes of it.
        """
        events = [[self.cuda.Event(enable_timing=True, external=repeats > 1) for _ in range(2)] for _ in range(repeats)]

        def enqueue() -> None:
            for start, end in events:
                prepare()
                self.flush_cache()
                start.record()
                launch()
                end.record()

        if repeats > 1:
            graph = self.cuda.CUDAGraph()
            with self.cuda.graph(graph):
                enqueue()
            enqueue = graph.replay

        def seconds() -> float:
            if self.persists:
                self.driver.forget_persisting()
            enqueue()
            self.cuda.synchronize()
            return sum(start.elapsed_time(end) for start, end in events) / repeats / 1e3

        return seconds
