"""One exercise's four files: what is read from them, and what an author is told who got one wrong."""

import ast
import json

import pytest

from clozekit.errors import ClozeError, ContentError, NotFound
from clozekit.exercise import Exercise, Mistake, Policy, read_sheet
from clozekit.skeleton import GRADER, SOLUTION, WORDS, write_skeleton


@pytest.fixture
def exercise(tmp_path):
    """A small exercise, as `cloze new` writes it."""
    write_skeleton(tmp_path, "lab/square")
    return Exercise(tmp_path, "lab/square")


# An edit of the skeleton's TOML (what, by what), and what the author is told after the file's name.
BROKEN_WORDS = {
    "not TOML": ("[en]", "[en", "not TOML: Expected ']' at the end of a table declaration (at line 7"),
    "a key twice": ("[en]\n", "[en]\ntitle = 'A'\n", "not TOML: Cannot overwrite a value (at line 9"),
    "a missing key": ('title = "TITLE"\n', "", "en: the key `title` is missing; add it"),
    "a missing table": ("[en.mistakes]", "[en.cases]", "en: the key `mistakes` is missing; add it"),
    "a missing key at the top": ("source =", "#", "the key `source` is missing; add it"),
    "a misspelt key": ("hints =", "hnts =", "en: unknown key `hnts`; did you mean `hints`?"),
    "a misspelt table": ("[en.blanks]", "[en.blanx]", "en: unknown key `blanx`; did you mean `blanks`?"),
    "a misspelt key at the top": ("source =", "sources =", "unknown key `sources`; did you mean `source`?"),
    "a key like no other": ("forbid =", "zero =", "policy: unknown key `zero`; delete it"),
    "a wrong type": ('title = "TITLE"', "title = 3", "en.title: expected `str`, got `int`"),
    "a wrong type in a list": ("forbid = []", "forbid = ['a', 3]", "policy.forbid.1: expected `str`, got `int`"),
    "a family that there is not": (
        "forbid = []",
        "forbid = ['@atention']",
        "policy: there is no family `@atention`, only @attention",
    ),
    "a wrong type in a table": (
        'forgets_scale = "Your result does not depend on `scale`."',
        "forgets_scale = 3",
        "en.mistakes.forgets_scale: expected `str`, got `int`",
    ),
    "an empty text": (
        'forgets_square = "You multiplied x itself. The formula has its square."',
        'forgets_square = ""',
        "en.mistakes.forgets_square: expected `str` of length >= 1",
    ),
    "one hint": (
        '"A question that leads to the idea.", ',
        "",
        "en.hints: expected `array` of length >= 2",
    ),
    "no entry": ('entry = ["NAME(x, scale=2.0)"]', "entry = []", "entry: expected `array` of length >= 1"),
    "a meter that there is not": (
        "forbid = []",
        "forbid = []\n[thresholds]\nwrites = 1",
        "thresholds: there is no meter `writes`, only launches, ",
    ),
    "a bar without a reason": (
        "forbid = []",
        "forbid = []\n[thresholds]\nloads = 1",
        "[thresholds] and [en.thresholds] differ in loads; give each bar its reason",
    ),
    "a bar below nothing": (
        "forbid = []",
        "forbid = []\n[thresholds]\nloads = -1",
        "thresholds.loads: expected `float` >= 0.0",
    ),
    "a bar for time below the solution's": (
        "forbid = []",
        'forbid = []\n[thresholds]\ntime = 0.9\n[en.thresholds]\ntime = "Be quick."\n[zh.thresholds]\ntime = "要快。"',
        "thresholds.time: a bar for what is measured is at least 1",
    ),
    "a number out of range": ("forbid = []", "seconds = 0", "policy.seconds: expected `float` > 0.0"),
    "a prompt in one language": (
        "[zh.blanks]",
        '[zh.blanks]\nextra = "多"',
        "[en.blanks] and [zh.blanks] differ in extra; write both languages",
    ),
    "a mistake in one language": (
        'forgets_square = "你乘的是 x 本身，公式中是它的平方。"',
        'forgets_squares = "你"',
        "[en.mistakes] and [zh.mistakes] differ in forgets_square, forgets_squares; write both languages",
    ),
    "a case in English only": (
        "[zh.cases]",
        "[en.cases]\nother = 'other'\n[zh.cases]",
        "[en.cases] and [zh.cases] differ in other, values: half precision, values: plain rows; write both languages",
    ),
    "a hint in one language": (
        '"引向关键想法的问题。", ',
        '"一", "二", ',
        "2 hints in English, 3 in Chinese; write both languages",
    ),
    "a number of thousands of digits": ("source =", f"entry = {'9' * 5000}\nsource =", "not TOML: Exceeds the limit"),
    "brackets without end": ("source =", f"entry = {'[' * 5000}\nsource =", "not TOML: "),
}


@pytest.mark.parametrize("name", BROKEN_WORDS)
def test_a_broken_toml_names_file_key_and_fix(tmp_path, name):
    old, new, message = BROKEN_WORDS[name]
    assert old in WORDS
    path = tmp_path / "broken.toml"
    path.write_text(WORDS.replace(old, new, 1), "utf-8")
    with pytest.raises(ContentError) as error:
        read_sheet(path)
    assert str(error.value).startswith(f"{path}: {message}")


def test_a_family_forbids_all_its_members_beside_the_names_of_the_exercise():
    forbidden = Policy(["torch.softmax", "@attention"]).forbid
    assert forbidden[0] == "torch.softmax"
    assert {"torch.nn.functional.scaled_dot_product_attention", "torch.nn.MultiheadAttention"} < {*forbidden}
    assert not [name for name in forbidden if name.startswith("@")]
    layers = Policy(["@transformer"]).forbid
    assert "torch.nn.TransformerEncoderLayer" in layers
    assert {*layers} < {*forbidden}
    assert "torch.nn.functional.scaled_dot_product_attention" not in layers
    backward = Policy(["@normalization", "@autograd"]).forbid
    assert {"torch.nn.functional.batch_norm", "torch.nn.LayerNorm", "torch.autograd.grad"} < {*backward}


def test_a_toml_that_is_not_utf8_names_the_byte(tmp_path):
    path = tmp_path / "broken.toml"
    path.write_bytes(b"title = \xff")
    with pytest.raises(ContentError, match=r"broken\.toml: not UTF-8 at byte 8; save it as UTF-8"):
        read_sheet(path)


def test_a_toml_with_a_bom_is_read(tmp_path):
    path = tmp_path / "windows.toml"
    path.write_bytes(b"\xef\xbb\xbf" + WORDS.encode().replace(b"\n", b"\r\n"))
    assert read_sheet(path).en.title == "TITLE"


def test_a_toml_that_is_not_there_is_named(tmp_path):
    with pytest.raises(NotFound, match=r"nowhere\.toml does not exist"):
        read_sheet(tmp_path / "nowhere.toml")


def test_titles_of_cases_may_stand_in_chinese_only(exercise):
    assert exercise.words("en").cases == {}
    assert exercise.words("zh").cases["values: plain rows"] == "数值：普通的行"


def test_the_path_is_the_identity(tmp_path):
    torch, triton = Exercise(tmp_path, "attention/rope"), Exercise(tmp_path, "triton/softmax")
    assert torch.solution_path == tmp_path / "solutions/attention/rope.py"
    assert torch.grader_path == tmp_path / "graders/attention/test_rope.py"
    assert torch.words_path == tmp_path / "exercises/attention/rope.toml"
    assert triton.solution_path == tmp_path / "kernels/softmax.py"
    assert triton.starter_path == tmp_path / "exercises/triton/softmax.py"


# Which file, what its bytes are, and what the author is told after the file's name.
BROKEN_FILES = {
    "a solution with a syntax error": ("solution_path", b"x = 1\ny = = 2\n", "line 2: invalid syntax"),
    "a solution with a NUL": (
        "solution_path",
        b"x = 1\0\n",
        "line 1: source code string cannot contain null bytes",
    ),
    "a solution that is not UTF-8": ("solution_path", b"# \xe9\n", "not UTF-8 at byte 2; save it as UTF-8"),
    "an open blank": ("solution_path", b"# BLANK a\nx = 1\n", "line 1: blank `a` is never closed by `# END`"),
    "a blank without prompt": ("solution_path", b"# BLANK a\nx = 1\n# END\n", "blank `a` (line 1) has no prompt"),
    "a grader with a syntax error": ("grader_path", b"def test(:\n", "line 1: invalid syntax"),
    "a mistake of nothing": ("grader_path", b"@mistake()\ndef a():\n    pass\n", "line 1: mistake `a` replaces either"),
    "a mistake of both": (
        "grader_path",
        b"@mistake('f', blank='b')\ndef a():\n    pass\n",
        "line 1: mistake `a` replaces either a function",
    ),
    "a mistake of a number": (
        "grader_path",
        b"@mistake(3)\ndef a():\n    pass\n",
        "line 1: mistake `a` replaces either",
    ),
    "a mistake by a variable": (
        "grader_path",
        b"\n@mistake(blank=NAME)\ndef a():\n    pass\n",
        "line 2: mistake `a`: its mark is read, not run; give it literals",
    ),
    "a mistake on one line": (
        "grader_path",
        b"@mistake(blank='b')\ndef a(x): return x\n",
        "line 1: mistake `a` is written on one line; give its body a line of its own",
    ),
}


@pytest.mark.parametrize("name", BROKEN_FILES)
def test_a_broken_python_file_is_named_with_its_line(exercise, name):
    which, raw, message = BROKEN_FILES[name]
    path = getattr(exercise, which)
    path.write_bytes(raw)
    with pytest.raises(ContentError) as error:
        exercise.render(), exercise.mistakes
    assert str(error.value).removeprefix(f"{path}: ").startswith(message)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("which", ["solution_path", "grader_path"])
def test_a_missing_file_is_named(exercise, which):
    path = getattr(exercise, which)
    path.unlink()
    with pytest.raises(ContentError) as error:
        exercise.render(), exercise.mistakes
    assert str(path) in str(error.value)
    assert "cloze new" in str(error.value)


GRADER_OF_A_CLASS = '''\
from clozekit.grading import mistake, reference

"""
@mistake(blank="not_this")
"""


@reference("Cache.append")
def definition(k):
    return k


@mistake(blank="grow")
def forgets(self, k):
    # a comment above the body is no part of it
    if k is None:
        return  # [n]

    text = "  kept  "


@mistake(blank="grow", rounding=True)
def rounds(self, k):
    self.keys = k.half()


@mistake("attend")
def backwards(q, k):
    return k @ q


@mistake(target="Cache.append")
def replaces(self, k, *, twice=False):
    def backwards(q): return replaces(self)
    self.keys = [k]


def not_marked(x):
    return x
'''

CLASS = """\
class Cache:
    def append(self, k):
        # BLANK grow
        self.keys.append(k)
        # END
        return self.keys


@decorated
def attend(q, k):
    return q @ k
"""


@pytest.fixture
def cache(exercise):
    exercise.grader_path.write_text(GRADER_OF_A_CLASS, "utf-8")
    exercise.solution_path.write_text(CLASS, "utf-8")
    return exercise


def test_mistakes_are_read_from_the_grader_and_never_run(cache):
    assert list(cache.mistakes.values()) == [
        Mistake("forgets", "grow", True, 'if k is None:\n    return  # [n]\n\ntext = "  kept  "\n'),
        Mistake("rounds", "grow", True, "self.keys = k.half()\n", rounding=True),
        Mistake("backwards", "attend", False, "def attend(q, k):\n    return k @ q\n"),
        Mistake(
            "replaces",
            "Cache.append",
            False,
            "def append(self, k, *, twice=False):\n    def backwards(q): return replaces(self)\n    self.keys = [k]\n",
        ),
    ]


def test_a_mistake_typed_into_the_solution_changes_its_own_place_only(cache):
    plain = CLASS.replace("        # BLANK grow\n", "").replace("        # END\n", "")
    typed = {name: cache.mistaken(mistake) for name, mistake in cache.mistakes.items()}
    answer = "        self.keys.append(k)\n"
    assert typed["forgets"] == plain.replace(
        answer, '        if k is None:\n            return  # [n]\n\n        text = "  kept  "\n'
    )
    assert typed["rounds"] == plain.replace(answer, "        self.keys = k.half()\n")
    assert typed["backwards"] == plain.replace("    return q @ k\n", "    return k @ q\n")
    assert typed["replaces"] == plain.replace(
        "    def append(self, k):\n" + answer + "        return self.keys\n",
        "    def append(self, k, *, twice=False):\n"
        "        def backwards(q): return replaces(self)\n"
        "        self.keys = [k]\n",
    )
    for source in typed.values():
        ast.parse(source)


def test_a_mistake_for_a_place_that_is_not_there_names_grader_and_mistake(cache):
    for target, message in (("grwo", "the solution has no blank `grwo`"), ("f.g", "the solution defines no `f.g`")):
        mistake = Mistake("lost", target, target == "grwo", "pass\n")
        with pytest.raises(ContentError, match=f"test_square.py: mistake `lost`: {message}"):
            cache.mistaken(mistake)


def test_a_grader_without_a_last_newline_runs_into_nothing(exercise):
    exercise.solution_path.write_text("def f():\n    return 1\n\n\ndef g():\n    return 2\n", "utf-8")
    exercise.grader_path.write_text('@mistake("f")\ndef wrong():\n    return 3', "utf-8")
    typed = exercise.mistaken(exercise.mistakes["wrong"])
    assert typed == "def f():\n    return 3\n\n\ndef g():\n    return 2\n"


def test_entries_tell_functions_from_classes(cache):
    path = cache.words_path
    declared = '["Cache(size)", "Cache.append(k)", "Cache.__len__()", "attend(q, k)"]'
    path.write_text(path.read_text("utf-8").replace('["square(x, scale=2.0)"]', declared), "utf-8")
    assert cache.entries == {"Cache": ["__init__", "append", "__len__"], "attend": []}


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("level", ["guided", "scratch"])
def test_a_starter_says_what_the_sheet_says_and_holds_no_answer(exercise, level, language):
    starter = exercise.render(level, language)
    docstring = ast.get_docstring(ast.parse(starter), clean=False)
    assert docstring.startswith(exercise.words(language).title)
    assert exercise.words(language).statement.strip() in docstring
    assert exercise.sheet.source in docstring
    assert "scale * x * x" not in starter
    assert "# BLANK" not in starter
    assert (exercise.words(language).blanks["square"] in starter) == (level == "guided")


@pytest.mark.parametrize("text", [r" ?\S+|\s+", r"\frac{1}{2}", '"""quoted"""', r'"""\S"""', '"', "\\\\"])
def test_a_statement_with_quotes_and_backslashes_reads_the_same_in_the_starter(exercise, text):
    words = exercise.words_path.read_text("utf-8")
    exercise.words_path.write_text(words.replace("y = scale · x²", json.dumps(text)[1:-1]), "utf-8")
    starter = exercise.render()
    assert text in ast.get_docstring(ast.parse(starter), clean=False)
    assert text in starter or '"""' in text


def test_attributes_are_told_at_the_level_that_has_no_other_sign_of_them(cache):
    words = cache.words_path.read_text("utf-8").replace('["square(x, scale=2.0)"]', '["Cache()", "Cache.append(k)"]')
    words = words.replace("[policy]", '[attributes]\nCache = ["keys"]\n\n[policy]').replace("square =", "grow =")
    cache.words_path.write_text(words, "utf-8")
    assert "# TODO: write it all (attributes: Cache.keys)" in cache.render("scratch")


@pytest.mark.parametrize("id", ["square", "Lab/square", "lab/../square", "lab/square/x", "../square", "lab/1x", "lab/"])
def test_a_new_exercise_needs_a_track_and_a_name(tmp_path, id):
    with pytest.raises(ClozeError, match="is no TRACK/NAME; use lower case"):
        write_skeleton(tmp_path, id)
    assert not list(tmp_path.iterdir())


def test_a_new_exercise_overwrites_nothing(exercise):
    exercise.solution_path.unlink()
    with pytest.raises(ClozeError, match=r"square\.toml exists; choose another name"):
        write_skeleton(exercise.root, "lab/square")
    assert not exercise.solution_path.exists()


def test_the_skeleton_is_what_its_author_reads(exercise):
    assert exercise.solution == SOLUTION.replace("NAME", "square")
    assert exercise.grader_path.read_text("utf-8") == GRADER.replace("NAME", "square")


def test_three_mistakes_are_explained_at_least(author):
    exercise = author()
    lines = exercise.words_path.read_text("utf-8").splitlines(keepends=True)
    exercise.words_path.write_text("".join(line for line in lines if not line.startswith("scales_first")), "utf-8")
    with pytest.raises(ContentError, match=r"square\.toml: en\.mistakes: 2; explain at least 3"):
        Exercise(exercise.root, exercise.id).sheet  # noqa: B018  (it is read now)
