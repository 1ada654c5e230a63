"""`cloze meter`: what a call of any file costs, on a machine without a GPU.

    with Processes() as processes:
        found = profile(processes, upload, parse("softmax(float32[4096, 1000])"), ["sm_80", "sm_90"])
    found.predictions()       {"A100": Forecast(Prediction(seconds=2.1e-05, limit="memory", ...), ...)}
    as_json([found])          {"schema": 1, "calls": [{"call": "softmax(...)", "launches": [...], "predicted": ...}]}

The file runs in a worker, confined as a submission is; ptxas runs here. No torch in this process.
"""

import socket
import time
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from clozekit.describe import describe
from clozekit.meters import assembling, bills, roofline
from clozekit.meters.assembling import Facts
from clozekit.meters.callstring import CallString
from clozekit.meters.costs import Launch, Target
from clozekit.meters.counts import Counts, Record
from clozekit.meters.devices import DEVICES
from clozekit.meters.roofline import Prediction
from clozekit.processes import START_SECONDS, Processes
from clozekit.protocol import Limits, Profile, Profiled, Ready
from clozekit.report import Problem
from clozekit.submission import Upload
from clozekit.wire import Channel, Gone, TimedOut, Violation

SECONDS = 120.0  # for one call, compilation included
ROOM = 4 << 30  # bytes of address space beside the tensors of the call
TIMES = 4  # what a call may allocate, in sizes of its tensors
UNTOLD = ("compiled", "compiled_as", "dots", "line", "looks")


class Forecast(NamedTuple):
    """What a device would take for a call, and for the same done by torch, operator by operator."""

    call: Prediction
    eager: Prediction | None

    @property
    def speedup(self) -> float | None:
        return roofline.speedup(self.call, self.eager) if self.eager else None


class CallProfile(Struct):
    """One call: its launches, for each kind of launch the facts for each target, and what torch did."""

    call: CallString
    launches: list[Launch] = []
    facts: dict[int, dict[Target, Facts]] = {}  # by `compiled_as` of the launch
    host: Counts = Counts()
    records: list[Record] = []
    eager: list[Record] = []
    problem: Problem | None = None

    def predictions(self) -> dict[str, Forecast]:
        """For every device whose target was compiled for; for all of them if no kernel was launched."""
        found = {}
        for name, device in DEVICES.items():
            facts = {kind: known[device.target] for kind, known in self.facts.items() if device.target in known}
            if self.launches and not facts:
                continue
            parts = [roofline.predict(self.launches, facts, device)] if self.launches else []
            parts += [roofline.eager(self.records, device)] if self.records else []
            if parts:
                beside = roofline.eager(self.eager, device) if self.eager else None
                found[name] = Forecast(roofline.together(*parts), beside)
        return found


def profile(
    processes: Processes,
    upload: Upload,
    call: CallString,
    targets: list[Target],
    eager: str = "",
    seconds: float = SECONDS,
) -> CallProfile:
    """Make one call and count, and the same with torch by a function called `eager`, if given.

    What goes wrong in the file is the `problem` of the result.

    Raises:
        CannotCheck: no worker starts, or there is no ptxas.
    """
    versions = {target: assembling.ptx_version(target) for target in targets}
    limits = Limits(memory=ROOM + TIMES * call.size, cpu_seconds=round(seconds))
    worker = processes.spawn_worker(limits)
    channel = Channel(socket.socket(fileno=worker.channel))
    deadline = time.monotonic() + seconds
    try:
        channel.receive(Ready, time.monotonic() + START_SECONDS)
        channel.send(Profile(upload.name, call, versions, eager), [upload.raw], deadline=deadline)
        found = channel.receive(Profiled, deadline)[0]
    except TimedOut:
        found = Profiled(problem=Problem("timeout", {"seconds": f"{seconds:g}"}))
    except Violation as error:
        found = Profiled(problem=Problem("protocol", {"reason": str(error)}))
    except Gone:
        found = Profiled(problem=Problem("killed"))
    finally:
        channel.close()
        worker.close()
    facts = bills.assembled(found.launches).facts
    return CallProfile(call, found.launches, facts, found.host, found.records, found.eager, found.problem)


def as_json(profiles: list[CallProfile]) -> dict[str, Any]:
    """DESIGN's JSON, schema 1."""
    return {"schema": 1, "calls": [_call_json(profile) for profile in profiles]}


def _call_json(profile: CallProfile) -> dict[str, Any]:
    host = profile.host
    return {
        "call": profile.call.text,
        "launches": [_launch_json(launch, profile) for launch in profile.launches],
        "host_ops": host.operators,
        "flops": host.flops + sum(launch.dot_flops + launch.plain_flops for launch in profile.launches),
        "bytes": host.bytes + sum(launch.moved_bytes for launch in profile.launches),
        "peak_bytes": host.peak_bytes,
        "predicted": {name: _forecast_json(each) for name, each in profile.predictions().items()},
    }


def _forecast_json(forecast: Forecast) -> dict[str, Any]:
    return {
        "microseconds": round(1e6 * forecast.call.seconds, 2),
        "eager_microseconds": round(1e6 * forecast.eager.seconds, 2) if forecast.eager else None,
        "speedup": forecast.speedup and round(forecast.speedup, 3),
        "dead_band": roofline.DEAD_BAND,
        "limit": forecast.call.limit,
        "trust": forecast.call.trust,
        "why": describe(forecast.call.why, "en") if forecast.call.why else "",
    }


def _launch_json(launch: Launch, profile: CallProfile) -> dict[str, Any]:
    told = {name: value for name, value in msgspec.to_builtins(launch).items() if name not in UNTOLD}
    facts = profile.facts.get(launch.compiled_as, {})
    return told | {"compiled": {target: msgspec.to_builtins(each) for target, each in facts.items()}}
