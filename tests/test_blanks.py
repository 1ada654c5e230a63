"""What `cloze build` cuts out of a solution, and what is put in its place."""

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clozekit import blanks
from clozekit.errors import ContentError

SOLUTION = '''\
import torch
from torch import Tensor

LIMIT = 3


def helper(x):
    return x


@torch.no_grad()
def norm(x: Tensor, eps: float = 1e-6) -> Tensor:
    """x [..., d] -> [..., d]."""
    wide = x.float()
    # BLANK scale
    size = wide.norm()

    y = wide / size  # [..., d]
    # END
    return y


class Cache:
    """Keeps keys."""

    def __init__(self):
        self.keys = []

    @property
    def size(self):
        return len(self.keys)

    def append(self, k):
        # BLANK append
        self.keys.append(k)
        # END
        return self.keys

    def unused(self):
        return None
'''

PROMPTS = {"scale": "divide by the norm\nnot by its square", "append": "keep {k}"}
TODO = "TODO ({lines} lines): {prompt}"


def test_guided_replaces_each_answer_by_its_prompt_and_a_loud_stop():
    assert blanks.guided(SOLUTION, PROMPTS, TODO) == SOLUTION.replace(
        """\
    # BLANK scale
    size = wide.norm()

    y = wide / size  # [..., d]
    # END
""",
        """\
    # TODO (3 lines): divide by the norm
    # not by its square
    raise NotImplementedError("scale")
""",
    ).replace(
        """\
        # BLANK append
        self.keys.append(k)
        # END
""",
        """\
        # TODO (1 lines): keep {k}
        raise NotImplementedError("append")
""",
    )


def test_guided_wants_a_prompt_for_every_blank():
    with pytest.raises(ContentError, match=r"blank `append` \(line 34\) has no prompt; add it under \[en.blanks\]"):
        blanks.guided(SOLUTION, {"scale": "divide"}, TODO)


def test_scratch_keeps_imports_signatures_docstrings_and_decorators_of_entry_points_only():
    entries = {"norm": [], "Cache": ["__init__", "size", "append"]}
    assert (
        blanks.scratch(SOLUTION, entries, "TODO")
        == '''\
import torch
from torch import Tensor


@torch.no_grad()
def norm(x: Tensor, eps: float = 1e-6) -> Tensor:
    """x [..., d] -> [..., d]."""
    # TODO
    raise NotImplementedError("norm")


class Cache:
    """Keeps keys."""

    def __init__(self):
        # TODO
        raise NotImplementedError("Cache.__init__")

    @property
    def size(self):
        # TODO
        raise NotImplementedError("Cache.size")

    def append(self, k):
        # TODO
        raise NotImplementedError("Cache.append")
'''
    )


# The body of a solution's `f`, after which nothing of it may be left but signature and docstring.
BODIES = {
    "a comment that explains the first step": "    # the mean comes first\n\n    return 1\n",
    "one line of comment": "    # the mean comes first\n    return 1\n",
    "a decorated inner function": "    @cache\n    def inner():\n        return 1\n    return inner()\n",
    "a docstring over several lines": '    """One.\n\n    Two.\n    """\n    return 1\n',
    "a comment below the docstring": '    """One."""\n    # the mean comes first\n    return 1\n',
    "two spaces": "  x = 1\n  return x\n",
    "a tab": "\tx = 1\n\treturn x\n",
    "text that looks like a comment": '    s = """\n# not a comment\n    """\n    return s\n',
}


@pytest.mark.parametrize("body", BODIES)
def test_scratch_leaves_nothing_of_a_body_and_is_valid_python(body):
    source = f"def f(\n    x,  # [n]\n):\n{BODIES[body]}"
    emptied = blanks.scratch(source, {"f": []}, "TODO")
    function = ast.parse(emptied).body[0]
    kept = [ast.unparse(node) for node in function.body if not isinstance(node, ast.Expr)]
    assert kept == ["raise NotImplementedError('f')"]
    assert ast.get_docstring(function) == ast.get_docstring(ast.parse(source).body[0])
    assert "mean" not in emptied
    assert "inner" not in emptied


def test_scratch_keeps_the_docstring_and_imports_at_the_top_and_no_other_statement():
    header = '"""About."""\n\nimport a\nfrom b import c\n\n'
    source = f"{header}a.seed(0)\n\n\nclass Helper:\n    pass\n\n\ndef f():\n    return 1\n"
    assert blanks.scratch(source, {"f": []}, "TODO") == (
        header + '\ndef f():\n    # TODO\n    raise NotImplementedError("f")\n'
    )


def test_scratch_of_a_class_without_entry_methods_stops_loudly_as_well():
    emptied = blanks.scratch("class A:\n    x = 1\n", {"A": []}, "TODO")
    assert emptied.endswith('class A:\n    # TODO\n    raise NotImplementedError("A")\n')


@pytest.mark.parametrize("source", ["def f(x): return x\n", "def f(\n    x): return x\n", 'def f(x): "doc"\n'])
def test_scratch_refuses_a_function_on_one_line(source):
    with pytest.raises(ContentError, match=r"line 1: `f` is written on one line; give its body a line of its own"):
        blanks.scratch(source, {"f": []}, "TODO")


def test_scratch_names_the_line_of_a_syntax_error():
    with pytest.raises(ContentError, match="line 2: invalid syntax"):
        blanks.scratch("import a\nx = = 1\n", {"f": []}, "TODO")


# A solution, and the end of the message that refuses it.
MISMARKED = {
    "END alone": ("x = 1\n# END\n", "line 2: `# END` closes nothing; `# BLANK name` is missing above"),
    "never closed": ("# BLANK a\nx = 1\n", "line 1: blank `a` is never closed by `# END`"),
    "nested": ("# BLANK a\nx = 1\n# BLANK b\n# END\n", "line 3: `# BLANK b` inside `a`; close that one first"),
    "no name": ("# BLANK\nx = 1\n# END\n", "line 1: `# BLANK` needs a name, one identifier; found ''"),
    "two words": ("# BLANK a b\nx = 1\n# END\n", "line 1: `# BLANK` needs a name, one identifier; found 'a b'"),
    "the same name twice": (
        "# BLANK a\nx = 1\n# END\n# BLANK a\nx = 1\n# END\n",
        "line 4: a second blank `a`; give each its own name",
    ),
    "another indent": (
        "if x:\n    # BLANK a\n    x = 1\n# END\n",
        "line 4: `# END` must stand at the indent of `# BLANK` in line 2",
    ),
    "a tab against spaces": (
        "if x:\n    # BLANK a\n    x = 1\n\t# END\n",
        "line 4: `# END` must stand at the indent of `# BLANK` in line 2",
    ),
    "no line": ("# BLANK a\n# END\n", "line 2: blank `a` holds no answer"),
    "an empty line": ("# BLANK a\n\n  \n# END\n", "line 4: blank `a` holds no answer"),
    "the end of another": (
        "# BLANK a\nx = 1\n# END b\n",
        "line 3: `# END b`, but the open blank is `a`; write `# END`",
    ),
    "beside code": ("x = 1  # BLANK a\n# END\n", "line 1: `# BLANK` stands beside code; give it a line of its own"),
    "without a space": ("#BLANK a\nx = 1\n", "line 1: blank `a` is never closed by `# END`"),
    "after a form feed": ("x = 1\n\f\ny = '\u2028'\n# END\n", "line 4: `# END` closes nothing"),
    "after CRLF": ("x = 1\r\n# END\r\n", "line 2: `# END` closes nothing"),
    "in brackets that never close": ("# BLANK a\nx = (1\n# END\n", "line 2: '(' was never closed"),
    "at an indent that fits nothing": ("if x:\n    x = 1\n  y = 2\n", "line 3: unindent does not match"),
}


@pytest.mark.parametrize("name", MISMARKED)
def test_a_marker_error_names_its_line(name):
    source, message = MISMARKED[name]
    with pytest.raises(ContentError) as error:
        blanks.find(source)
    assert str(error.value).startswith(message)


# Solutions whose markers are honest: the blanks, and one line that must stay.
MARKED = {
    "in a docstring": ('def f():\n    """\n    # BLANK a\n    """\n    return 1\n', [], "    # BLANK a\n"),
    "in a string": ("s = '# BLANK a'\n", [], "s = '# BLANK a'\n"),
    "as part of a word": ("# BLANKET\n# ENDING\nx = 1\n", [], "# BLANKET\n"),
    "in lower case": ("# end of the loop\n# blank\nx = 1\n", [], "# end of the loop\n"),
    "with CRLF": ("# BLANK a\r\nx = 1\r\n# END\r\ny = 2\r\n", ["a"], "y = 2\r\n"),
    "with tabs": ("if x:\n\t# BLANK a\n\tx = 1\n\t# END\n\ty = 2\n", ["a"], "\ty = 2\n"),
    "END with its name": ("# BLANK a\nx = 1\n# END a\n", ["a"], ""),
    "below a string that ends in its line": ('s = """\n"""\n# BLANK a\nx = 1\n# END\n', ["a"], '"""\n'),
    "inside brackets": ("x = [\n    # BLANK a\n    1,\n    # END\n    2,\n]\n", ["a"], "    2,\n"),
    "without a last newline": ("# BLANK a\nx = 1\n# END", ["a"], ""),
}


@pytest.mark.parametrize("name", MARKED)
def test_only_comments_on_lines_of_their_own_mark_blanks(name):
    source, names, kept = MARKED[name]
    assert [blank.name for blank in blanks.find(source)] == names
    starter = blanks.guided(source, {"a": "now"}, TODO)
    assert kept in starter
    assert ("now" in starter) == bool(names)
    assert "x = 1\n" not in starter or not names


def test_a_stub_stands_at_the_indent_of_its_marker():
    source = "if x:\n\t# BLANK a\n\tx = 1\n\t# END\n"
    assert blanks.guided(source, {"a": "now"}, TODO) == (
        'if x:\n\t# TODO (1 lines): now\n\traise NotImplementedError("a")\n'
    )


def test_reveal_drops_markers_and_nothing_else():
    plain = [line for line in SOLUTION.splitlines(keepends=True) if "# BLANK" not in line and "# END" not in line]
    assert blanks.reveal(SOLUTION) == "".join(plain)


def test_fill_replaces_one_answer_and_keeps_the_others():
    filled = blanks.fill(SOLUTION, "append", "pass")
    assert filled == blanks.reveal(SOLUTION).replace("self.keys.append(k)\n", "pass\n")


def test_fill_names_a_blank_that_is_not_there():
    with pytest.raises(ContentError, match="the solution has no blank `scael`"):
        blanks.fill(SOLUTION, "scael", "pass\n")


def test_rewrite_puts_another_function_under_the_same_decorators():
    rewritten = blanks.rewrite(SOLUTION, "norm", "def norm(x):\n    return x")
    assert "@torch.no_grad()\ndef norm(x):\n    return x\n\n\nclass Cache:" in rewritten
    assert "wide" not in rewritten


def test_rewrite_puts_a_method_at_the_indent_of_its_class():
    rewritten = blanks.rewrite(SOLUTION, "Cache.size", "def size(self):\n    return 0\n")
    assert "    @property\n    def size(self):\n        return 0\n\n    def append" in rewritten


def test_rewrite_takes_the_method_of_the_right_class():
    source = "class A:\n    def f(self):\n        return 1\n\n\nclass B:\n    def f(self):\n        return 2\n"
    rewritten = blanks.rewrite(source, "B.f", "def f(self):\n    return 3\n")
    assert rewritten == source.replace("return 2", "return 3")


def test_rewrite_names_a_function_that_is_not_there():
    with pytest.raises(ContentError, match=r"the solution defines no `Cache\.pop`"):
        blanks.rewrite(SOLUTION, "Cache.pop", "def pop(self):\n    pass\n")


@pytest.mark.parametrize("odd", ["\f", "\u2028", "\x1c", "\x85"])
def test_characters_that_end_no_line_of_python_move_nothing(odd):
    source = f"s = '{odd}'\n# BLANK a\nx = 1\n# END\n\n\ndef f():\n    return '{odd}'\n\n\ndef g():\n    return 2\n"
    assert blanks.reveal(source) == source.replace("# BLANK a\n", "").replace("# END\n", "")
    assert blanks.rewrite(source, "g", "def g():\n    return 3\n").endswith(f"'{odd}'\n\n\ndef g():\n    return 3\n")
    assert blanks.scratch(source, {"f": []}, "TODO").count("def") == 1


# Blanks in functions, classes and branches, at any indent, with comments, strings and empty lines around.
lines = st.sampled_from(["x = 1", "x = '# END'", "# a comment", "", "if x:\n    y = 2", 's = """\n# BLANK s\n"""'])
answers = st.lists(lines, min_size=1, max_size=4).map("\n".join).filter(str.strip)


@settings(deadline=None)
@given(st.lists(st.tuples(lines, answers, st.integers(0, 3)), min_size=1, max_size=4))
def test_an_answer_typed_over_its_stub_gives_the_solution_back(parts):
    marked, typed, prompts = "", {}, {}
    for i, (before, answer, depth) in enumerate(parts):
        indent = "    " * depth
        opening = "".join(f"{'    ' * level}if x:\n" for level in range(depth))
        body = blanks._indented(answer, indent)
        marked += f"{before}\n{opening}{indent}# BLANK b{i}\n{body}{indent}# END\n{indent}z = {i}\n"
        prompts[f"b{i}"] = f"prompt {i}"
        typed[f"b{i}"] = (indent, body)
    starter = blanks.guided(marked, prompts, TODO)
    ast.parse(starter)
    for name, (indent, body) in typed.items():
        stub = f'{indent}raise NotImplementedError("{name}")\n'
        assert starter.count(stub) == 1
        start = starter.index(f"{indent}# TODO", max(0, starter.index(stub) - 60))
        assert body not in starter[start : starter.index(stub)]
        starter = starter[:start] + body + starter[starter.index(stub) + len(stub) :]
    assert starter == blanks.reveal(marked)
