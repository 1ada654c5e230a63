"""One exercise: four files joined by their path.

exercises/normalization/rms_norm.toml          words (en, zh), entry points, policy
exercises/normalization/rms_norm.py            derived from the solution by `cloze build`
solutions/normalization/rms_norm.py            the complete code, its blanks marked (kernels/NAME.py for track triton)
graders/normalization/test_rms_norm.py         cases, reference, mistakes
"""

import ast
import re
import tomllib
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, TypeVar

from msgspec import Meta, Struct, ValidationError, convert

from clozekit import blanks, phrases
from clozekit.errors import ContentError, NotFound

LANGUAGES = ("en", "zh")
LEVELS = ("guided", "scratch")

Line = Annotated[str, Meta(min_length=1)]
T = TypeVar("T")


class Policy(Struct, forbid_unknown_fields=True, frozen=True):
    """What a submission may use and spend. `forbid` holds fully qualified names; `seconds` bounds one call."""

    forbid: list[Line] = []
    seconds: Annotated[float, Meta(gt=0, le=120)] = 10.0


class Words(Struct, forbid_unknown_fields=True, frozen=True):
    """What a learner reads, in one language."""

    title: Line
    statement: Line
    hints: Annotated[list[Line], Meta(min_length=2)]
    blanks: dict[str, Line]
    mistakes: Annotated[dict[str, Line], Meta(min_length=3)]
    cases: dict[str, Line] = {}


class Sheet(Struct, forbid_unknown_fields=True, frozen=True):
    """The whole TOML file of one exercise."""

    source: Line
    entry: Annotated[list[Line], Meta(min_length=1)]
    en: Words
    zh: Words
    attributes: dict[str, list[Line]] = {}
    policy: Policy = Policy()
    thresholds: dict[str, Any] = {}
    equivalent: dict[str, Line] = {}


class Mistake(Struct, frozen=True):
    """A wrong answer that real people give, as source text: another body for a blank, or for a whole function."""

    name: str
    target: str
    is_blank: bool
    code: str
    rounding: bool = False


class Exercise:
    """Found by path; each file is read when it is first asked for."""

    def __init__(self, root: Path, id: str):
        self.root, self.id = root, id
        self.track, self.name = id.split("/")

    def __repr__(self) -> str:
        return f"Exercise({self.id!r})"

    @property
    def words_path(self) -> Path:
        return self.root / "exercises" / f"{self.id}.toml"

    @property
    def starter_path(self) -> Path:
        return self.root / "exercises" / f"{self.id}.py"

    @property
    def solution_path(self) -> Path:
        home = self.root / "kernels" if self.track == "triton" else self.root / "solutions" / self.track
        return home / f"{self.name}.py"

    @property
    def grader_path(self) -> Path:
        return self.root / "graders" / self.track / f"test_{self.name}.py"

    @cached_property
    def sheet(self) -> Sheet:
        return read_sheet(self.words_path)

    @cached_property
    def solution(self) -> str:
        return self._read(self.solution_path)

    def words(self, language: str) -> Words:
        return self.sheet.zh if language == "zh" else self.sheet.en

    def _read(self, path: Path) -> str:
        try:
            return path.read_text("utf-8")
        except FileNotFoundError:
            raise ContentError(
                f"{self.id}: {path} is missing; `cloze new {self.id}` shows what an exercise needs"
            ) from None

    @cached_property
    def entries(self) -> dict[str, list[str]]:
        """Each entry function to [], each entry class to its methods: {"KVCache": ["__init__", "append"], "attend": []}."""
        entries: dict[str, list[str]] = {}
        for declaration in self.sheet.entry:
            name, dot, method = declaration.partition("(")[0].partition(".")
            if dot:
                entries.setdefault(name, ["__init__"]).append(method)
            else:
                entries.setdefault(name, ["__init__"] if self._is_class(name) else [])
        return entries

    def _is_class(self, name: str) -> bool:
        return bool(re.search(rf"^class {name}\b", self.solution, re.M))

    def render(self, level: str = "guided", language: str = "en") -> str:
        """The starter file of one level in one language: the statement as docstring, then the code with its answers cut out.

        Raises:
            ContentError: markers are unbalanced or a prompt is missing; names the file.
        """
        words = self.words(language)
        statement = (
            f"{words.title}\n\n{words.statement.strip()}\n\n{phrases.say(language, 'source')}: {self.sheet.source}\n"
        )
        docstring = '"""' + statement.replace("\\", "\\\\") + '"""\n\n'
        try:
            if level == "scratch":
                attributes = [f"{owner}.{a}" for owner, names in self.sheet.attributes.items() for a in names]
                note = f" ({phrases.say(language, 'attributes')}: {', '.join(attributes)})" if attributes else ""
                return docstring + blanks.scratch(self.solution, self.entries, phrases.say(language, "todo-all") + note)
            return docstring + blanks.guided(self.solution, words.blanks, phrases.say(language, "todo"))
        except ContentError as error:
            raise ContentError(f"{self.solution_path}: {error}") from None

    @cached_property
    def mistakes(self) -> dict[str, Mistake]:
        """The functions that the grader marks with @mistake, read from its source and never run here."""
        grader = self._read(self.grader_path)
        found = {}
        for node in ast.parse(grader).body:
            if isinstance(node, ast.FunctionDef) and (mark := _mistake_mark(node)):
                found[node.name] = _mistake(node, mark, grader)
        return found

    def mistaken(self, mistake: Mistake) -> str:
        """The solution with one mistake typed into it: what a learner who makes it would hand in."""
        try:
            if mistake.is_blank:
                return blanks.fill(self.solution, mistake.target, mistake.code)
            return blanks.rewrite(self.solution, mistake.target, mistake.code)
        except ContentError as error:
            raise ContentError(f"{self.grader_path}: mistake `{mistake.name}`: {error}") from None


def _mistake_mark(node: ast.FunctionDef) -> ast.Call | None:
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Name) and decorator.func.id == "mistake":
            return decorator
    return None


def _mistake(node: ast.FunctionDef, mark: ast.Call, grader: str) -> Mistake:
    options = {keyword.arg: ast.literal_eval(keyword.value) for keyword in mark.keywords}
    lines = grader.splitlines(keepends=True)
    if "blank" in options:
        body = "".join(lines[node.body[0].lineno - 1 : node.end_lineno])
        return Mistake(node.name, options["blank"], True, _dedent(body), options.get("rounding", False))
    target = ast.literal_eval(mark.args[0])
    definition = "".join(lines[node.lineno - 1 : node.end_lineno])
    renamed = definition.replace(f"def {node.name}(", f"def {target.rpartition('.')[2]}(", 1)
    return Mistake(node.name, target, False, renamed, options.get("rounding", False))


def _dedent(body: str) -> str:
    indent = len(body) - len(body.lstrip(" "))
    return (
        "".join(line[indent:] if line.strip() else line for line in body.splitlines(keepends=True)).rstrip("\n") + "\n"
    )


def read_sheet(path: Path) -> Sheet:
    """Read and validate one exercise's TOML.

    Raises:
        NotFound: no such file.
        ContentError: not TOML, a missing or misspelt key, a wrong type, or English and Chinese that differ in keys.
    """
    sheet = read_toml(path, Sheet)
    for table in ("blanks", "mistakes", "cases"):
        en, zh = set(getattr(sheet.en, table)), set(getattr(sheet.zh, table))
        if table == "cases":
            en = zh if not en else en  # English titles are the test names themselves; only Chinese needs the table
        if en != zh:
            odd = sorted(en ^ zh)
            raise ContentError(
                f"{path}: [en.{table}] and [zh.{table}] differ in {', '.join(odd)}; write both languages"
            )
    if len(sheet.en.hints) != len(sheet.zh.hints):
        raise ContentError(
            f"{path}: {len(sheet.en.hints)} hints in English, {len(sheet.zh.hints)} in Chinese; write both languages"
        )
    return sheet


def read_toml(path: Path, type: type[T]) -> T:
    """A TOML file as a typed struct; every error names the file, the key and the fix."""
    try:
        return convert(tomllib.loads(path.read_text("utf-8")), type)
    except FileNotFoundError:
        raise NotFound(f"{path} does not exist") from None
    except UnicodeDecodeError as error:
        raise ContentError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ContentError(f"{path}: not TOML: {error}") from None
    except ValidationError as error:
        problem, _, where = str(error).partition(" - at `$")
        key = where.strip("`.") or "the top of the file"
        raise ContentError(f"{path}: {problem} (at {key})") from None
