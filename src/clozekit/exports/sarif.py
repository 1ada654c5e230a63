"""SARIF 2.1.0, for code scanning: findings, failed tests, and what could not be checked.

{"ruleId": "case", "level": "error", "kind": "fail", "message": {"text": "values: one feature: rms_norm(…"}, "locations": […]}

What could not be checked is `open` in the words of the standard (3.27.9): not a failure, and no pass.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from clozekit import __version__
from clozekit.exports.faults import CASE, GRADING, Fault, faults, place
from clozekit.phrases import say
from clozekit.rules.pages import Page, flat, markdown, pages

if TYPE_CHECKING:
    from clozekit.classroom.handed import Line

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
WARNINGS = ("CZ104", "CZ203")  # rules that never forbid
RULES = {CASE: "export-case", GRADING: "export-grading"}


def text(lines: "list[Line]", language: str) -> str:
    results = [_result(Path(place(line)), fault) for line in lines for fault in faults(line, language)]
    rules = [{"id": code, "shortDescription": {"text": say(language, key)}} for code, key in RULES.items()]
    return log(results, language, rules) + "\n"


def _result(path: Path, fault: Fault) -> dict[str, Any]:
    message = f"{fault.name}: {fault.message}" if fault.code == CASE else fault.message
    if fault.severity == "undecided":
        return result(fault.code, "none", message, path, fault.line, fault.column) | {"kind": "open"}
    return result(fault.code, fault.severity, message, path, fault.line, fault.column)


def log(results: list[dict[str, Any]], language: str, more_rules: Iterable[dict[str, Any]] = ()) -> str:
    """A log of one run. Columns count characters, paths are relative to where the command ran."""
    rules = [*map(_rule, pages(language)), *more_rules]
    places = {rule["id"]: index for index, rule in enumerate(rules)}
    run = {
        "tool": {"driver": {"name": "clozekit", "semanticVersion": __version__, "rules": rules}},
        "language": {"en": "en-US", "zh": "zh-CN"}[language],
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"SRCROOT": {"description": {"text": "where `cloze` ran"}}},
        "results": [each | {"ruleIndex": places[each["ruleId"]]} for each in results],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=1)


def result(code: str, level: str, message: str, path: Path, line: int, column: int) -> dict[str, Any]:
    """One result, at one place."""
    place = {"artifactLocation": _location(path), "region": {"startLine": line, "startColumn": column}}
    return {
        "ruleId": code,
        "level": level,
        "message": {"text": message},
        "locations": [{"physicalLocation": place}],
    }


def _rule(each: Page) -> dict[str, Any]:
    _, what = each.words[0]
    words = [f"**{heading}**\n\n{markdown(text)}" for heading, text in each.words]
    code = [f"**{heading}**\n\n```python\n{text}\n```" for heading, text in each.codes]
    return {
        "id": each.code,
        "name": "".join(part.capitalize() for part in each.name.split("-")),
        "shortDescription": {"text": each.line},
        "fullDescription": {"text": flat(what)},
        "help": {"text": each.text(), "markdown": "\n\n".join([*words, *code])},
        "defaultConfiguration": {"level": "warning" if each.code in WARNINGS else "error"},
    }


def _location(path: Path) -> dict[str, str]:
    """Relative to the working directory where the file is below it, absolute where not."""
    try:
        relative = path.absolute().relative_to(Path.cwd())
    except ValueError:
        return {"uri": path.absolute().as_uri()}
    return {"uri": quote(relative.as_posix()), "uriBaseId": "SRCROOT"}
