"""Our kernels beside Liger-Kernel's, for the same operation at full size.

    python -m benchmarks.gpu_model.against_liger /tmp/liger [KERNELS]

KERNELS: a directory of kernels, by default the kit's own. Liger's are of the release below, installed into /tmp/liger.
"""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from benchmarks.gpu_model import counting
from benchmarks.gpu_model.virtual import Virtual
from benchmarks.gpu_model.workloads import liger, random
from clozekit.kernels import interpret
from clozekit.meters import roofline
from clozekit.meters.devices import DEVICES

RELEASE = "0.8.5"
KERNELS = Path(__file__).parents[2] / "kernels"
BF16 = torch.bfloat16
Call = Callable[[], Any]


class Pair(NamedTuple):
    """One operation, by a kernel of ours and by Liger's; bfloat16 where nothing else is said."""

    name: str
    ours: Call
    theirs: Call


class Cost(NamedTuple):
    """Of all launches and operators of a call."""

    moved: int
    stack: int
    tensor_cores: int
    seconds: float
    trust: str


def main(place: Path, kernels: Path) -> None:
    interpret.install()
    target = place / RELEASE
    counting.install(target, RELEASE)
    sys.path.insert(0, str(target))
    sys.meta_path.insert(0, counting.OnDevice())
    print(
        "operation                          GPU    ours: MB  stack  tensor  µs      Liger: MB  stack  tensor  µs      ours takes"
    )
    for pair in pairs(kernels):
        for device in ("A100", "H100"):
            print(f"{pair.name:34} {device:5}  {_beside(pair, device)}", flush=True)


def pairs(kernels: Path) -> Iterator[Pair]:
    """What to compare, as far as there are kernels of ours."""
    for name, (make, sizes) in OPERATIONS.items():
        if (kernels / f"{name}.py").exists():
            ours = _module(kernels / f"{name}.py")
            for size in sizes:
                with Virtual():
                    yield from make(ours, *size)


def _softmax(ours: ModuleType, rows: int, cols: int, dtype: torch.dtype) -> Iterator[Pair]:
    x = random(rows, cols, dtype=dtype)
    theirs = liger("softmax", "LigerSoftmaxFunction")
    yield Pair(f"softmax {rows} x {cols} {_short(dtype)}", lambda: ours.softmax(x), lambda: theirs.apply(x))


def _rms_norm(ours: ModuleType, rows: int, d: int) -> Iterator[Pair]:
    norm = liger("rms_norm", "LigerRMSNormFunction")
    x, dy = random(rows, d, dtype=BF16, grad=True), random(rows, d, dtype=BF16)
    weight = random(d, dtype=BF16, grad=True)
    forward = lambda: norm.apply(x, weight, 1e-6, 0.0, "llama", False)  # noqa: E731
    backward = _backward(forward, (x, weight), dy)
    yield Pair(f"rms_norm {rows} x {d}", lambda: ours.rms_norm(x, weight), forward)
    yield Pair(f"rms_norm_backward {rows} x {d}", lambda: ours.rms_norm_backward(dy, x, weight), backward)


def _layer_norm(ours: ModuleType, rows: int, d: int) -> Iterator[Pair]:
    norm = liger("layer_norm", "LigerLayerNormFunction")
    x, dy = random(rows, d, dtype=BF16, grad=True), random(rows, d, dtype=BF16)
    weight, bias = (random(d, dtype=BF16, grad=True) for _ in range(2))
    forward = lambda: norm.apply(x, weight, bias, 1e-5)  # noqa: E731
    backward = _backward(forward, (x, weight, bias), dy)
    yield Pair(f"layer_norm {rows} x {d}", lambda: ours.layer_norm(x, weight, bias), forward)
    yield Pair(f"layer_norm_backward {rows} x {d}", lambda: ours.layer_norm_backward(dy, x, weight), backward)


def _swiglu(ours: ModuleType, rows: int, d: int) -> Iterator[Pair]:
    function = liger("swiglu", "LigerSiLUMulFunction")
    gate, up = (random(rows, d, dtype=BF16, grad=True) for _ in range(2))
    dy = random(rows, d, dtype=BF16)
    forward = lambda: function.apply(gate, up)  # noqa: E731
    backward = _backward(forward, (gate, up), dy)
    yield Pair(f"swiglu {rows} x {d}", lambda: ours.swiglu(gate, up), forward)
    yield Pair(f"swiglu_backward {rows} x {d}", lambda: ours.swiglu_backward(dy, gate, up), backward)


def _rope(ours: ModuleType, t: int, heads: int, groups: int, d: int) -> Iterator[Pair]:
    function = liger("rope", "LigerRopeFunction")
    q, k = (random(1, t, many, d, dtype=BF16).transpose(1, 2) for many in (heads, groups))
    cos, sin = (random(t, d, dtype=BF16) for _ in range(2))
    theirs = lambda: function.apply(q, k, cos[None], sin[None])  # noqa: E731
    yield Pair(f"rope t={t} heads={heads}/{groups} d={d}", lambda: ours.rope(q, k, cos, sin), theirs)


def _cross_entropy(ours: ModuleType, rows: int, cols: int) -> Iterator[Pair]:
    loss = liger("cross_entropy", "LigerCrossEntropyFunction")
    x, target = random(rows, cols, dtype=BF16, grad=True), torch.randint(cols, (rows,))
    theirs = lambda: loss.apply(x, target, None, -100, 0.0, 0.0, "none")  # noqa: E731
    yield Pair(f"cross_entropy {rows} x {cols}", lambda: ours.cross_entropy(x.detach(), target), theirs)


OPERATIONS: dict[str, tuple[Callable[..., Iterator[Pair]], list[tuple]]] = {
    "fused_softmax": (_softmax, [(4096, 1000, torch.float32), (8192, 4096, BF16), (4096, 32768, BF16)]),
    "rms_norm": (_rms_norm, [(8192, 4096), (8192, 16384)]),
    "layer_norm": (_layer_norm, [(8192, 4096), (8192, 16384)]),
    "swiglu": (_swiglu, [(8192, 14336)]),
    "rope": (_rope, [(8192, 32, 8, 128), (8192, 64, 8, 128)]),
    "cross_entropy": (_cross_entropy, [(8192, 32768), (8192, 131072)]),
}


def _backward(forward: Call, inputs: tuple[Tensor, ...], dy: Tensor) -> Call:
    """The gradients of a call whose own kernels do not run."""
    interpret.samplers.append(lambda grid: ())
    y = forward()
    interpret.samplers.pop()
    return lambda: torch.autograd.grad(y, inputs, dy, retain_graph=True)


def _beside(pair: Pair, device: str) -> str:
    first, second = _cost(pair.ours, device), _cost(pair.theirs, device)
    columns = [
        f"{each.moved / 1e6:10.1f}  {each.stack:5}  {each.tensor_cores:6}  {1e6 * each.seconds:7.1f}"
        for each in (first, second)
    ]
    doubt = "" if first.trust == second.trust == "predicted" else f"  ({first.trust}; {second.trust})"
    return f"{columns[0]}   {columns[1]}   {first.seconds / second.seconds:6.2f}{doubt}"


def _cost(call: Call, name: str) -> Cost:
    device = DEVICES[name]
    torch.cuda.get_device_properties = lambda _: SimpleNamespace(multi_processor_count=device.multiprocessors)
    assert device.target
    launches, facts, records = counting.metered(call, device.target)
    parts = [roofline.predict(launches, facts, device), *([roofline.eager(records, device)] if records else [])]
    total = roofline.together(*parts)
    return Cost(
        sum(launch.moved_bytes for launch in launches) + sum(each.read_bytes + each.written_bytes for each in records),
        max((known.stack_bytes for known in facts.values()), default=0),
        sum(known.tensor_core_instructions for known in facts.values()),
        total.seconds,
        parts[0].trust,
    )


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"ours_{path.stem}", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _short(dtype: torch.dtype) -> str:
    return {torch.float32: "fp32", BF16: "bf16"}[dtype]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else KERNELS)
