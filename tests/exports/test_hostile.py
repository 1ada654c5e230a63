"""Whatever students write into names, answers and errors: a file keeps its form, and what they wrote stays text."""

import csv
import io
import json
import unicodedata
from typing import get_args
from xml.etree import ElementTree

import pytest
from markdown_it import MarkdownIt

from clozekit.classroom import gradebook
from clozekit.classroom.gradebook import Grade
from clozekit.exports import GRADEBOOKS, LONGEST, REPORTS, export
from clozekit.report import Verdict

TEXTS = {
    "a formula": '=HYPERLINK("http://x.example","|\' /C calc")',
    "a formula behind a line break": "\r\n=1+1",
    "other beginnings of formulas": "+1",
    "a minus": "-2+3",
    "an at sign": "@SUM(A1)",
    "a tab": "\t=1+1",
    "a wide formula": "＝1+1",
    "colours": "\x1b[31mred\x1b[0m\x07\x9b2J",
    "no characters of XML": "a\x00b\x0b\ufffe\uffff\ud800c",
    "the end of CDATA, and markup": "]]> </failure><failure> &amp; <!-- --> <script>alert(1)</script>",
    "line ends": "a\r\nb\rc\u2028d\x85e\nf\n\ng",
    "a workflow command": "x\n::error::forged\n::stop-commands::y%0A::set-output name=a::b",
    "properties of a command": "a,line=9:b%3Ac",
    "fences and tables": "```\n| a | b |\n| --- | --- |\n~~~~\n`````\n| `c` | \\| ` |",
    "Markdown": "# a\n* b **c** _d_ [e](javascript:f) ![g](h) <i>j</i>\n\n---\n1. k\n</details></summary>\n\n    l",
    "an address": "../../x/%2e%2e/?a#b c://d\\e",
    "JSON": '"}],\\u0000\\',
    "turned text": "abc\u202edef\u2066",
    "other scripts": "范数 ελ 👩‍🔬 é",
    "much": "x" * 1_000_000,
    "much of two bytes each": "é" * 500_000,
    "nothing": "",
    "blank": "   ",
}


def lines(line, text):
    """A failed and an undecided report, with this text wherever it does not come from us."""
    failed, undecided = line("broke a rule, else right"), line("could not be checked at all", message=text, cell=text)
    failed["findings"][0]["message"] = text or "x"
    failed["tests"] = [
        {
            "name": text,
            "verdict": verdict,
            "hidden": False,
            "points": 0,
            "max_points": 1,
            "message": text,
            "mistake": text,
        }
        for verdict in get_args(Verdict)
    ]
    return [
        each | {"student": text, "file": text, "exercise": text or "x", "attempt": text} for each in (failed, undecided)
    ]


def skeleton(form, text):
    """The form alone: what is left without all that is text."""
    if form == "junit":
        return [(each.tag, sorted(each.attrib)) for each in ElementTree.fromstring(text).iter()]
    if form == "github":
        return [line.partition(" ")[0] for line in text.split("\n")]
    if form == "markdown":
        tokens = MarkdownIt("commonmark").enable("table").parse(text)
        return [(token.type, [child.type for child in token.children or ()]) for token in tokens]
    if form in GRADEBOOKS:
        return [len(row) for row in csv.reader(io.StringIO(text))]
    return _types(json.loads(text))


def _types(value):
    if isinstance(value, dict):
        return {key: _types(each) for key, each in value.items()}
    return [_types(each) for each in value] if isinstance(value, list) else type(value)


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("form", REPORTS)
def test_no_text_changes_the_form_of_a_report(form, name, line, errors):
    harmless, hostile = (export(form, lines(line, text), "en") for text in ("harmless", TEXTS[name]))
    assert errors(form, hostile) == []
    expected, found = skeleton(form, harmless), skeleton(form, hostile)
    if form == "markdown":  # an empty name is no code span; more or fewer words are no other form
        expected, found = ([kind for kind, _ in each] for each in (expected, found))
    assert found == expected
    assert len(hostile.encode()) < 1 << 20


@pytest.mark.parametrize("name", TEXTS)
def test_no_text_is_markup_in_markdown(name, line):
    allowed = {"text", "code_inline", "strong_open", "strong_close", "softbreak", "html_inline"}
    for token in MarkdownIt("commonmark").enable("table").parse(export("markdown", lines(line, TEXTS[name]), "en")):
        assert {child.type for child in token.children or ()} <= allowed
        if token.type == "html_block":
            inside = token.content.removeprefix("<details><summary>").removesuffix("</summary>\n")
            assert "<" not in inside or inside == "</details>\n"


def grades(text):
    return [Grade(text, text, 1.0, 2.0, "passed", None, 0, 0.0, 1, text, None)]


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("form", GRADEBOOKS)
def test_no_text_changes_the_form_of_a_table_or_is_a_formula_in_it(form, name):
    hostile = export(form, grades(TEXTS[name]), "en")
    assert skeleton(form, hostile) == skeleton(form, export(form, grades("harmless"), "en"))
    cells = [cell for row in csv.reader(io.StringIO(hostile)) for cell in row]
    assert not [cell for cell in cells if cell.lstrip().startswith(tuple("=+-@＝"))]
    assert not any("\n" in cell or "\r" in cell for cell in cells)


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("form", [*REPORTS, *GRADEBOOKS])
def test_no_text_paints_a_terminal_or_turns_the_page(form, name, line):
    given = grades(TEXTS[name]) if form in GRADEBOOKS else lines(line, TEXTS[name])
    text = export(form, given, "en").replace("\r\n", "\n")
    assert {unicodedata.category(character) for character in set(text) - {"\n", "\t"}} <= {
        *("Lu", "Ll", "Lo", "Nd", "No", "Mn", "So", "Sk", "Sm", "Sc", "Pc", "Pd", "Ps", "Pe", "Po", "Pi", "Pf", "Zs")
    }


@pytest.mark.parametrize("form", ["junit", "gradescope", "prairielearn", "sarif", "gitlab"])
def test_what_can_be_shown_arrives_as_it_was_written(form, line):
    text = export(form, lines(line, TEXTS["fences and tables"]), "en")
    arrived = "".join(ElementTree.fromstring(text).itertext()) if form == "junit" else json.dumps(json.loads(text))
    written = TEXTS["fences and tables"]
    assert (written if form == "junit" else json.dumps(written)[1:-1]) in arrived


def test_a_message_that_is_cut_says_so(line):
    told = json.loads(export("gradescope", lines(line, TEXTS["much"]), "en"))
    assert told["tests"][1]["output"] == "x" * LONGEST + "…"


def test_the_names_of_students_stay_apart(line):
    """Two that differ only in what cannot be shown are two rows."""
    twins = [line("passed", student="a\x00"), line("failed", student="a\x01")]
    found = gradebook.grades(twins, {})
    assert export("canvas", found, "en").count("\r\n") == 4
