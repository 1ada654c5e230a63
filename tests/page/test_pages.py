"""Pages of reports as text: what they hold, and that what a learner's code says stays text in them."""

import re
import subprocess
import sys
from itertools import pairwise

import pytest
from click.testing import CliRunner

from clozekit.catalog import Catalog, builtin_root, open_catalog
from clozekit.cli import main
from clozekit.exercise import Exercise
from clozekit.page import TEMPLATES, drawings, progress_page, report_fragment, report_page
from clozekit.page.progress import moment
from clozekit.phrases import LANGUAGES, table
from clozekit.report import Picture, Problem, Report, Result, Step
from clozekit.workspace import Workspace

SECRET = "kiwi-73519"


@pytest.fixture(params=LANGUAGES)
def page(request, pages, read):
    """The page of the workspace, read."""
    return read(pages[request.param].read_text("utf-8"))


def test_nothing_that_a_learner_says_is_markup(page):
    assert not {"script", "img", "iframe", "link", "object", "form"} & set(page.tags)
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert "<script>document.title='owned'</script>" in page.text
    assert "{{ 7 * 7 }}" in page.text


def test_nothing_turns_the_text_or_paints_a_terminal(page):
    assert not re.search(r"[\u202a-\u202e\u2066-\u2069\x00-\x08\x0b-\x1f]", page.text)
    assert "\ufffdgnp.exe" in page.text


def test_a_page_asks_the_network_for_nothing(page, pages):
    links = [value for _, name, value in page.attributes if name in ("href", "src", "srcset", "action", "data")]
    assert links
    assert all(link.startswith("#") for link in links)
    for path in TEMPLATES.glob("*.css"):
        assert not re.search(r"url\(|@import|@font-face", path.read_text("utf-8"))


def test_links_lead_to_what_is_there(page):
    ids = [value for _, name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    assert {value[1:] for _, name, value in page.attributes if name == "href"} <= set(ids)


def test_what_is_printed_is_bounded(pages):
    assert len(pages["en"].read_bytes()) < 250_000


def test_a_page_says_its_language_and_every_picture_what_it_shows(page):
    assert ("html", "lang", "en") in page.attributes or ("html", "lang", "zh-CN") in page.attributes
    pictures = sum(name == "role" and value == "img" for _, name, value in page.attributes)
    assert pictures == sum(name == "aria-label" for _, name, _ in page.attributes) > 20
    assert page.tags.count("svg") == sum(
        tag == "svg" and name in ("role", "aria-hidden") for tag, name, _ in page.attributes
    )


def test_the_chinese_page_has_no_english_sentence(pages, workspace, read):
    """Names and what code says stay as they are; a phrase or a word of an exercise does not."""
    text = read(pages["zh"].read_text("utf-8")).text
    assert "学习进度" in text
    for phrase in table("en").values():
        words = re.sub(r"{.*?}", "\0", phrase)
        for part in words.split("\0"):
            if len(part.split()) > 3:
                assert part.strip() not in text
    for exercise in open_catalog():
        if exercise.sheet.en.title != exercise.sheet.zh.title:
            assert exercise.sheet.en.title not in text


def test_the_page_tells_the_history(pages, read):
    text = read(pages["en"].read_text("utf-8")).text
    words = Exercise(builtin_root(), "attention/multi_head_attention").sheet.en
    assert words.mistakes["forgets_mask"] in text
    assert "and 92 earlier" in text  # of a hundred, eight are listed
    assert text.count("another version of the kit wrote it") == 2
    assert "Exercises of the history that are not in this catalog: 1" in text
    assert "checks: 107" in text


def test_a_workspace_without_a_check_has_a_page(tmp_path, read):
    page = progress_page(open_catalog(), Workspace.create(tmp_path, "en", "guided"), "en")
    assert "Nothing yet" in read(page).text


def test_the_page_is_that_of_the_catalog(author, tmp_path, read):
    exercise = author()
    page = read(progress_page(Catalog([exercise.root]), Workspace.create(tmp_path, "en", "guided"), "zh"))
    assert exercise.sheet.zh.title in page.text


# One report


def hidden() -> Report:
    problem = Problem("value", {"call": SECRET, "yours": SECRET, "expected": SECRET})
    picture = Picture([2, 2], ["09", "90"], f"[{SECRET}]", [1.0, 2.0], [0.0, 73519.0])
    test = Result("gradients", "failed", True, 1.0, problem, "forgets_mask", SECRET, picture)
    return Report("attention/multi_head_attention", "failed", "A", [test])


@pytest.mark.parametrize("make", [report_fragment, report_page])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_hidden_case_stays_hidden(make, language):
    exercise = Exercise(builtin_root(), "attention/multi_head_attention")
    told, veiled = (make(hidden(), exercise, language, reveal) for reveal in ("all", "visible"))
    assert SECRET in told
    assert "73519" not in veiled
    assert 'class="heat"' in told
    assert 'class="heat"' not in veiled


def test_an_error_of_the_grader_is_not_told():
    exercise = Exercise(builtin_root(), "normalization/rms_norm")
    report = Report(exercise.id, "could not check", "A", problem=Problem("grader", {"error": SECRET}))
    assert SECRET in report_page(report, exercise, "en", "all")
    assert SECRET not in report_page(report, exercise, "en", "visible")


def test_a_fragment_styles_itself_and_nothing_around_it(read):
    fragment = report_fragment(hidden(), Exercise(builtin_root(), "attention/multi_head_attention"), "en", "all")
    reader = read(fragment)
    assert reader.tags[:2] == ["div", "style"]
    assert not {"html", "body", "main", "h1"} & set(reader.tags)
    style = re.sub(r"@media[^{]*{((?:[^{}]*{[^{}]*})*)\s*}", r"\1", (TEMPLATES / "report.css").read_text("utf-8"))
    for selector in re.findall(r"([^{}]+){[^{}]*}", style):
        assert all(".cloze" in each for each in selector.split(",")), selector


# Drawings


def test_a_heat_map_tells_right_from_wrong_by_shape():
    paths = drawings.heat(["90", "09"])
    assert paths["9"] == "M0 0h9v9h-9zM10 10h9v9h-9z"
    assert paths["0"].count("h3v3") == 2


def test_bars_share_one_scale_and_one_line_of_zero():
    drawn = drawings.columns([1.0, -1.0], [None, 0.5])
    assert drawn == ([((0.0, 25.0), None), ((25.0, 25.0), (12.5, 12.5))], 25.0, 50.0)


def test_who_grows_faster_bends_upwards():
    steps = [Step("short", 100, 100), Step("long", 800, 200)]
    points, bar, ours = drawings.growth(steps, ratio=2)
    assert points == [(120, 105), (240, 0)]  # the whole height is 800
    assert (bar, ours) == (90, 105)
    linear = [Step("short", 50, 100), Step("long", 100, 200)]
    assert drawings.growth(linear, ratio=2) == ([(120, 90), (240, 60)], 0, 60)


def test_a_page_draws_the_costs_that_have_a_bar(page, pages):
    drawn = [value for tag, name, value in page.attributes if (name, value) == ("class", "growth")]
    assert len(drawn) == 1
    assert re.search(r"50,000,000,000\D+2,000,000,000", page.text)


@pytest.mark.parametrize("values", [[1.7e308, -1.7e308], [0.0, 0.0], [None, None], [5e-324, 0.0]])
def test_every_row_can_be_drawn(values):
    drawn = drawings.columns(values, values)
    bars = [bar for pair in drawn.pairs for bar in pair if bar]
    assert len(bars) == 2 * sum(value is not None for value in values)
    assert all(0 <= bar.y <= bar.y + bar.height <= drawn.height + 0.5 for bar in bars)


@pytest.mark.parametrize("at", ["", "yesterday", "0001-01-01T00:00:00Z"])
def test_a_time_that_somebody_edited_is_shown_as_it_is(at):
    assert moment(at) == at or at.startswith("0001")


# Contrast, computed from the style sheet


def colours(scheme: str) -> dict[str, str]:
    found = re.findall(r"--(\w+): light-dark\((#\w{6}), (#\w{6})\);", (TEMPLATES / "report.css").read_text("utf-8"))
    return {name: light if scheme == "light" else dark for name, light, dark in found}


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("ink", ["ink", "soft", "good", "bad", "unsure"])
@pytest.mark.parametrize("ground", ["paper", "card"])
def test_text_has_the_contrast_of_wcag_aa(scheme, ink, ground):
    found = colours(scheme)
    assert contrast(found[ink], found[ground]) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_scale_of_a_heat_map_goes_one_way_for_every_eye(scheme):
    """Away from the paper, so that it is read without telling colours apart."""
    found = colours(scheme)
    steps = [contrast(found[f"h{level}"], found["paper"]) for level in range(1, 10)]
    assert all(near < far for near, far in pairwise(steps))
    assert steps[-1] / steps[0] > 5


# The command


@pytest.fixture
def cloze(monkeypatch, tmp_path, workspace):
    """cloze("--html", ...) in the workspace."""
    monkeypatch.chdir(workspace.root)
    monkeypatch.setenv("CLOZE_LANG", "en")
    return lambda *arguments: CliRunner().invoke(main, ["report", *arguments])


def test_a_summary_has_every_track_and_what_was_checked(cloze):
    lines = cloze().output.splitlines()
    assert any(re.fullmatch(r"Normalization  1 of \d+ solved", line) for line in lines)
    assert any(re.fullmatch(r"  ✓ normalization/rms_norm  +solved \S+  checks 2  ·█", line) for line in lines)
    assert any(re.fullmatch(r"  ✗ sampling/top_p  +0 of 1 points  checks 100  ·{24}", line) for line in lines)
    number = len(open_catalog().entries())
    assert f"1 of {number} solved" in lines
    assert f"{number} 题解出 1 题" in cloze("--lang", "zh").output


def test_the_page_is_written_where_it_is_asked_for(cloze, tmp_path, workspace):
    assert "report.html is written" in cloze("--html").output
    assert (workspace.root / "report.html").read_text("utf-8").startswith("<!doctype html>")
    assert cloze("--html", str(tmp_path / "mine.html"), "--lang", "zh").exit_code == 0
    assert 'lang="zh-CN"' in (tmp_path / "mine.html").read_text("utf-8")
    assert cloze("--html", "-").stdout.startswith("<!doctype html>")


def test_no_torch_for_what_only_reads(workspace):
    code = "import sys; from clozekit.cli import main\ntry: main()\nfinally: assert 'torch' not in sys.modules"
    for arguments in ([], ["--html", "-"]):
        command = [sys.executable, "-c", code, "report", *arguments]
        subprocess.run(command, check=True, cwd=workspace.root, stdout=subprocess.DEVNULL)


def test_a_page_that_cannot_be_written_is_told(cloze, tmp_path):
    done = cloze("--html", str(tmp_path / "no" / "such" / "page.html"))
    assert done.exit_code == 2
    assert "cannot be written" in done.output


def test_outside_a_workspace_the_report_says_what_to_do(cloze, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = cloze()
    assert done.exit_code == 2
    assert "`cloze init` makes one here" in done.output
