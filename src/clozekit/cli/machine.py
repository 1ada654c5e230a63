"""Commands about this machine: doctor."""

import json
import os
import sys
from typing import Any

import click

from clozekit import __version__
from clozekit.errors import CannotCheck


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
    from importlib import metadata

    advice = []
    versions = {}
    for package in ("torch", "triton", "pytest"):
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = "missing"
            advice.append(f"{package} is missing: pip install -c constraints.txt {package}")
    try:
        _start_a_worker()
        judge = "works"
    except CannotCheck as error:
        judge = "does not work"
        advice.append(str(error))
    if sys.platform != "linux":
        advice.append("workers are forked, which needs Linux; on Windows use WSL 2")
    advice.append(
        "tier C: workers are confined by limits, an empty environment and a scratch directory; check only files that you trust"
    )
    return {
        "clozekit": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        **versions,
        "judge": judge,
        "tier": "C",
        "advice": advice,
    }


def _start_a_worker() -> None:
    from clozekit.engine import Engine
    from clozekit.protocol import Limits

    with Engine() as engine:
        worker = engine.spawn_worker(Limits())
        os.close(worker.channel)
        os.close(worker.output)
        worker.end()


COMMANDS = [doctor]
