"""The page of each rule, from its module's docstring; the Chinese words are in pages_zh.toml, the code is shared.

page("CZ001", "zh")  ->  Page("CZ001", "forbidden-api", [("作用", "指出……"), ("原因", "……")], [("示例", "return F.rms…"), …])
"""

import difflib
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from textwrap import dedent, indent
from types import ModuleType

from clozekit.errors import NotFound
from clozekit.phrases import LANGUAGES
from clozekit.report import Problem
from clozekit.rules import RULES, beyond_limits, unreadable_file

MODULES: dict[str, ModuleType] = {module.CODE: module for module in (*RULES, unreadable_file, beyond_limits)}
SECTION = re.compile(r"^(\S.*)\n((?:\n| {4}.*\n?)+)", re.M)


@dataclass(frozen=True)
class Page:
    """Sections are pairs of a heading and its text; `words` say what and why, `codes` are the example and what to do instead."""

    code: str
    name: str
    words: list[tuple[str, str]]
    codes: list[tuple[str, str]]

    @property
    def line(self) -> str:
        """What the rule does, in one sentence."""
        return re.split(r"(?<=\.) |(?<=。)|[:：] ?", flat(self.words[0][1]))[0].rstrip(".。")

    def text(self) -> str:
        """As a terminal shows it."""
        parts = [f"{heading}\n{indent(text, '    ')}" for heading, text in (*self.words, *self.codes)]
        return "\n\n".join([f"{self.code} {self.name}", *parts])


def page(code: str, language: str = "en") -> Page:
    """The page of one rule.

    Raises:
        NotFound: there is none; the text offers the nearest.
    """
    if code.upper() not in MODULES:
        near = difflib.get_close_matches(code.upper(), MODULES, 1, 0.6)
        if near:
            raise NotFound(Problem("no-rule-near", {"code": repr(code), "near": near[0]}))
        raise NotFound(Problem("no-rule", {"code": repr(code)}))
    title, _, body = (MODULES[code.upper()].__doc__ or "").partition("\n")
    code, _, name = title.partition(" ")
    sections = [(heading, dedent(text).strip()) for heading, text in SECTION.findall(body)]
    if language == "zh":
        words = _chinese()
        texts = [words[code]["what"], words[code]["why"], *(text for _, text in sections[2:])]
        sections = list(zip(words["headings"], texts, strict=True))
    return Page(code, name, sections[:2], sections[2:])


def flat(text: str) -> str:
    """A paragraph in one line; Chinese punctuation needs no space behind it."""
    return " ".join(re.sub(r"(?<=[、，；：。])\n", "", text).split())


def markdown(text: str) -> str:
    """Words as Markdown shows them: __dict__ is no bold dict."""
    return re.sub(r"([_*<])", r"\\\1", text)


def pages(language: str) -> list[Page]:
    """All of them, by code."""
    return [page(code, language) for code in sorted(MODULES)]


def documents() -> dict[str, str]:
    """What docs/rules/ holds: file names with their texts; `python docs/make_rules.py` writes them."""
    files = {}
    for english, chinese in zip(*map(pages, LANGUAGES), strict=True):
        codes = [f"## {heading}\n\n```python\n{text}\n```" for heading, text in english.codes]
        words = [f"## {heading}\n\n{markdown(text)}" for heading, text in english.words]
        translated = [f"## {heading}\n\n{markdown(flat(text))}" for heading, text in chinese.words]
        files[_file(english)] = "\n\n".join([f"# {english.code} {english.name}", *words, *codes, *translated]) + "\n"
    rows = [
        f"| [{english.code}]({_file(english)}) | {english.name} | {markdown(english.line)}. {markdown(chinese.line)}。 |"
        for english, chinese in zip(*map(pages, LANGUAGES), strict=True)
    ]
    intro = "`cloze rule CZ001` prints a page, `cloze lint FILE` runs the rules alone. Written by `python docs/make_rules.py`."
    return files | {
        "README.md": "\n".join(["# Rules", "", intro, "", "| code | name | |", "| --- | --- | --- |", *rows, ""])
    }


def _file(page: Page) -> str:
    return f"{page.code}-{page.name}.md"


@cache
def _chinese() -> dict:
    return tomllib.loads(Path(__file__).with_name("pages_zh.toml").read_text("utf-8"))
