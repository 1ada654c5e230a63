"""JUnit XML, as Jenkins, GitLab and most CI read it: a suite a report, a case a test.

<testsuite name="ada/normalization/rms_norm" tests="2" failures="1" errors="0" skipped="0" time="1.211">
  <testcase classname="ada.normalization.rms_norm" name="values: one row" />
  <testcase classname="ada.normalization.rms_norm" name="values: one feature">
    <failure type="case" message="rms_norm(float32[4, 1], …)">rms_norm(float32[4, 1], …)…</failure>

Failed is a failure, could not check an error: both make a build red. A broken rule is a case of its own.
"""

from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from clozekit.exports.faults import CASE, Fault, faults, place, whose

if TYPE_CHECKING:
    from clozekit.classroom.handed import Line

TAGS = {"error": "failure", "undecided": "error"}


def text(lines: "list[Line]", language: str) -> str:
    suites = Element("testsuites", name="clozekit")
    for line in lines:
        suites.append(_suite(line, language))
    indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(suites, "unicode")}\n'


def _suite(line: "Line", language: str) -> Element:
    found = list(faults(line, language))
    of_tests = iter([fault for fault in found if fault.code == CASE])
    cases: list[tuple[str, Fault | None]] = [
        (test["name"], None if test["verdict"] == "passed" else next(of_tests)) for test in line["tests"]
    ]
    others = [fault for fault in found if fault.code != CASE and fault.severity != "warning"]
    cases += [(f"{fault.name} {place(line)}:{fault.line}:{fault.column}", fault) for fault in others]
    tags = [TAGS[fault.severity] for _, fault in cases if fault]
    counts = {"tests": len(cases), "failures": tags.count("failure"), "errors": tags.count("error"), "skipped": 0}
    suite = Element("testsuite", name=whose(line), time=f"{line['seconds']:.3f}")
    suite.attrib |= {key: str(count) for key, count in counts.items()}
    if line["handed_in"]:
        suite.set("timestamp", line["handed_in"])
    properties = SubElement(suite, "properties")
    for key in ("student", "exercise", "file", "verdict", "points", "max_points"):
        SubElement(properties, "property", name=key, value=str(line[key]))
    for name, fault in cases:
        case = SubElement(suite, "testcase", classname=whose(line).replace("/", "."), name=name)
        if fault:
            gist = fault.message.partition("\n")[0]
            SubElement(case, TAGS[fault.severity], type=fault.code, message=gist).text = fault.message
    warnings = [f"{place(line)}:{each.line}:{each.column}: {each.name} {each.message}" for each in found if _mild(each)]
    if warnings:
        SubElement(suite, "system-out").text = "\n".join(warnings)
    return suite


def _mild(fault: Fault) -> bool:
    return fault.severity == "warning"
