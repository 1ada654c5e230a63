"""One Report as its template shows it: words instead of facts, and nothing that may not be told."""

import math
from collections.abc import Mapping
from typing import NamedTuple

from markupsafe import Markup

from clozekit.describe import describe, next_step
from clozekit.exercise import Exercise
from clozekit.meters.devices import DEVICES
from clozekit.phrases import say
from clozekit.render import Advice, Reveal, advice, is_veiled, located, message, place_of, veiled
from clozekit.report import Growth, Meter, Picture, Report, Result, Roofline, Verdict
from clozekit.roofline_picture import SIGNS, as_svg

LONGEST = 4000  # characters of one message, and of the end of what one test printed


class TestView(NamedTuple):
    """One test that did not pass."""

    title: str
    verdict: Verdict
    message: str
    output: str
    picture: Picture | None


class FindingView(NamedTuple):
    """What a static rule found."""

    code: str
    severity: str
    place: str
    message: str
    step: str


class MeterView(NamedTuple):
    """A cost beside its bar. `share`: of the bar, None where there is none."""

    name: str
    verdict: Verdict
    value: str
    bar: str
    share: float | None
    why: str


class GrowthView(NamedTuple):
    """A cost from test to test: each title with what is said of it. ratio: of the bar to the solution."""

    name: str
    growth: Growth
    ratio: float
    said: list[tuple[str, str]]


class RooflineView(NamedTuple):
    """A call under the roofline of a GPU."""

    call: str
    device: str
    drawing: Markup
    doubt: str


class ReportView(NamedTuple):
    """The whole report. `strip`: the verdict of every test, in order."""

    id: str
    verdict: Verdict
    points: float
    max_points: float
    problem: str
    advice: Advice
    findings: list[FindingView]
    failed: list[TestView]
    passed: list[str]
    strip: list[Verdict]
    meters: list[MeterView]
    growths: list[GrowthView]
    rooflines: list[RooflineView]
    notes: list[str]


def report_view(report: Report, exercise: Exercise, language: str, reveal: Reveal, interview: bool) -> ReportView:
    """What the template `report.html` asks for."""
    words = exercise.words(language)
    titles = {test.name: words.cases.get(test.name, test.name) for test in report.tests}
    problem = veiled(report.problem, reveal) if report.problem else None
    told = advice(report, exercise, language, reveal, interview)
    if problem:
        told = told._replace(step=next_step(problem, language))
    return ReportView(
        id=report.exercise,
        verdict=report.verdict,
        points=report.points,
        max_points=report.max_points,
        problem=located(problem, report.cell, language)[:LONGEST] if problem else "",
        advice=told,
        findings=[
            FindingView(
                each.code,
                each.severity,
                place_of(each, report.cell, language),
                describe(each.problem, language),
                next_step(each.problem, language),
            )
            for each in report.findings
        ],
        failed=[
            _test(test, titles[test.name], exercise, language, reveal)
            for test in report.tests
            if test.verdict != "passed" and not problem  # which is that of every test
        ],
        passed=[titles[test.name] for test in report.tests if test.verdict == "passed"],
        strip=[test.verdict for test in report.tests],
        meters=[_meter(meter, exercise, language) for meter in report.meters],
        growths=[
            _growth(growth, ratio, titles, language)
            for growth in report.growths
            if (ratio := exercise.sheet.thresholds.get(growth.name))
        ],
        rooflines=[_roofline(roofline, language) for roofline in report.rooflines],
        notes=[describe(note, language) for note in report.notes],
    )


def _test(test: Result, title: str, exercise: Exercise, language: str, reveal: Reveal) -> TestView:
    undiagnosed = Result(test.name, test.verdict, test.hidden, test.points, test.problem)  # the mistake is told once
    told = message(undiagnosed, exercise.words(language), language, reveal)[:LONGEST]
    if is_veiled(test, reveal):
        return TestView(title, test.verdict, told, "", None)
    return TestView(title, test.verdict, told, test.output.rstrip()[-LONGEST:], test.picture)


def _meter(meter: Meter, exercise: Exercise, language: str) -> MeterView:
    bar = "" if math.isinf(meter.bar) else f"{meter.bar:,.0f}"
    share = meter.share if bar else None
    why = exercise.words(language).thresholds.get(meter.name, "")
    return MeterView(meter.name, meter.verdict, f"{meter.value:,.0f}", bar, share, why)


def _growth(growth: Growth, ratio: float, titles: Mapping[str, str], language: str) -> GrowthView:
    said = [
        (
            titles.get(step.test, step.test),
            say(language, "report-cost", yours=f"{step.value:,.0f}", bar=f"{step.bar:,.0f}"),
        )
        for step in growth.steps
    ]
    return GrowthView(growth.name, growth, ratio, said)


def _roofline(found: Roofline, language: str) -> RooflineView:
    device = DEVICES[found.device]
    names = {name: say(language, f"bench-{name}") for name in SIGNS}
    stand = [
        f"{names[each.name]} {each.flops / 1e12:.3g} TFLOP/s, {each.intensity:.3g} FLOP/byte" for each in found.points
    ]
    title = say(language, "roofline-alt", call=found.call, device=device.name, points="; ".join(stand))
    doubt = say(language, "bench-doubt", why=describe(found.doubt, language)) if found.doubt else ""
    return RooflineView(found.call, device.name, Markup(as_svg(found.points, device, title, names)), doubt)
