"""Notebooks as they are written, and as a kernel runs them."""

import contextlib
import html
import json
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager
from nbclient import NotebookClient
from nbformat import v4

from clozekit import cells, notebook, submission, writing
from clozekit.catalog import open_catalog
from clozekit.exercise import LANGUAGES, LEVELS, Exercise

ID, OTHER = "normalization/rms_norm", "sampling/top_p"
MARK = f"# cloze: {ID}\n"
EXERCISES = list(open_catalog())


def answered(path: Path, answers: dict[str, str]) -> nbformat.NotebookNode:
    """The notebook at `path`, with these answers typed into its cells."""
    made = nbformat.read(path, 4)
    for cell in made.cells:
        if cell.metadata.get("cloze", {}).get("role") == "answer":
            id = cell.metadata.cloze.exercise
            cell.source = f"# cloze: {id}\n{answers[id]}"
    nbformat.write(made, path)
    return made


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
