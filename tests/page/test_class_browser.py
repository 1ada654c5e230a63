"""The pages of a class in a real browser: on every screen, by the keyboard, on paper, and closed to scripts of others."""

from itertools import pairwise

import pytest

from clozekit.phrases import LANGUAGES

NAMES = [f"{kind} {language}" for kind in ("class", "anonymous", "alike") for language in LANGUAGES]
COLUMN = "[...document.querySelectorAll('.matrix tbody tr')].map(row => row.cells[{}].textContent.trim())"
BOX = ".scroll:has(.matrix)"
SORTED = (
    "[...document.querySelectorAll('.matrix [aria-sort]')].map(each => each.cellIndex + each.getAttribute('aria-sort'))"
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("name", [*NAMES, "nobody"])
def test_a_page_fits_can_be_read_and_asks_for_nothing(browser, class_pages, name, width, scheme):
    page = browser.open(class_pages[name], width, scheme)
    page.unfold()
    assert page.too_wide == []
    assert page.run("document.documentElement.scrollWidth") <= width
    assert page.too_pale == []
    assert page.requests == [class_pages[name].as_uri()]
    assert page.errors == []
    assert "owned" not in page.run("document.title")


def test_a_heading_sorts_by_the_keyboard_and_says_so(browser, class_pages):
    page = browser.open(class_pages["class en"])
    assert page.run(SORTED) == ["0ascending"]
    page.run("document.querySelectorAll('.matrix button')[2].focus()")
    page.press("Enter")
    assert page.run(SORTED) == ["2descending"]
    assert page.run(COLUMN.format(2)) == ["✓ 2", "✗ 1", "✗ 1", "✗ 0", "?", "", ""]
    page.press("Enter")
    assert page.run(COLUMN.format(2)) == ["", "", "?", "✗ 0", "✗ 1", "✗ 1", "✓ 2"]
    page.run("document.querySelectorAll('.matrix button')[0].click()")
    assert page.run(SORTED) == ["0ascending"]
    assert [name[:3] for name in page.run(COLUMN.format(0))][-6:] == ["ada", "bob", "cyd", "dan", "eva", "fay"]
    assert page.errors == []


def test_a_script_that_a_name_smuggles_in_would_not_run(browser, class_pages, tmp_path):
    """Even if something were not escaped: the page allows its own script alone."""
    hurt = tmp_path / "hurt.html"
    smuggled = "<main><script>document.title = 'owned'</script><b id=b onclick=\"document.title = 'owned'\">"
    hurt.write_text(class_pages["class en"].read_text("utf-8").replace("<main>", smuggled), "utf-8")
    page = browser.open(hurt)
    page.run("document.querySelector('#b').click()")
    assert page.run("document.title") == "Class report"
    page.run("document.querySelectorAll('.matrix button')[1].click()")
    assert page.run(SORTED) == ["1descending"]


def test_the_keyboard_reaches_the_table_and_every_heading_in_order(browser, class_pages):
    page = browser.open(class_pages["class en"])
    reached = []
    for _ in range(40):
        page.press("Tab")
        reached.append(page.run("document.activeElement.ariaLabel ?? document.activeElement.innerText"))
        if page.run("document.activeElement.tagName == 'BUTTON'"):
            assert page.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert reached[0] == "Skip to the students"
    start = reached.index("Points of every student; scroll to see all")
    assert reached[start + 1 : start + 5] == ["student", "sum", "RMSNorm", "Top-p (nucleus) sampling"]


def test_headings_of_a_large_class_stay_in_sight_and_sorting_keeps_everyone(browser, class_pages):
    page = browser.open(class_pages["large"])
    assert page.run("document.querySelectorAll('.matrix tbody tr').length") == 300
    page.run("document.querySelector('.matrix').parentElement.scrollTo(400, 3000)")
    for heading, side in (("thead th:nth-child(9)", "top"), ("tbody tr:nth-child(99) th", "left")):
        apart = f"(a, b) => a.getBoundingClientRect().{side} - b.getBoundingClientRect().{side}"
        found = page.run(
            f"({apart})(document.querySelector('.matrix {heading}'), document.querySelector('.matrix').parentElement)"
        )
        assert abs(found) <= 2
    page.run("document.querySelectorAll('.matrix button')[3].click()")
    assert len(set(page.run(COLUMN.format(0)))) == 300


def test_a_whole_class_fits_on_paper(browser, class_pages):
    """Thirty exercises beside each other, on A4 across with its margins."""
    page = browser.open(class_pages["large"], 1047, media="print")
    assert page.run(f"document.querySelector('{BOX}').clientHeight") > 300 * 8
    widths = page.run(
        "[...document.querySelectorAll('.matrix thead th')].map(each => each.getBoundingClientRect().width)"
    )
    assert sum(widths[:2]) + 30 * sum(widths[2:]) / len(widths[2:]) < 1047


@pytest.mark.parametrize("name", ["class en", "alike zh"])
def test_headings_skip_no_level(browser, class_pages, name):
    levels = browser.open(class_pages[name]).run(
        "[...document.querySelectorAll('h1,h2,h3,h4,h5')].map(h => +h.tagName[1])"
    )
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
