"""A Comparison for people: yours, ours, the bar and why; then the roofline.

softmax(bfloat16[512, 8192])
            yours      ours       bar
  ✓ loads   8388608    8388608    8388608
  ✗ stack   208        0          64        A row is to stay in registers. ...
  H100      7.4 µs     7.1 µs     eager PyTorch 7.1 µs; limited by memory
  ✓ measured  yours 42.1 µs, ours 41.2 µs, ratio 1.02 (1.01–1.04; at most 2), 24 pairs: passed
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from clozekit import racing, roofline_picture
from clozekit.comparing import Comparison
from clozekit.describe import clean, describe
from clozekit.exercise import Exercise
from clozekit.meters.devices import DEVICES
from clozekit.meters.roofline import Prediction
from clozekit.phrases import say
from clozekit.protocol import Measured
from clozekit.report import Meter

if TYPE_CHECKING:
    from rich.text import Text

Line = list[tuple[str, str]]
STYLE = """\
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 44rem; margin: 2rem auto; padding: 0 1rem; }
svg { width: 100%; max-width: 34rem; height: auto; font-size: 12px; } svg text { fill: currentColor; }
.yours circle { fill: none; stroke: #d6336c; stroke-width: 2.5; } .ours circle { fill: #1c7ed6; } .eager circle { fill: #868e96; }
table { border-collapse: collapse; width: 100%; } td, th { padding: .25rem .5rem; text-align: left; }
th { font-weight: 600; } .failed { color: #d6336c; } code { overflow-wrap: anywhere; }
"""


def as_text(compared: Comparison, exercise: Exercise, language: str) -> Text:
    """For a rich console."""
    from rich.text import Text

    lines = _lines(compared, exercise, language)
    return Text("\n").join(Text.assemble(*((clean(text), style) for text, style in line)) for line in lines)


def _lines(compared: Comparison, exercise: Exercise, language: str) -> Iterator[Line]:
    yield [(compared.text, "bold")]
    for problem in (compared.yours.problem, compared.ours.problem):
        if problem:
            yield from ([(f"  {line}", "red")] for line in describe(problem, language).split("\n"))
            return
    if compared.meters:
        yield from _table(compared, exercise, language)
    yield from _prediction(compared, language)
    if compared.measured:
        yield [("", "")]
        yield from _measured(compared.measured, exercise, language)


def _table(compared: Comparison, exercise: Exercise, language: str) -> Iterator[Line]:
    words = exercise.words(language)
    heads = [say(language, f"bench-{name}") for name in ("cost", "yours", "ours", "bar")]
    yield [("    {:<16}{:<16}{:<16}{}".format(*heads), "dim")]
    for name, meter in compared.meters.items():
        failed = meter.verdict == "failed"
        mark = ("  ✗ ", "red") if failed else ("  ✓ ", "green")
        numbers = (meter.value, compared.costs[name], meter.bar)
        columns = "".join(f"{number:<16,.0f}" for number in numbers).rstrip()
        yield [mark, (f"{say(language, f'cost-name-{name}'):<16}{columns}", "")]
        if failed:
            yield [(f"      {words.thresholds.get(name, '')}", "")]


def _prediction(compared: Comparison, language: str) -> Iterator[Line]:
    predicted = compared.predicted()
    if not predicted:
        return
    yield [("", "")]
    yield [(f"  {DEVICES[compared.device].name}: ", "bold"), (_times(predicted, language), "")]
    if doubt := next((each.why for each in predicted.values() if each.why), None):
        yield [(f"  {say(language, 'bench-doubt', why=describe(doubt, language))}", "yellow")]
    if points := compared.points():
        yield from ([(f"  {line}", "")] for line in roofline_picture.as_text(points, DEVICES[compared.device]))
        names = [f"{roofline_picture.SIGNS[point.name]} {say(language, f'bench-{point.name}')}" for point in points]
        yield [("  " + "   ".join(names), "dim")]


def _measured(measured: Measured, exercise: Exercise, language: str) -> Iterator[Line]:
    mark = {"passed": ("  ✓ ", "green"), "failed": ("  ✗ ", "red")}.get(measured.verdict, ("  · ", "yellow"))
    yield [mark, (f"{say(language, 'bench-measured')}  ", "bold"), (_figures(measured, exercise, language), "")]
    if measured.why:
        yield from ([(f"      {line}", "")] for line in describe(measured.why, language).split("\n"))
        reason = exercise.words(language).thresholds.get("time")
        if reason and measured.why.kind == "speed-slow":
            yield [(f"      {reason}", "")]


def _figures(measured: Measured, exercise: Exercise, language: str) -> str:
    """The times, their ratio and the verdict, as far as there are any."""
    verdict = say(language, measured.verdict.replace(" ", "-"))
    if measured.ratio is None:
        return verdict
    times = {"yours": measured.candidate_us, "ours": measured.reference_us}
    parts = [f"{say(language, f'bench-{name}')} {_time(each)}" for name, each in times.items() if each]
    spread = {name: f"{getattr(measured, name):.2f}" for name in ("ratio", "low", "high")}
    facts = {"bar": f"{racing.bar(exercise):g}", "pairs": measured.pairs, "verdict": verdict}
    return say(language, "comma").join([*parts, say(language, "bench-ratio", **spread, **facts)])


def _time(microseconds: float) -> str:
    return f"{microseconds:.3g} µs" if microseconds < 1000 else f"{microseconds / 1000:.3g} ms"


def _times(predicted: dict[str, Prediction], language: str) -> str:
    parts = [f"{say(language, f'bench-{name}')} {_time(1e6 * each.seconds)}" for name, each in predicted.items()]
    mine = predicted.get("yours")
    limit = [say(language, "bench-limit", limit=say(language, f"limit-{mine.limit.replace(' ', '-')}"))] if mine else []
    return say(language, "comma").join([*parts, *limit])


def as_json(compared: Sequence[Comparison], exercise: Exercise, language: str) -> dict[str, Any]:
    """Schema 1."""
    return {"schema": 1, "exercise": exercise.id, "calls": [_call_json(each, language) for each in compared]}


def _call_json(compared: Comparison, language: str) -> dict[str, Any]:
    problem = compared.yours.problem or compared.ours.problem
    predicted = {f"{name}_microseconds": round(1e6 * each.seconds, 2) for name, each in compared.predicted().items()}
    return {
        "call": compared.text,
        "meters": [_meter_json(meter) for meter in compared.meters.values()],
        "predicted": predicted,
        "measured": _measured_json(compared.measured, language) if compared.measured else None,
        "problem": describe(problem, language) if problem else None,
    }


def _meter_json(meter: Meter) -> dict[str, Any]:
    bar = meter.bar if math.isfinite(meter.bar) else None
    return {"name": meter.name, "value": meter.value, "bar": bar, "verdict": meter.verdict}


def _measured_json(measured: Measured, language: str) -> dict[str, Any]:
    return {
        "verdict": measured.verdict,
        "ratio": measured.ratio,
        "low": measured.low,
        "high": measured.high,
        "pairs": measured.pairs,
        "yours_microseconds": measured.candidate_us,
        "ours_microseconds": measured.reference_us,
        "why": describe(measured.why, language) if measured.why else None,
    }


def as_page(compared: list[Comparison], exercise: Exercise, language: str) -> str:
    """One page that needs no network."""
    parts = [_section(each, exercise, language) for each in compared]
    title = html.escape(exercise.words(language).title)
    return (
        f'<!doctype html><html lang="{language}"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{title}</title><style>{STYLE}</style>'
        f"<h1>{title}</h1>{''.join(parts)}</html>\n"
    )


def _section(compared: Comparison, exercise: Exercise, language: str) -> str:
    head = f"<h2><code>{html.escape(compared.text)}</code></h2>"
    if problem := compared.yours.problem or compared.ours.problem:
        return f'{head}<pre class="failed">{html.escape(describe(problem, language))}</pre>'
    words = exercise.words(language)
    rows = [
        f'<tr class="{meter.verdict}"><td>{html.escape(say(language, f"cost-name-{name}"))}</td><td>{meter.value:,.0f}</td>'
        f"<td>{meter.bar:,.0f}</td><td>{html.escape(words.thresholds.get(name, ''))}</td></tr>"
        for name, meter in compared.meters.items()
    ]
    heads = "".join(
        f"<th>{html.escape(say(language, f'bench-{name}'))}</th>" for name in ("cost", "yours", "bar", "why")
    )
    predicted = compared.predicted()
    device = DEVICES[compared.device]
    times = f"<p>{html.escape(device.name)}: {html.escape(_times(predicted, language))}</p>" if predicted else ""
    picture = roofline_picture.as_svg(compared.points(), device, compared.text, names(language)) if predicted else ""
    table = f"<table><tr>{heads}</tr>{''.join(rows)}</table>" if rows else ""
    return f"{head}{table}{times}{picture}{_measured_page(compared.measured, exercise, language)}"


def names(language: str) -> dict[str, str]:
    """What the points of a roofline are called."""
    return {name: say(language, f"bench-{name}") for name in roofline_picture.SIGNS}


def _measured_page(measured: Measured | None, exercise: Exercise, language: str) -> str:
    if measured is None:
        return ""
    text = "\n".join("".join(part for part, _ in line) for line in _measured(measured, exercise, language))
    return f'<p class="{measured.verdict.replace(" ", "-")}">{html.escape(clean(text))}</p>'
