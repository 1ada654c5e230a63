"""What the kit says: in both languages, with the same facts, for all that the code can want to say, and no more."""

import ast
import errno
import re
import string
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

import clozekit
from clozekit import calls
from clozekit.describe import DETAILS
from clozekit.grading import compare
from clozekit.meters.roofline import Limit
from clozekit.page import TEMPLATES
from clozekit.phrases import LANGUAGES, say, table
from clozekit.progress import State
from clozekit.protocol import Measured
from clozekit.report import Counted, MeterName
from clozekit.roofline_picture import SIGNS
from clozekit.rules import RULES
from clozekit.updating import What

SOURCE = Path(clozekit.__file__).parent
TREES = {path: ast.parse(path.read_text("utf-8")) for path in SOURCE.rglob("*.py")}

# Where a Problem's kind is no literal: what the expression may be. A new one has to be added here.
COMPUTED = {
    "found.kind": get_args(compare.Kind),
    "reply.error": ("RecursionError", "MemoryError"),
    "f'earlier-{answer.disturbed[0]}'": tuple(f"earlier-{kind}" for kind in get_args(calls.Earlier)),
    "kind": ("cpu", "segfault", "killed", "signal"),
    "f'meter-{name}'": tuple(f"meter-{name}" for name in get_args(Counted)),
    "problem.kind": (),  # another one's
    "first": (),  # of `refused`, see below
    "answer.problem.kind": (),
    "'forbidden-host' if self.proof else 'forbidden'": ("forbidden", "forbidden-host"),
    "kind or code": (*(rule.CODE for rule in RULES), "CZ001-host", "CZ101-handed", "CZ102-change", "CZ102-mode"),
}
FILLED = {"at", "count", "near", "details"}  # what describe itself puts in


def problems() -> list[tuple[str, set[str] | None, str]]:
    """Each Problem that the source constructs: its kind, the names of its facts (None: not literal), its place."""
    found = []
    for path, tree in TREES.items():
        constants = {
            node.targets[0].id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and is_text(node.value)
        }
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Problem"):
                continue
            place = f"{path.name}:{node.lineno}"
            facts = node.args[1] if len(node.args) > 1 else ast.Dict([], [])
            literal = isinstance(facts, ast.Dict) and all(map(is_text, facts.keys))
            names = {key.value for key in facts.keys} if literal else None
            kind = ast.unparse(node.args[0])
            if is_text(node.args[0]):
                found.append((node.args[0].value, names, place))
            elif kind in constants:
                found.append((constants[kind], names, place))
            else:
                assert kind in COMPUTED, f"{place}: say in COMPUTED what {kind} may be"
                found += [(each, names, place) for each in COMPUTED[kind]]
    return found


def is_text(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def fields(phrase: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(phrase) if name is not None}


PROBLEMS = problems()
KINDS = sorted({kind for kind, _, _ in PROBLEMS})


def test_the_source_is_found():
    assert len(KINDS) > 30


def test_both_languages_have_the_same_keys():
    assert list(table("en")) == list(table("zh"))


@pytest.mark.parametrize("key", table("en"))
def test_both_languages_tell_the_same_facts(key):
    assert fields(table("en")[key]) - {"s"} == fields(table("zh")[key])  # Chinese has no plural


@pytest.mark.parametrize("key", table("en"))
def test_no_phrase_is_left_in_the_other_language(key):
    """A phrase of words must not be copied over untranslated."""
    assert re.search(r"[一-鿿]", table("zh")[key]) or not re.search(r"[a-z]{4}", re.sub(r"{.*?}", "", table("en")[key]))
    assert not re.search(r"[一-鿿，。：；（）]", table("en")[key])


@pytest.mark.parametrize("kind", KINDS)
def test_every_problem_that_the_code_makes_has_a_phrase(kind):
    for language in LANGUAGES:
        assert kind in table(language)


@pytest.mark.parametrize(("kind", "facts", "place"), PROBLEMS, ids=[f"{kind} {place}" for kind, _, place in PROBLEMS])
def test_a_problem_brings_the_facts_that_its_phrases_want(kind, facts, place):
    wanted = fields(table("en")[kind]) | fields(table("en").get(f"{kind}-next", ""))
    assert facts is None or wanted - FILLED <= facts


def test_every_phrase_is_said_somewhere():
    said = {f"{kind}-next" for kind in KINDS} | set(KINDS) | FILLED
    for tree in TREES.values():
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and len(node.args) == 2]
        keys = [call.args[1] for call in calls if ast.unparse(call.func) in ("say", "phrases.say")]
        if not all(map(is_text, keys)):  # a key from a table of this file
            keys = ast.walk(tree)
        said |= {key.value for key in keys if is_text(key)}
    said |= {f"{kind}-{part}" for kind, parts in DETAILS.items() for part in parts}
    said |= {verdict.replace(" ", "-") for verdict in get_args(get_type_hints(Measured)["verdict"])}
    said |= {f"cost-name-{name}" for name in get_args(MeterName)}
    kernels = [tree for path, tree in TREES.items() if "kernels" in path.parts]
    said |= {word for tree in kernels for node in ast.walk(tree) if is_text(node) for word in node.value.split()}
    said |= {f"kernel-{touch}" for touch in ("load", "store", "atomic")}
    said |= {f"os-{name}" for name in errno.errorcode.values()}
    said |= {f"limit-{name.replace(' ', '-')}" for name in get_args(Limit)}
    said |= {f"update-{what}" for what in get_args(What)}
    said |= {"cost-unwritten", "cost-conflicts"}
    said |= {f"bench-{name}" for name in (*SIGNS, "cost", "bar", "why")}
    said |= {
        key for template in TEMPLATES.glob("*.html") for key in re.findall(r'say\("([^"]+)"', template.read_text())
    }
    said |= {f"report-{state}" for state in get_args(State)}
    assert [key for key in table("en") if key not in said] == []


def test_next_steps_belong_to_a_problem():
    follow = {key.removesuffix("-next") for key in table("en") if key.endswith("-next")} - {"initialised"}
    assert follow <= set(KINDS)


def test_facts_are_filled_in():
    assert say("en", "hints-left", left=2, id="a/b") == "2 more: run `cloze hint a/b` again."
    assert say("zh", "printed") == "代码的输出"


def test_a_fact_with_braces_is_text():
    assert say("en", "near", name="{0.__class__}") == " Did you mean `{0.__class__}`?"


def test_a_phrase_that_nobody_wrote_is_an_error_of_ours():
    with pytest.raises(KeyError):
        say("en", "no such phrase")
