"""Commands about this machine: doctor."""

import json
import os
import socket
import sys
import time
from typing import TYPE_CHECKING, Any

import click

from clozekit import __version__
from clozekit.errors import CannotCheck

if TYPE_CHECKING:
    from clozekit.protocol import Found, Limits


@click.command()
@click.option("--json", "as_json", is_flag=True, help="The same as one object.")
def doctor(as_json: bool) -> None:
    """Say what this machine can check, and what to do where something is missing."""
    found = examine()
    if as_json:
        click.echo(json.dumps(found, indent=1))
    else:
        for key, value in found.items():
            if key != "advice":
                click.echo(f"{key:10} {value}")
        for line in found["advice"]:
            click.echo(f"  {line}")
    sys.exit(0 if found["judge"] == "works" else 3)


def examine() -> dict[str, Any]:
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
            advice.append(f"{package} is missing: pip install -c constraints.txt {package}")
    if versions["triton"] != "missing":
        try:
            import_module("clozekit.kernels.private")
        except ImportError as error:
            advice.append(f"kernels cannot be checked: {error}")
    tier = "C"
    try:
        sandbox = explain(_start_a_worker(Limits()))
        judge, tier = "works", sandbox.tier
        advice.append(f"tier {tier}: {sandbox.means}")
        advice += [f"without {layer} ({sandbox.why[layer]}) {lost}" for layer, lost in sandbox.lost.items()]
        advice += [f"to raise the tier: {step}" for step in sandbox.raises]
    except CannotCheck as error:
        judge = "does not work"
        advice.append(str(error))
    if sys.platform != "linux":
        advice.append("workers are forked, which needs Linux; on Windows use WSL 2")
    return {
        "clozekit": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        **versions,
        "judge": judge,
        "tier": tier,
        "device": _device(),
        "advice": advice,
    }


def _device() -> str:
    """Which GPUs there are, and whether a worker can use one: tried as well."""
    from clozekit.bench.nvml import devices
    from clozekit.protocol import Limits

    try:
        found = f"cuda, {devices()}"
    except CannotCheck as error:
        return f"none ({error})"
    try:
        _start_a_worker(Limits(device="cuda"))
    except CannotCheck as error:
        return f"{found}, which no worker can use ({error})"
    return found


def _start_a_worker(limits: "Limits") -> "Found":
    """What confines a worker that has come up.

    Raises:
        CannotCheck: none comes up.
    """
    from clozekit.engine import Engine
    from clozekit.processes import START_SECONDS
    from clozekit.protocol import Ready
    from clozekit.wire import Channel, Gone, TimedOut

    with Engine() as engine:
        worker = engine.spawn_worker(limits)
        channel = Channel(socket.socket(fileno=worker.channel))
        try:
            channel.receive(Ready, time.monotonic() + START_SECONDS)
        except (Gone, TimedOut):
            os.set_blocking(worker.output, False)
            said = os.read(worker.output, 65536)[-1000:].decode("utf-8", "replace")
            raise CannotCheck(f"a worker does not start; it said: {said.strip() or 'nothing'}") from None
        finally:
            channel.close()
            os.close(worker.output)
            worker.end()
        return engine.found


COMMANDS = [doctor]
