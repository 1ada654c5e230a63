"""A checked kernel under the roofline of a GPU: from the calls that its grader prices, and of these from the visible ones."""

import re
import xml.etree.ElementTree as ET

import pytest

from clozekit import blanks
from clozekit.catalog import builtin_root
from clozekit.exercise import Exercise
from clozekit.meters.devices import DEVICES
from clozekit.page import report_page
from clozekit.phrases import LANGUAGES, say
from clozekit.report import Point, Problem, Report, Roofline
from clozekit.roofline_picture import as_svg, peak

CALLS = "softmax(float32[64, 100])", "softmax(float32[64, 200])"
NAMES = {"yours": "yours", "ours": "ours", "eager": "eager"}
H100 = DEVICES["H100"]
BUILT = Exercise(builtin_root(), "triton/fused_softmax")


@pytest.fixture(scope="module")
def softmax(tmp_path_factory) -> Exercise:
    """The exercise with one priced call that is hidden and one that is not."""
    built, root = BUILT, tmp_path_factory.mktemp("content")
    for path in (built.words_path, built.solution_path, built.grader_path):
        copy = root / path.relative_to(built.root)
        copy.parent.mkdir(parents=True)
        copy.write_text(path.read_text("utf-8"), "utf-8")
    exercise = Exercise(root, built.id)
    text = exercise.grader_path.read_text("utf-8")
    calls = f'["{CALLS[0]}", pytest.param("{CALLS[1]}", marks=pytest.mark.hidden)]'
    changed = re.sub(r'(?<=parametrize\("call", )\[.*\]', calls, text)
    assert changed != text
    exercise.grader_path.write_text(changed, "utf-8")
    return exercise


def test_the_solution_stands_where_ours_does(softmax, grade):
    [found] = grade(blanks.reveal(softmax.solution), softmax).rooflines
    assert (found.call, found.device) == (CALLS[0], "H100")
    assert [point.name for point in found.points] == ["yours", "ours"]
    assert found.points[0][1:] == found.points[1][1:]
    assert all(point.flops < min(peak(H100), point.intensity * H100.bandwidth) for point in found.points)


def test_who_writes_twice_stands_to_the_left_and_lower(softmax, grade):
    """A kernel that is refused for its cost is shown as well: there it is of use."""
    lines = blanks.reveal(softmax.solution).split("\n")
    first = next(at for at, line in enumerate(lines) if "softmax_kernel[(rows,)]" in line)
    launch = lines[first : first + 4]
    report = grade("\n".join([*lines[:first], *launch, *lines[first:]]), softmax)
    assert report.verdict == "failed"
    yours, ours = report.rooflines[0].points
    assert yours.intensity == pytest.approx(ours.intensity / 2)
    assert yours.flops < 0.6 * ours.flops


def test_torch_exercises_and_files_that_do_not_run_have_none(grade, softmax, solution):
    assert grade(solution).rooflines == []
    assert grade("x = 1\n", softmax).rooflines == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_draws_it_and_says_it(language):
    doubt = Problem("doubt-bounds", {"kernel": "softmax_kernel"})
    points = [Point("yours", 1.5, 2e12), Point("ours", 3.0, 4e12)]
    found = Roofline("softmax(float32[8, 8]) <i>", "H100", points, doubt)
    report = Report(BUILT.id, "passed", "A", rooflines=[found])
    page = report_page(report, BUILT, language, "all")
    drawing = ET.fromstring(page[page.index('<svg class="roofline"') : page.rindex("</svg>") + 6])
    told = drawing.attrib["aria-label"]
    assert "softmax(float32[8, 8]) <i>" in told
    assert f"{say(language, 'bench-yours')} 2 TFLOP/s, 1.5 FLOP/byte" in told
    texts = [text.text for text in drawing.iter("{http://www.w3.org/2000/svg}text")]
    assert {say(language, "bench-yours"), say(language, "bench-ours"), "989 TFLOP/s", "3.35 TB/s"} <= set(texts)
    assert say(language, "report-predicted") in page
    assert "softmax_kernel" in page
    assert "<i>" not in page.partition("</style>")[2]


@pytest.mark.parametrize("intensity", [1e-9, 0.03125, 1.0, 300.0, 1e9])
@pytest.mark.parametrize("flops", [1e-3, 1e12, 1e18])
def test_every_point_and_label_is_inside_the_drawing(intensity, flops):
    points = [Point(name, intensity, flops) for name in NAMES]
    drawing = ET.fromstring(as_svg(points, H100, "title", NAMES))
    _, _, wide, high = map(float, drawing.attrib["viewBox"].split())
    for shape in drawing.iter():
        x, y = (float(shape.attrib.get(name, shape.attrib.get(f"c{name}", 1))) for name in "xy")
        room = 60 if shape.attrib.get("text-anchor") == "start" else 0  # of a short label
        assert 0 <= x <= wide - room
        assert 0 <= y <= high
