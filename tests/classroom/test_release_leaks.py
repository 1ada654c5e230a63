"""A leak audit: canaries are planted wherever a course hides something, and looked for in every byte that a class can get.

A class gets the pack, its archive, what prying submissions make the judge say with the pack, and what `cloze grade` says of them
with the whole course. A canary is a word or a number; a number is looked for as text and as each dtype writes it.
"""

import contextlib
import hashlib
import io
import json
import os
import struct
import zipfile

import pytest
from click.testing import CliRunner

from clozekit import render
from clozekit.catalog import Catalog
from clozekit.classroom import audit, releasing
from clozekit.classroom.syllabus import Syllabus
from clozekit.cli import main
from clozekit.exercise import Exercise
from clozekit.page import report_page
from clozekit.phrases import LANGUAGES
from clozekit.skeleton import write_skeleton

PLACES = (
    "module_comment module_name case_name case_text hidden_comment hidden_local reference_comment reference_local helper "
    "mistake_comment mistake_local mistake_name visible_comment solution_comment solution_local words_comment mistake_words"
)
CANARY = {place: f"q{hashlib.sha256(place.encode()).hexdigest()[:12]}" for place in PLACES.split()}
NUMBER = 73519.0  # the input of a hidden case
BYTES = {struct.pack(f"<{code}", NUMBER) for code in "fdq" if code != "q"} | {struct.pack("<q", int(NUMBER))}
TOLD = {"mistake_name", "mistake_words"}  # by a report of the course, which names the mistake

GRADER = '''\
"""{module_comment}"""

import pytest
import torch

from clozekit.grading import mistake, reference

{module_name} = 73519.0  # {module_comment}


@pytest.mark.hidden
@pytest.mark.parametrize("case", ["{case_name}"])
def test_{case_text}(check, case):
    # {hidden_comment}
    {hidden_local} = torch.full((2, 3), {module_name})
    check("square", {hidden_local}, 61.25)


def test_plain(check):
    # {visible_comment}
    check("square", torch.randn(2, 3), 3.0)


def {helper}(x):
    return x * x


@reference("square")
def definition(x, scale=2.0):
    """{reference_comment}"""
    {reference_local} = {helper}(x)
    return scale * {reference_local}


@mistake(blank="square")
def {mistake_name}(x):
    # {mistake_comment}
    {mistake_local} = 2.0 * x
    return {mistake_local} * x


@mistake(blank="square")
def forgets_square(x, scale):
    return scale * x


@mistake(blank="square")
def scales_first(x, scale):
    return (scale * x) ** 2
'''.format(**CANARY)

BEGINS = "import os, sys\nimport torch\n\ndef square(x, scale=2.0):\n"
PRYING = {
    "right": "return scale * x * x",
    "wrong": "return scale * x",
    "the mistake": "return 2.0 * x * x",
    "raises with its locals": "raise ValueError(locals(), x.tolist())",
    "prints globals": "print(globals()); return -x",
    "prints what is loaded": "print({n: vars(m) for n, m in list(sys.modules.items()) if 'cloze' in n}); return -x",
    "walks the objects": "import gc; print([str(o)[:9000] for o in gc.get_objects()][-4000:]); return -x",
    "walks the frames": "f = sys._getframe()\n    while f: print(f.f_code.co_filename, f.f_locals); f = f.f_back\n    return -x",
    "reads its files": "print([open(f'/proc/self/fd/{n}', 'rb').read(9) for n in os.listdir('/proc/self/fd')]); return -x",
    "reads around": """
    for top in TOPS:
        for place, _, names in os.walk(top):
            for name in names:
                print(place, name, open(os.path.join(place, name), 'rb').read())
    return -x""",
    "reads memory": "print(open('/proc/self/mem', 'rb').read(9)); return -x",
    "prints how it was started": "print(sys.argv, dict(os.environ), open('/proc/self/cmdline').read()); return -x",
}


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course full of canaries: one exercise with its solution in solutions/, one in kernels/."""
    root = tmp_path_factory.mktemp("course")
    for id in ("lab/square", "triton/square"):
        write_skeleton(root, id)
        exercise = Exercise(root, id)
        exercise.grader_path.write_text(GRADER, "utf-8")
        answer = "# {solution_comment}\n    {solution_local} = scale * x  # [..., d]\n    return {solution_local} * x".format(
            **CANARY
        )
        solution = exercise.solution_path.read_text("utf-8").replace("return scale * x * x", answer)
        exercise.solution_path.write_text(solution, "utf-8")
        words = exercise.words_path.read_text("utf-8").replace("forgets_scale", CANARY["mistake_name"])
        words = words.replace("Your result does not depend on `scale`.", f"No scale: {CANARY['mistake_words']}.")
        words = words.replace("[zh.cases]\n", f'[zh.cases]\n"{hidden_title()}" = "{CANARY["case_name"]}"\n')
        exercise.words_path.write_text(f"# {CANARY['words_comment']}\n{words}", "utf-8")
    return root


def hidden_title():
    return f"{CANARY['case_text']}: {CANARY['case_name']}"


@pytest.fixture(scope="module")
def files(course, engine):
    return releasing.compose(engine, Catalog([course]), Syllabus(), ["lab/square", "triton/square"], lambda *_: None)


def found(content, places=CANARY):
    """The places from which a canary got into these bytes."""
    raw = content if isinstance(content, bytes) else content.encode()
    lower = raw.lower()
    words = [place for place in places if CANARY[place].encode() in lower]
    return words + [number for number in (b"73519", *BYTES) if number in raw]


def test_every_canary_lives_in_the_course(course):
    whole = b"".join(path.read_bytes() for path in course.rglob("*") if path.is_file())
    assert {place for place in CANARY if CANARY[place].encode() in whole} == CANARY.keys()
    assert b"73519" in whole


def test_no_canary_is_in_the_pack(files):
    assert {name: found(content) for name, content in files.items() if found(content)} == {}
    assert {name: found(name) for name in files if found(name)} == {}


def test_no_canary_is_in_the_archive(files):
    raw = releasing.released_zip(files, "pack")
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        told = [raw, *(archive.read(entry) for entry in archive.infolist()), *(map(repr, archive.infolist()))]
    assert [found(each) for each in told] == [[]] * len(told)


def seen(report, exercise, reveal):
    for language in LANGUAGES:
        yield json.dumps(render.as_json(report, exercise, language, reveal), ensure_ascii=False)
        yield render.as_text(report, exercise, language, reveal).plain
        yield report_page(report, exercise, language, reveal)


@pytest.mark.parametrize("id", ["lab/square", "triton/square"])
@pytest.mark.parametrize("name", PRYING)
def test_no_canary_is_in_a_report_on_the_pack(name, id, files, course, grade, tmp_path):
    releasing.write(tmp_path / "pack", files)
    exercise = Exercise(tmp_path / "pack", id)
    report = grade(pry(name, tmp_path, course), exercise)
    assert [found(text) for text in seen(report, exercise, "all")] == [[]] * 6
    assert report.verdict == ("passed" if name == "right" else "failed")


def test_no_canary_is_in_what_a_class_run_says(course, engine, monkeypatch, tmp_path):
    """But for the diagnosed mistake."""
    monkeypatch.setattr("clozekit.engine.Engine", lambda seed: contextlib.nullcontext(engine))
    monkeypatch.setattr("clozekit.cli.teacher.open_catalog", lambda _: Catalog([course]))
    for name in PRYING:
        path = tmp_path / f"class/{name}/lab/square.py"
        path.parent.mkdir(parents=True)
        path.write_text(pry(name, tmp_path, course))
    done = CliRunner().invoke(main, ["grade", str(tmp_path / "class"), "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    told = [done.output, *((tmp_path / "out" / name).read_text() for name in ("results.jsonl", "grades.csv"))]
    titled = {"case_name", "case_text"}  # a report of the course tells the title as well
    assert [found(text, CANARY.keys() - TOLD - titled) for text in told] == [[]] * 3
    assert CANARY["mistake_name"] in told[1]


def pry(name, pack, course):
    return f"TOPS = {[str(pack), str(course), os.getcwd()]}\n{BEGINS}    {PRYING[name]}\n"


# The audit of `cloze release` itself: whatever should get into a file, it is seen before it is written.


@pytest.mark.parametrize(
    "place", sorted(CANARY.keys() - {"module_comment", "module_name", "visible_comment", "words_comment"})
)
def test_the_audit_knows_every_secret(place, course, engine):
    exercise = Exercise(course, "lab/square")
    known = list(audit.secrets(exercise, engine.record(exercise)[0]))
    assert any(CANARY[place] in secret.text for secret in known)
    carrier = next(secret.text for secret in known if CANARY[place] in secret.text)
    assert "# [" not in carrier  # who copies a line need not copy its comment
    assert audit.leak(known, "a.py", f"x = 1\n    {carrier}  # as it stands\n")
    assert audit.leak(known, "a.py", "x = 1\nreturn x\n") is None
