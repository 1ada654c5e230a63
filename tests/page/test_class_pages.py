"""The pages of a class: what they count, what they tell, and that names stay text in them."""

import json
import re
import subprocess
import sys
from typing import NamedTuple

import pytest

from clozekit.catalog import open_catalog
from clozekit.page import class_page
from clozekit.page.alike import LINES, WIDTH, passages
from clozekit.page.class_report import best, class_view
from clozekit.page.drawings import halvings
from clozekit.phrases import LANGUAGES, table

NORM, TOP_P = "normalization/rms_norm", "sampling/top_p"
NAMES = [f"{kind} {language}" for kind in ("class", "anonymous", "alike") for language in LANGUAGES]
SECRET = "kiwi-73519"  # what a hidden case says in class.jsonl


@pytest.fixture(scope="module")
def catalog():
    return open_catalog()


@pytest.fixture(scope="module")
def view(lines, catalog):
    return class_view(lines, (), catalog, "en", False)


@pytest.fixture(params=[*NAMES, "nobody"])
def page(request, class_pages, read):
    return read(class_pages[request.param].read_text("utf-8"))


# What they count


def test_of_several_answers_the_best_counts(lines):
    found = {(grade.student, grade.exercise): grade for grade in best(lines)}
    assert found["cyd", NORM].verdict == "failed"
    assert found["eva", NORM].verdict == "could not check"
    assert found["bob", NORM].line["attempt"] == ""
    assert ("", "") not in found


def test_a_row_a_student_and_a_column_an_exercise_that_somebody_handed_in(view, lines):
    hostile = lines[10]["student"]
    assert [column.id for column in view.columns] == [NORM, TOP_P]
    assert [row.name for row in view.rows] == sorted(["ada", "bob", "cyd", "dan", "eva", "fay", hostile])
    ada, bob, *_, fay = (row for row in view.rows if row.name != hostile)
    assert [(cell.verdict, cell.points, cell.share) for cell in ada.cells] == [
        ("passed", 2.0, 1.0),
        ("failed", 0.0, 0.0),
    ]
    assert ada.points == 2.0
    assert ada.share == 2 / 3
    assert bob.cells[0].share == 0.5
    assert bob.cells[1] is None
    assert fay.cells == [None, None]
    assert view.verdicts == {"passed": 2, "failed": 4, "could not check": 1}
    assert view.absent == 7 * 2 - 7


def test_a_column_has_the_spread_of_what_was_checked(view):
    column = view.columns[0]
    assert column.tenths == [1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1]
    assert column.median == 0.5
    assert column.handed_in == 5


def test_a_mistake_counts_once_a_student_among_those_who_were_checked(view, catalog):
    [eps, *others] = view.mistakes
    assert (eps.name, eps.met, eps.of) == ("eps_outside_sqrt", 2, 4)
    assert eps.what == catalog[NORM].words("en").mistakes["eps_outside_sqrt"]
    assert {(each.name, each.met, each.of) for each in others} == {("CZ001", 1, 2), ("forgets_to_renormalise", 1, 2)}
    assert view.unknown == 1


def test_cases_are_in_order_of_the_share_that_they_refused(view):
    assert [(case.what, case.hidden, case.met, case.of) for case in view.cases] == [
        ("values: large eps", True, 3, 4),
        ("values: tiny p", False, 1, 2),
        ("values: one row", False, 1, 4),
    ]


def test_one_hard_exercise_does_not_hide_the_cases_of_another(lines, catalog):
    refused = lines[1]["tests"][1]
    hard = [lines[1] | {"tests": [refused | {"name": f"case {n}"} for n in range(5)]}]
    easy = [
        lines[7],
        lines[7] | {"student": "bob", "tests": [refused | {"verdict": "passed", "name": "values: tiny p"}]},
    ]
    cases = class_view(hard + easy, (), catalog, "en", False).cases
    assert [case.what for case in cases] == ["case 0", "case 1", "case 2", "values: tiny p", "case 3", "case 4"]


@pytest.mark.parametrize(("graded", "shown"), [("en", "zh"), ("zh", "en"), ("zh", "zh")])
def test_a_case_has_its_title_in_the_language_of_the_page(graded, shown, lines, catalog):
    name = "values: large eps"
    titles = {language: catalog[NORM].words(language).cases.get(name, name) for language in LANGUAGES}
    tests = [lines[1]["tests"][1] | {"name": titles[graded]}]
    assert class_view([lines[1] | {"tests": tests}], (), catalog, shown, False).cases[0].what == titles[shown]


def test_a_cost_is_its_ratio_to_the_bar_and_one_without_a_bar_is_none(view):
    costs = {cost.name: cost for cost in view.costs}
    assert costs["flops"].ratios == [0.5, 2.0]
    assert costs["flops"].beyond == 1
    assert costs["operators"].ratios == [float("inf")]
    assert "bytes" not in costs


@pytest.mark.parametrize(("ratio", "place"), [(1, 0), (0.5, -20), (2, 20), (0, -60), (float("inf"), 60), (1e-9, -60)])
def test_a_ratio_has_its_place_beside_the_bar(ratio, place):
    assert halvings(ratio, 20, 60) == place


def test_what_could_not_be_checked_is_told_unless_another_file_of_the_same_could(view, lines):
    assert [(each.student, each.message) for each in view.unchecked] == [
        ("eva", lines[6]["message"]),
        ("fay", "nothing was handed in"),
        ("", "misplaced"),
        ("ada", "there is no exercise no/such"),
    ]


class Grade(NamedTuple):
    student: str
    exercise: str
    points: float
    verdict: str
    late_days: int
    line: dict | None


def test_the_grades_of_a_gradebook_count_where_there_is_one(lines, catalog):
    grades = [Grade("ada", NORM, 1.5, "passed", 2, lines[0]), Grade("gil", NORM, 2.0, "could not check", 0, None)]
    found = class_view(lines, grades, catalog, "en", False)
    cells = {row.name: row.cells[0] for row in found.rows}
    assert cells["ada"] == ("passed", 1.5, 0.75, 2)
    assert cells["gil"].verdict == "could not check"
    assert "2 d late" in class_page(lines, catalog, "en", grades=grades)


# What they tell


def test_an_anonymous_page_has_nothing_that_a_student_wrote(class_pages, lines, catalog):
    told = class_view(lines, (), catalog, "en", True).unchecked
    assert {(each.student, each.file, each.message) for each in told} == {("", "", "")}
    text = class_pages["anonymous en"].read_text("utf-8")
    for known in ("ada", "bob", "cyd", "eva", "homework", "x.ipynb", "owned", "broken"):
        assert not re.search(rf"\b{known}\b", text)
    rows = re.findall(r'<th scope="row">student (\d+)</th><td data-v="([\d.]+)"', text)
    assert [int(number) for number, _ in rows] == [1, 2, 3, 4, 5, 6, 7]
    assert [float(points) for _, points in rows] == sorted((float(points) for _, points in rows), reverse=True)


def test_no_page_tells_more_of_a_hidden_case_than_its_title(class_pages):
    for name in NAMES:
        assert SECRET not in class_pages[name].read_text("utf-8")


def test_names_are_no_markup(page):
    assert page.tags.count("script") <= 1
    assert not {"img", "iframe", "link", "object", "form"} & set(page.tags)
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert not re.search(r"[\u202a-\u202e\u2066-\u2069\x00-\x08\x0b-\x1f]", page.text)


def test_a_page_asks_the_network_for_nothing_and_its_links_lead_somewhere(page):
    links = [value for _, name, value in page.attributes if name in ("href", "src", "action", "data")]
    ids = [value for _, name, value in page.attributes if name == "id"]
    assert {link.removeprefix("#") for link in links} <= set(ids)
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith("zh")])
def test_a_chinese_page_has_no_english_sentence(name, class_pages, lines, read):
    """But for what was said when it was graded."""
    text = read(class_pages[name].read_text("utf-8")).text
    for line in lines:
        text = text.replace(line.get("message", ""), "")
    for phrase in table("en").values():
        for part in re.sub(r"{.*?}", "\0", phrase).split("\0"):
            assert len(part.split()) < 4 or part.strip() not in text


def test_alike_answers_are_marked_side_by_side_and_nobody_is_accused(class_pages):
    text = class_pages["alike en"].read_text("utf-8")
    assert text.count('class="side"') == 4  # two pairs connect three
    assert "<mark>z = [x ** 3 + y // 3 - z for x, y in zip(y, z)" in text
    assert "working together" in text
    assert not re.search(r"plagiari|cheat|guilty|stole", text, re.I)


def shown(source, parts):
    return [number for passage in passages(source, parts) for number, _ in passage.lines]


def test_only_lines_near_a_mark_are_shown():
    source = "".join(f"line {n}\n" for n in range(1, 31))
    found = list(
        passages(source, [(source.index("line 10"), source.index("line 10") + 7), (len(source) - 4, len(source) - 1)])
    )
    assert [passage.skipped for passage in found] == [(1, 7), (13, 27)]
    assert [number for passage in found for number, _ in passage.lines] == [8, 9, 10, 11, 12, 28, 29, 30]
    assert [(piece.text, piece.marked) for piece in found[0].lines[2][1]] == [("line 10", True)]
    assert shown(source, []) == []
    assert len(shown("x\n" * 5000, [(0, 9999)])) == LINES


def test_a_mark_across_lines_leaves_their_indent_alone():
    [passage] = passages("a = f(\n    b,\n)\n" + "c" * 9999, [(4, 15)])
    lines = [[(piece.text, piece.marked) for piece in pieces] for _, pieces in passage.lines]
    assert lines[:3] == [[("a = ", False), ("f(", True)], [("    ", False), ("b,", True)], [(")", True)]]
    assert len(lines[3][0][0]) == WIDTH


# The command


@pytest.fixture
def graded(tmp_path):
    """graded(bytes): a directory as `cloze grade` leaves it."""

    def graded(results):
        (tmp_path / "out").mkdir()
        (tmp_path / "out/results.jsonl").write_bytes(results)
        return tmp_path / "out"

    return graded


def encoded(*lines) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def test_the_page_of_a_run_that_still_goes_on(cloze, graded, lines, read, tmp_path):
    """Half a line is being written; of two on one file the later counts."""
    right, wrong = lines[:2]
    out = graded(encoded(wrong | {"student": "ada"}, right, wrong) + b'{"student": "cy')
    done = cloze("class-report", out, "--out", "page.html")
    assert done.exit_code == 0
    assert "page.html is written" in done.stderr
    text = read((tmp_path / "page.html").read_text("utf-8")).text
    assert text.count("✓ 2") == text.count("✗ 1") == 1
    assert cloze("class-report", out, "--out", "-", "--anonymous", "--lang", "zh").stdout.startswith("<!doctype html>")


@pytest.mark.parametrize("bad", [b"no json", b"[1]", b'{"student": "ada"}', b"[" * 100_000, b"\xff"])
def test_a_line_that_is_no_report_is_named(bad, cloze, graded, lines):
    done = cloze("class-report", graded(encoded(lines[0]) + bad + b"\n"))
    assert done.exit_code == 2
    assert "line 2 is no report; delete it" in done.output


def test_where_nothing_was_graded_the_command_says_what_to_do(cloze, tmp_path):
    done = cloze("class-report", tmp_path / "nowhere")
    assert done.exit_code == 2
    assert f"`cloze grade DIRECTORY --out {tmp_path / 'nowhere'}` writes it" in done.output


def test_nothing_that_only_reads_starts_torch(graded, lines):
    code = "import sys; from clozekit.cli import main\ntry: main()\nfinally: assert 'torch' not in sys.modules"
    command = [sys.executable, "-c", code, "class-report", str(graded(encoded(*lines))), "--out", "-"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
