"""Compiled kernels as the CUDA driver gets them: a driver that writes down what it is told."""

import ctypes
import struct

import pytest
import torch

from clozekit.bench.driver import Driver, Launcher, Unsupported, parameters
from clozekit.bench.job import Kernel
from clozekit.bench.planned import Fault
from clozekit.errors import CannotCheck
from clozekit.kernels.plan import Function, Launch, Many, View
from clozekit.kernels.replay import Memory

SIGNATURE = {
    "y_ptr": "*fp32",
    "x_ptr": "*fp32",
    "n": "i32",
    "stride": "i64",
    "one": "constexpr",
    "scale": "fp32",
    "B": "constexpr",
}


class Library:
    """libcuda, as far as it is needed. `refuses`: a function that returns an error."""

    def __init__(self, refuses="", status=2):
        self.refuses, self.status, self.said = refuses, status, []

    def __getattr__(self, name):
        def call(*arguments):
            self.said.append((name, arguments))
            if name == "cuGetErrorString":
                ctypes.cast(arguments[1], ctypes.POINTER(ctypes.c_char_p))[0] = b"out of memory"
            if name in ("cuModuleLoadData", "cuModuleGetFunction"):
                ctypes.cast(arguments[0], ctypes.POINTER(ctypes.c_void_p))[0] = 7
            if name == "cuLaunchKernel":
                self.read = [ctypes.string_at(pointer, 8) for pointer in arguments[9]]
            if name == "cuDriverGetVersion":
                ctypes.cast(arguments[0], ctypes.POINTER(ctypes.c_int))[0] = 12080
            return self.status if name == self.refuses else 0

        return call

    def names(self):
        return [name for name, _ in self.said]


class Stream:
    cuda_stream = 99


@pytest.fixture
def memory():
    memory = Memory([], {})
    memory.buffers = [torch.zeros(64, dtype=torch.uint8)]
    return memory


def view(offset=0, shape=(8,)):
    return View(0, "float32", offset, list(shape), [1])


def launch(grid=(3, 1, 1), **arguments):
    given = {"y_ptr": view(), "x_ptr": view(32), "n": 8, "stride": 1, "one": 1, "scale": 0.5, "B": 128} | arguments
    return Launch(Function("scaled", 1), list(grid), given)


def test_a_launch(memory, monkeypatch):
    monkeypatch.setattr("torch.cuda.current_stream", Stream)
    library = Library()
    kernel = Kernel("scaled", 3, SIGNATURE, num_warps=8, shared=1 << 16, scratch=[0, 16])
    run = Launcher(Driver(lambda _: library), "cpu").bind(launch(), (kernel, b"ELF"), memory)
    assert library.names() == ["cuModuleLoadData", "cuModuleGetFunction", "cuFuncSetAttribute"]
    run()
    name, (function, *shape, shared, stream, _, extra) = library.said[-1]
    assert (name, function.value, shape, shared) == ("cuLaunchKernel", 7, [3, 1, 1, 256, 1, 1], 1 << 16)
    assert (stream.value, extra) == (99, None)
    base = memory.buffers[0].data_ptr()
    assert library.read[0] == struct.pack("<Q", base)
    assert library.read[1] == struct.pack("<Q", base + 32)
    assert library.read[2][:4] == struct.pack("<i", 8)
    assert library.read[3] == struct.pack("<q", 1)
    assert library.read[4][:4] == struct.pack("<f", 0.5)
    assert len(library.read) == 7


def test_code_is_loaded_once(memory):
    library = Library()
    launcher = Launcher(Driver(lambda _: library), "cpu")
    for code in (b"a", b"a", b"b"):
        launcher.bind(launch(), (Kernel("scaled", 1, SIGNATURE), code), memory)
    assert library.names().count("cuModuleLoadData") == 2


def test_an_empty_grid_is_no_launch(memory):
    library = Library()
    Launcher(Driver(lambda _: library), "cpu").bind(launch((0, 1, 1)), (Kernel("scaled", 1, SIGNATURE), b"a"), memory)()
    assert "cuLaunchKernel" not in library.names()


@pytest.mark.parametrize(
    ("type", "argument", "packed"),
    [
        ("i1", True, b"\1"),
        ("i8", -1, b"\xff"),
        ("u16", 65535, b"\xff\xff"),
        ("fp16", 1.0, b"\x00\x3c"),
        ("bf16", 1.0, b"\x80\x3f"),
        ("fp64", 2, struct.pack("<d", 2.0)),
    ],
)
def test_scalars(memory, type, argument, packed):
    assert parameters(launch(n=argument), Kernel("k", 0, {"n": type}), memory) == [packed]


def test_a_tuple_is_passed_item_by_item(memory):
    step = launch(strides=Many([5, 1, view(8, (4,))], ["row", "col", "base"]))
    kernel = Kernel("k", 0, {"strides[0]": "i64", "strides[1]": "constexpr", "strides[2]": "*fp32", "n": "i32"})
    address = memory.buffers[0].data_ptr() + 8
    packed = [struct.pack("<q", 5), struct.pack("<Q", address), struct.pack("<i", 8)]
    assert parameters(step, kernel, memory) == packed


@pytest.mark.parametrize(
    ("type", "argument"),
    [
        ("tensordesc<fp32[16, 16]>", view()),
        ("tuple", 1),
        ("*fp32", 5),
        ("i32", 1 << 40),
        ("i32", 0.5),
        ("i32", None),
        ("i32", view()),
    ],
)
def test_what_cannot_be_passed_is_named(memory, type, argument):
    with pytest.raises(Unsupported, match="`n`"):
        parameters(launch(n=argument), Kernel("k", 0, {"n": type}), memory)


def test_what_the_driver_refuses_is_told_in_its_words():
    with pytest.raises(RuntimeError, match=r"cuModuleLoadData: out of memory \(2\)"):
        Driver(lambda _: Library("cuModuleLoadData")).function(b"a", Kernel("k", 1, {}))


@pytest.mark.parametrize(
    ("status", "error"), [(700, Fault), (716, Fault), (719, Fault), (2, RuntimeError), (999, RuntimeError)]
)
def test_what_a_kernel_did_is_told_from_what_the_machine_did(status, error):
    launcher = Launcher(Driver(lambda _: Library("cuCtxSynchronize", status)), "cpu")
    with pytest.raises(error, match=rf"out of memory \({status}\)"):
        launcher.wait()


def test_the_version_of_the_driver():
    assert Driver(lambda _: Library()).version() == 12080


def test_no_driver():
    def missing(name):
        raise OSError(f"{name}: cannot open shared object file")

    with pytest.raises(CannotCheck, match=r"libcuda\.so\.1"):
        Driver(missing)
