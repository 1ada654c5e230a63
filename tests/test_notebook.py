"""Notebooks: as they are written, as a kernel runs them, and as `cloze check` grades the file."""

import contextlib
import html
import json
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from click.testing import CliRunner
from IPython.core.inputtransformer2 import TransformerManager
from nbclient import NotebookClient
from nbformat import v4

from clozekit import cells, notebook, submission, writing
from clozekit.catalog import builtin_root, open_catalog
from clozekit.cli import main
from clozekit.exercise import LANGUAGES, LEVELS, Exercise
from clozekit.submission import Unreadable

ID, OTHER = "normalization/rms_norm", "sampling/top_p"
MARK = f"# cloze: {ID}\n"
EXERCISES = list(open_catalog())


@pytest.fixture
def cloze(engine, monkeypatch, tmp_path):
    """cloze("check", "x.ipynb") in an empty directory, with the warm judge in place of a new one."""
    monkeypatch.setattr("clozekit.engine.Engine", lambda seed=None: contextlib.nullcontext(engine))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLOZE_LANG", "en")

    def cloze(*arguments: object):
        result = CliRunner().invoke(main, [str(argument) for argument in arguments])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        return result

    return cloze


@pytest.fixture(scope="module")
def mistaken() -> str:
    """A known mistake in top_p."""
    exercise = Exercise(builtin_root(), OTHER)
    return exercise.mistaken(exercise.mistakes["forgets_to_renormalise"])


def answered(path: Path, answers: dict[str, str]) -> nbformat.NotebookNode:
    """The notebook at `path`, with these answers typed into its cells."""
    made = nbformat.read(path, 4)
    for cell in made.cells:
        if cell.metadata.get("cloze", {}).get("role") == "answer":
            id = cell.metadata.cloze.exercise
            cell.source = f"# cloze: {id}\n{answers[id]}"
    nbformat.write(made, path)
    return made


def save(*codes: str, path: str = "x.ipynb", **more) -> None:
    """A notebook with these cells of code below one of text."""
    made = v4.new_notebook(cells=[v4.new_markdown_cell("# Text"), *map(v4.new_code_cell, codes)])
    Path(path).write_text(json.dumps(made | more))


# As they are written


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_every_notebook_is_valid_and_holds_the_starter(exercise, language, level):
    text = writing.notebook([exercise], level, language)
    made = nbformat.reads(text, 4)
    nbformat.validate(made, relax_add_props=False)
    install, statement, answer, judged = made.cells
    assert "except ImportError" in install.source
    assert statement.cell_type == "markdown"
    assert exercise.words(language).title in statement.source
    assert answer.metadata == {"cloze": {"exercise": exercise.id, "role": "answer"}, "tags": ["cloze-answer"]}
    mark, _, code = answer.source.partition("\n")
    assert mark == f"# cloze: {exercise.id}"
    assert exercise.render(level, language).endswith(f'"""\n\n{code}\n')
    assert judged.source.endswith(f'check("{exercise.id}", "{language}")')
    (found,) = cells.answers(text.encode())
    assert (found.exercise, found.cell, found.source) == (exercise.id, 3, answer.source.encode())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("wheel", [True, False], ids=["wheel", "no wheel"])
def test_the_first_cell_installs_what_its_kernel_lacks_or_fails_with_the_advice_above(wheel, language, monkeypatch):
    cell = nbformat.reads(writing.notebook(EXERCISES[:1], "guided", language), 4).cells[0].source
    advice = "".join(line for line in cell.splitlines() if line.startswith("#"))
    assert all(word in advice for word in ("JupyterLab", "VS Code", "Colab", "`pip wheel --no-deps .`", "WHEEL"))
    asked = []

    def magic(name: str, line: str) -> None:
        asked.append(f"{name} {line}")
        if wheel:
            monkeypatch.delitem(sys.modules, "clozekit")

    monkeypatch.setitem(sys.modules, "clozekit", None)  # as if it were not there
    shell = SimpleNamespace(run_line_magic=magic)
    with contextlib.nullcontext() if wheel else pytest.raises(ImportError):
        exec(TransformerManager().transform_cell(cell), {"get_ipython": lambda: shell})
    assert asked == ['pip install --quiet "{WHEEL}"']


def secrets(exercise: Exercise) -> set[str]:
    """Lines that only those who know the answer have: of solution and grader, and every hint and mistake explained."""
    starter = "".join(exercise.render(level, language) for level in LEVELS for language in LANGUAGES)
    ours = exercise.solution.splitlines() + exercise.grader_path.read_text("utf-8").splitlines()
    told = [
        text for words in (exercise.sheet.en, exercise.sheet.zh) for text in (*words.hints, *words.mistakes.values())
    ]
    return {line for line in (*map(str.strip, ours), *told) if len(line) > 16 and line not in starter}


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_no_notebook_tells_an_answer(exercise):
    known = secrets(exercise)
    assert len(known) > 20
    for language in LANGUAGES:
        for level in LEVELS:
            made = nbformat.reads(writing.notebook([exercise], level, language), 4)
            text = "\n".join(cell.source + str(cell.metadata) for cell in made.cells)
            assert [line for line in known if line in text] == []


def test_the_same_notebook_is_the_same_file(cloze):
    cloze("notebook", ID, OTHER, ID, "--out", "a.ipynb")
    cloze("notebook", ID, OTHER, "--out", "b.ipynb")
    assert Path("a.ipynb").read_bytes() == Path("b.ipynb").read_bytes()
    ids = [cell.id for cell in nbformat.read("a.ipynb", 4).cells]
    assert len(set(ids)) == len(ids) == 7


def test_a_notebook_speaks_as_it_is_asked_to(cloze):
    assert cloze("notebook", ID, "--lang", "zh", "--level", "scratch").output.startswith("已写入 rms_norm.ipynb")
    _, statement, answer, judged = nbformat.read("rms_norm.ipynb", 4).cells
    assert "只在最后一维上求均值" in statement.source
    assert "$$\ny = x / \\sqrt{" in statement.source
    assert "TODO：请完整实现" in answer.source
    assert '"zh"' in judged.source


def test_a_workspace_says_language_and_level(cloze, monkeypatch):
    cloze("init", "work", "--track", "normalization", "--lang", "zh", "--level", "scratch")
    monkeypatch.delenv("CLOZE_LANG")
    cloze("notebook", ID, "--out", "work/x.ipynb")
    assert Path("work/x.ipynb").read_text() == writing.notebook([open_catalog()[ID]], "scratch", "zh")


def test_a_rebuilt_notebook_keeps_nothing_of_the_old_one(cloze):
    """A canary in every place that Jupyter, a learner or a school writes to."""
    cloze("notebook", ID)
    fresh = Path("rms_norm.ipynb").read_bytes()
    used = nbformat.reads(fresh.decode(), 4)
    used.metadata |= {"student": "kiwi", "kernelspec": {"name": "kiwi", "display_name": "kiwi"}}
    used.cells[1].attachments = {"kiwi.png": {"image/png": "kiwi"}}
    for cell in used.cells:
        cell.source += "\n# kiwi"
        cell.id = "kiwi" + cell.id
        cell.metadata |= {"kiwi": "kiwi"}
    used.cells[2] |= {"execution_count": 73519, "outputs": [v4.new_output("stream", text="kiwi")]}
    used.cells.append(v4.new_raw_cell("kiwi"))
    nbformat.write(used, "rms_norm.ipynb")
    refused = cloze("notebook", ID)
    assert refused.exit_code == 2
    assert "rms_norm.ipynb is there; --force replaces it, and the answers in it" in refused.output
    assert b"kiwi" in Path("rms_norm.ipynb").read_bytes()
    assert cloze("notebook", ID, "--force").exit_code == 0
    assert Path("rms_norm.ipynb").read_bytes() == fresh


@pytest.mark.parametrize(
    ("arguments", "message"),
    {
        (): "Missing argument 'EXERCISE...'",
        ("rms_norm",): "did you mean normalization/rms_norm?",
        (ID, OTHER): "several exercises make one notebook; name it: --out FILE.ipynb",
        (ID, "--out", "x.py"): "x.py: the name of a notebook ends in .ipynb",
        (ID, "--out", "no/x.ipynb"): "no/x.ipynb cannot be written: No such file or directory",
    }.items(),
)
def test_what_cannot_be_written_is_told(arguments, message, cloze):
    done = cloze("notebook", *arguments)
    assert done.exit_code == 2
    assert message in done.output


# As a kernel runs them


def run(made: nbformat.NotebookNode, folder: Path) -> list[nbformat.NotebookNode]:
    """Run all cells; what those that check have shown."""
    NotebookClient(made, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()
    checks = [cell for cell in made.cells if cell.metadata.get("cloze", {}).get("role") == "check"]
    return [output.data for cell in checks for output in cell.outputs]


@pytest.mark.parametrize(
    ("language", "words"),
    {"en": ("passed", "Divide it by its sum"), "zh": ("通过", "除以")}.items(),
)
def test_a_kernel_and_the_command_line_say_the_same(language, words, cloze, tmp_path, solution, mistaken):
    cloze("notebook", ID, OTHER, "--out", "x.ipynb", "--lang", language)
    made = answered(Path("x.ipynb"), {ID: solution, OTHER: mistaken})
    right, wrong = run(made, tmp_path)
    assert words[0] in right["text/plain"]
    assert words[1] in wrong["text/plain"]
    assert "(forgets_to_renormalise)" in wrong["text/plain"]
    for shown in (right, wrong):
        page = html.unescape(re.sub(r"<.*?>", "", shown["text/html"]))
        assert shown["text/plain"].splitlines()[-1].split()[0] in page  # the verdict
        assert "<script" not in shown["text/html"]
    assert words[1] in html.unescape(wrong["text/html"])
    nbformat.write(made, "x.ipynb")  # with its outputs, as Jupyter saves it
    done = cloze("check", "x.ipynb", "--lang", language)
    assert done.exit_code == 1
    for shown in (right, wrong):
        assert shown["text/plain"].splitlines()[-1] in done.output.splitlines()
    one, other = json.loads(cloze("check", "x.ipynb", "--json", "-").stdout)
    assert (one["exercise"], one["verdict"], one["cell"]) == (ID, "passed", "3")
    assert (other["exercise"], other["verdict"], other["cell"]) == (OTHER, "failed", "6")
    assert {test["mistake"] for test in other["tests"]} == {"forgets_to_renormalise", None}


def test_a_kernel_judges_what_it_ran_last(tmp_path, solution):
    """And says what to do where it ran nothing, where a line is wrong, and what `check` is asked for does not exist."""
    judged = {"cloze": {"role": "check"}}
    asks = f'from clozekit.notebook import check\ncheck("{ID}", "en")'
    codes = [asks, f"{MARK}{solution}", asks, f"{MARK}import torch\nimport socket\nrms_norm = 1", asks]
    codes += [asks.replace("rms_norm", "rms_nrom")]
    made = v4.new_notebook(
        cells=[v4.new_code_cell(code, metadata=judged if code.startswith("from") else {}) for code in codes]
    )
    first, passed, failed, unknown = (shown["text/plain"] for shown in run(made, tmp_path))
    assert f"No cell with the line `# cloze: {ID}` has been run in this kernel" in first
    assert f"passed  {ID}" in passed
    assert "cell [4], line 3, column 8: CZ102" in failed
    assert "did you mean normalization/rms_norm?" in unknown


def test_a_kernel_remembers_in_the_workspace_around_it(cloze, monkeypatch, tmp_path, solution):
    cloze("init", "work", "--track", "normalization")
    cloze("notebook", ID, "--out", "work/x.ipynb")
    run(answered(Path("work/x.ipynb"), {ID: solution}), tmp_path / "work")
    assert cloze("list").output.count("✓") == 0
    monkeypatch.chdir("work")
    assert f"✓ {ID}" in cloze("list").output


def test_without_a_kernel_there_is_nothing_to_judge():
    assert repr(notebook.check(ID, "en")) == "This works in a notebook only; elsewhere: cloze check FILE"


def test_a_judge_that_was_interrupted_is_not_asked_again(monkeypatch, rms_norm):
    """What it was about to say would be taken for the answer to the next question."""
    begun = []

    class Interrupted:
        def __init__(self):
            begun.append(self)
            self.open = True

        def close(self):
            self.open = False

        def grade(self, exercise, upload):
            raise KeyboardInterrupt

    monkeypatch.setattr("clozekit.notebook.Engine", Interrupted)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            notebook._grade(rms_norm, submission.Upload("cell [1]", b""))
    assert [judge.open for judge in begun] == [False, False]


def test_what_is_wrong_around_a_kernel_is_shown_and_not_raised(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    Path(".cloze").mkdir()
    Path(".cloze/workspace.json").write_text('{"schema": 99}')
    assert "upgrade the kit" in repr(notebook.check(ID))
    Path(".cloze/workspace.json").unlink()
    monkeypatch.setenv("CLOZE_CONTENT", "nowhere")
    assert "is no content root" in repr(notebook.check(ID))


# As the command line grades the file


def test_one_of_several_answers_can_be_picked(cloze, solution, mistaken):
    save(f"{MARK}{solution}", f"# cloze: {OTHER}\n{mistaken}")
    assert cloze("check", "x.ipynb").exit_code == 1
    picked = cloze("check", "x.ipynb", "--exercise", ID, "--json", "-")
    assert picked.exit_code == 0
    assert json.loads(picked.stdout)["exercise"] == ID


def test_the_exit_status_is_that_of_the_worst(cloze, author, solution):
    lab = author(grader="import pytest\n\n\ndef test_gpu(check):\n    pytest.skip('no GPU')\n")
    save(f"{MARK}{solution}", "# cloze: lab/square\nx = 1\n")
    assert cloze("check", "x.ipynb", "--content", lab.root).exit_code == 3
    save(MARK, "# cloze: lab/square\nx = 1\n")
    assert cloze("check", "x.ipynb", "--content", lab.root).exit_code == 1


@pytest.mark.parametrize(("answer", "status"), [("{solution}", 3), ("x = 1\n", 1)], ids=["right", "wrong"])
def test_one_unknown_exercise_stops_no_other_answer(answer, status, cloze, solution):
    save("# cloze: lab/nothing\nx = 1\n", MARK + answer.format(solution=solution))
    done = cloze("check", "x.ipynb", "--json", "report.json")
    assert done.exit_code == status
    assert "cloze: x.ipynb, cell 2: no exercise 'lab/nothing'" in done.stderr
    assert ID in done.stdout
    unknown, known = json.loads(Path("report.json").read_text())
    assert (unknown["exercise"], unknown["verdict"], unknown["cell"]) == ("lab/nothing", "could not check", "2")
    assert "no exercise 'lab/nothing'" in unknown["message"]
    assert known["verdict"] == ("passed" if status == 3 else "failed")


def test_where_no_answer_is_to_an_exercise_nothing_is_judged(cloze):
    save("# cloze: lab/nothing\n", "# cloze: lab/nought\n")
    done = cloze("check", "x.ipynb")
    assert (done.exit_code, "lab/nothing, lab/nought" in done.stderr) == (2, True)


@pytest.mark.parametrize("kept", ["the line", "the metadata"])
def test_an_answer_is_known_by_its_line_or_by_its_metadata(kept, cloze, solution):
    """Some programs drop what they do not know; a learner may delete a comment."""
    cloze("notebook", ID, "--out", "x.ipynb")
    made = nbformat.read("x.ipynb", 4)
    cell = made.cells[2]
    cell.source = solution if kept == "the metadata" else MARK + solution
    if kept == "the line":
        cell.metadata = {}
    nbformat.write(made, "x.ipynb")
    assert cloze("check", "x.ipynb").exit_code == 0


def test_the_line_wins_where_a_copied_cell_has_the_metadata_of_another_answer(cloze, solution):
    cloze("notebook", OTHER, "--out", "x.ipynb")
    made = nbformat.read("x.ipynb", 4)
    made.cells[2].source = MARK + solution
    nbformat.write(made, "x.ipynb")
    done = cloze("check", "x.ipynb")
    assert done.exit_code == 0
    assert f"passed  {ID}" in done.output


def test_only_cells_of_code_are_answers(cloze, solution):
    made = v4.new_notebook(cells=[v4.new_markdown_cell(MARK), v4.new_raw_cell(MARK), v4.new_code_cell(MARK + solution)])
    nbformat.write(made, "x.ipynb")
    assert cloze("check", "x.ipynb").exit_code == 0


def test_a_notebook_of_format_3_is_read(cloze, solution):
    save(f"{MARK}{solution}")
    nbformat.write(nbformat.convert(nbformat.read("x.ipynb", 4), 3), "x.ipynb", version=3)
    assert "worksheets" in Path("x.ipynb").read_text()
    assert cloze("check", "x.ipynb").exit_code == 0


def test_fifty_megabytes_of_outputs_and_numbers_that_are_none_do_not_matter(cloze, solution):
    save(f"{MARK}{solution}")
    made = json.loads(Path("x.ipynb").read_text())
    made["cells"][1]["outputs"] = ["x" * 50_000_000, float("nan"), "\ud800"]
    Path("x.ipynb").write_text("\ufeff" + json.dumps(made), "utf-8")
    assert cloze("check", "x.ipynb").exit_code == 0


def test_lines_are_counted_in_the_cell(cloze):
    """In findings, syntax errors and tracebacks."""
    save("x = 1", f"{MARK}import torch\nimport socket\n\ndef rms_norm(*args):\n    return 1 / 0\n")
    done = cloze("check", "x.ipynb").output
    assert "✗ cell 3, line 3, column 8: CZ102" in done
    assert 'File "x.ipynb, cell 3", line 6, in rms_norm' in done
    save(f"{MARK}\ndef rms_norm(:\n")
    assert "cell 2, line 3: invalid syntax" in cloze("check", "x.ipynb").output


@pytest.mark.parametrize("line", ["%matplotlib inline", "!pip install torch", "%%time"])
def test_a_line_of_ipython_is_a_mistake_of_its_own(line, cloze, solution):
    save(f"{MARK}{line}\n{solution}")
    done = cloze("check", "x.ipynb")
    assert done.exit_code == 1
    assert "cell 2, line 2: this is IPython, not Python" in done.output
    assert "Lines that begin with % or ! belong in a cell of their own" in done.output


def test_a_remainder_on_a_line_of_its_own_is_python():
    assert submission.parse(b"x = (7\n% 4)\n", "x.py").source


BAD = {
    "empty": (b"", "x.ipynb: the file is no notebook: "),
    "no JSON": (b"{'nbformat': 4}", "the file is no notebook: "),
    "JSON of something else": (b"[1, 2]", "the file is no notebook: "),
    "an object of something else": (b"{}", "the file is no notebook: "),
    "a cell that is none": (b'{"nbformat": 4, "cells": [1]}', "the file is no notebook: "),
    "a source that is none": (b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": {}}]}', "is no notebook: "),
    "not UTF-8": (b'{"nbformat": 4, "x": "\xff"}', "the file is no notebook: "),
    "nested without end": (b'{"nbformat": 4, "x": ' + b"[" * 10**6 + b"]" * 10**6 + b"}", "is no notebook: Recursion"),
    "a number without end": (b'{"nbformat": ' + b"9" * 10**6 + b"}", "the file is no notebook: "),
    "too old": (b'{"nbformat": 2, "worksheets": []}', "of format 2; formats 3 and 4 are read"),
    "too new": (b'{"nbformat": 5, "cells": []}', "of format 5; formats 3 and 4 are read"),
    "without cells": (b'{"nbformat": 4, "cells": []}', "`cloze notebook ID` writes a notebook with such a cell"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_notebook_is_told(name, cloze):
    raw, message = BAD[name]
    Path("x.ipynb").write_bytes(raw)
    done = cloze("check", "x.ipynb")
    assert done.exit_code == 2
    assert message in done.output
    assert len(done.output) < 500


def odd(id: object) -> dict:
    return {
        "cells": [{"cell_type": "code", "source": "x = 1", "metadata": {"cloze": {"role": "answer", "exercise": id}}}]
    }


@pytest.mark.parametrize("id", [None, 7, ["a/b"], "rms_norm", "../../etc/passwd", "a/b\x1b[2J", "a/" + "b" * 10**6])
def test_metadata_of_another_make_is_no_tag(id, cloze):
    save(**odd(id))
    done = cloze("check", "x.ipynb")
    assert done.exit_code == 2
    assert "no cell of the notebook is an answer" in done.output


@pytest.mark.parametrize(
    ("codes", "arguments", "message"),
    [
        (["x = 1"], (), "x.ipynb: no cell of the notebook is an answer"),
        (["x = 1"], ("--exercise", ID), f"`cloze notebook {ID}` writes a notebook with such a cell"),
        ([MARK, "x = 1", MARK], (), f"cells 2 and 4 both answer {ID}"),
        (["# cloze: normalization/rms_nrom"], (), "did you mean normalization/rms_norm?"),
        ([MARK], ("--exercise", "rms_norm"), "did you mean normalization/rms_norm?"),
        ([f"{MARK}x = '{'y' * (1 << 20)}'"], (), "the answers in the notebook have more than 1048576 bytes"),
    ],
)
def test_what_cannot_be_graded_is_told(codes, arguments, message, cloze):
    save(*codes)
    done = cloze("check", "x.ipynb", *arguments)
    assert done.exit_code == 2
    assert message in done.output


def test_an_answer_that_cannot_be_text_fails(cloze):
    save(f"{MARK}x = '\ud800'")
    done = cloze("check", "x.ipynb")
    assert done.exit_code == 1
    assert "the file is not UTF-8 (line 2)" in done.output


def test_a_notebook_that_is_too_large_is_not_looked_into(monkeypatch, tmp_path):
    monkeypatch.setattr(cells, "NOTEBOOK_LIMIT", 1 << 20)
    with pytest.raises(Unreadable) as error:
        cells.answers(b" " * ((1 << 20) + 1))
    assert (error.value.problem.kind, error.value.problem.facts) == ("notebook-large", {"limit": "1"})
    monkeypatch.setattr(submission, "NOTEBOOK_LIMIT", 1000)
    (tmp_path / "x.ipynb").write_bytes(b" " * 5000)
    assert len(submission.read(tmp_path / "x.ipynb").raw) == 1001


def test_a_notebook_is_looked_into_by_a_worker_alone(engine, monkeypatch, cloze):
    """Were it this process, the parser would be ours to lose."""
    monkeypatch.setattr(cells, "answers", None)
    save(MARK)
    assert cloze("check", "x.ipynb").exit_code == 1


@pytest.mark.parametrize("command", [["check"], ["lint"], ["bench"]])
def test_a_notebook_that_is_not_there_or_not_taken(command, cloze):
    assert cloze(*command, "x.ipynb").exit_code == 2
    save(MARK)
    if command != ["check"]:
        done = cloze(*command, "x.ipynb")
        assert done.exit_code == 2
        assert "is a notebook; `cloze check` and `cloze grade` take one, this does not" in done.output


def test_blanks_of_a_new_notebook_are_not_filled_in(cloze):
    cloze("notebook", ID)
    done = cloze("check", "rms_norm.ipynb")
    assert done.exit_code == 1
    assert "the blank `widen` is not filled in yet" in done.output
