"""Each rule's page: the same in both languages, printed, and in docs/rules/."""

import ast
import re
from pathlib import Path

import pytest

from clozekit.errors import NotFound
from clozekit.rules.pages import MODULES, documents, page, pages

DOCS = Path(__file__).parent.parent / "docs" / "rules"
CODES = sorted(MODULES)


def test_a_page_has_the_rules_words_and_its_code():
    lines = page("CZ001").text().splitlines()
    assert lines[0] == "CZ001 forbidden-api"
    assert lines[2] == "What it does"
    assert "    return F.rms_norm(x, weight.shape, weight)" in lines


def test_the_chinese_page_shares_the_code_and_nothing_else():
    english, chinese = page("CZ001", "en"), page("CZ001", "zh")
    assert [text for _, text in english.codes] == [text for _, text in chinese.codes]
    assert not {part for each in english.words for part in each} & {part for each in chinese.words for part in each}


@pytest.mark.parametrize("code", CODES)
def test_every_rule_has_a_chinese_page(code):
    for heading, text in page(code, "zh").words:
        assert re.search(r"[一-鿿]", heading)
        assert re.search(r"[一-鿿]", text)


@pytest.mark.parametrize("code", CODES)
def test_a_page_names_what_its_translation_names(code):
    """An identifier that only one language tells was forgotten in the other."""
    texts = [" ".join(text for _, text in page(code, language).words) for language in ("en", "zh")]
    named = [set(re.findall(r"[\w.@]*[._@]\w+", text, re.ASCII)) for text in texts]
    assert named[0] == named[1]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_list_has_one_short_line_for_each(language):
    for each in pages(language):
        assert each.line
        assert len(each.line) <= 110
        assert "\n" not in each.line


@pytest.mark.parametrize("code", CODES)
def test_the_code_of_a_page_is_python(code):
    if code != "CZ901":  # whose example is none
        for _, text in page(code).codes:
            ast.parse(text.replace("return ", ""))


def test_a_code_may_be_written_small():
    assert page("cz001") == page("CZ001")


def test_an_unknown_code_is_told_with_the_nearest():
    with pytest.raises(NotFound, match=r"no rule 'CZ13': did you mean CZ103\? `cloze rule` lists them all"):
        page("CZ13")


def test_the_documents_are_fresh():
    assert {path.name: path.read_text("utf-8") for path in DOCS.glob("*")} == documents(), "run docs/make_rules.py"
