"""Workflow commands of GitHub Actions, which it shows at the line of a pull request.

::error file=ada/normalization/rms_norm.py,line=5,col=12,title=CZ001::`torch.rms_norm` is what this exercise asks you to write
"""

from typing import TYPE_CHECKING

from clozekit.exports.faults import faults, place

if TYPE_CHECKING:
    from clozekit.classroom.handed import Line

COMMANDS = {"error": "error", "warning": "warning", "undecided": "error"}  # what was not checked is no mere warning


def text(lines: "list[Line]", language: str) -> str:
    commands = [
        command(COMMANDS[fault.severity], place(line), fault.line, fault.column, fault.name, fault.message)
        for line in lines
        for fault in faults(line, language)
    ]
    return "".join(f"{each}\n" for each in commands)


def command(name: str, file: str, line: int, column: int, title: str, message: str) -> str:
    """One command. No part of it can end it, or begin another."""
    place = f"file={_property(file)},line={line},col={column},title={_property(title)}"
    return f"::{name} {place}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
