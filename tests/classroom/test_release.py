"""cloze release: a class gets what it needs to practise and hears what the course would say of visible cases; no answers."""

import io
import json
import zipfile
from pathlib import Path

import pytest

from clozekit import blanks
from clozekit.catalog import Catalog, builtin_root
from clozekit.classroom import releasing
from clozekit.classroom.syllabus import Syllabus
from clozekit.errors import ClozeError, ContentError
from clozekit.exercise import Exercise
from clozekit.grading import tape
from clozekit.pack import MANIFEST, Pack, cases_path, digest

RIGHT = "def square(x, scale=2.0):\n    return scale * x * x\n"
SQUARE = ["cases/lab/square.cases", "exercises/lab/square.toml"]
STARTERS = [f"starters/lab/square.{level}.{lang}.py" for level in ("guided", "scratch") for lang in ("en", "zh")]
OWN = ["exercises/contents.toml", "exercises/index.json", MANIFEST]

# Of the kit, each with what only it has, and mistakes that visible cases refuse.
KINDS = {
    "normalization/rms_norm": ("eps_outside_sqrt", "squares_in_half", "returns_float32"),
    "attention/multi_head_attention": ("forgets_mask", "projects_for_each_head", "softmax_over_heads"),
    "attention/kv_cache": ("shares_state", "keeps_last_chunk", "aligned_at_the_start"),
    "tokenization/bpe_train": ("merges_across_words", "ties_to_the_least", "counts_only_once"),
    "alignment/dpo": ("forgets_beta", "cuts_the_graph", "rewards_averaged"),
    "triton/fused_softmax": ("forgets_max", "ignores_strides", "loads_the_row_again"),
}


@pytest.fixture(scope="session")
def released(engine):
    """released(root, ids, level): the files of a pack, composed with the warm judge."""

    def released(root, *ids, level="guided"):
        catalog = Catalog([root])
        return releasing.compose(engine, catalog, Syllabus("Course", level=level), ids, lambda id, made: None)

    return released


@pytest.fixture(scope="module")
def course(author):
    """A content root with one quick exercise, a hidden case among its cases."""
    exercise = author()
    grader = exercise.grader_path.read_text("utf-8")
    hidden = '@pytest.mark.hidden\ndef test_sizes_drawn_anew(check):\n    check("square", torch.ones(9))\n'
    exercise.grader_path.write_text(grader.replace("@reference", f"{hidden}\n\n@reference"), "utf-8")
    return exercise.root


@pytest.fixture(scope="module")
def files(course, released):
    return released(course, "lab/square")


@pytest.fixture
def pack(files, tmp_path):
    """The course's pack, to be spoilt."""
    releasing.write(tmp_path / "pack", files)
    return tmp_path / "pack"


@pytest.fixture
def workspace(pack, cloze):
    """cloze(...) in a workspace made from the pack, for the exercise called lab/square."""

    def run(*arguments, **options):
        return cloze(*arguments, "--content", pack, **options)

    assert run("init", "--track", "lab").exit_code == 0
    return run


def altered(pack, change, id="lab/square"):
    """The pack with a tape that its manifest vouches for."""
    path = pack / cases_path(id)
    found = tape.read(path.read_bytes())
    change(found)
    path.write_bytes(tape.write(found))
    manifest = json.loads((pack / MANIFEST).read_text())
    manifest["files"][cases_path(id).as_posix()] = digest(path.read_bytes())
    (pack / MANIFEST).write_text(json.dumps(manifest))


def test_a_class_gets_words_starters_and_visible_cases_and_nothing_else(files, course):
    assert sorted(files) == sorted([*SQUARE, *STARTERS, *OWN])
    sheet = Exercise(course, "lab/square").sheet
    assert sheet.en.mistakes
    text = files["exercises/lab/square.toml"].decode()
    assert sheet.en.hints[0] in text
    assert sheet.zh.cases["values: plain rows"] in text
    assert [case.name for case in tape.read(files[SQUARE[0]]).cases] == [
        "test_values[plain rows]",
        "test_values[half precision]",
    ]


def test_releasing_twice_gives_equal_bytes(course, released, files):
    again = released(course, "lab/square")
    assert again == files
    assert releasing.released_zip(again, "pack") == releasing.released_zip(files, "pack")


def test_the_archive_holds_the_pack(files):
    with zipfile.ZipFile(io.BytesIO(releasing.released_zip(files, "pack"))) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            f"pack/{name}": content for name, content in files.items()
        }


def test_the_manifest_says_what_the_pack_was_made_of(pack, files):
    found = Pack.at(pack).manifest
    assert (found.title, found.levels) == ("Course", ("guided", "scratch"))
    assert set(found.versions) == {"torch", "triton"}
    assert found.files == {name: digest(content) for name, content in files.items() if name != MANIFEST}


def test_a_course_written_from_scratch_gives_no_guided_starter(course, released, cloze, tmp_path):
    releasing.write(tmp_path / "pack", files := released(course, "lab/square", level="scratch"))
    assert sorted(files) == sorted([*SQUARE, *STARTERS[2:], *OWN])
    assert cloze("init", "--content", tmp_path / "pack", "--track", "lab").exit_code == 0
    assert "raise NotImplementedError" in (written := Path("lab/square.py").read_text())
    assert "BLANK" not in written
    assert "write it all" in written
    assert cloze("update", "--content", tmp_path / "pack").exit_code == 0
    with pytest.raises(ClozeError, match="at level scratch only"):
        Exercise(tmp_path / "pack", "lab/square").render("guided")


# What the course would say of the visible cases, the pack says: to the letter, picture and costs included.


@pytest.mark.parametrize("id", KINDS)
def test_a_pack_judges_as_the_grader_does(id, released, grade, tmp_path):
    ours = Exercise(builtin_root(), id)
    releasing.write(tmp_path, released(builtin_root(), id))
    theirs = Exercise(tmp_path, id)
    sources = {"solution": blanks.reveal(ours.solution), "starter": ours.render()}
    sources |= {name: ours.mistaken(ours.mistakes[name]) for name in KINDS[id]}
    verdicts = {}
    for name, source in sources.items():
        known, found = (grade(source, exercise, diagnose=False) for exercise in (ours, theirs))
        assert found.tests == [test for test in known.tests if not test.hidden]
        assert found.meters == known.meters
        verdicts[name] = found.verdict
    assert verdicts == dict.fromkeys(sources, "failed") | {"solution": "passed"}


def test_what_is_asked_again_is_not_heard_in_a_pack_either(course, pack, grade):
    chatty = RIGHT.replace("    return", "    print('asked')\n    return")
    known, found = (grade(chatty, Exercise(root, "lab/square")) for root in (course, pack))
    assert [test.output for test in found.tests] == [test.output for test in known.tests if not test.hidden]
    assert {test.output for test in found.tests} == {"asked\n"}


def test_the_cases_of_a_pack_have_their_points(author, released, grade, tmp_path):
    exercise = author()
    text = exercise.grader_path.read_text("utf-8")
    exercise.grader_path.write_text(
        text.replace("@pytest.mark.parametrize", "@pytest.mark.points(2.5)\n@pytest.mark.parametrize")
    )
    releasing.write(tmp_path, released(exercise.root, "lab/square"))
    report = grade(RIGHT, Exercise(tmp_path, "lab/square"))
    assert (report.points, report.max_points) == (5.0, 5.0)


def test_the_learner_hears_of_hidden_cases(workspace):
    Path("lab/square.py").write_text(RIGHT)
    done = workspace("check", "lab/square.py", "--json", "report.json", "--html", "report.html")
    assert done.exit_code == 0
    note = "1 more, hidden: those the course judges when you hand in."
    assert note in done.output
    assert "cloze solution" not in done.output
    assert json.loads(Path("report.json").read_text())["notes"] == [note]
    assert note in Path("report.html").read_text()
    Path("lab/square.py").write_text(RIGHT.replace("x * x", "x"))
    wrong = workspace("check", "lab/square.py")
    assert "at [" in wrong.output
    assert "mistake" not in wrong.output  # that it is none of those known, a pack cannot say
    assert "另有 1 个隐藏用例" in workspace("check", "lab/square.py", "--lang", "zh").output


def test_a_workspace_made_from_a_pack_works(workspace):
    starter = Path("lab/square.py").read_text()
    done = workspace("check", "lab/square.py")
    assert (done.exit_code, done.output.count("the blank `square` is not filled in yet")) == (1, 1)
    assert "A question that leads to the idea." in workspace("hint", "lab/square").output
    assert "values: half precision" in workspace("debug", "lab/square").output
    assert "scale · x²" in workspace("show", "lab/square").output
    assert "lab/square" in workspace("list").output
    assert "lab/square.py" in workspace("start").output
    assert workspace("notebook", "lab/square", "--out", "all.ipynb").exit_code == 0
    assert workspace("check", "all.ipynb").exit_code == 1
    Path("lab/square.py").write_text("spoilt")
    assert workspace("reset", "lab/square", "--yes").exit_code == 0
    assert Path("lab/square.py").read_text() == starter


@pytest.mark.parametrize(
    "command", [("solution", "--yes"), ("diff", "--yes"), ("solution",), ("bench", "--device", "cpu")]
)
def test_who_asks_for_answers_is_sent_to_the_course(command, workspace):
    Path("lab/square.py").write_text(RIGHT)
    done = workspace(command[0], "lab/square", *command[1:])
    assert done.exit_code == 2
    assert "lab/square comes from the course pack" in done.output
    assert "neither solution nor grader" in done.output


def test_a_pack_cannot_be_verified_built_or_released(workspace, pack, cloze):
    done = workspace("verify", "lab/square")
    assert done.exit_code == 1
    assert "neither solution nor grader" in done.output
    for arguments in (("build",), ("new", "lab/cube"), ("release", "again")):
        done = workspace(*arguments)
        assert done.exit_code == 2
        assert "course pack" in done.output
    assert not Path("again").exists()


# Files that are not what was released.

SPOILT = {
    "cut off": lambda content: content[:-1],
    "empty": lambda content: b"",
    "a bit changed": lambda content: content[:-9] + bytes([content[-9] ^ 1]) + content[-8:],
    "gone": lambda content: None,
}


@pytest.mark.parametrize("how", SPOILT)
@pytest.mark.parametrize("name", [*SQUARE, STARTERS[0]])
def test_a_file_that_is_not_whole_is_named(name, how, workspace, pack):
    content = SPOILT[how]((pack / name).read_bytes())
    (pack / name).unlink() if content is None else (pack / name).write_bytes(content)
    Path("lab/square.py").unlink()
    done = workspace("init", "--track", "lab")
    if name == SQUARE[0]:
        assert done.exit_code == 0
        done = workspace("check", "lab/square.py")
    assert done.exit_code == 2
    assert name in done.output or "does not list" in done.output or "does not exist" in done.output


@pytest.mark.parametrize(
    ("text", "said"),
    [("{", "cannot be read"), ('{"schema": 1}', "missing required field"), (None, "upgrade the kit")],
)
def test_a_manifest_that_cannot_be_taken(text, said, workspace, pack):
    later = (pack / MANIFEST).read_text().replace('"schema": 1', '"schema": 2')
    (pack / MANIFEST).write_text(later if text is None else text)
    done = workspace("check", "lab/square.py")
    assert done.exit_code == 2
    assert MANIFEST in done.output
    assert said in done.output


# Costs.


def test_costs_that_something_else_has_counted_decide_nothing(author, released, grade, tmp_path):
    exercise = author()
    text = exercise.grader_path.read_text("utf-8").replace("gradients=True", "measured=True")
    exercise.grader_path.write_text(text, "utf-8")
    words = exercise.words_path.read_text("utf-8").replace("[en]", "[thresholds]\nflops = 1.0\n\n[en]", 1)
    for language in ("en", "zh"):
        words = words.replace(
            f"[{language}.mistakes]", f'[{language}.thresholds]\nflops = "Why."\n\n[{language}.mistakes]'
        )
    exercise.words_path.write_text(words, "utf-8")
    releasing.write(tmp_path, released(exercise.root, "lab/square"))
    packed = Exercise(tmp_path, "lab/square")
    dear = "def square(x, scale=2.0):\n    return scale * x * x + 0 * x\n"
    assert [test.problem.kind for test in grade(dear, packed).tests] == ["meter-flops"] * 2
    altered(tmp_path, lambda found: found.versions.update(torch="1.0"))
    packed = Exercise(tmp_path, "lab/square")
    report = grade(dear, packed)
    assert report.verdict == "passed"
    assert [(meter.name, meter.verdict) for meter in report.meters] == [("flops", "could not check")]
    assert [note.kind for note in report.notes] == ["counted-elsewhere"]
    assert "torch 1.0" in report.notes[0].facts["theirs"]
    assert grade(dear.replace("* x * x", "* x"), packed).verdict == "failed"


def test_costs_of_kernels_that_another_triton_has_counted_decide_nothing(released, grade, tmp_path):
    """Neither those of each call nor those of a call of full size."""
    ours = Exercise(builtin_root(), "triton/fused_softmax")
    releasing.write(tmp_path, released(builtin_root(), ours.id))
    altered(tmp_path, lambda found: found.versions.update(triton="1.0"), ours.id)
    dear = grade(ours.mistaken(ours.mistakes["loads_the_row_again"]), Exercise(tmp_path, ours.id))
    assert dear.verdict == "passed"
    assert {meter.name for meter in dear.meters} > {"loads", "stack"}
    assert {meter.verdict for meter in dear.meters} == {"could not check"}
    assert any(meter.value > meter.bar for meter in dear.meters)


# What is not released.


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("Write return scale * x * x, and that is it.", "a line of the blank `square`"),
        ("Do not be one of those: forgets_square.", "the mistake `forgets_square`"),
        ("You squared `scale` as well. Only x is squared.", "the mistake `scales_first`"),
        ("Mind sizes drawn anew.", "the title of a hidden case"),
    ],
)
def test_what_tells_a_secret_is_not_released(words, what, course, cloze, tmp_path, author):
    spoilt = Exercise(author().root, "lab/square")
    spoilt.grader_path.write_bytes(Exercise(course, "lab/square").grader_path.read_bytes())
    text = spoilt.words_path.read_text("utf-8").replace("The step that most people miss.", words)
    spoilt.words_path.write_text(text, "utf-8")
    done = cloze("release", tmp_path / "pack", "--content", spoilt.root)
    assert done.exit_code == 2
    assert f"exercises/lab/square.toml would hold {what}" in done.output
    assert not (tmp_path / "pack").exists()


@pytest.mark.parametrize(
    ("grader", "said"),
    [
        ('@pytest.mark.hidden\ndef test_one(check):\n    check("square", 1.0, returns=2.0)\n', "all cases are hidden"),
        ("def test_one(check):\n    raise ValueError('kaput')\n", "one: .*kaput"),
        ("def test_one(check):\n    pytest.skip('not today')\n", "one: .*not today"),
        ('def test_one(check):\n    check("square", 1.0, returns=2j)\n', "`complex` cannot be written down"),
    ],
)
def test_what_cannot_be_recorded_is_named(grader, said, author, released):
    exercise = author(grader=f"import pytest\n\n\n{grader}")
    with pytest.raises(ContentError, match=f"(?s){exercise.grader_path}.*{said}"):
        released(exercise.root, "lab/square")


def test_a_directory_with_other_things_is_left_alone(pack, files):
    (pack / "notes.txt").write_text("mine")
    with pytest.raises(ClozeError, match=r"notes\.txt is not part of a release"):
        releasing.write(pack, files)
    assert (pack / "notes.txt").read_text() == "mine"


def test_a_pack_is_written_over_an_earlier_one(pack, files):
    (pack / ".git").mkdir()
    (pack / ".git/config").write_text("mine")
    fewer = {name: content for name, content in files.items() if name not in STARTERS}
    releasing.write(pack, fewer | {MANIFEST: b"{}"})
    assert {path.relative_to(pack).as_posix() for path in pack.rglob("*") if path.is_file()} == {*fewer, ".git/config"}


def test_the_course_decides_what_is_in_it(course, cloze, tmp_path):
    Path("course.toml").write_text('title = "One"\nexercises = ["lab/*"]\nlevel = "scratch"\n')
    done = cloze("release", "pack", "--content", course, "--course", "course.toml", "--zip")
    assert done.exit_code == 0, done.output
    assert "lab/square: 2 cases, without 1 hidden" in done.output
    assert "the kit's own" not in done.output
    assert Pack.at(Path("pack")).manifest.title == "One"
    with zipfile.ZipFile("pack.zip") as archive:
        assert f"pack/{MANIFEST}" in archive.namelist()
    assert cloze("release", "pack", "--content", course, "--course", "none.toml").exit_code == 2


def test_an_assert_that_is_lost_is_told(author, cloze):
    exercise = author()
    text = exercise.grader_path.read_text("utf-8").replace("gradients=True)", "gradients=True)\n    assert case", 1)
    exercise.grader_path.write_text(text, "utf-8")
    done = cloze("release", "pack", "--content", exercise.root)
    assert done.exit_code == 0
    assert "lab/square: test_values has an assert of its own" in done.output


def test_the_contents_name_nothing_that_is_not_there():
    found = releasing.contents_of(Catalog([builtin_root()]), ["attention/kv_cache", "triton/fused_softmax"])
    assert [(track.name, list(track.exercises)) for track in found.track] == [
        ("attention", ["kv_cache"]),
        ("triton", ["fused_softmax"]),
    ]
    places = [place for track in found.track for place in track.exercises.values()]
    assert [place.after for place in places] == [[], []]
    assert found.goals.keys() == {goal for place in places for goal in place.goals}


def test_without_a_course_all_of_the_content_is_in_it(course, cloze):
    assert cloze("release", "pack", "--content", course).exit_code == 0
    assert [exercise.id for exercise in Catalog([Path("pack")])] == ["lab/square"]


def test_no_class_is_graded_by_a_pack(pack, cloze, tmp_path):
    path = tmp_path / "class/ada/lab/square.py"
    path.parent.mkdir(parents=True)
    path.write_text(RIGHT)
    asked = ("grade", tmp_path / "class", "--out", "out"), ("gradescope", "g.zip", "--exercise", "lab/square")
    for arguments in asked:
        done = cloze(*arguments, "--content", pack)
        assert done.exit_code == 2
        assert "neither solution nor grader" in done.stderr


def test_a_course_toml_that_names_none_means_the_exercises_of_the_course(course, cloze):
    Path("course.toml").write_text("")
    arguments = "--content", course, "--course", "course.toml"
    assert "pack: 1 exercises" in cloze("release", "pack", *arguments).output
    Path("course.toml").write_text("exercises = []")
    none = cloze("release", "none", *arguments)
    assert none.exit_code == 2
    assert "no exercise is chosen" in none.stderr
