"""Notebooks as `cloze check` grades the file."""

import json
from pathlib import Path

import nbformat
import pytest
from nbformat import v4

from clozekit import cells, submission
from clozekit.submission import Unreadable

ID, OTHER = "normalization/rms_norm", "sampling/top_p"
MARK = f"# cloze: {ID}\n"


def save(*codes: str, path: str = "x.ipynb", **more) -> None:
    """A notebook with these cells of code below one of text."""
    made = v4.new_notebook(cells=[v4.new_markdown_cell("# Text"), *map(v4.new_code_cell, codes)])
    Path(path).write_text(json.dumps(made | more))


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
