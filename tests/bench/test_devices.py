"""What times launches: CUDA events and graphs by a stub of torch.cuda, NVML by a stub of its library, the processor itself."""

import contextlib
import ctypes
import itertools
import os

import pytest
import torch

from clozekit.bench.cpu import Cpu, Function, largest_cache
from clozekit.bench.cuda import Cuda
from clozekit.bench.measure import Race
from clozekit.bench.nvml import Gpu, Nvml, devices
from clozekit.bench.pace import Pace
from clozekit.errors import CannotCheck


class Paper:
    """torch.cuda, as far as it is needed: writes down what it is told; a millisecond passes with each launch."""

    def __init__(self):
        self.said, self.captured, self.now = [], None, 0.0

    def say(self, word):
        (self.said if self.captured is None else self.captured).append(word)

    def synchronize(self):
        self.say("synchronize")

    def Event(self, enable_timing, external):
        paper = self

        class Event:
            at = 0.0

            def record(self):
                assert enable_timing
                assert external == (paper.captured is not None)
                self.number = len(paper.said) if paper.captured is None else len(paper.captured)
                paper.say("event")

            def elapsed_time(self, end):
                return float(end.number - self.number)

        return Event()

    def CUDAGraph(self):
        paper = self

        class Graph:
            nodes = ()

            def replay(self):
                paper.say("replay")

        return Graph()

    @contextlib.contextmanager
    def graph(self, graph):
        self.captured = []
        yield
        graph.nodes, self.captured = self.captured, None
        self.said.append(graph.nodes)


@pytest.fixture
def paper():
    """A Cuda on paper: its constructor would start CUDA."""
    device = Cuda.__new__(Cuda)
    device.cuda, device.persists = Paper(), True
    device.driver = type("Driver", (), {"forget_persisting": lambda _: device.cuda.say("forget persisting")})()
    device.around = type("Buffer", (), {"zero_": lambda _: device.cuda.say("flush")})()
    return device


def test_one_launch_is_between_two_events_and_nothing_else_is(paper):
    say = paper.cuda.say
    seconds = paper.timer(lambda: say("clear"), lambda: say("launch"), 1)
    assert seconds() == 2e-3
    assert paper.cuda.said == ["forget persisting", "clear", "flush", "event", "launch", "event", "synchronize"]


def test_an_old_device_has_no_lines_to_forget(paper):
    paper.persists = False
    paper.timer(lambda: None, lambda: None, 1)()
    assert "forget persisting" not in paper.cuda.said


def test_many_launches_are_one_graph_with_a_cold_cache_before_each(paper):
    say = paper.cuda.say
    seconds = paper.timer(lambda: say("clear"), lambda: say("launch"), 3)
    assert seconds() == 2e-3
    assert paper.cuda.said == [
        ["clear", "flush", "event", "launch", "event"] * 3,
        *("forget persisting", "replay", "synchronize"),
    ]


def test_a_gpu_that_does_not_tell_its_pace(paper):
    paper.gpu = None
    assert paper.pace() is None
    paper.gpu = Gpu(Nvml(lambda _: Library(nvmlDeviceGetClockInfo=ValueError())), "GPU-1")
    assert paper.pace() is None


def test_no_cuda_device():
    cuda = type("Cuda", (), {"is_available": lambda _: True, "device_count": lambda _: 1})()
    with pytest.raises(CannotCheck, match="no CUDA device 1"):
        Cuda(1, cuda)


class Library:
    """NVML: what each function writes into its last argument."""

    def __init__(self, **answers):
        self.answers, self.asked = answers, []

    def __getattr__(self, name):
        def call(*arguments):
            self.asked.append((name, arguments[:-1]))
            value = self.answers.get(name, 0)
            if isinstance(value, Exception):
                return 3
            if arguments and name != "nvmlDeviceGetHandleByUUID":
                arguments[-1]._obj.value = value
            return 0

        return call


def test_the_pace_of_a_gpu():
    library = Library(
        nvmlDeviceGetClockInfo=1410,
        nvmlDeviceGetMaxClockInfo=1980,
        nvmlDeviceGetCurrentClocksThrottleReasons=0x64 | 0x1,  # power, heat twice, and idle, which is none
    )
    assert Gpu(Nvml(lambda _: library), "GPU-1").pace() == Pace(1410, 1980, "power, heat")
    assert ("nvmlDeviceGetHandleByUUID", (b"GPU-1",)) in library.asked


def test_devices_are_counted_without_cuda():
    assert devices(lambda _: Library(nvmlDeviceGetCount_v2=4)) == 4
    with pytest.raises(CannotCheck, match="knows of none"):
        devices(lambda _: Library())


def test_what_nvml_refuses_cannot_be_checked():
    with pytest.raises(CannotCheck, match="nvmlInit_v2"):
        Nvml(lambda _: Library(nvmlInit_v2=ValueError()))
    with pytest.raises(CannotCheck, match="no NVIDIA driver"):
        Nvml(lambda _: ctypes.CDLL("no such library"))


def test_a_call_is_timed_alone():
    """The clock stands but for what is between its two looks."""
    ticks = itertools.count(0.0, 1.0)
    log = []
    device = Cpu(clock=lambda: log.append("clock") or next(ticks))
    seconds = device.timer(lambda: log.append("clear"), lambda: log.append("launch"), 2)
    before = device.around[0].item()
    assert seconds() == 1.0
    assert log == ["clear", "clock", "launch", "clock"] * 2
    assert device.around[0].item() == before + 2
    assert len(device.around) == 2 * largest_cache()


def test_a_thread_keeps_to_one_processor_meanwhile():
    before = os.sched_getaffinity(0), torch.get_num_threads()
    with Cpu() as device:
        assert os.sched_getaffinity(0) == {device.number}
        assert torch.get_num_threads() == 1
    assert (os.sched_getaffinity(0), torch.get_num_threads()) == before


def test_the_clock_of_a_processor(tmp_path, monkeypatch):
    monkeypatch.setattr("clozekit.bench.cpu.FREQUENCY", tmp_path)
    device = Cpu(0)
    assert device.pace() is None
    (tmp_path / "cpu0/cpufreq").mkdir(parents=True)
    (tmp_path / "cpu0/cpufreq/scaling_cur_freq").write_text("1200000\n")
    (tmp_path / "cpu0/cpufreq/cpuinfo_max_freq").write_text("3000000\n")
    assert device.pace() == Pace(1200, 3000)


@pytest.mark.parametrize(("files", "size"), [({"index0": "32K", "index3": "32768K"}, 32 << 20), ({}, 64 << 20)])
def test_the_largest_cache(tmp_path, monkeypatch, files, size):
    monkeypatch.setattr("clozekit.bench.cpu.CACHES", tmp_path)
    for index, text in files.items():
        (tmp_path / index).mkdir()
        (tmp_path / index / "size").write_text(text + "\n")
    assert largest_cache() == size


def test_functions_race_by_a_clock_of_ours():
    """Each call of the clock is a tick later; what a function does between takes ticks of its own."""
    now = [0.0]

    def clock():
        return now[0]

    def reference(x):
        now[0] += 0.1
        return 2 * x

    def slow(x):
        now[0] += 0.2
        return x + x

    with Cpu(clock=clock) as device:
        device.around = torch.zeros(1)
        measured = Race(
            device,
            Function(reference),
            Function(slow),
            draw=lambda: [torch.rand(3)],
            differ=lambda yours, theirs: None if torch.equal(*yours, *theirs) else pytest.fail("another answer"),
            threshold=1.5,
        ).measure()
    assert measured.verdict == "failed"
    assert measured.ratio == pytest.approx(2.0)
