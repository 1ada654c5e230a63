"""`cloze meter`: what a call of any file costs, on a machine without a GPU.

    with Profiler() as profiler:
        profile = profiler.profile(upload, parse("softmax(float32[4096, 1000])"), ["sm_80", "sm_90"])
    as_json([profile])      {"schema": 1, "calls": [{"call": "softmax(...)", "launches": [...], ...}]}

The file runs in a worker, confined as a submission is; ptxas runs here. No torch in this process.
"""

import socket
import time
from typing import Any

import msgspec
from msgspec import Struct

from clozekit.meters import assembling
from clozekit.meters.assembling import Facts
from clozekit.meters.callstring import CallString
from clozekit.meters.costs import Launch, Target
from clozekit.processes import START_SECONDS, Processes
from clozekit.protocol import Limits, Profile, Profiled, Ready
from clozekit.report import Problem
from clozekit.submission import Upload
from clozekit.wire import Channel, Gone, TimedOut, Violation

SECONDS = 120.0  # for one call, compilation included
ROOM = 4 << 30  # bytes of address space beside the tensors of the call
TIMES = 4  # what a call may allocate, in sizes of its tensors
UNTOLD = ("compiled", "compiled_as", "dots", "line")


class CallProfile(Struct):
    """One call: its launches, and for each kind of launch the facts for each target."""

    call: CallString
    launches: list[Launch] = []
    facts: dict[int, dict[Target, Facts]] = {}  # by `compiled_as` of the launch
    problem: Problem | None = None


class Profiler(Processes):
    """Runs one worker for each call."""

    def profile(self, upload: Upload, call: CallString, targets: list[Target], seconds: float = SECONDS) -> CallProfile:
        """Make one call and count. What goes wrong in the file is the `problem` of the result.

        Raises:
            CannotCheck: no worker starts, or there is no ptxas.
        """
        versions = {target: assembling.ptx_version(target) for target in targets}
        limits = Limits(memory=ROOM + TIMES * call.size, cpu_seconds=round(seconds))
        worker = self.spawn_worker(limits)
        channel = Channel(socket.socket(fileno=worker.channel))
        deadline = time.monotonic() + seconds
        try:
            channel.receive(Ready, time.monotonic() + START_SECONDS)
            channel.send(Profile(upload.name, call, versions), [upload.raw], deadline=deadline)
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
        facts = {
            launch.compiled_as: {target: assembling.facts(made, target) for target, made in launch.compiled.items()}
            for launch in found.launches
            if launch.compiled
        }
        return CallProfile(call, found.launches, facts, found.problem)


def as_json(profiles: list[CallProfile]) -> dict[str, Any]:
    """DESIGN's JSON, schema 1."""
    return {"schema": 1, "calls": [_call_json(profile) for profile in profiles]}


def _call_json(profile: CallProfile) -> dict[str, Any]:
    return {"call": profile.call.text, "launches": [_launch_json(launch, profile) for launch in profile.launches]}


def _launch_json(launch: Launch, profile: CallProfile) -> dict[str, Any]:
    told = {name: value for name, value in msgspec.to_builtins(launch).items() if name not in UNTOLD}
    facts = profile.facts.get(launch.compiled_as, {})
    return told | {"compiled": {target: msgspec.to_builtins(each) for target, each in facts.items()}}
