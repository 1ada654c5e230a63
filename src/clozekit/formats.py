"""Findings for people and for machines: text, JSON, SARIF 2.1.0, GitHub annotations.

Linted(Path("normalization/rms_norm.py"), "normalization/rms_norm", [Finding("CZ001", "error", 7, 12, ...)])

text      normalization/rms_norm.py:7:12: CZ001 `torch.rms_norm` is what this exercise asks you to write
github    ::error file=normalization/rms_norm.py,line=7,col=12,title=CZ001 forbidden-api::`torch.rms_norm` is what ...
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from clozekit import __version__, phrases
from clozekit.describe import describe, next_step
from clozekit.report import Finding
from clozekit.rules.pages import Page, flat, markdown, page, pages

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
WARNINGS = ("CZ104", "CZ203")  # rules that never forbid


@dataclass(frozen=True)
class Linted:
    """A file with what was found in it."""

    path: Path
    exercise: str
    findings: list[Finding]


def as_text(files: list[Linted], language: str) -> str:
    """A line for each finding, what to do below it, and a sum."""
    lines = []
    for file in files:
        for found in file.findings:
            says, *more = describe(found.problem, language).split("\n")
            mild = f" ({phrases.say(language, 'CZ-warning')})" if found.severity == "warning" else ""
            lines.append(f"{file.path}:{found.line}:{found.column}: {found.code} {says}{mild}")
            lines += [f"    {line}" for line in (*more, next_step(found.problem, language)) if line]
    severities = [found.severity for file in files for found in file.findings]
    errors, warnings = (severities.count(each) for each in ("error", "warning"))
    lines.append(phrases.say(language, "CZ-sum", errors=errors, warnings=warnings, files=len(files)))
    if errors or warnings:
        code = next(found.code for file in files for found in file.findings)
        lines.append(phrases.say(language, "CZ-page", code=code))
    return "\n".join(lines)


def as_json(files: list[Linted], language: str) -> str:
    """An array with an object for each finding."""
    rows = [
        {
            "file": str(file.path),
            "exercise": file.exercise,
            "code": found.code,
            "name": page(found.code).name,
            "severity": found.severity,
            "line": found.line,
            "column": found.column,
            "message": describe(found.problem, language),
            "next": next_step(found.problem, language),
        }
        for file in files
        for found in file.findings
    ]
    return json.dumps(rows, ensure_ascii=False, indent=1)


def as_sarif(files: list[Linted], language: str) -> str:
    """A log of one run. Columns count characters, paths are relative to where the command ran."""
    listed = pages(language)
    places = {each.code: index for index, each in enumerate(listed)}
    results = [
        {
            "ruleId": found.code,
            "ruleIndex": places[found.code],
            "level": found.severity,
            "message": {"text": _message(found, language)},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": _location(file.path),
                        "region": {"startLine": found.line, "startColumn": found.column},
                    }
                }
            ],
        }
        for file in files
        for found in file.findings
    ]
    tool = {"name": "clozekit", "semanticVersion": __version__, "rules": [_rule(each) for each in listed]}
    run = {
        "tool": {"driver": tool},
        "language": {"en": "en-US", "zh": "zh-CN"}[language],
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"SRCROOT": {"description": {"text": "where `cloze lint` ran"}}},
        "results": results,
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=1)


def as_github(files: list[Linted], language: str) -> str:
    """A workflow command for each finding, which GitHub shows at the line of a pull request."""
    return "\n".join(
        f"::{found.severity} file={_property(file.path.as_posix())},line={found.line},col={found.column},"
        f"title={_property(f'{found.code} {page(found.code).name}')}::{_data(_message(found, language))}"
        for file in files
        for found in file.findings
    )


FORMATS = {"text": as_text, "json": as_json, "sarif": as_sarif, "github": as_github}


def _message(found: Finding, language: str) -> str:
    return "\n".join(filter(None, (describe(found.problem, language), next_step(found.problem, language))))


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


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
