"""Prying submissions learn nothing of hidden cases but what a report tells by design: title, points, verdict, diagnosed mistake.

The canaries are the word kiwi and the digits 73519: in the inputs, names and expected values of the hidden cases, in the text of
grader, solution and words. Each way to carry them out works on a learner's own machine, where everything is told.
"""

import contextlib
import json
import re
import textwrap

import msgspec
import pytest
from click.testing import CliRunner

from clozekit import render, submission
from clozekit.catalog import Catalog
from clozekit.cli import main
from clozekit.exports import REPORTS, export
from clozekit.page import report_page
from clozekit.phrases import LANGUAGES, say
from clozekit.report import Problem, Report, Result

CANARY = re.compile(r"kiwi|73519|3\.3105|3\.3106", re.I)  # the last two: how the expected value begins
GRADER = textwrap.dedent('''\
    """The kiwi sings in 73519 keys."""

    import pytest
    import torch

    from clozekit.grading import mistake, reference

    KIWI = 73519  # kiwi


    @pytest.mark.hidden
    def test_hidden_before(check):
        for _ in range(2):
            check("square", torch.full((2, 3), 73519.0), 61.25, kiwi="kiwi 73519")


    def test_visible(check):
        check("square", torch.ones(2, 3), 3.0)


    @pytest.mark.hidden
    @pytest.mark.points(2)
    def test_hidden_after(check):
        check("square", torch.full((2, 3), 73519.0), 61.25, kiwi="kiwi 73519")


    @reference("square")
    def definition(x, scale=2.0, **kiwi):
        return scale * (x * x)


    @mistake(blank="square")
    def forgets_scale(x):
        return 2.0 * x * x


    @mistake(blank="square")
    def forgets_square(x, scale):
        return scale * x


    @mistake(blank="square")
    def scales_first(x, scale):
        return (scale * x) ** 2
    ''')
BEGINS = (
    "import builtins, os, sys, warnings\n"
    "import torch\n\n"
    "class Kept: pass\n\n"
    "def square(x, scale=2.0, **options):\n"
    '    secret = f"{x.tolist()} {scale} {options}"\n'
    "    number = int(x.flatten()[0])\n"
)

# What is done with the secret, in every call.
TOLD = {
    "raised": "raise ValueError(secret)",
    "raised by a class of that name": "raise type(f'E{number}', (Exception,), {})()",
    "raised with a text that is made late": "raise type('E', (Exception,), {'__str__': lambda _: secret})()",
    "asserted": "assert False, secret",
    "a missing key": "{}[secret]",
    "an index out of range": "x[number]",
    "a missing attribute": "getattr(x, f'k{number}')",
    "a conversion that fails": "int(secret)",
    "a name in a traceback": "exec(compile(f'def f{number}(): raise ValueError\\nf{number}()', __file__, 'exec'), {})",
    "an empty blank": "raise NotImplementedError(secret)",
    "an end of the program": "sys.exit(secret)",
    "printed": "print(secret); return -x",
    "printed as an error": "print(secret, file=sys.stderr); return -x",
    "printed without end": "print(secret * 10000); return -x",
    "a warning": "warnings.warn(secret); return -x",
    "a shape": "return torch.zeros(number)",
    "a type": "return type(f'K{number}', (), {})()",
    "a text": "return secret",
    "keys": "return {secret: 1}",
    "the input itself": "return x",
    "a name to call it by": "globals()[f'square{number}'] = square; del globals()['square']; return x",
}
UNSEEN = {  # nothing of these is told even where all is
    "notes": "error = ValueError(); error.add_note(secret); raise error",
    "causes": "raise ValueError from KeyError(secret)",
    "an exit status": "os._exit(number % 251)",
}

# Where the secret is kept in a hidden case, and how a visible one looks for it.
KEPT = {
    "globals": ("globals()['kept'] = secret", "globals().get('kept')"),
    "builtins": ("builtins.kept = secret", "getattr(builtins, 'kept', None)"),
    "a class": ("Kept.secret = secret", "vars(Kept)"),
    "a default": ("square.__defaults__ = (scale,)", "square.__defaults__"),
    "a module": ("sys.modules[secret] = sys", "list(sys.modules)[-3:]"),
    "torch": ("torch.kept = secret", "getattr(torch, 'kept', None)"),
    "the environment": ("os.environ['kept'] = secret", "dict(os.environ)"),
    "a file": ("open('kept', 'w').write(secret)", "[open(each).read() for each in os.listdir()]"),
    "a file beside": (
        "open(f'{os.environ[\"TMPDIR\"]}/kept', 'w').write(secret)",
        "os.path.exists('../kept') or os.listdir(os.environ['TMPDIR'])",
    ),
}
PRYING = {
    **{name: f"{BEGINS}    {does}\n    return scale * x * x\n" for name, does in (TOLD | UNSEEN).items()},
    **{
        f"kept in {name}": f"{BEGINS}    if number > 1: {keep}\n    else: print({look})\n    return scale * x * x\n"
        for name, (keep, look) in KEPT.items()
    },
}


@pytest.fixture(scope="module")
def secretive(author):
    """An exercise full of canaries, with a visible case between two hidden ones."""
    exercise = author(grader=GRADER)
    text = exercise.solution_path.read_text("utf-8").replace("= 2.0)", "= 2.0, **kiwi)")
    exercise.solution_path.write_text(f"{text}\n# kiwi 73519\n", "utf-8")
    words = exercise.words_path.read_text("utf-8")
    exercise.words_path.write_text(f"# kiwi 73519\n{words}", "utf-8")
    return exercise


def seen(report, exercise, reveal):
    """Everything that is made of a report, in both languages. `seconds` is another matter: see docs/judge.md."""
    report = msgspec.structs.replace(report, seconds=0.0)
    for language in LANGUAGES:
        yield json.dumps(render.as_json(report, exercise, language, reveal), ensure_ascii=False)
        yield render.as_text(report, exercise, language, reveal).plain
        yield report_page(report, exercise, language, reveal)
        whose = {"student": "ada", "file": "lab/square.py", "attempt": "", "handed_in": ""}
        line = whose | render.as_json(report, exercise, language, reveal)
        yield from (export(form, [line], language) for form in REPORTS)


@pytest.mark.parametrize("name", PRYING)
def test_no_canary_leaves(name, secretive, grade):
    report = grade(PRYING[name], secretive)
    assert [test.hidden for test in report.tests] == [True, False, True]
    for text in seen(report, secretive, "visible"):
        assert not CANARY.search(text), text
    if name in TOLD:
        assert any(CANARY.search(text) for text in seen(report, secretive, "all"))


@pytest.mark.parametrize("name", PRYING)
def test_a_hidden_case_shows_title_points_verdict_and_mistake_and_nothing_else(name, secretive, grade):
    """The complete list: with everything else of the hidden cases taken away the report reads the same."""
    report = grade(PRYING[name], secretive)
    bare = msgspec.structs.replace(
        report,
        tests=[
            Result(test.name, test.verdict, True, test.points, Problem("value"), test.mistake) if test.hidden else test
            for test in report.tests
        ],
    )
    assert list(seen(report, secretive, "visible")) == list(seen(bare, secretive, "visible"))
    for test in render.as_json(report, secretive, "en", "visible")["tests"]:
        assert list(test) == ["name", "verdict", "hidden", "points", "max_points", "message", "mistake"]
        if test["hidden"]:
            assert test["message"].partition("\n")[0] in ("", say("en", "hidden-case"))


def test_a_mistake_may_be_chosen_by_a_hidden_value(secretive, grade):
    """So a file learns, in one run, which of a few things that it asks is true: one of the known mistakes, or none."""
    asks = "    if number == 1:\n        return scale * x * x\n    return scale * x if number == {} else 2 * scale * x * x\n"
    told = [grade(BEGINS + asks.format(guess), secretive) for guess in (73519, 4)]
    assert [[test.verdict for test in report.tests] for report in told] == [["failed", "passed", "failed"]] * 2
    assert [report.mistake for report in told] == ["forgets_square", None]


def test_hidden_cases_run_last(secretive, grade):
    """What they take of time or memory must not show in a visible one: its output is told."""
    source = f"import time\n{BEGINS}    print(time.monotonic_ns())\n    return scale * x * x\n"
    before, visible, after = (test.output.split() for test in grade(source, secretive).tests)
    assert int(visible[0]) < int(before[0]) < int(after[0])


def test_an_error_of_the_grader_is_not_told(secretive):
    report = Report("lab/square", "could not check", "A", problem=Problem("grader", {"error": "KeyError: 'kiwi'"}))
    assert all(CANARY.search(text) for text in seen(report, secretive, "all"))
    assert not any(CANARY.search(text) for text in seen(report, secretive, "visible"))


def test_no_canary_is_in_what_a_class_run_writes(secretive, engine, monkeypatch, tmp_path):
    monkeypatch.setattr("clozekit.engine.Engine", lambda seed: contextlib.nullcontext(engine))
    monkeypatch.setattr("clozekit.cli.teacher.open_catalog", lambda _: Catalog([secretive.root]))
    for name, source in PRYING.items():
        path = tmp_path / f"class/{name}/lab/square.py"
        path.parent.mkdir(parents=True)
        path.write_text(source)
    result = CliRunner().invoke(main, ["grade", str(tmp_path / "class"), "--out", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    lines = (tmp_path / "out/results.jsonl").read_text().splitlines()
    assert len(lines) == len(PRYING)
    told = [result.output, *((tmp_path / "out" / name).read_text() for name in ("results.jsonl", "grades.csv"))]
    assert not any(CANARY.search(text) for text in told)


def test_a_worker_reads_none_of_the_exercises_files(secretive, grade, engine):
    if engine.tier() == "C":
        pytest.skip("at tier C a submission can do what you can")
    paths = [*secretive.root.rglob("*"), secretive.root]
    assert len(paths) > 8
    source = textwrap.dedent(f"""\
        import os

        found = []
        for path in {list(map(str, paths))}:
            for look in (os.listdir, lambda path: open(path, 'rb').read(), os.readlink):
                try:
                    found.append((path, look(path)))
                except OSError:
                    pass
        print(found)


        def square(x, scale=2.0, **options):
            return scale * x * x
        """)
    visible = grade(source, secretive).tests[1]
    assert (visible.verdict, visible.output) == ("passed", "[]\n")


def test_the_submission_is_taken_as_it_is():
    """Each of them is Python: a syntax error would tell nothing, and prove nothing."""
    for source in PRYING.values():
        assert submission.parse(source.encode(), "answer.py")
