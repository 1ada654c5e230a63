"""Alike answers: copies stand out however they are dressed up, and nobody does who wrote alone, even if it is what all write."""

import ast
import itertools
import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from clozekit import blanks
from clozekit.catalog import builtin_root
from clozekit.classroom.alike import BAR, EVIDENCE, Answer, Found, Pair, common_knowledge, compare, pairs, shared, texts
from clozekit.classroom.fingerprints import fingerprints
from clozekit.classroom.handed import Handed
from clozekit.exercise import Exercise
from clozekit.mutants import mutants

HONEST = Path(__file__).parents[1] / "honest"
COUNTS = {path.relative_to(HONEST).as_posix(): len(list(path.glob("*.py"))) for path in HONEST.glob("*/*")}
TOO_SHORT = {  # nearly the solution: what they have of their own is less than one idea
    "alignment/dpo": {"log_sigmoid"},
    "sampling/top_p": {"sort_cumsum_scatter"},
    "triton/fused_softmax": {"one_row_per_program"},
}
CLASSES = sorted(
    id for id, count in COUNTS.items() if count > 10
)  # exercises with enough independent answers for a class

# What people do to a file so that it does not look like the one it was copied from

PLAIN = ast.Name | ast.Attribute | ast.Call | ast.BinOp | ast.Subscript | ast.Constant | ast.UnaryOp


def disguised(source: str, how: str) -> str:
    """The copy. Each way includes the ones before it in HOW."""
    source = source.removeprefix("\ufeff")
    if how == "commented":
        return commented(source)
    tree = ast.parse(source)
    for change in HOW[how]:
        change(tree)
    return ast.unparse(ast.fix_missing_locations(tree))


def commented(source: str) -> str:
    """Every line that ends a statement of its own gets a comment, and space below."""
    ends = {node.end_lineno for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Assign | ast.Return)}
    lines = source.splitlines()
    return "\n".join(f"{line}  # step {n}\n" if n in ends else line for n, line in enumerate(lines, 1)) + "\n"


def rename(tree: ast.Module) -> None:
    """Every variable that the file assigns gets another name."""
    names = sorted(
        {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    )
    new = {name: f"value_{number}" for number, name in enumerate(names)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            node.id = new.get(node.id, node.id)


def reorder(tree: ast.Module) -> None:
    """Functions and methods the other way round, and assignments that do not need each other exchanged."""
    definitions = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    tree.body = [node for node in tree.body if node not in definitions] + definitions[::-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            node.body.reverse()
        elif isinstance(node, ast.FunctionDef):
            for at in range(0, len(node.body) - 1, 2):
                one, other = node.body[at : at + 2]
                if isinstance(one, ast.Assign) and isinstance(other, ast.Assign) and independent(one, other):
                    node.body[at : at + 2] = other, one


def independent(one: ast.Assign, other: ast.Assign) -> bool:
    written = [{n.id for n in names(each) if isinstance(n.ctx, ast.Store)} for each in (one, other)]
    return not written[0] & {n.id for n in names(other)} and not written[1] & {n.id for n in names(one)}


def names(tree: ast.AST) -> Iterator[ast.Name]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Name))


class Split(ast.NodeTransformer):
    """The left side of an operation gets a line of its own."""

    def __init__(self) -> None:
        self.number = itertools.count()

    def visit_Assign(self, node: ast.Assign) -> list[ast.stmt]:
        return self.split(node)

    def visit_Return(self, node: ast.Return) -> list[ast.stmt]:
        return self.split(node)

    def split(self, node: ast.Assign | ast.Return) -> list[ast.stmt]:
        value = node.value
        if isinstance(value, ast.BinOp) and isinstance(value.left, PLAIN) and not isinstance(value.left, ast.Name):
            name = f"part_{next(self.number)}"
            before = ast.Assign([ast.Name(name, ast.Store())], value.left)
            value.left = ast.Name(name, ast.Load())
            return [before, node]
        return [node]


HOW = {
    "reformatted": [],
    "renamed": [rename],
    "reordered": [rename, reorder],
    "split": [rename, reorder, Split().visit],
    "commented": [],
}


# A class


def answer(student: str, source: str) -> Answer:
    return Answer(student, "answer.py", source, fingerprints(source))


@pytest.fixture(scope="module")
def honest():
    """honest(exercise): what people wrote who do not know each other, by name."""
    return lambda exercise: {
        path.stem: path.read_text("utf-8-sig") for path in sorted((HONEST / exercise.id).glob("*.py"))
    }


@pytest.fixture(scope="module")
def exercise(request) -> Exercise:
    return Exercise(builtin_root(), getattr(request, "param", "normalization/rms_norm"))


@pytest.fixture(scope="module")
def common(exercise) -> set[str]:
    return common_knowledge(exercise)


@pytest.fixture(scope="module")
def ordinary(exercise, honest) -> list[Answer]:
    """Those, and as many who wrote nearly what the solution says: with a mistake, with a slip, or not at all different."""
    draw = random.Random(exercise.id)
    slips = [blanks.reveal(mutant.source) for mutant in mutants(exercise.solution)]
    mistakes = [exercise.mistaken(mistake) for mistake in exercise.mistakes.values()]
    near = [*draw.choices(slips, k=12), *draw.choices(mistakes, k=8), *[blanks.reveal(exercise.solution)] * 3]
    alone = [answer(name, source) for name, source in honest(exercise).items()]
    return alone + [answer(f"near {number}", source) for number, source in enumerate(near)]


def names_of(pair: Pair) -> tuple[str, ...]:
    return tuple(sorted((pair.one.student, pair.other.student)))


def students(found: Found) -> set[tuple[str, ...]]:
    return {names_of(pair) for pair in found.pairs}


@pytest.mark.parametrize("exercise", CLASSES, indirect=True)
def test_nobody_is_shown_who_wrote_alone(exercise, common, ordinary):
    assert students(compare(exercise.id, ordinary, common)) == set()


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("exercise", CLASSES, indirect=True)
def test_copies_are_shown_and_more_alike_than_any_two_independent_answers(exercise, common, ordinary, honest, how):
    sources = honest(exercise)
    copies = [answer(f"{name} copied", disguised(source, how)) for name, source in sources.items()]
    pairs_of_copies = {(name, f"{name} copied") for name in sources}
    told, alone = [], []
    for pair in pairs([*ordinary, *copies], common):
        if pair.evidence >= EVIDENCE:
            (told if names_of(pair) in pairs_of_copies else alone).append(pair)
    missed = {name for name, _ in pairs_of_copies} - {names_of(pair)[0] for pair in told}
    assert missed == TOO_SHORT.get(exercise.id, set())
    assert min(pair.likeness for pair in told) > BAR > max((pair.likeness for pair in alone), default=0.0)


# What counts, and how much


def test_what_the_kit_itself_says_counts_for_nothing(exercise, common):
    """Starters handed in as they came, the solution, one mistake made by many."""
    told = [exercise.render(level, "zh") for level in ("guided", "scratch")]
    told += [blanks.reveal(exercise.solution), exercise.mistaken(next(iter(exercise.mistakes.values())))]
    answers = [answer(f"{n} {m}", source) for n, source in enumerate(told) for m in range(4)]
    assert all(pair.evidence == 0 for pair in pairs(answers, common))


def test_a_slip_that_two_make_alone_is_no_evidence(exercise, common):
    for mutant in mutants(exercise.solution):
        answers = [answer(student, blanks.reveal(mutant.source)) for student in ("ada", "bob", "cyd")]
        assert compare(exercise.id, answers, common).pairs == []


def test_what_many_write_counts_less(exercise, common, honest):
    """Ten of thirty hand in the same, a text book's: less than if two do."""
    sources = list(honest(exercise).values())
    few, many = (
        pairs([answer(f"{n}", sources[0] if n < same else sources[n % 20 + 1]) for n in range(30)], common)
        for same in (2, 10)
    )
    assert many[0].evidence < few[0].evidence / 2


def test_two_files_of_one_student_are_no_pair(exercise, common, honest):
    source = honest(exercise)["einsum_square"]
    answers = [answer("ada", source), answer("ada", source), answer("bob", source)]
    assert [names_of(pair) for pair in pairs(answers, common)] == [("ada", "bob")] * 2


def test_two_are_a_class(exercise, common, honest):
    source = honest(exercise)["einsum_square"]
    [pair] = compare(exercise.id, [answer("ada", source), answer("bob", disguised(source, "renamed"))], common).pairs
    assert pair.likeness > 0.9
    assert compare(exercise.id, [answer("ada", source)], common).pairs == []


def test_a_group_is_whom_pairs_connect_and_links_are_enough_for_it(exercise, common, ordinary, honest):
    sources = honest(exercise)
    copies = [answer(f"{n}", disguised(sources["einsum_square"], how)) for n, how in enumerate(HOW)]
    found = compare(exercise.id, [*ordinary, *copies, answer("x", sources["vector_norm"])], common)
    assert found.groups == [["0", "1", "2", "3", "4", "einsum_square"], ["vector_norm", "x"]]
    assert len(found.pairs) == 15 + 1
    assert len(found.links) == 5 + 1


def test_what_is_marked_is_what_both_have_and_the_kit_has_not(exercise, common, honest):
    source = honest(exercise)["einsum_square"]
    one, other = answer("ada", source), answer("bob", "import torch\n\n\n" + disguised(source, "renamed"))
    [pair] = pairs([one, other], common)
    for parts, each in zip(shared(pair, common), (one, other), strict=True):
        text = " ".join(each.source[start:stop] for start, stop in parts)
        assert "einsum" in text
        assert "import" not in text
        assert "def rms_norm" not in text
        assert all(stop < start for (_, stop), (start, _) in itertools.pairwise(parts))


# The command


@pytest.fixture
def handed(tmp_path):
    """handed({"ada": source}): what a class has handed in for rms_norm."""

    def handed(files):
        for student, content in files.items():
            path = tmp_path / "class" / student / "normalization/rms_norm.py"
            path.parent.mkdir(parents=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path / "class"

    return handed


def test_a_class_in_a_page_and_json_out(cloze, handed, exercise, honest, tmp_path):
    sources = honest(exercise)
    copy = disguised(sources["einsum_square"], "reordered")
    done = cloze("alike", handed(sources | {"copy": copy}), "--json", "alike.json")
    assert done.exit_code == 0
    assert "normalization/rms_norm  copy, einsum_square\n" in done.stderr
    [found] = json.loads((tmp_path / "alike.json").read_text())["exercises"]
    assert found["compared"] == len(sources) + 1
    assert found["groups"] == [["copy", "einsum_square"]]
    [pair] = found["pairs"]
    assert pair["likeness"] > found["bar"] == BAR > found["usual"]
    assert [each["student"] for each in pair["files"]] == ["copy", "einsum_square"]
    for file, source in zip(pair["files"], (copy, sources["einsum_square"]), strict=True):
        assert any("einsum" in "\n".join(source.split("\n")[first - 1 : last]) for first, last in file["lines"])
    assert "<mark>" in (tmp_path / "alike.html").read_text("utf-8")


HOSTILE = {
    "binary": (b"a\0b", "NUL bytes"),
    "not UTF-8": (b"x = 1\ny = '\xff'\n", "line 2"),
    "too large": (b"#" * ((1 << 20) + 1), "1048576 bytes"),
    "padded": (b"x = f(1, y, 2) + z\n" * 50_000, "only its beginning was compared"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_cannot_be_compared_is_told_and_costs_the_others_nothing(name, cloze, handed, exercise, honest):
    content, why = HOSTILE[name]
    source = honest(exercise)["einsum_square"]
    found = json.loads(cloze("alike", handed({"mallory": content, "ada": source, "bob": source}), "--json", "-").stdout)
    [left_out] = found["left_out"]
    assert left_out["student"] == "mallory"
    assert why in left_out["message"]
    assert found["exercises"][0]["groups"] == [["ada", "bob"]]


@pytest.mark.parametrize("source", ["def (", "[" * 500_000, "\ufeffx = 1\r\n", "", "\\", "x = '''"])
def test_what_is_no_python_is_compared_all_the_same(source, cloze, handed):
    found = json.loads(cloze("alike", handed({"ada": source, "bob": source}), "--json", "-").stdout)
    assert found["exercises"][0]["compared"] == 2


def test_notebooks_are_opened_where_they_can_do_no_harm(cloze, handed, exercise, honest):
    source = honest(exercise)["einsum_square"]
    cell = {"cell_type": "code", "source": f"# cloze: {exercise.id}\n{source}"}
    classroom = handed({"ada": source})
    for student, text in {"bob": json.dumps({"nbformat": 4, "cells": [cell]}), "cyd": "[" * 100_000}.items():
        path = classroom / student / "normalization/rms_norm.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(text)
    found = json.loads(cloze("alike", classroom, "--json", "-").stdout)
    assert found["exercises"][0]["groups"] == [["ada", "bob"]]
    assert [each["student"] for each in found["left_out"]] == ["cyd"]


@pytest.mark.parametrize("folders", ["", "class", "class/ada"])
def test_a_directory_without_submissions_says_what_is_wanted(folders, cloze, tmp_path):
    (tmp_path / folders).mkdir(parents=True, exist_ok=True)
    done = cloze("alike", tmp_path / "class")
    assert done.exit_code == 2
    assert "give the directory that holds STUDENT/TRACK/NAME.py" in done.output


def test_a_link_to_what_is_not_the_students_is_not_followed(cloze, handed, exercise, honest):
    classroom = handed({"ada": honest(exercise)["einsum_square"], "bob": ""})
    stolen = classroom / "bob/normalization/rms_norm.py"
    stolen.unlink()
    stolen.symlink_to(classroom / "ada/normalization/rms_norm.py")
    found = json.loads(cloze("alike", classroom, "--json", "-").stdout)
    assert found["exercises"][0]["compared"] == 1
    assert found["left_out"][0]["student"] == "bob"
    swapped = Handed("bob", exercise.id, "rms_norm.py", stolen)  # one that has come since the files were found
    assert texts([swapped], lambda *_: b"")[0] == {}
