"""Commands about this machine: doctor."""

import json
import os
import socket
import sys
import time
from typing import TYPE_CHECKING, Any

import click

from clozekit import __version__
from clozekit.cli.common import language_option, spoken
from clozekit.errors import CannotCheck
from clozekit.phrases import say

if TYPE_CHECKING:
    from clozekit.protocol import Found, Limits

JUDGE = {"works": "judge-works", "does not work": "judge-broken"}  # the words of the JSON, for scripts


@click.command()
@click.option("--json", "as_json", is_flag=True, help="The same as one object.")
@language_option
def doctor(as_json: bool, lang: str | None) -> None:
    """Say what this machine can check, and what it lacks. With what to do about it."""
    chosen = spoken(click.get_current_context())  # of --lang too; a damaged workspace must not stop the doctor
    found = examine(chosen)
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=1))
    else:
        for key, value in found.items():
            if key != "advice":
                click.echo(f"{key:10} {say(chosen, JUDGE[value]) if key == 'judge' else value}")
        for line in found["advice"]:
            click.echo(f"  {line}")
    sys.exit(0 if found["judge"] == "works" else 3)


def examine(language: str) -> dict[str, Any]:
    """Versions, and whether a worker can be started and answers: tried, not read from a version."""
    import platform
    from importlib import import_module, metadata

    from clozekit.protocol import Limits
    from clozekit.sandbox.advice import explain

    advice = []
    versions = {}
    for package in ("torch", "triton", "pytest"):
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = "missing"
            advice.append(say(language, "doctor-package", package=package))
    if versions["triton"] != "missing":
        try:
            import_module("clozekit.kernels.private")
        except ImportError as error:
            advice.append(say(language, "doctor-kernels", reason=error))
    tier = "C"
    try:
        sandbox = explain(_start_a_worker(Limits()), language)
        judge, tier = "works", sandbox.tier
        advice.append(say(language, "doctor-tier", tier=tier, means=sandbox.means))
        advice += [
            say(language, "doctor-lost", layer=layer, why=sandbox.why[layer], lost=lost)
            for layer, lost in sandbox.lost.items()
        ]
        advice += [say(language, "doctor-raise", step=step) for step in sandbox.raises]
    except CannotCheck as error:
        judge = "does not work"
        advice.append(error.text(language))
    if sys.platform != "linux":
        advice.append(say(language, "doctor-linux"))
    return {
        "clozekit": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        **versions,
        "judge": judge,
        "tier": tier,
        "device": _device(language),
        "advice": advice,
    }


def _device(language: str) -> str:
    """Which GPUs there are, and whether a worker can use one: tried as well."""
    from clozekit.bench.nvml import devices
    from clozekit.protocol import Limits

    try:
        found = f"cuda, {devices()}"
    except CannotCheck as error:
        return say(language, "doctor-no-device", reason=error.text(language))
    try:
        _start_a_worker(Limits(device="cuda"))
    except CannotCheck as error:
        return say(language, "doctor-device", found=found, reason=error.text(language))
    return found


def _start_a_worker(limits: "Limits") -> "Found":
    """What confines a worker that has come up.

    Raises:
        CannotCheck: none comes up.
    """
    from clozekit.engine import Engine
    from clozekit.processes import START_SECONDS
    from clozekit.protocol import Ready
    from clozekit.report import Problem
    from clozekit.wire import Channel, Gone, TimedOut

    with Engine() as engine:
        worker = engine.spawn_worker(limits)
        channel = Channel(socket.socket(fileno=worker.channel))
        try:
            channel.receive(Ready, time.monotonic() + START_SECONDS)
        except (Gone, TimedOut):
            os.set_blocking(worker.output, False)
            said = os.read(worker.output, 65536)[-1000:].decode("utf-8", "replace")
            raise CannotCheck(Problem("worker-start", {"output": said.strip() or "-"})) from None
        finally:
            channel.close()
            os.close(worker.output)
            worker.end()
        return engine.found


COMMANDS = [doctor]
