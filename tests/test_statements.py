"""A statement as Markdown: it says what the statement says, whatever a reader's program makes of it."""

import html
import re

import pytest
from markdown_it import MarkdownIt

from clozekit import formulas, statements
from clozekit.catalog import open_catalog
from clozekit.exercise import LANGUAGES

STATEMENTS = [
    pytest.param(exercise.words(language).statement, id=f"{exercise.id} {language}")
    for exercise in open_catalog()
    for language in LANGUAGES
]


def shown(markdown: str) -> str:
    """What a reader sees, without the words of the markup."""
    return html.unescape(re.sub(r"</?\w+>", "", MarkdownIt().render(markdown)))


def words(text: str) -> list[str]:
    return re.findall(r"\w+|[^\w\s]", text)


@pytest.mark.parametrize("statement", STATEMENTS)
def test_prose_and_columns_read_as_they_are_written(statement):
    for part in re.split(r"\n\s*\n", statement.strip("\n")):
        markdown = statements.as_markdown(part)
        if not markdown.startswith("$$"):
            assert words(shown(markdown)) == words(part.replace("`", "") if markdown[0] != " " else part)


@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_formula_keeps_every_name_number_and_sign_in_its_place(statement):
    for block in re.findall(r"^(?:    .*\n)+", f"{statement}\n", re.M):
        if latex := formulas.block(block.rstrip("\n").split("\n")):
            assert bare(latex) == bare(block.replace("²", "2").replace("√", "").replace("sqrt", ""))


SIGNS = {"cdot": "·", "sum": "Σ", "ldots": "…", "partial": "∂", "sigma": "σ", "circ": "∘", "top": "ᵀ"}
MARKUP = r"\\(begin|end)\{aligned\}|\\(mathrm|text|sqrt|qquad)\b"


def bare(formula: str) -> str:
    """What a formula says, in plain text or in LaTeX: names, numbers and signs, without brackets and what only places them."""
    for command, sign in SIGNS.items():
        formula = re.sub(rf"\\{command}(?![a-z])", sign, formula)
    formula = re.sub(r"\\hat\{(\w)\}", "\\1\u0302", formula)
    return re.sub(r"[\s{}()_^&\\]", "", re.sub(MARKUP, "", formula))


@pytest.mark.parametrize(
    ("text", "latex"),
    {
        "y = x / sqrt(mean(x²) + eps)": r"y = x / \sqrt{\mathrm{mean} (x^{2}) + \mathrm{eps}}",
        "head_i = q_i kᵀ / √head_dim": r"\mathrm{head}_{i} = q_{i} k^\top / \sqrt{\mathrm{head\_dim}}",
        "o = Σ_j exp(s_j) v_j": r"o = \sum_{j} \exp (s_{j}) v_{j}",
        "y_p = V_{0…p}": r"y_{p} = V_{0 \ldots p}",
        "z = x + y        one by one": r"z = x + y \qquad \text{one by one}",
        "new   = max(peak, max_k x_k)": r"\mathrm{new} = \max (\mathrm{peak}, \max_{k} x_{k})",
    }.items(),
)
def test_formulas(text, latex):
    assert formulas.block([f"    {text}"]) == latex


@pytest.mark.parametrize(
    "text",
    [
        "q = packed[i // 8] >> 4",
        "y == x",
        "loss = mean of all",
        "y = 1 if j = k else 0",
        "y = x % 2",
        "结果 = x",
        "y = (x",
        "y = x)",
        "y = (x]",
        "y = sqrt(x",
        "y = √",
        "y = ζ",
        "z = x + y        where w_i = 1",
        "no equals sign",
    ],
)
def test_what_may_be_no_formula_stays_as_it_is(text):
    assert formulas.block([text]) is None
    assert statements.as_markdown(f"    {text}") == f"    {text}"


def test_lines_of_one_block_are_aligned_or_all_of_them_are_code():
    assert formulas.block(["a = b", "c = d"]) == "\\begin{aligned}\na &= b \\\\\nc &= d\n\\end{aligned}"
    assert formulas.block(["a = b", "c = the rest"]) is None


@pytest.mark.parametrize(
    "text", ["a*b*c", "_x_ <b> $y$", "# no title", "- no list", "1. no list", "[a](b)", "a | b", "&amp;"]
)
def test_prose_is_never_markup(text):
    assert shown(statements.prose(text)).strip() == text
    assert "<b>" not in MarkdownIt().render(statements.prose(text))


def test_code_in_prose_stays_code():
    assert statements.prose("a `b_c * d` e_f") == "a `b_c * d` e\\_f"
