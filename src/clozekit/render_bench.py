"""A Comparison for people: yours, ours, the bar and why; then the roofline.

softmax(bfloat16[512, 8192])
            yours      ours       bar
  ✓ loads   8388608    8388608    8388608
  ✗ stack   208        0          64        A row is to stay in registers. ...
  H100      7.4 µs     7.1 µs     eager PyTorch 7.1 µs; limited by memory
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import TYPE_CHECKING

from clozekit import roofline_picture
from clozekit.comparing import Comparison
from clozekit.describe import clean, describe
from clozekit.exercise import Exercise
from clozekit.meters.devices import DEVICES
from clozekit.meters.roofline import Prediction
from clozekit.phrases import say

if TYPE_CHECKING:
    from rich.text import Text

Line = list[tuple[str, str]]
STYLE = """\
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 44rem; margin: 2rem auto; padding: 0 1rem; }
svg { width: 100%; height: auto; font-size: 12px; } svg text { fill: currentColor; }
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


def _times(predicted: dict[str, Prediction], language: str) -> str:
    parts = [f"{say(language, f'bench-{name}')} {1e6 * each.seconds:.3g} µs" for name, each in predicted.items()]
    mine = predicted.get("yours")
    limit = [say(language, "bench-limit", limit=say(language, f"limit-{mine.limit.replace(' ', '-')}"))] if mine else []
    return say(language, "comma").join([*parts, *limit])


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
    picture = roofline_picture.as_svg(compared.points(), device, compared.text) if predicted else ""
    return f"{head}<table><tr>{heads}</tr>{''.join(rows)}</table>{times}{picture}"
