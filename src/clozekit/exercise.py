"""One exercise: four files joined by their path.

exercises/normalization/rms_norm.toml          words (en, zh), entry points, policy
exercises/normalization/rms_norm.py            derived from the solution by `cloze build`
solutions/normalization/rms_norm.py            the complete code, its blanks marked (kernels/NAME.py for track triton)
graders/normalization/test_rms_norm.py         cases, reference, mistakes

In a course pack the last two are missing, see `pack`.
"""

import ast
import re
from functools import cached_property
from pathlib import Path
from typing import Annotated, NamedTuple

from msgspec import Meta, Struct
from msgspec.structs import force_setattr

from clozekit import blanks, definitions, phrases, syntax
from clozekit.errors import ContentError
from clozekit.families import spelt_out
from clozekit.pack import Pack, cases_path
from clozekit.report import MeterName
from clozekit.typed_toml import read_toml

LANGUAGES = ("en", "zh")
LEVELS = ("guided", "scratch")
FEWEST = 3  # mistakes of an exercise

Line = Annotated[str, Meta(min_length=1)]


class Policy(Struct, forbid_unknown_fields=True, frozen=True):
    """What a submission may use and spend. `forbid` holds fully qualified names, or families; `seconds` bounds one call.

    imports: modules beyond those that every submission may import. kernel: whether a Triton kernel must do the work.
    """

    forbid: list[Line] = []
    imports: list[Line] = []
    kernel: bool = False
    seconds: Annotated[float, Meta(gt=0, le=120)] = 10.0

    def __post_init__(self) -> None:
        force_setattr(self, "forbid", spelt_out(self.forbid))


class Words(Struct, forbid_unknown_fields=True, frozen=True):
    """What a learner reads, in one language."""

    title: Line
    statement: Line
    hints: Annotated[list[Line], Meta(min_length=2)]
    blanks: dict[str, Line]
    mistakes: dict[str, Line]
    cases: dict[str, Line] = {}
    thresholds: dict[MeterName, Line] = {}


class Sheet(Struct, forbid_unknown_fields=True, frozen=True):
    """The whole TOML file of one exercise. `thresholds`: for each meter, how many times the solution's cost is allowed.

    `time`: how many times the solution's time on the same device, where it is measured; no grading depends on it.
    """

    source: Line
    entry: Annotated[list[Line], Meta(min_length=1)]
    en: Words
    zh: Words
    attributes: dict[str, list[Line]] = {}
    policy: Policy = Policy()
    thresholds: dict[MeterName, Annotated[float, Meta(ge=0)]] = {}
    equivalent: dict[str, Line] = {}


class Mistake(Struct, frozen=True):
    """A wrong answer that real people give, as source text: another body for a blank, or for a whole function."""

    name: str
    target: str
    is_blank: bool
    code: str
    rounding: bool = False


class FileStamp(NamedTuple):
    """Another one after a file was edited or replaced. `modified`: in nanoseconds, as in time.time_ns()."""

    inode: int
    modified: int
    size: int


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
        """What a tester loads: in a pack, the recorded cases."""
        if self.pack:
            return self.root / cases_path(self.id)
        return self.root / "graders" / self.track / f"test_{self.name}.py"

    @cached_property
    def pack(self) -> Pack | None:
        """The course pack that this exercise is part of."""
        return Pack.at(self.root)

    def stamps(self) -> list[FileStamp | None]:
        """What the author's files look like now. What an Exercise has read of them before, it keeps."""
        return [file_stamp(path) for path in (self.words_path, self.solution_path, self.grader_path)]

    @cached_property
    def sheet(self) -> Sheet:
        if self.pack:
            self.pack.read(self.words_path)
        sheet = read_sheet(self.words_path)
        if len(sheet.en.mistakes) < FEWEST and not self.pack:
            raise ContentError(f"{self.words_path}: en.mistakes: {len(sheet.en.mistakes)}; explain at least {FEWEST}")
        return sheet

    @cached_property
    def solution(self) -> str:
        return self._python(self.solution_path)[0]

    def words(self, language: str) -> Words:
        return self.sheet.zh if language == "zh" else self.sheet.en

    def _python(self, path: Path) -> tuple[str, ast.Module]:
        """One of the author's Python files, as text and parsed."""
        if self.pack:
            raise self.pack.no_answers(self.id)
        try:
            source = path.read_text("utf-8")
            return source, syntax.parse(source)
        except FileNotFoundError:
            raise ContentError(f"{self.id}: {path} is missing; `cloze new` writes an example of every file") from None
        except UnicodeDecodeError as error:
            raise ContentError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from None
        except SyntaxError as error:
            raise ContentError(f"{path}: line {error.lineno or 1}: {error.msg}") from None
        except (MemoryError, RecursionError):
            raise ContentError(f"{path}: an expression is nested too deeply; split it") from None

    @cached_property
    def entries(self) -> dict[str, list[str]]:
        """Each entry function to [], each class to its methods: {"KVCache": ["__init__", "append"], "attend": []}."""
        entries: dict[str, list[str]] = {}
        for declaration in self.sheet.entry:
            name, dot, method = declaration.partition("(")[0].partition(".")
            if dot:
                entries.setdefault(name, ["__init__"]).append(method)
            else:
                entries.setdefault(name, ["__init__"] if self._is_class(name) else [])
        return entries

    def _is_class(self, name: str) -> bool:
        return bool(re.search(rf"^class {re.escape(name)}\b", self.solution, re.M))

    def render(self, level: str = "guided", language: str = "en") -> str:
        """The starter of one level in one language: the statement as docstring, then the code, its answers cut out.

        Raises:
            ContentError: markers are unbalanced or a prompt is missing; names the file.
        """
        words = self.words(language)
        statement = (
            f"{words.title}\n\n{words.statement.strip()}\n\n{phrases.say(language, 'source')}: {self.sheet.source}\n"
        )
        return f"{_docstring(statement)}\n\n{self.starter(level, language)}"

    def offered(self, level: str) -> str:
        """This level, or in its place that of a course which does not give it."""
        return self.levels[0] if level not in self.levels else level

    @property
    def levels(self) -> tuple[str, ...]:
        return self.pack.manifest.levels if self.pack else LEVELS

    def starter(self, level: str, language: str) -> str:
        """The code of one level, its answers cut out, without the statement.

        Raises:
            ContentError: markers are unbalanced or a prompt is missing; names the file.
        """
        if self.pack:
            return self.pack.starter(self.id, level, language)
        prompts, solution = self.words(language).blanks, self.solution
        try:
            if level == "scratch":
                attributes = [f"{owner}.{a}" for owner, names in self.sheet.attributes.items() for a in names]
                note = f" ({phrases.say(language, 'attributes')}: {', '.join(attributes)})" if attributes else ""
                return blanks.scratch(solution, self.entries, phrases.say(language, "todo-all") + note)
            return blanks.guided(solution, prompts, phrases.say(language, "todo"))
        except ContentError as error:
            raise ContentError(f"{self.solution_path}: {error}") from None

    def is_starter(self, content: bytes) -> bool:
        """Whether a file is as `cloze init` writes it, at any level in any language."""
        return any(content == self.render(level, language).encode() for level in self.levels for language in LANGUAGES)

    @cached_property
    def mistakes(self) -> dict[str, Mistake]:
        """The functions that the grader marks with @mistake, read from its source and never run here. A pack has none."""
        if self.pack:
            return {}
        grader, tree = self._python(self.grader_path)
        found = {}
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and (mark := _mistake_mark(node)):
                try:
                    found[node.name] = _mistake(node, mark, grader)
                except ContentError as error:
                    raise ContentError(f"{self.grader_path}: line {mark.lineno}: {error}") from None
        return found

    @property
    def measure(self) -> str:
        """The source whose costs are the measure; "" where none are asked, or only counts are there."""
        measured = self.sheet.policy.kernel or self.sheet.thresholds
        return self.solution if measured and not self.pack else ""

    @cached_property
    def costs(self) -> list[str]:
        """The calls of full size whose costs the grader judges."""
        return definitions.calls(self._python(self.grader_path)[1])

    @property
    def visible_cases(self) -> list[str]:
        """Their names, as far as they are known without running the grader: for a shell that completes them."""
        if self.pack:
            return list(self.sheet.zh.cases)
        hidden = definitions.hidden(self._python(self.grader_path)[1])
        return [name for name in self.sheet.zh.cases if name.partition(":")[0] not in hidden]

    def eager(self, target: str) -> definitions.Eager | None:
        """What the grader takes for right, as eager PyTorch."""
        return definitions.eager(self._python(self.grader_path)[1], target)

    def mistaken(self, mistake: Mistake) -> str:
        """The solution with one mistake typed into it: what a learner who makes it would hand in."""
        try:
            if mistake.is_blank:
                return blanks.fill(self.solution, mistake.target, mistake.code)
            return blanks.rewrite(self.solution, mistake.target, mistake.code)
        except ContentError as error:
            raise ContentError(f"{self.grader_path}: mistake `{mistake.name}`: {error}") from None


def _docstring(text: str) -> str:
    """The literal of a docstring; a raw one where that lets a regular expression be read as it is meant."""
    if '"""' in text:
        text = text.replace("\\", "\\\\").replace('"""', r"\"\"\"")
        return f'"""{text}"""'
    raw = "r" if "\\" in text else ""
    return f'{raw}"""{text}"""'


def _mistake_mark(node: ast.FunctionDef) -> ast.Call | None:
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Name) and decorator.func.id == "mistake":
            return decorator
    return None


def _mistake(node: ast.FunctionDef, mark: ast.Call, grader: str) -> Mistake:
    try:
        given = [("target", arg) for arg in mark.args[:1]] + [(each.arg, each.value) for each in mark.keywords]
        options = {name: ast.literal_eval(value) for name, value in given}
    except ValueError:
        raise ContentError(f"mistake `{node.name}`: its mark is read, not run; give it literals") from None
    target, blank, rounding = options.get("target"), options.get("blank"), bool(options.get("rounding"))
    if [type(target), type(blank)].count(str) != 1:
        raise ContentError(
            f'mistake `{node.name}` replaces either a function, @mistake("name"), or a blank, @mistake(blank="name")'
        )
    lines = grader.split("\n")
    first, last = node.body[0].lineno, node.end_lineno
    if isinstance(blank, str):
        if lines[first - 1].encode()[: node.body[0].col_offset].strip():
            raise ContentError(f"mistake `{node.name}` is written on one line; give its body a line of its own")
        return Mistake(node.name, blank, True, _dedent(lines[first - 1 : last]), rounding)
    definition = "\n".join(lines[node.lineno - 1 : last]) + "\n"
    renamed = definition.replace(f"def {node.name}(", f"def {str(target).rpartition('.')[2]}(", 1)
    return Mistake(node.name, str(target), False, renamed, rounding)


def _dedent(body: list[str]) -> str:
    """Without the indent of the first line."""
    indent = len(body[0]) - len(body[0].lstrip())
    return "".join(f"{line if line[:indent].strip() else line[indent:]}\n" for line in body)


def file_stamp(path: Path) -> FileStamp | None:
    """None where there is no such file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return FileStamp(found.st_ino, found.st_mtime_ns, found.st_size)


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
            en = en or zh  # English titles are the test names themselves; only Chinese needs the table
        if en != zh:
            odd = sorted(en ^ zh)
            raise ContentError(
                f"{path}: [en.{table}] and [zh.{table}] differ in {', '.join(odd)}; write both languages"
            )
    for language, words in (("en", sheet.en), ("zh", sheet.zh)):
        if odd := sorted(sheet.thresholds.keys() ^ words.thresholds.keys()):
            raise ContentError(
                f"{path}: [thresholds] and [{language}.thresholds] differ in {', '.join(odd)}; give each bar its reason"
            )
    if sheet.thresholds.get("time", 1.0) < 1:
        raise ContentError(
            f"{path}: thresholds.time: a bar for what is measured is at least 1, the solution's own time"
        )
    if len(sheet.en.hints) != len(sheet.zh.hints):
        raise ContentError(
            f"{path}: {len(sheet.en.hints)} hints in English, {len(sheet.zh.hints)} in Chinese; write both languages"
        )
    return sheet
