"""How long a GPU would take, by what limits it. No torch here.

    kernel = predict(launches, {1: facts}, DEVICES["A100"])
        Prediction(seconds=1.2e-05, limit="memory", parts={"memory": 9.2e-06, "arithmetic": 1.7e-06, ...}, trust="predicted")
    ratio = speedup(kernel, eager(records, DEVICES["A100"]))        4.1
    verdict(ratio, bar=2.0)                                         "passed"

A launch takes as long as the slowest of what it needs: memory and spills, the L2 cache, tensor cores, arithmetic, special
functions; and LAUNCH. Where one block fills a multiprocessor, nobody computes while its tensor cores work: their times add.

Nothing here is fitted to a measurement of a kernel. Not seen: how long a chain of loads waits where nothing else runs
meanwhile, bank conflicts, the order in which programs share the cache, and the time of the host. docs/gpu_model.md has
the figures.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Literal

from msgspec import Struct

from clozekit.meters.assembling import Facts
from clozekit.meters.costs import SECTOR, Launch
from clozekit.meters.counts import Record
from clozekit.meters.devices import WARP, Device
from clozekit.report import Problem

DRAM = 0.88  # the share of the stated bandwidth that a copy reaches
LAUNCH = 3e-6  # seconds until the first block runs and after the last one has
HOST_CALL, HOST_LAUNCH = 30e-6, 6e-6  # what Python takes for a call, and for each launch or operator in it
PORT = 64  # bytes per clock between a multiprocessor and the L2 cache
SMALL = 0.1  # a share of what is not modelled that no decision depends on
FEW = 2  # programs for each multiprocessor: below, they are loops whose loads wait for each other
LATENCY = 0.6e-6  # seconds until a load from memory has its value (published micro-benchmarks: 0.5 to 0.7)

DEAD_BAND = 0.3  # how far a predicted ratio may be off: nearer to a bar nothing is decided

Limit = Literal["memory", "spills", "L2", "tensor cores", "arithmetic", "special functions", "latency", "launches"]
Trust = Literal["predicted", "host-bound", "unknown"]
HALVES = ("fp16", "bf16", "float16", "bfloat16")
CUDA_CORES = ("fp32 ieee", "float32", "fp64", "float64")  # torch does not use TF32 unless it is asked to


class Prediction(Struct, frozen=True):
    """Seconds on the device; the host's come on top where they are longer.

    parts: how long each resource is needed, all launches together; they overlap. limit: the resource that most of the time
    goes to. trust: whether a decision may rest on it; why not, if so.
    """

    seconds: float = 0.0
    limit: Limit = "launches"
    parts: dict[Limit, float] = {}
    trust: Trust = "predicted"
    why: Problem | None = None


def predict(launches: Iterable[Launch], facts: Mapping[int, Facts], device: Device) -> Prediction:
    """The time of some launches. `facts`: by `compiled_as`, for the device's target."""
    times: list[Times] = []
    doubts: list[Problem | None] = []
    for launch in launches:
        known = facts.get(launch.compiled_as) or Facts(error="it was not compiled")
        times.append(_launch(launch, known, device))
        doubts.append(_doubt(launch, known, device))
    return _total(times, next(filter(None, doubts), None))


def eager(records: Iterable[Record], device: Device) -> Prediction:
    """The time of some operators of eager PyTorch."""
    records = list(records)
    times = [_operator(record, device) for record in records]
    spent = [_slowest(each)[1] for each in times]
    unseen = [(seconds, record) for seconds, record in zip(spent, records, strict=True) if not record.passes.modelled]
    if sum(seconds for seconds, _ in unseen) <= SMALL * sum(spent):
        return _total(times, None)
    name = max(unseen, key=lambda each: each[0])[1].operator
    return _total(times, Problem("doubt-operator", {"name": name}))


def together(*predictions: Prediction) -> Prediction:
    """One after the other."""
    parts: dict[Limit, float] = {}
    for prediction in predictions:
        for name, seconds in prediction.parts.items():
            parts[name] = parts.get(name, 0.0) + seconds
    longest = max(predictions, key=lambda prediction: prediction.seconds)
    doubted = [prediction for prediction in predictions if prediction.trust == "unknown"]
    seconds = sum(prediction.seconds for prediction in predictions)
    host_bound = all(prediction.trust == "host-bound" for prediction in predictions)
    trust: Trust = "unknown" if doubted else "host-bound" if host_bound else "predicted"
    why = next((each.why for each in (*doubted, *predictions) if each.trust == trust), None)
    return Prediction(seconds, longest.limit, parts, trust, why)


def speedup(kernel: Prediction, other: Prediction) -> float | None:
    """How many times faster the kernel is; None where one of the two is not to be trusted."""
    if kernel.trust != "predicted" or other.trust != "predicted":
        return None
    return other.seconds / kernel.seconds


def verdict(ratio: float | None, bar: float, dead_band: float = DEAD_BAND) -> Literal["passed", "failed", "undecided"]:
    """Whether a speed-up reaches its bar. Within a factor of 1 + dead_band nothing is decided."""
    if ratio is None or bar / (1 + dead_band) < ratio < bar * (1 + dead_band):
        return "undecided"
    return "passed" if ratio >= bar else "failed"


Times = dict[Limit, float]


def _total(times: list[Times], doubt: Problem | None) -> Prediction:
    parts: Times = {}
    spent: Times = {}
    for each in times:
        limit, seconds = _slowest(each)
        spent[limit] = spent.get(limit, 0.0) + seconds
        for name, needed in each.items():
            parts[name] = parts.get(name, 0.0) + needed
    total = sum(spent.values())
    if not times:
        return Prediction(trust="unknown", why=Problem("doubt-nothing"))
    if doubt:
        return Prediction(total, max(spent, key=spent.__getitem__), parts, "unknown", doubt)
    host = HOST_CALL + HOST_LAUNCH * len(times)
    if total < host:
        why = Problem("doubt-host", {"device": f"{1e6 * total:.0f}", "host": f"{1e6 * host:.0f}"})
        return Prediction(total, max(spent, key=spent.__getitem__), parts, "host-bound", why)
    return Prediction(total, max(spent, key=spent.__getitem__), parts)


def _slowest(times: Times) -> tuple[Limit, float]:
    """What one launch waits for, and how long it takes."""
    bus = times.get("memory", 0.0) + times.get("spills", 0.0)  # they share it
    needed: Times = {name: seconds for name, seconds in times.items() if name not in ("memory", "spills", "launches")}
    needed["spills" if times.get("spills", 0.0) > bus / 2 else "memory"] = bus
    limit = max(needed, key=needed.__getitem__)
    seconds = needed[limit] + times["launches"]
    return ("launches" if needed[limit] < times["launches"] else limit), seconds


def _launch(launch: Launch, facts: Facts, device: Device) -> Times:
    programs = math.prod(launch.grid)
    blocks = device.resident(facts, launch.num_warps)
    if not programs:
        return {"launches": LAUNCH}
    running = min(programs, blocks * device.multiprocessors)  # at the same time
    each = programs / device.multiprocessors
    busy, stretch = min(1.0, each), math.ceil(each) / each  # the last ones leave some multiprocessors idle
    spilled = _spilled(launch, facts, device, blocks)
    wire = SECTOR * launch.sectors + spilled
    tensor = sum(_product(name, flops, facts, device)[0] for name, flops in launch.dots.items())
    cuda = sum(_product(name, flops, facts, device)[1] for name, flops in launch.dots.items())
    times: Times = {
        "memory": _dram(launch, wire, running, device) / (DRAM * device.bandwidth),
        "spills": spilled * _lost(wire / programs / 2 * running, device) / (DRAM * device.bandwidth),
        "L2": wire / min(device.l2_bandwidth, busy * device.multiprocessors * PORT * device.clock),
        "tensor cores": stretch * tensor,
        "arithmetic": stretch * (cuda + launch.plain_flops / (device.fp32 / 2)),  # without FMA one each
        "special functions": stretch * launch.special / (device.multiprocessors * device.special * device.clock),
        "launches": LAUNCH,
    }
    if blocks == 1 and tensor:
        times["tensor cores"] += times["arithmetic"] + times["special functions"]
    return times


def _dram(launch: Launch, wire: float, running: int, device: Device) -> float:
    """Bytes between memory and the L2 cache: each once, and again what the cache has lost meanwhile."""
    loaded = SECTOR * launch.load_sectors
    own = SECTOR * launch.own_sectors  # each program's, added up
    unique = min(own, launch.unique_load_bytes)
    between = own / loaded * wire / math.prod(launch.grid) if loaded else 0.0  # what a program moves in one pass
    again = (loaded - own) * _lost(between * running, device)
    # programs that run together and share what they load form a square at best: of n tiles' rows and columns, 2 √n
    shared = max(0.0, own / math.sqrt(running) - unique) * _lost(unique, device)
    stored = SECTOR * max(0, launch.sectors - launch.load_sectors)
    return unique + again + shared + stored


def _lost(between: float, device: Device) -> float:
    """The share of what was loaded that is gone, after so many other bytes went through the L2 cache."""
    return max(0.0, 1 - device.l2_reach / between) if between else 0.0


def _spilled(launch: Launch, facts: Facts, device: Device, blocks: int) -> float:
    """Bytes of registers that go to the L2 cache and back."""
    threads = WARP * launch.num_warps
    if facts.stack_bytes * threads * blocks <= device.shared_bytes - blocks * facts.shared_bytes:
        return 0.0  # what shared memory leaves is the L1 cache
    return float(max(facts.spill_bytes, 2 * facts.stack_bytes) * threads * math.prod(launch.grid))


def _product(name: str, flops: float, facts: Facts, device: Device) -> tuple[float, float]:
    """Seconds of a matrix product on tensor cores, and on the others."""
    peak = device.tensor.get(_kind(name))
    if name in CUDA_CORES or peak is None or not facts.tensor_core_instructions:
        return 0.0, flops / device.fp32
    return flops / (peak * device.sustained), 0.0


def _kind(name: str) -> str:
    if name in HALVES:
        return "half"
    return "fp8" if name.startswith(("fp8", "float8")) else "int8" if name.startswith("int8") else "tf32"


def _doubt(launch: Launch, facts: Facts, device: Device) -> Problem | None:
    """Why no decision may rest on this launch."""
    kernel, programs = launch.kernel, math.prod(launch.grid)
    if device.target is None:
        return Problem("doubt-target", {"device": device.name})
    if facts.error:
        return Problem("doubt-compile", {"kernel": kernel, "error": facts.error})
    if launch.out_of_bounds:
        return Problem("doubt-bounds", {"kernel": kernel})
    if launch.atomic_bytes > SMALL * launch.moved_bytes:
        return Problem("doubt-atomics", {"kernel": kernel})
    if not launch.dots and programs < FEW * device.multiprocessors:  # around tl.dot, loads come early enough
        known = {"kernel": kernel, "programs": str(programs), "multiprocessors": str(device.multiprocessors)}
        return Problem("doubt-programs", known)
    return None


def _operator(record: Record, device: Device) -> Times:
    passes = record.passes
    moved = record.read_bytes * passes.reads + record.written_bytes * passes.writes
    rows = min(record.read_bytes, passes.apart * passes.blocks * device.multiprocessors)
    between = rows * moved / max(1.0, record.read_bytes * passes.reads)
    read = record.read_bytes * (1 + (passes.reads - 1) * _lost(between, device))
    on_tensor_cores = Facts(tensor_core_instructions=1)
    tensor, cuda = _product(record.dtype, record.matmul_flops, on_tensor_cores, device)
    return {
        "memory": (read + record.written_bytes * passes.writes) / (DRAM * device.bandwidth),
        "L2": moved / device.l2_bandwidth,
        "tensor cores": tensor,
        "arithmetic": cuda + record.other_flops / (device.fp32 / 2),
        "launches": LAUNCH,
        "latency": passes.alone * LATENCY,
    }
