"""Nobody but private.py names what Triton does not promise; and what it misses, it says by name."""

import ast
import importlib.util
import re
import tomllib
from pathlib import Path

import pytest
import triton
from triton.runtime import jit
from triton.runtime.autotuner import Autotuner

import clozekit
from clozekit.kernels import private

ROOT = Path(__file__).parents[2]
SOURCES = Path(clozekit.__file__).parent
DOOR = "clozekit.kernels.private"
CLOSED = (
    *("triton.runtime", "triton.compiler.code_generator", "triton.compiler.compiler", "triton.backends.driver"),
    *("triton.backends.nvidia", "triton.language.semantic"),  # core and standard are where tl has its functions from
)


def private_names(source: str) -> list[str]:
    """What a source imports or reads of Triton that is private: in a closed module, or with a leading underscore."""
    tree = ast.parse(source)
    known = {}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [each.name for each in node.names]
            known |= {each.asname or each.name.partition(".")[0]: each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            known |= {each.asname or each.name: f"{node.module}.{each.name}" for each in node.names}
            found += [f"{node.module}.{each.name}" for each in node.names]
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            head, _, path = ast.unparse(node).partition(".")
            found.append(f"{known.get(head, head)}.{path}")
    return [path for path in found if path.startswith(("triton", DOOR)) and _is_private(path)]


def _is_private(path: str) -> bool:
    under = any(part.startswith("_") and not part.startswith("__") for part in path.split("."))
    return under or path.startswith(tuple(f"{closed}." for closed in CLOSED)) or path in CLOSED


@pytest.mark.parametrize(
    "source",
    [
        "import triton.runtime.interpreter",
        "from triton.runtime import interpreter",
        "from triton.language import semantic as s",
        "from triton._utils import is_namedtuple",
        "import triton.language as tl; tl.core._unwrap_if_constexpr(1)",
        "from clozekit.kernels.private import core; core._wrap_axis(0, 1)",
        "from clozekit.kernels import private; private.interpreter._get_np_dtype",
    ],
)
def test_a_private_name_is_seen(source):
    assert private_names(source)


def test_no_module_but_one_names_what_is_private():
    sources = {path.relative_to(SOURCES): path.read_text("utf-8") for path in SOURCES.rglob("*.py")}
    assert private_names(sources.pop(Path("kernels/private.py")))
    assert {path: names for path, source in sources.items() if (names := private_names(source))} == {}


def test_what_is_replaced_is_looked_for_when_the_judge_starts():
    calls = [
        node
        for path in (SOURCES / "kernels").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("patches.set")
    ]
    replaced = {call.args[1].value for call in calls if isinstance(call.args[1], ast.Constant)}
    looked_for = set(re.findall(r"\w+", Path(private.__file__).read_text("utf-8")))
    assert replaced
    assert {name for name in replaced - looked_for if not name.startswith("__")} == set()


@pytest.mark.parametrize(("owner", "name"), [(jit, "mangle_type"), (Autotuner, "_bench")])
def test_what_triton_lacks_is_said_by_name(monkeypatch, owner, name):
    monkeypatch.delattr(owner, name)
    spec = importlib.util.spec_from_file_location("private_again", private.__file__)
    told = rf"^triton {re.escape(triton.__version__)}: .*\b{name}\b.* triton{private.SUPPORTED}$"
    with pytest.raises(ImportError, match=told):
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


def test_what_is_installed_is_what_is_supported():
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    assert f"triton{private.SUPPORTED}; sys_platform == 'linux'" in dependencies
