"""Where a call stands under the roofline of a GPU, beside the solution. No torch here.

    beside("softmax(bfloat16[512, 8192])", (launches, facts), (launches_of_the_solution, facts_of_them))
        Roofline("softmax(bfloat16[512, 8192])", "H100", [Point("yours", intensity=1.3, flops=2.1e12), Point("ours", ...)])

All do the solution's arithmetic, for that is what the task needs: who reads twice as much stands half as far to the right.
"""

from collections.abc import Mapping
from typing import NamedTuple

from clozekit.meters.assembling import Facts
from clozekit.meters.costs import Launch, Target
from clozekit.meters.devices import DEVICES
from clozekit.meters.roofline import predict
from clozekit.report import Point, Roofline

DEVICE = "H100"  # of those that kernels are compiled for, the one that most people know


class Assembled(NamedTuple):
    """The launches of a call, and for each kind of launch what it was assembled to."""

    launches: list[Launch]
    facts: dict[int, dict[Target, Facts]]


def points(useful: float, moved: Mapping[str, float], seconds: Mapping[str, float]) -> list[Point]:
    """Each that takes time and moves bytes; `useful`: FLOPs of all of them."""
    return [
        Point(name, useful / moved[name], useful / seconds[name])
        for name in seconds
        if useful and moved[name] and seconds[name]
    ]


def beside(call: str, yours: Assembled, ours: Assembled) -> Roofline | None:
    """Both as counts and the model of the device have it; None where no arithmetic is done."""
    device = DEVICES[DEVICE]
    assert device.target is not None
    moved, seconds, doubt = {}, {}, None
    for name, (launches, facts) in (("yours", yours), ("ours", ours)):
        prediction = predict(launches, {kind: known[device.target] for kind, known in facts.items()}, device)
        moved[name] = sum(launch.unique_bytes for launch in launches)
        seconds[name] = prediction.seconds
        doubt = doubt or prediction.why
    found = points(sum(launch.dot_flops + launch.plain_flops for launch in ours.launches), moved, seconds)
    return Roofline(call, DEVICE, found, doubt) if found else None
