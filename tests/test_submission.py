"""A learner's file as bytes: what is taken, what is refused, and what the learner is told."""

import ast
import os

import pytest

from clozekit import submission
from clozekit.describe import describe
from clozekit.submission import LIMIT, Unreadable

FUNCTION = "def f():\n    return '中文'\n"

# Files that any editor on any system may write: all mean FUNCTION.
TAKEN = {
    "as it is": FUNCTION.encode(),
    "with a BOM": b"\xef\xbb\xbf" + FUNCTION.encode(),
    "with CRLF": FUNCTION.replace("\n", "\r\n").encode(),
    "with CR": FUNCTION.replace("\n", "\r").encode(),
    "with a BOM and CRLF": b"\xef\xbb\xbf" + FUNCTION.replace("\n", "\r\n").encode(),
}


@pytest.mark.parametrize("name", TAKEN)
def test_the_same_text_is_read_however_it_was_saved(name):
    taken = submission.parse(TAKEN[name], "answer.py")
    assert taken.source == FUNCTION
    assert ast.dump(taken.tree) == ast.dump(ast.parse(FUNCTION))


# First lines that declare an encoding that UTF-8 answers, or that only look like a declaration.
HARMLESS = [
    "# -*- coding: utf-8 -*-",
    "# coding=UTF-8",
    "# vim: set fileencoding=utf8 :",
    "# -*- coding: utf-8-unix -*-",
    "# coding: ascii",
    "#!/usr/bin/python\n# coding: utf_8",
    "x = 1\n# coding: latin-1",
    "#\n#\n# coding: latin-1",
    "'coding: latin-1'",
    "x = 1  # coding: utf-7",
]


@pytest.mark.parametrize("line", HARMLESS)
def test_a_declaration_that_changes_nothing_is_no_obstacle(line):
    assert submission.parse(f"{line}\n{FUNCTION}".encode(), "answer.py").source == f"{line}\n{FUNCTION}"


# A file, the kind of its problem, and all that the learner reads (None where Python's versions differ).
REFUSED = {
    "empty": (b"", "empty", "the file is empty"),
    "white space": (b" \n\t\r\n", "empty", "the file is empty"),
    "only a BOM": (b"\xef\xbb\xbf", "empty", "the file is empty"),
    "a NUL": (b"x = 1\0\n", "binary", "the file is not text: it contains NUL bytes"),
    "a program": (b"\x7fELF\x02\x01\0\xff", "binary", "the file is not text: it contains NUL bytes"),
    "UTF-16": (FUNCTION.encode("utf-16"), "not-utf8", "the file is not UTF-8 (byte 0)"),
    "UTF-16, big end first": (b"\xfe\xff" + FUNCTION.encode("utf-16-be"), "not-utf8", "the file is not UTF-8 (byte 0)"),
    "UTF-32": (FUNCTION.encode("utf-32"), "not-utf8", "the file is not UTF-8 (byte 0)"),
    "Latin-1": ("x = 1\n# café\n".encode("latin-1"), "not-utf8", "the file is not UTF-8 (line 2)"),
    "GBK": ("\r\n\r\n# 中文\r\n".encode("gbk"), "not-utf8", "the file is not UTF-8 (line 3)"),
    "a surrogate": (b"x = '\xed\xa0\x80'\n", "not-utf8", "the file is not UTF-8 (line 1)"),
    "code hidden in UTF-7": (
        b"# coding: utf-7\n# +AAo-import os\n",
        "cookie",
        "the file declares the encoding utf-7; only UTF-8 is read",
    ),
    "another encoding in line two": (
        b"#!/usr/bin/python\r# -*- coding: latin-1 -*-\n",
        "cookie",
        "the file declares the encoding latin-1; only UTF-8 is read",
    ),
    "an encoding after a BOM": (
        b"\xef\xbb\xbf# coding: gbk\n",
        "cookie",
        "the file declares the encoding gbk; only UTF-8 is read",
    ),
    "too large": (b"#" * (LIMIT + 1), "too-large", "the file has more than 1048576 bytes"),
    "deep brackets": (b"(" * 1000, "syntax or unparsable", None),
    "deep operators": (b"-" * 100_000 + b"1", "syntax or unparsable", None),
    "a deep sum": (b"+".join([b"1"] * 100_000), "syntax or unparsable", None),
    "deep attributes": (b"x" + b".a" * 100_000, "syntax or unparsable", None),
    "a number of thousands of digits": (b"x = " + b"9" * 5000, "syntax or unparsable", None),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_is_no_submission_is_refused_with_the_reason(name):
    raw, kind, text = REFUSED[name]
    with pytest.raises(Unreadable) as error:
        submission.parse(raw, "answer.py")
    assert error.value.problem.kind in kind.split(" or ")
    said = describe(error.value.problem, "en")
    assert said == text or (text is None and len(said) < 500)


def test_a_file_of_the_largest_size_is_read():
    assert submission.parse(b"#" * (LIMIT - 1) + b"\n", "answer.py").tree.body == []


# A line with a syntax error, and what is shown below it: the caret stands under the place that the mark | names.
CARETS = {
    "spaces": "    x = |$",
    "tabs": "\tx =\t|$",
    "wide characters": "x = '中文', |$",
    "combining characters": "x = 'e\u0301', |$",
    "emoji": "x = '🙂', |$",
    "at the start": "|)",
    "behind a form feed": "\f x = |$",
}


@pytest.mark.parametrize("name", CARETS)
def test_a_caret_stands_under_the_place_of_a_syntax_error(name):
    marked = CARETS[name]
    before, line = marked.partition("|")[0], marked.replace("|", "")
    with pytest.raises(Unreadable) as error:
        submission.parse(
            f"if True:\n    pass\n{'if 1:' if line[0].isspace() else '#'}\n{line}\ny = 2\n".encode(), "a.py"
        )
    facts = error.value.problem.facts
    shown, caret = facts["code"].split("\n")
    assert facts["line"] == "4"
    assert shown == "    " + line.replace("\f", "\ufffd")
    assert columns(caret.removesuffix("^")) == columns("    " + before.replace("\f", "\ufffd"))


def columns(text: str) -> list[int]:
    """How many cells stand before each tab and at the end: tabs must be where they were."""
    from rich.cells import cell_len

    return [cell_len(part) for part in text.split("\t")]


# Sources whose errors Python places oddly: the line that is shown, and where the caret is (None: anywhere).
ODD_PLACES = {
    "inside an f-string": ("x = 1\ny = f'{a b}'\n", "2", "y = f'{a b}'"),
    "at the end of the file": ("def f():\n", "1", None),
    "an open bracket": ("x = 1\ny = (\n", "2", "y = ("),
    "an open string": ("x = 1\ny = '''abc\n", "2", "y = '''abc"),
    "a wrong indent": ("if x:\n    y = 1\n  z = 2\n", "3", "  z = 2"),
    "tabs and spaces": ("if x:\n        y = 1\n\tz = 2\n", "3", "\tz = 2"),
    "a statement outside": ("x = 1\nreturn x\n", None, None),
    "a line after a form feed": ("x = 1\n\f\ny = $\n", "3", "y = $"),
    "a line after U+2028": ("x = '\u2028'\ny = $\n", "2", "y = $"),
}


@pytest.mark.parametrize("name", ODD_PLACES)
def test_a_syntax_error_shows_its_own_line(name):
    source, line, text = ODD_PLACES[name]
    if line is None:
        submission.parse(source.encode(), "a.py")  # the compiler will say so, in the worker
        return
    with pytest.raises(Unreadable) as error:
        submission.parse(source.encode(), "a.py")
    facts = error.value.problem.facts
    assert facts["reason"]
    shown, caret = facts["code"].split("\n")
    assert text is None or (facts["line"], shown) == (line, f"    {text}")
    assert len(caret) <= len(shown) + 1


def test_of_a_very_long_line_the_part_around_the_error_is_shown():
    with pytest.raises(Unreadable) as error:
        submission.parse(("x = 1; " * 10_000 + "y = $; " + "x = 1; " * 10_000).encode(), "a.py")
    shown, caret = error.value.problem.facts["code"].split("\n")
    assert len(shown) < 250
    assert shown[caret.index("^")] == "$"


def test_a_syntax_error_cannot_paint_the_terminal():
    with pytest.raises(Unreadable) as error:
        submission.parse("x = '\x1b[31m\u202e' $\n".encode(), "a.py")
    assert "\x1b" not in describe(error.value.problem, "en")
    assert "\u202e" not in describe(error.value.problem, "en")


def test_columns_are_counted_in_characters():
    lines = ["x = 1", "'中文', x", "'é', '🙂', x; x", "x"]
    tree = submission.parse("\n".join(lines).encode(), "a.py").tree
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    assert sorted((node.lineno, node.col_offset) for node in names) == [(1, 0), (2, 6), (3, 10), (3, 13), (4, 0)]


# A guard that is dropped, and one that is kept because it may run or is not what it seems.
GUARDS = {
    'if __name__ == "__main__":': True,
    "if __name__ == '__main__':": True,
    "if '__main__' == __name__:": True,
    "if (__name__ == '__main__'):": True,
    "if __name__ != '__main__':": False,
    "if __name__ == 'submission':": False,
    "if __name__ == '__main__' == x:": False,
    "if name == '__main__':": False,
    "if __name__ in '__main__':": False,
    "if __name__:": False,
    "while __name__ == '__main__':": False,
    f"if __name__ == 0x{'f' * 20_000}:": False,
    f"if x{'.a' * 600} == 1:": False,
}


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard[:40])
def test_what_only_a_demo_runs_is_dropped(guard):
    source = f"import torch\n{guard}\n    import secret\n\n    secret.run()\n\ndef f():\n    return 1\n"
    taken = submission.parse(source.encode(), "a.py")
    assert ("secret" in taken.source) != GUARDS[guard]
    assert len(taken.tree.body) == (2 if GUARDS[guard] else 3)
    assert taken.source.split("\n")[6] == "def f():"
    assert taken.tree.body[-1].lineno == 7
    compile(taken.source, "a.py", "exec")


def test_several_guards_are_dropped_wherever_they_stand():
    guard = "if __name__ == '__main__': demo(); more()\n"
    taken = submission.parse(f"{guard}x = 1\n{guard}{guard}y = 2".encode(), "a.py")
    assert taken.source == "\nx = 1\n\n\ny = 2"


def test_a_guard_with_an_else_stays_because_its_else_runs():
    source = "if __name__ == '__main__':\n    demo()\nelse:\n    def f():\n        return 1\n"
    assert submission.parse(source.encode(), "a.py").source == source


def test_a_guard_inside_a_function_is_the_functions_business():
    source = "def f():\n    if __name__ == '__main__':\n        return 1\n"
    assert submission.parse(source.encode(), "a.py").source == source


def test_what_is_analysed_is_what_runs():
    source = "x = 1\nif __name__ == '__main__':\n    x = 2\ny = '''\nif __name__ == '__main__':\n    z = 3\n'''\n"
    taken = submission.parse(source.encode(), "a.py")
    assert ast.dump(taken.tree) == ast.dump(ast.parse(taken.source))
    assert "z = 3" in taken.source


def test_a_file_is_read_by_its_path(tmp_path):
    path = tmp_path / "answer.py"
    path.write_text(FUNCTION, "utf-8")
    assert submission.read(path).name == "answer.py"
    with pytest.raises(FileNotFoundError):
        submission.read(tmp_path / "nothing.py")
    with pytest.raises(IsADirectoryError):
        submission.read(tmp_path)
    os.mkfifo(tmp_path / "pipe.py")
    with pytest.raises(OSError, match="not a regular file"):
        submission.read(tmp_path / "pipe.py")
    with open(path, "wb") as file:
        file.truncate(1 << 40)
    assert len(submission.read(path).raw) == LIMIT + 1
