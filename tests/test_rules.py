"""Each file in tests/rules names its rule and policy in the first line and declares what is found:  bad()  # CZ001: 5"""

import ast
import re
import tomllib
from pathlib import Path

import pytest
from msgspec import convert

from clozekit import phrases, rules, submission
from clozekit.describe import describe
from clozekit.exercise import Policy
from clozekit.report import Finding
from clozekit.rules import RULES

FILES = sorted(Path(__file__).with_name("rules").glob("*.py"))


def found(raw: bytes, policy: Policy, code: str = "CZ001") -> list[Finding]:
    """What one rule finds."""
    return [each for each in rules.findings(submission.parse(raw, "a.py").tree, policy) if each.code == code]


def forbidden(raw: bytes, *names: str) -> list[Finding]:
    return found(raw, Policy(list(names)))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_exactly_what_the_comments_declare_is_found(path):
    raw = path.read_bytes()
    lines = raw.decode().splitlines()
    code, table = re.match(r"# (CZ\d+) ({.*})", lines[0]).groups()
    policy = convert(tomllib.loads(f"policy = {table}")["policy"], Policy)
    declared = [
        (number, int(column))
        for number, line in enumerate(lines, 1)
        for column in re.findall(rf"{code}: (\d+)", line.rpartition("#")[2])
    ]
    hits = [(finding.line, finding.column) for finding in found(raw, policy, code)]
    assert (sorted(set(hits) - set(declared)), sorted(set(declared) - set(hits))) == ([], [])
    assert hits == declared


def test_a_finding_names_the_function_by_its_full_path():
    (finding,) = forbidden(b"import torch.nn.functional as F\nF.softmax\n", "torch.nn.functional.softmax")
    assert describe(finding.problem, "en") == "`torch.nn.functional.softmax` is what this exercise asks you to write"


def test_nothing_is_forbidden_where_nothing_is_said():
    assert forbidden(b"import torch\ntorch.softmax\nx.softmax()\n") == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__.rpartition(".")[2])
def test_every_rule_has_its_page_and_its_words(rule):
    code, _, title = rule.__doc__.splitlines()[0].partition(" ")
    assert (code, title) == (rule.CODE, rule.__name__.rpartition(".")[2].replace("_", "-"))
    assert re.findall(r"^\w.*", rule.__doc__, re.M)[1:] == [
        "What it does",
        "Why is this bad?",
        "Example",
        "Use instead",
    ]
    for language in phrases.LANGUAGES:
        assert {code, f"{code}-next"} <= set(phrases.table(language))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__.rpartition(".")[2])
def test_the_example_of_a_rules_page_is_found_and_its_instead_is_not(rule):
    example, instead = re.findall(r"^(?:Example|Use instead)\n((?: {4}.*\n?)+)", rule.__doc__, re.M)
    policy = Policy(["torch.nn.functional.rms_norm"], kernel=True)
    for code, wrong in ((example, True), (instead, False)):
        source = f"import torch\nimport torch.nn.functional as F\n\ndef f(x, rms, weight):\n{code}"
        assert bool(found(source.encode(), policy, rule.CODE)) == wrong


# Sources that want to take forever, or to break the search.
HEAVY = {
    "a name that grows": "import torch as t\n" + "t = t.a\n" * 1000,
    "a name that grows in many ways": "import torch as t\n" + "".join(f"t = t.a{i} or t.b{i}\n" for i in range(300)),
    "names that feed each other": "import torch as a\nb = a.x\na = b.y\n" * 300,
    "a long chain of aliases, backwards": "".join(f"a{i} = a{i + 1}\n" for i in range(2000))
    + "import torch as a2000\n",
    "thousands of aliases": "import torch as t\n" + "".join(f"a{i} = t\n" for i in range(20_000)),
    "deep attributes": "import torch\ntorch" + ".a" * 900 + "\n",
    "deep getattr": "import torch\n" + "getattr(" * 90 + "torch" + ", 'a')" * 90 + "\n",
    "deep choices": "import torch as t\nx = " + "(t or " * 90 + "t" + ")" * 90 + "\n",
    "many stars": "from torch import *\n" * 1000 + "x = y\n" * 1000,
}


@pytest.mark.parametrize("name", HEAVY)
def test_a_file_that_wants_to_take_forever_is_read_to_its_end_or_refused(name):
    source = HEAVY[name] + "import torch\ntorch.softmax\n"
    last = rules.findings(submission.parse(source.encode(), "a.py").tree, Policy(["torch.softmax"]))[-1]
    assert (last.code, last.line) in [("CZ001", source.count("\n")), ("CZ902", 1)]


def zigzag(length: int) -> str:
    """Aliases in an order in which neither reading down nor reading up gets further than one."""
    lines = [f"a{i + 1} = a{i}\n" for i in range(length)]
    return "import torch as a0\n" + "".join(lines[::2] + lines[1::2][::-1])


BEYOND = {
    "aliases in zigzag": zigzag(1000),
    "one name for 200 things": "import torch\nx = [" + "".join(f"torch.a{i}, " for i in range(200)) + "torch.nn]\n",
    "deep": "import torch\nx = " + "(a if b else " * 150 + "torch" + ")" * 150 + "\n",
    "long": "x = [" + "1, " * 120_000 + "]\n",
    "unpacking": ", ".join(f"a{i}" for i in range(600)) + " = *[], " + ", ".join(f"a{i}.t" for i in range(600)) + "\n",
    "functions in functions": "f = " + "lambda: " * 80 + "(" + "x, " * 30_000 + ")\n",
}


@pytest.mark.parametrize("name", BEYOND)
def test_a_bound_that_is_hit_is_a_finding(name):
    """What was cut short silently would be a place to hide in."""
    source = BEYOND[name]
    assert found(source.encode(), Policy(["torch.softmax"]), "CZ902")


def test_a_chain_of_aliases_is_followed_in_whatever_order_it_is_written():
    chain = [f"a{i} = a{i + 1}\n" for i in range(500)]
    for source in ("".join(chain), "".join(reversed(chain))):
        hits = forbidden(f"import torch as a500\n{source}a0.softmax\n".encode(), "torch.softmax")
        assert [hit.line for hit in hits] == [502]


def test_findings_come_in_the_order_of_the_file():
    hits = forbidden(b"import torch\ndef f():\n    torch.b; torch.a\ntorch.a\n", "torch.a", "torch.b")
    assert [(hit.line, hit.column) for hit in hits] == [(3, 5), (3, 14), (4, 1)]


def test_a_name_of_the_forbidden_list_may_be_of_any_library():
    hits = forbidden(b"from trl import DPOTrainer as T\nT()\n", "trl.DPOTrainer")
    assert [hit.line for hit in hits if hit.code == "CZ001"] == [1, 2]


def test_the_files_are_python():
    for path in FILES:
        ast.parse(path.read_text("utf-8"))
