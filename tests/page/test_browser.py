"""The page in a real browser: it stays on the machine, fits every screen, and can be read and used by everyone."""

from itertools import pairwise

import pytest

from clozekit.catalog import builtin_root
from clozekit.exercise import Exercise
from clozekit.page import report_fragment
from clozekit.phrases import LANGUAGES

THEMES = {  # how JupyterLab and VS Code tell which theme they have; what the system prefers may be another
    "data-jp-theme-light": {"light": "true", "dark": "false"},
    "data-vscode-theme-kind": {"light": "vscode-light", "dark": "vscode-dark"},
}
OTHER = {"light": "dark", "dark": "light"}
PAPER = {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 23, 27)"}
FOCUS = "document.activeElement.tagName + ' ' + document.activeElement.textContent.trim().replace(/\\s+/g, ' ').slice(0, 60)"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1280])
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_fits_and_says_nothing_to_anyone(browser, pages, language, width, scheme):
    page = browser.open(pages[language], width, scheme)
    page.unfold()
    assert page.too_wide == []
    assert page.run("document.documentElement.scrollWidth") <= width
    assert page.too_pale == []
    assert page.requests == [pages[language].as_uri()]
    assert page.errors == []
    assert page.run("document.title") == {"en": "Progress", "zh": "学习进度"}[language]


@pytest.mark.parametrize("scheme", OTHER)
@pytest.mark.parametrize("attribute", THEMES)
def test_in_a_notebook_a_report_has_the_theme_of_the_notebook(browser, workspace, tmp_path, attribute, scheme):
    """Whatever the system prefers: what the notebook does to code, above our own style, fits its own theme alone."""
    exercise = Exercise(builtin_root(), "attention/multi_head_attention")
    report = report_fragment(workspace.last_report(exercise.id), exercise, "en", "all")
    ink, ground = {"light": ("#000", "#eee"), "dark": ("#fff", "#444")}[scheme]
    style = f".lab .cell code {{ color: {ink}; background: {ground}; }}"
    place = tmp_path / "notebook.html"
    place.write_text(
        f'<meta charset="utf-8"><style>{style}</style><body {attribute}="{THEMES[attribute][scheme]}">'
        f'<div class="lab"><div class="cell">{report}</div></div></body>',
        "utf-8",
    )
    page = browser.open(place, scheme=OTHER[scheme])
    page.unfold()
    assert page.run("getComputedStyle(document.querySelector('.cloze')).backgroundColor") == PAPER[scheme]
    assert page.too_pale == []


def test_dark_is_dark_and_light_is_light(browser, pages):
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    assert browser.open(pages["en"], scheme="light").run(ground) == PAPER["light"]
    assert browser.open(pages["en"], scheme="dark").run(ground) == PAPER["dark"]


def test_the_keyboard_reaches_and_opens_everything(browser, pages):
    page = browser.open(pages["en"])
    page.press("Tab")
    assert page.run(FOCUS) == "A Skip to the exercises"
    assert page.run("document.activeElement.getBoundingClientRect().left") >= 0
    reached = set()
    shut = "document.activeElement.tagName == 'SUMMARY' && !document.activeElement.parentElement.open"
    for _ in range(200):
        page.press("Tab")
        if page.run(shut):
            page.press("Enter")
            assert page.run("document.activeElement.parentElement.open")
            assert page.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        where = page.run(FOCUS)
        if where.startswith("BODY"):
            break
        reached.add(where)
    assert page.run("document.querySelectorAll('details:not([open])').length") == 0
    assert len([each for each in reached if each.startswith("SUMMARY")]) > 8


def test_the_skip_link_leads_to_the_exercises(browser, pages):
    page = browser.open(pages["en"])
    page.press("Tab")
    page.press("Enter")
    assert page.run("document.activeElement.id") == "tried"


def test_a_link_to_an_exercise_opens_it(browser, pages):
    page = browser.open(pages["en"])
    shut = "document.getElementById('sampling/top_p').closest('details').open"
    assert page.run(shut) is False
    page.run("document.querySelector('a[href=\"#sampling/top_p\"]').click()")
    assert page.run(shut) is True


def test_headings_skip_no_level(browser, pages):
    levels = browser.open(pages["en"]).run("[...document.querySelectorAll('h1,h2,h3,h4,h5')].map(h => +h.tagName[1])")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_on_paper_nothing_is_folded_away(browser, pages):
    page = browser.open(pages["en"], media="print")
    assert page.run("document.querySelectorAll('details.exercise:not([open])').length") > 3
    assert page.run(
        "[...document.querySelectorAll('details:not([open]) .history')].every(each => each.getBoundingClientRect().height > 20)"
    )


def test_a_picture_is_told_to_who_does_not_see_it(browser, pages):
    page = browser.open(pages["en"])
    tree = page.ask("Accessibility.getFullAXTree")["nodes"]
    names = [node["name"]["value"] for node in tree if node.get("role", {}).get("value") == "image"]
    page.unfold()
    tree = page.ask("Accessibility.getFullAXTree")["nodes"]
    names = [node["name"]["value"] for node in tree if node.get("role", {}).get("value") == "image"]
    assert "a map of 24 rows and 48 columns, 576 cells of it are off" in names
    assert "values [1, 3]: expected 0.25, 1, 0, -1e+308; yours 0.5, 0, ×, 1e+308" in names
    assert all(names)
