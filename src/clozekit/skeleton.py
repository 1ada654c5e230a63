"""What `cloze new` writes: the four files of a small exercise that verifies clean, for its author to change."""

import re
from pathlib import Path

from clozekit.errors import ClozeError
from clozekit.exercise import Exercise

WORDS = '''\
source = "Where the formula comes from: a paper with its section"
entry = ["NAME(x, scale=2.0)"]

[policy]
forbid = []

[en]
title = "TITLE"
statement = """
Say what is computed, with its formula and the shapes:

    y = scale · x²

x       [..., d]
result  [..., d], the dtype of x"""
hints = ["A question that leads to the idea.", "The step that most people miss."]

[en.blanks]
square = "multiply the square of x by `scale`"

[en.mistakes]
forgets_scale = "Your result does not depend on `scale`."
forgets_square = "You multiplied x itself. The formula has its square."
scales_first = "You squared `scale` as well. Only x is squared."

[zh]
title = "TITLE"
statement = """
说明要计算什么，给出公式与形状：

    y = scale · x²

x     [..., d]
结果  [..., d]，dtype 与 x 相同"""
hints = ["引向关键想法的问题。", "多数人遗漏的一步。"]

[zh.blanks]
square = "用 `scale` 乘以 x 的平方"

[zh.mistakes]
forgets_scale = "结果与 `scale` 无关。"
forgets_square = "你乘的是 x 本身，公式中是它的平方。"
scales_first = "你把 `scale` 也平方了，只有 x 需要平方。"

[zh.cases]
"values: plain rows" = "数值：普通的行"
"values: half precision" = "数值：半精度"
'''

SOLUTION = '''\
from torch import Tensor


def NAME(x: Tensor, scale: float = 2.0) -> Tensor:
    """x [..., d] -> [..., d], in the dtype of x."""
    # BLANK square
    return scale * x * x
    # END
'''

GRADER = """\
import pytest
import torch

from clozekit.grading import mistake, reference

# shape, dtype. Each case tells the answer apart from a mistake that resembles it.
CASES = {
    "plain rows": ((3, 8), torch.float32),
    "half precision": ((3, 8), torch.float16),
}


@pytest.mark.parametrize("case", CASES)
def test_values(check, case):
    shape, dtype = CASES[case]
    check("NAME", torch.randn(shape).to(dtype), 3.0, gradients=True)


@reference("NAME")
def definition(x, scale=2.0):
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
"""


def write_skeleton(root: Path, id: str) -> list[Path]:
    """Write a new exercise called `id` under `root`, list it in the contents, derive its starter. Returns the files.

    Raises:
        ClozeError: not TRACK/NAME in lower case, or one of the files exists.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*/[a-z][a-z0-9_]*", id):
        raise ClozeError(f"{id!r} is no TRACK/NAME; use lower case, digits and underscores: normalization/layer_norm")
    exercise = Exercise(root, id)
    files = {exercise.words_path: WORDS, exercise.solution_path: SOLUTION, exercise.grader_path: GRADER}
    for path in files:
        if path.exists():
            raise ClozeError(f"{path} exists; choose another name or edit it")
    title = exercise.name.replace("_", " ").capitalize()
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("NAME", exercise.name).replace("TITLE", title), "utf-8")
    _list(root / "exercises" / "contents.toml", exercise)
    exercise.starter_path.write_text(exercise.render(), "utf-8")
    return [*files, exercise.starter_path, root / "exercises" / "contents.toml"]


def _list(contents: Path, exercise: Exercise) -> None:
    """Add a line for the exercise to the end of its track, or a track to the end of the file."""
    text = contents.read_text("utf-8") if contents.exists() else ""
    line = f"{exercise.name} = {{ difficulty = 1, minutes = 20, goals = [] }}\n"
    track = re.search(
        rf'^name = "{exercise.track}"\n(?:(?!\[\[).*\n)*?\[track\.exercises\]\n(?:\w+ = .*\n)*', text, re.M
    )
    if track:
        text = text[: track.end()] + line + text[track.end() :]
    else:
        title = exercise.track.capitalize()
        text += f'\n[[track]]\nname = "{exercise.track}"\ntitle = {{ en = "{title}", zh = "{title}" }}\n'
        text += f"[track.exercises]\n{line}"
    contents.write_text(text.lstrip("\n"), "utf-8")
