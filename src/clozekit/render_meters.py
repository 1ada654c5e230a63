"""A CallProfile for people.

softmax(float32[4096, 1000])
  softmax_kernel  grid 4096 x 1 x 1, 2 warps, counted on a sample of its programs
    memory      16.4 MB read (16.4 MB of them once), 16.4 MB written; 100 % of every 32-byte sector is used
    arithmetic  21 MFLOP, of these 4.19 M exp and the like
    sm_90       47 registers, no stack, 8 B shared memory, loads of 32 bits, occupancy 66 %
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from clozekit.describe import clean, describe, next_step
from clozekit.meters.assembling import Facts
from clozekit.meters.costs import SECTOR, Launch
from clozekit.phrases import say

if TYPE_CHECKING:
    from rich.text import Text

    from clozekit.profiling import CallProfile

UNITS = ("", "k", "M", "G", "T", "P")
SHOWN = 12  # launches of one call
Line = list[tuple[str, str]]


def as_text(profile: CallProfile, language: str) -> Text:
    """For a rich console; `.plain` is the text alone."""
    from rich.text import Text

    return Text("\n").join(
        Text.assemble(*((clean(text), style) for text, style in line)) for line in _lines(profile, language)
    )


def _lines(profile: CallProfile, language: str) -> Iterator[Line]:
    yield [(profile.call.text, "bold")]
    for launch in profile.launches[:SHOWN]:
        yield from _launch(launch, profile, language)
    if (more := len(profile.launches) - SHOWN) > 0:
        yield [(f"  {say(language, 'cost-more', count=more)}", "")]
    if not profile.launches and not profile.problem:
        yield [(f"  {say(language, 'cost-none')}", "yellow")]
    if profile.problem:
        yield from ([(f"  {line}", "red")] for line in describe(profile.problem, language).split("\n"))
        if step := next_step(profile.problem, language):
            yield [("  ", ""), (say(language, "next-step"), "bold"), (f"  {step}", "")]


def _launch(launch: Launch, profile: CallProfile, language: str) -> Iterator[Line]:
    grid = " x ".join(map(str, launch.grid))
    title = say(language, "cost-launch", grid=grid, warps=launch.num_warps)
    yield [("  ", ""), (launch.kernel, "bold"), (f"  {title}", ""), (_sampled(launch, language), "dim")]
    if launch.message:
        yield [("    ", ""), (launch.message, "red")]
    for found, key in ((launch.unwritten_bytes, "cost-unwritten"), (launch.write_conflicts, "cost-conflicts")):
        if found:
            yield [("    ", ""), (say(language, key, count=found), "yellow")]
    memory = say(
        language,
        "cost-memory",
        read=amount(launch.load_bytes + launch.atomic_bytes, "B"),
        once=amount(launch.unique_load_bytes, "B"),
        written=amount(launch.store_bytes + launch.atomic_bytes, "B"),
        used=round(100 * min(1, used(launch))),
    )
    yield [("    ", ""), (say(language, "cost-memory-title"), "dim"), (f"  {memory}", "")]
    sums = [say(language, "cost-plain", flops=amount(launch.plain_flops, "FLOP"), special=amount(launch.special, ""))]
    sums += [
        say(language, "cost-dots", flops=amount(flops, "FLOP"), inputs=inputs) for inputs, flops in launch.dots.items()
    ]
    yield [("    ", ""), (say(language, "cost-arithmetic-title"), "dim"), (f"  {'; '.join(sums)}", "")]
    for target, facts in profile.facts.get(launch.compiled_as, {}).items():
        style = "red" if facts.error or facts.stack_bytes else ""
        yield [("    ", ""), (f"{target:10}", "dim"), (f"  {_facts(facts, language)}", style)]


def _sampled(launch: Launch, language: str) -> str:
    return say(language, "cost-sampled") if launch.sampled else ""


def _facts(facts: Facts, language: str) -> str:
    if facts.error:
        return facts.error
    parts = [
        say(language, "cost-registers", registers=facts.registers),
        say(language, "cost-stack", stack=facts.stack_bytes) if facts.stack_bytes else say(language, "cost-no-stack"),
        say(language, "cost-shared", shared=amount(facts.shared_bytes, "B")),
        say(language, "cost-width", bits=facts.load_bits),
    ]
    if facts.tensor_core_instructions:
        parts.append(say(language, "cost-tensor-cores", count=facts.tensor_core_instructions))
    if facts.async_copies:
        parts.append(say(language, "cost-copies", count=facts.async_copies))
    if facts.coalescing:
        parts.append(say(language, "cost-coalescing", percent=round(100 * facts.coalescing)))
    parts.append(say(language, "cost-occupancy", percent=round(100 * facts.occupancy)))
    return say(language, "comma").join(parts)


def used(launch: Launch) -> float:
    """Of all bytes in the sectors that are touched, the share that lanes asked for; above 1 where lanes share bytes."""
    asked = launch.load_bytes + launch.store_bytes + launch.atomic_bytes
    return asked / (launch.sectors * SECTOR) if launch.sectors else 1.0


def amount(number: float, unit: str) -> str:
    """16.4 MB"""
    power = 0
    while number >= 1000 and power < len(UNITS) - 1:
        number, power = number / 1000, power + 1
    return f"{number:.3g} {UNITS[power]}{unit}".rstrip()
