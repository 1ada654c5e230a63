"""Whatever a learner reads is there in English and in Chinese: no text reaches them but through `say`, or an exercise's words.

What is English alone: click's own words (usage, help), code, and what only authors and teachers meet. A failure of the machine
is told in both languages, and so is what the system refuses; the text of an exception is as the machine gives it.
"""

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

import clozekit
from clozekit.catalog import open_catalog
from clozekit.cli import main
from clozekit.rules.pages import pages

ID = "normalization/rms_norm"
SOURCE = Path(clozekit.__file__).parent
MODULES = {path.relative_to(SOURCE).as_posix(): ast.parse(path.read_text("utf-8")) for path in SOURCE.rglob("*.py")}

# Met by authors and teachers only.
FOR_AUTHORS = {
    "cli/author.py",
    "cli/release.py",
    "cli/classroom_pages.py",
    "cli/gradebook.py",
    "cli/gradescope.py",
    "cli/teacher.py",
    *(path for path in MODULES if path.startswith("classroom/")),
    "skeleton.py",
    "exercise.py",
    "typed_toml.py",
}
FOR_THE_JUDGE = {"gpu.py"}  # why a worker does not start
OF_A_PLAN = {
    "bench/process.py",
    "bench/referee.py",
}  # why a forged plan, or a grader without a reference, is not measured

SHOW = {"echo", "secho", "print", "confirm", "prompt", "style", "write_line", "Text", "Refused", "skip", "add_row"}
ERRORS = {"ClozeError", "NotFound", "BadCall", "CannotCheck"}
PASSED_ON = {"style", "join", "format", "escape", "clean", "Text", "strip", "rstrip"}  # what these get, they give
CODE = re.compile(r"`[^`]*`|^\s*\$ .*$|\bcloze\b|\[/?[a-z ]*\]", re.M)  # commands, the program's name, rich's markup


def untranslated(tree: ast.Module, rendering: bool = False) -> Iterator[tuple[int, str]]:
    """Each literal with words that is shown: printed, or raised as an error that a user reads. `rendering`: styled pairs too."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    for scope in [*functions, tree]:
        assigned = {
            target.id: node.value
            for node in ast.walk(scope)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(scope):
            shown: list[ast.expr] = []
            if isinstance(node, ast.Call) and _name(node) in SHOW | ERRORS:
                shown = node.args if _name(node) != "style" and _name(node) != "Text" else node.args[:1]
            elif rendering and isinstance(node, ast.List):
                shown = [each.elts[0] for each in node.elts if isinstance(each, ast.Tuple) and len(each.elts) == 2]
            for text in (text for each in shown for text in _texts(each, assigned)):
                if re.search(r"[A-Za-z]{2,}", CODE.sub("", text)):
                    yield node.lineno, text


def _texts(node: ast.expr, assigned: dict[str, ast.expr], depth: int = 0) -> Iterator[str]:
    """The literal parts of what an expression may be."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        literal = [part.value if isinstance(part, ast.Constant) else "{}" for part in node.values]
        yield "".join(map(str, literal))
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                yield from _texts(part.value, assigned, depth)
    elif isinstance(node, ast.Name) and node.id in assigned and depth < 3:
        yield from _texts(assigned[node.id], assigned, depth + 1)
    else:
        parts: list[ast.expr] = []
        if isinstance(node, ast.IfExp):
            parts = [node.body, node.orelse]
        elif isinstance(node, ast.BinOp):
            parts = [node.left, node.right]
        elif isinstance(node, ast.BoolOp | ast.List | ast.Tuple):
            parts = node.values if isinstance(node, ast.BoolOp) else node.elts
        elif isinstance(node, ast.ListComp | ast.GeneratorExp):
            parts = [node.elt]
        elif isinstance(node, ast.Call) and _name(node) in PASSED_ON:
            owner = node.func.value if isinstance(node.func, ast.Attribute) else None
            parts = [*([owner] if owner else []), *node.args[: 1 if _name(node) in ("style", "Text") else None]]
        for part in parts:
            yield from _texts(part, assigned, depth)


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


@pytest.mark.parametrize("module", sorted(MODULES.keys() - FOR_AUTHORS - FOR_THE_JUDGE - OF_A_PLAN))
def test_nothing_is_shown_to_a_learner_in_one_language_only(module):
    rendering = Path(module).name.startswith("render") or module == "differences.py"
    assert [f"{module}:{line}: {text}" for line, text in untranslated(MODULES[module], rendering)] == []


@pytest.mark.parametrize(
    "code",
    [
        "click.echo('Well done')",
        "click.echo(f'{count} hints left')",
        "click.echo(f'{id}: ' + ('passed' if passed else sign))",
        "console().print(Text('Well done', 'green'))",
        "out.print(f'[bold]Well done[/]')",
        "def f():\n    text = f'{n} more'\n    click.echo(text)",
        "click.confirm('Sure?', abort=True)",
        "raise ClozeError(f'{path} is a directory; give a file')",
        "raise CannotCheck('the judge was closed')",
        "click.echo('\\n'.join(['first line', line]))",
        "click.echo('\\n'.join(f'at {place}' for place in places))",
    ],
)
def test_a_text_that_bypasses_the_phrases_is_found(code):
    assert list(untranslated(ast.parse(code)))


@pytest.mark.parametrize(
    "code",
    [
        "click.echo(phrases.say(chosen, 'next-step'))",
        "click.echo(click.style(words.title, bold=True))",
        "click.echo(f'$ cloze check {id}.py')",
        "click.echo(f'cloze: {error}', err=True)",
        "out.print(f'[bold]{phrases.say(language, key)}[/]')",
        "raise NotFound(Problem('no-file', {'path': target}))",
        "click.echo(json.dumps(rows, indent=1))",
        "click.echo(f'{key:10} {value:>9}')",
        "console().print(Text(line, 'bold red'))",
    ],
)
def test_what_is_said_in_both_or_is_code_is_left_alone(code):
    assert not list(untranslated(ast.parse(code)))


@pytest.mark.parametrize("module", sorted(MODULES.keys() - FOR_AUTHORS - {"errors.py", "sandbox/libc.py"}))
def test_why_the_system_refuses_is_asked_of_errors_alone(module):
    """`why` makes facts of it; the words of the system are English."""
    assert "strerror" not in {node.attr for node in ast.walk(MODULES[module]) if isinstance(node, ast.Attribute)}


OF_US = {"kernels/plan.py", "kernels/private.py"}  # a forged plan, a Triton that lacks something


@pytest.mark.parametrize(
    "module", sorted(path for path in MODULES if path.startswith("kernels/") and path not in OF_US)
)
def test_what_a_kernel_may_not_do_is_refused_in_phrases(module):
    """By `refused`: an exception with words of its own would be told in English alone."""
    raised = [node.exc for node in ast.walk(MODULES[module]) if isinstance(node, ast.Raise)]
    texts = [
        text
        for call in raised
        if isinstance(call, ast.Call) and _name(call) != "refused"
        for argument in call.args
        for text in _texts(argument, {})
    ]
    assert [text for text in texts if re.search("[A-Za-z]{2,}", text)] == []


def test_a_styled_pair_is_looked_at_where_reports_are_made():
    tree = ast.parse("yield_([('✗', 'red'), (f' {count} tests failed', '')])")
    assert [text for _, text in untranslated(tree, rendering=True)] == [" {} tests failed"]
    assert not list(untranslated(tree))


# What a learner does wrong, told in Chinese


@pytest.fixture
def cloze(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("CLOZE", "LC_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LANG", "C.UTF-8")
    return lambda *arguments: CliRunner().invoke(main, arguments)


WRONG = [
    ("check", "missing.py"),
    ("check", "."),
    ("check", "answer.py"),
    ("check", ID),
    ("check", "answer.py", "--exercise", "rms_norm"),
    ("check", "answer.py", "--exercise", "zzz"),
    ("check", "answer.py", "--exercise", ID, "--content", "nowhere"),
    ("lint", "missing.py"),
    ("list", "--track", "cooking"),
    ("init", "here", "--track", "cooking"),
    ("show", "zzz"),
    ("hint", "zzz"),
    ("explain",),
    ("explain", "zzz"),
    ("debug", ID),
    ("diff", ID),
    ("reset", ID),
    ("solution", ID),
    ("rule", "CZ999"),
    ("meter", "missing.py", "--call", "f(float32[2])"),
    ("meter", "answer.py", "--call", "f(float3[2])"),
    ("meter", "answer.py", "--call", "f("),
    ("bench", "answer.py", "--exercise", ID),
    ("bench", "answer.py", "--exercise", ID, "--device", "cuda"),
]


@pytest.mark.parametrize("arguments", WRONG, ids=" ".join)
def test_what_goes_wrong_is_told_in_the_learners_language(arguments, cloze, tmp_path, monkeypatch):
    (tmp_path / "answer.py").write_text("x = 1\n")
    option = () if arguments[0] == "reset" else ("--lang", "zh")
    if not option:
        monkeypatch.setenv("CLOZE_LANG", "zh")
    done = cloze(*arguments, *option)
    assert done.exit_code in (1, 2)
    assert re.search(r"[一-鿿]", done.output)
    assert not re.search(r"[a-z]+ [a-z]+ [a-z]+ [a-z]+", re.sub(r"`[^`]*`", "", done.output))
    monkeypatch.setenv("CLOZE_LANG", "en")
    assert not re.search(r"[一-鿿]", cloze(*arguments).output)


def test_an_error_speaks_the_language_of_the_workspace(cloze):
    assert cloze("init", ".", "--track", "normalization", "--lang", "zh").exit_code == 0
    assert "没有练习 'zzz'" in cloze("show", "zzz").output
    assert "no exercise 'zzz'" in cloze("show", "zzz", "--lang", "en").output


# The words of exercises and rules


def is_english(text: str) -> bool:
    """A single character may be what the text is about."""
    return not re.search(r"[一-鿿]{2}|[，。：；（）]", text)


def is_chinese(text: str) -> bool:
    """Or nothing but terms and formulas."""
    return bool(re.search(r"[一-鿿]", text)) or not re.search(r"[a-z]{3,} [a-z]{3,}", text)


@pytest.mark.parametrize("exercise", list(open_catalog()), ids=lambda exercise: exercise.id)
def test_every_word_of_an_exercise_is_in_its_language(exercise):
    for words, fits in (
        (exercise.sheet.zh, is_chinese),
        (exercise.sheet.en, is_english),
    ):
        tables = words.blanks, words.mistakes, words.cases, words.thresholds
        texts = [
            words.title,
            words.statement,
            *words.hints,
            *(text for table in tables for text in table.values()),
        ]
        assert [text for text in texts if not fits(text)] == []


def test_every_page_of_a_rule_is_chinese():
    for page in pages("zh"):
        assert all(is_chinese(heading) and is_chinese(text) for heading, text in page.words), page.code
