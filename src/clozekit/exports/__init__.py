"""Reports in the formats that schools and CI read. The name of a format is the name of its module here.

    export("junit", lines, "en")    ->  <testsuites name="clozekit"><testsuite name="ada/normalization/rms_norm" …
    export("canvas", grades, "en")  ->  Student,ID,SIS User ID,SIS Login ID,Section,normalization/rms_norm …

What a format tells is what a Line has: of hidden cases no more than the report had been allowed to.
"""

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from clozekit.describe import clean

if TYPE_CHECKING:
    from clozekit.classroom.gradebook import Grade
    from clozekit.classroom.handed import Line

REPORTS = {  # made of reports; the names of the files that `cloze grade` writes
    "junit": "junit.xml",
    "markdown": "report.md",
    "github": "annotations.txt",
    "gitlab": "codequality.json",
    "sarif": "report.sarif",
    "gradescope": "gradescope.json",
    "prairielearn": "prairielearn.json",
}
GRADEBOOKS = {"canvas": "canvas.csv", "moodle": "moodle.csv"}  # made of grades
LONGEST = 4000  # characters of a message; some platforms refuse a file of more than 1 MB


def export(name: str, lines: "Sequence[Line] | Sequence[Grade]", language: str) -> str:
    """The whole file.

    Raises:
        ClozeError: the format is for one student, and these are several.
    """
    module = import_module(f"clozekit.exports.{name}")
    return module.text([plain(line) for line in lines], language)  # type: ignore[no-any-return]


def plain(value: Any) -> Any:
    """The same with every text cut to what can be read, and without what would paint a terminal, or is no character of XML."""
    if isinstance(value, str):
        text = clean(value[:LONGEST].replace("\r\n", "\n"))
        return f"{text}…" if len(value) > LONGEST else text
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list) else value
