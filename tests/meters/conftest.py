"""Kernels as a worker has them: their text is in linecache, not in a file. No hook of a meter is left behind."""

import linecache
import textwrap
import types

import pytest
import torch

from clozekit.kernels import interpret

HEAD = "import torch, triton\nimport triton.language as tl\n"


@pytest.fixture(autouse=True)
def _interpreted():
    torch.manual_seed(0)
    interpret.forget()  # what graders have launched in this process meanwhile
    interpret.install()
    yield
    interpret.watchers.clear()
    interpret.uninstall()


@pytest.fixture
def load():
    """load(source): a module with torch, triton and tl imported on its first two lines."""

    def execute(source: str) -> types.ModuleType:
        source = HEAD + textwrap.dedent(source).lstrip("\n")
        linecache.cache["submission.py"] = (len(source), None, source.splitlines(True), "submission.py")
        module = types.ModuleType("submission")
        exec(compile(source, "submission.py", "exec", dont_inherit=True), vars(module))
        return module

    yield execute
    linecache.cache.pop("submission.py", None)
