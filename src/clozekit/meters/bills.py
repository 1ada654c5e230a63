"""What one call of full size costs a submission's kernels, held against what it costs the solution's. No torch here.

    yours = of_launches(launches, facts)            Bill({"launches": 1, "loads": 16384000, "stack": 0, ...})
    held(yours, solution, {"loads": 1})             {"loads": Meter("loads", 49152000, bar=16384000, verdict="failed")}

All counts are ratios to those of the solution in kernels/, run by the same interpreter and compiled by the same Triton.
"""

import math
from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from clozekit.kernels import plan
from clozekit.meters import assembling
from clozekit.meters.assembling import Facts
from clozekit.meters.costs import Launch, Look, Target
from clozekit.meters.sampling import surely_above
from clozekit.meters.standing import Assembled
from clozekit.report import Meter, MeterName, Problem, Verdict

MANY = "more different kernels, or shapes of one, than are compiled"
TARGETS: tuple[Target, ...] = ("sm_80", "sm_90")  # the GPUs that most people train on
SLACK: dict[MeterName, float] = {"stack": 64}  # bytes that ptxas spills here and there, which nobody will notice
BESIDE = 1 / 16  # flops outside tensor cores go unnoticed beside one inside: c += tl.dot(a, b) adds by itself
ROUNDING = 1.001  # of sampled counts
# How far two costs of the same mistake may lie apart.
SIMILAR: dict[MeterName, float] = {"stack": 4.0, "bytes": 2.0, "peak_bytes": 2.0, "steps": 2.0}
ALIKE = 1.25


class Bill(Struct, frozen=True):
    """The costs of one call. refused: the kernel that a compiler refuses, for which target, and why.

    looks: where a launch was sampled, what each look takes the costs for.
    """

    costs: dict[MeterName, float] = {}
    looks: list[dict[MeterName, float]] = []
    refused: dict[str, str] = {}


def assembled(launches: list[Launch]) -> Assembled:
    """With the facts of each kind of launch, by its number."""
    facts = {
        launch.compiled_as: {target: assembling.facts(made, target) for target, made in launch.compiled.items()}
        for launch in launches
        if launch.compiled
    }
    return Assembled(launches, facts)


def of_launches(launches: list[Launch], facts: Mapping[int, Mapping[Target, Facts]]) -> Bill:
    """Add up."""
    known = {launch.compiled_as: launch.kernel for launch in launches}
    unknown = [launch.kernel for launch in launches if launch.compiled_as not in facts]
    if facts and unknown:
        return Bill(refused={"kernel": unknown[0], "target": "any GPU", "error": f"one call has {MANY}"})
    stack = 0
    for kind, each in facts.items():
        for target, fact in each.items():
            if fact.error:
                return Bill(refused={"kernel": known[kind], "target": target, "error": fact.error})
            stack = max(stack, fact.stack_bytes)
    fixed: dict[MeterName, float] = {"launches": len(launches), "stack": stack}
    seen = min((len(launch.looks) for launch in launches if launch.sampled), default=0)
    looks = [[launch.looks[at] if launch.sampled else launch for launch in launches] for at in range(seen)]
    return Bill(fixed | _added(launches), [_added(look) for look in looks])


def _added(launches: Sequence[Launch | Look]) -> dict[MeterName, float]:
    return {
        "loads": sum(launch.load_bytes + launch.atomic_bytes for launch in launches),
        "stores": sum(launch.store_bytes + launch.atomic_bytes for launch in launches),
        "sectors": sum(launch.sectors for launch in launches),
        "flops": sum(sum(launch.dots.values()) for launch in launches),
        "plain_flops": sum(launch.plain_flops + _off_tensor_cores(launch) for launch in launches),
    }


def of_plan(script: plan.Plan, inputs: int, copied: int, made: Assembled) -> Bill:
    """The same with what the host did. `inputs`: tensors that the call was given; `copied`: bytes moved for nothing."""
    bill = of_launches(made.launches, made.facts)
    if bill.refused:
        return bill
    found = [
        each | {"loads": each["loads"] + copied, "stores": each["stores"] + copied}
        for each in (bill.costs, *bill.looks)
    ]
    scratch: dict[MeterName, float] = {"scratch": plan.scratch(script, inputs)}
    return Bill(found[0] | scratch, found[1:])


def _off_tensor_cores(launch: Launch | Look) -> int:
    """FLOPs of products that no tensor core does: on float32 in full precision."""
    return sum(flops for inputs, flops in launch.dots.items() if inputs.endswith("ieee") or inputs == "fp64")


def held(
    yours: Bill, solution: Bill, thresholds: Mapping[MeterName, float], enough: float = math.inf
) -> dict[MeterName, Meter]:
    """Each cost that has a threshold, beside its bar. "could not check": a sample is above it, and may be by chance.

    enough: looks after which programs that have all cost the same are taken to be all alike.
    """
    meters: dict[MeterName, Meter] = {}
    for name, ratio in thresholds.items():
        if name in yours.costs:
            beside = BESIDE * solution.costs["flops"] if name == "plain_flops" else 0.0
            bar = ratio * solution.costs[name] + SLACK.get(name, 0.0) + beside
            value = yours.costs[name]
            looks = [look[name] for look in yours.looks if name in look]
            meters[name] = Meter(name, value, bar, _verdict(value, looks, bar * ROUNDING, enough))
    return meters


def _verdict(value: float, looks: list[float], bar: float, enough: float) -> Verdict:
    if value <= bar:
        return "passed"
    alike = len(looks) >= enough and min(looks) == max(looks)
    return "failed" if not looks or alike or surely_above(looks, bar) else "could not check"


def alike(ours: Mapping[MeterName, Meter], theirs: Mapping[MeterName, Meter]) -> bool:
    """Whether two answers cost too much in the same way, by about as much."""
    above = [{name for name, meter in each.items() if meter.verdict == "failed"} for each in (ours, theirs)]
    return above[0] == above[1] and all(
        max(ours[name].value, theirs[name].value)
        <= SIMILAR.get(name, ALIKE) * min(ours[name].value, theirs[name].value)
        for name in above[0]
    )


def undecided(meters: Mapping[MeterName, Meter]) -> dict[MeterName, Meter]:
    """The same where the bars were counted by something else: shown, and deciding nothing."""
    return {name: replace(meter, verdict="could not check") for name, meter in meters.items()}


def problem(call: str, meters: Mapping[MeterName, Meter]) -> Problem | None:
    """The first meter above its bar."""
    for name, meter in meters.items():
        if meter.verdict == "failed":
            return Problem(f"meter-{name}", {"call": call, "yours": f"{meter.value:g}", "bar": f"{meter.bar:g}"})
    return None
