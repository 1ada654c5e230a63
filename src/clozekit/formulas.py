"""Formulas as a statement writes them, in plain text, turned into LaTeX; or refused, where that might change what they say.

y = x / sqrt(mean(x²) + eps)        ->  y = x / \\sqrt{\\mathrm{mean} (x^{2}) + \\mathrm{eps}}
q[i, j] = packed[i // 8, j] >> 4    ->  None: it is code, and is shown as such
"""

import re
from itertools import pairwise

GAP = re.compile(r" {3,}")  # between two formulas, or a formula and a remark, on one line
CODE = re.compile(r"//|>>|<<|->|[=<>!]=")
REMARK = re.compile(r"[^\\{}$&#^_%~=]+")  # nothing that means something to LaTeX, and no formula
INNER = re.compile(r"(?<=[(\[{]) | (?=[)\]},^])")  # spaces that nobody would write
NAME = r"[A-Za-zΑ-Ωα-ω]+\u0302?(?:_(?:\{[^{}]*\}|[A-Za-z0-9]+))?"
TOKEN = re.compile(rf" *(?:(?P<root>√{NAME})|(?P<sqrt>sqrt\()|(?P<name>{NAME})|(?P<number>\d+(?:\.\d+)?)|(?P<sign>\S))")
FUNCTIONS = {name: f"\\{name}" for name in ("cos", "exp", "log", "max", "min", "sin")}
GREEK = {
    "Σ": r"\sum", "α": r"\alpha", "β": r"\beta", "γ": r"\gamma", "δ": r"\delta", "ε": r"\epsilon", "θ": r"\theta",
    "λ": r"\lambda", "μ": r"\mu", "π": r"\pi", "σ": r"\sigma", "τ": r"\tau", "φ": r"\phi",
}  # fmt: skip
SIGNS = {sign: sign for sign in "+-/=<>()[],"} | {
    "−": "-", "·": r"\cdot", "…": r"\ldots", "∂": r"\partial", "∘": r"\circ", "≤": r"\le", "≥": r"\ge",
    "ᵀ": r"^\top", "²": "^{2}",
}  # fmt: skip
CLOSING = {"(": ")", "[": "]"}
ENDS = {")": (")", "}"), "]": ("]",)}  # what a closing bracket may close: the round one a root as well


class NoFormula(Exception):
    """The text is code or prose, or we cannot tell."""


def block(lines: list[str]) -> str | None:
    """The LaTeX of some lines that belong together, aligned at their equals signs; None if one of them is no formula."""
    try:
        rows = [_row(line.strip()) for line in lines]
    except NoFormula:
        return None
    if len(rows) == 1:
        return rows[0]
    aligned = " \\\\\n".join(row.replace("=", "&=", 1) for row in rows)
    return f"\\begin{{aligned}}\n{aligned}\n\\end{{aligned}}"


def _row(line: str) -> str:
    """One line: a formula, and what stands beside it."""
    first, *others = GAP.split(re.sub(r" +=", " =", line, count=1))
    if "=" not in first:
        raise NoFormula
    return r" \qquad ".join([formula(first), *map(_beside, others)])


def _beside(text: str) -> str:
    try:
        return formula(text)
    except NoFormula:
        if REMARK.fullmatch(text):
            return rf"\text{{{text}}}"
        raise


def formula(text: str) -> str:
    """LaTeX that says the same.

    Raises:
        NoFormula: an operator of a programming language, a sign that we do not know, brackets that do not match, or words
            side by side, as prose has them.
    """
    tokens = [(str(token.lastgroup), token[str(token.lastgroup)]) for token in TOKEN.finditer(text)]
    if CODE.search(text) or any(_is_prose(*left, *right) for left, right in pairwise(tokens)):
        raise NoFormula
    shown, open_ = [], [""]
    for kind, token in tokens:
        if kind == "sqrt":
            shown.append(r"\sqrt{")
            open_.append("}")
        elif kind == "sign" and token in ENDS:
            if (end := open_.pop()) not in ENDS[token]:
                raise NoFormula
            shown.append(end)
        elif kind == "sign":
            if token not in SIGNS:
                raise NoFormula
            if token in CLOSING:
                open_.append(CLOSING[token])
            shown.append(SIGNS[token])
        else:
            shown.append(token if kind == "number" else _name(token))
    if open_ != [""]:
        raise NoFormula
    return INNER.sub("", " ".join(shown))


def _is_prose(kind: str, left: str, next_kind: str, right: str) -> bool:
    """Whether two tokens do not stand side by side in a formula: there it is letters that are multiplied so, not words."""
    if {"sign", "sqrt"} & {kind, next_kind} or left.partition("_")[0] in FUNCTIONS:
        return False
    return not (_is_letter(left) and (_is_letter(right) or right in FUNCTIONS))


def _is_letter(token: str) -> bool:
    return len(token.partition("_")[0].rstrip("\u0302")) == 1 and not token.isdigit()


def _name(name: str) -> str:
    """A letter in italics, a word upright; i in x_i is an index, dim in head_dim a part of the word."""
    if name.startswith("√"):
        return rf"\sqrt{{{_name(name[1:])}}}"
    base, _, index = name.partition("_")
    hat, base = base.endswith("\u0302"), base.rstrip("\u0302")
    if len(base) > 1 and len(index) > 1 and not index.startswith("{"):
        return rf"\mathrm{{{base}\_{index}}}"
    if len(base) == 1:
        shown = GREEK.get(base, base)
        if not shown.isascii():
            raise NoFormula
    else:
        shown = FUNCTIONS.get(base, rf"\mathrm{{{base}}}")
    shown = rf"\hat{{{shown}}}" if hat else shown
    if not index:
        return shown
    inner = formula(index[1:-1]) if index.startswith("{") else _name(index) if index.isalpha() else index
    return f"{shown}_{{{inner}}}"
