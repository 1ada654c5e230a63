"""What `cloze lint` found, for people and for machines: text, JSON, SARIF 2.1.0, GitHub annotations.

Linted(Path("normalization/rms_norm.py"), "normalization/rms_norm", [Finding("CZ001", "error", 7, 12, ...)])

text      normalization/rms_norm.py:7:12: CZ001 `torch.rms_norm` is what this exercise asks you to write
github    ::error file=normalization/rms_norm.py,line=7,col=12,title=CZ001 forbidden-api::`torch.rms_norm` is what ...
"""

import json
from dataclasses import dataclass
from pathlib import Path

from clozekit import phrases
from clozekit.describe import describe, next_step
from clozekit.exports import github, sarif
from clozekit.report import Finding
from clozekit.rules.pages import page


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
    """See sarif.py."""
    results = [
        sarif.result(found.code, found.severity, _message(found, language), file.path, found.line, found.column)
        for file in files
        for found in file.findings
    ]
    return sarif.log(results, language)


def as_github(files: list[Linted], language: str) -> str:
    """See github.py."""
    return "\n".join(
        github.command(
            found.severity,
            file.path.as_posix(),
            found.line,
            found.column,
            f"{found.code} {page(found.code).name}",
            _message(found, language),
        )
        for file in files
        for found in file.findings
    )


FORMATS = {"text": as_text, "json": as_json, "sarif": as_sarif, "github": as_github}


def _message(found: Finding, language: str) -> str:
    return "\n".join(filter(None, (describe(found.problem, language), next_step(found.problem, language))))
