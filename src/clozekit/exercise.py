"""One exercise: four files joined by their path.

exercises/normalization/rms_norm.toml          words (en, zh), entry points, policy
exercises/normalization/rms_norm.py            derived from the solution by `cloze build`
solutions/normalization/rms_norm.py            the complete code, its blanks marked (kernels/NAME.py for track triton)
graders/normalization/test_rms_norm.py         cases, reference, mistakes
"""

import ast
import difflib
import re
import tomllib
from copy import deepcopy
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeVar, get_args

from msgspec import Meta, Struct, ValidationError, convert
from msgspec.structs import fields, force_setattr

from clozekit import blanks, definitions, phrases, syntax
from clozekit.errors import ContentError, NotFound
from clozekit.families import spelt_out
from clozekit.report import MeterName

LANGUAGES = ("en", "zh")
LEVELS = ("guided", "scratch")

Line = Annotated[str, Meta(min_length=1)]
T = TypeVar("T")


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
    mistakes: Annotated[dict[str, Line], Meta(min_length=3)]
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
        return self.root / "graders" / self.track / f"test_{self.name}.py"

    def stamps(self) -> list[FileStamp | None]:
        """What the author's files look like now. What an Exercise has read of them before, it keeps."""
        return [file_stamp(path) for path in (self.words_path, self.solution_path, self.grader_path)]

    @cached_property
    def sheet(self) -> Sheet:
        return read_sheet(self.words_path)

    @cached_property
    def solution(self) -> str:
        return self._python(self.solution_path)[0]

    def words(self, language: str) -> Words:
        return self.sheet.zh if language == "zh" else self.sheet.en

    def _python(self, path: Path) -> tuple[str, ast.Module]:
        """One of the author's Python files, as text and parsed."""
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

    def starter(self, level: str, language: str) -> str:
        """The code of one level, its answers cut out, without the statement.

        Raises:
            ContentError: markers are unbalanced or a prompt is missing; names the file.
        """
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
        return any(content == self.render(level, language).encode() for level in LEVELS for language in LANGUAGES)

    @cached_property
    def mistakes(self) -> dict[str, Mistake]:
        """The functions that the grader marks with @mistake, read from its source and never run here."""
        grader, tree = self._python(self.grader_path)
        found = {}
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and (mark := _mistake_mark(node)):
                try:
                    found[node.name] = _mistake(node, mark, grader)
                except ContentError as error:
                    raise ContentError(f"{self.grader_path}: line {mark.lineno}: {error}") from None
        return found

    @cached_property
    def costs(self) -> list[str]:
        """The calls of full size whose costs the grader judges."""
        return definitions.calls(self._python(self.grader_path)[1])

    @property
    def visible_cases(self) -> list[str]:
        """Their names, as far as they are known without running the grader: for a shell that completes them."""
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


def read_toml(path: Path, type: type[T]) -> T:
    """A TOML file as a typed struct; every error names the file, the key and the fix."""
    try:
        data = tomllib.loads(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        raise NotFound(f"{path} does not exist") from None
    except UnicodeDecodeError as error:
        raise ContentError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from None
    except (ValueError, RecursionError) as error:  # TOMLDecodeError; a number of thousands of digits
        raise ContentError(f"{path}: not TOML: {error}") from None
    try:
        return convert(data, type)
    except ValidationError as error:
        raise ContentError(f"{path}: {_complaint(error, data, type)}") from None


def _complaint(error: ValidationError, data: dict[str, Any], type: Any) -> str:
    """A validation error with its key and the fix: "en: unknown key `hnts`; did you mean `hints`?"."""
    if found := re.search(r"'(.*)' - at `key` in `\$\.(.*)`", str(error)):
        return f"{found[2]}: there is no meter `{found[1]}`, only {', '.join(get_args(MeterName))}"
    problem, _, path = str(error).partition(" - at `$")
    where: list[str] = []
    for step in re.findall(r"[^.\[\]`]+|\.\.\.", path):
        if step == "...":  # msgspec does not say which key of a table it is
            step = next((key for key in _get(data, where) if _is_guilty(key, where, error, data, type)), "?")
        where.append(step)
    prefix = f"{'.'.join(where)}: " if where else ""
    if found := re.search(r"missing required field `(.*)`", problem):
        return f"{prefix}the key `{found[1]}` is missing; add it"
    if found := re.search(r"unknown field `(.*)`", problem):
        for step in where:
            type = _inside(type, step)
        near = difflib.get_close_matches(found[1], [each.encode_name for each in fields(type)], 1)
        return f"{prefix}unknown key `{found[1]}`; {f'did you mean `{near[0]}`?' if near else 'delete it'}"
    return f"{prefix}{problem[:1].lower()}{problem[1:]}"


def _get(data: Any, where: list[str]) -> Any:
    for step in where:
        data = data[int(step) if isinstance(data, list) else step]
    return data


def _is_guilty(key: str, where: list[str], error: ValidationError, data: dict[str, Any], type: Any) -> bool:
    """Whether the same error comes if every key of the table at `where` has the value of this one."""
    data = deepcopy(data)
    table = _get(data, where)
    table.update(dict.fromkeys(table, table[key]))
    try:
        convert(data, type)
    except ValidationError as again:
        return str(again) == str(error)
    return False


def _inside(type: Any, step: str) -> Any:
    """The type of what stands under one key of this type, or at one place of a list."""
    if args := get_args(type):
        return args[-1]
    return next(each.type for each in fields(type) if each.encode_name == step)
