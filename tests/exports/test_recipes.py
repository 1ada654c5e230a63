"""The recipes of docs/ci run: their steps in bash, with the kit of this environment, git itself, and a pip that installs nothing.

What a hosting service does itself is played here: variables, where a step's summary goes, what `if` decides.
"""

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

import clozekit

RECIPES = Path(__file__).parents[2] / "docs" / "ci"
SOURCE = Path(clozekit.__file__).parents[1]
RIGHT = "def square(x, scale=2.0):\n    return scale * x * x\n"
WRONG = "def square(x, scale=2.0):\n    print('::error::forged')\n    return scale * x\n"
CHEAT = "import ctypes\n"
GRADER = 'def test_plain(check):\n    check("square", 3.0, 2.0, returns=18.0)\n'


@pytest.fixture(scope="module")
def course(author):
    return author(grader=GRADER, seconds=0.5).root


def program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def place(tmp_path):
    """An empty directory with the recipes' scripts; `cloze` and a pip that only writes down how it was called are on PATH."""
    program(tmp_path / "bin/cloze", f'#!/bin/sh\nexec "{sys.executable}" -m clozekit "$@"\n')
    program(tmp_path / "bin/pip", f'#!/bin/sh\necho "$*" >> "{tmp_path}/pip.log"\n')
    for script in ("collect.sh", "nightly.sh"):
        program(tmp_path / "place" / script, (RECIPES / script).read_text())
    return tmp_path / "place"


@pytest.fixture
def bash(place):
    """bash(script, variables): how it ended, as a runner starts it."""

    def bash(script, variables=()):
        kept = {name: os.environ[name] for name in ("TMPDIR", "LANG") if name in os.environ}
        ours = {
            "PATH": f"{place.parent}/bin:{os.environ['PATH']}",
            "HOME": str(place.parent),
            "PYTHONPATH": str(SOURCE),
        }
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=place,
            env=kept | ours | {"LANG": "C.UTF-8"} | dict(variables),
            capture_output=True,
            text=True,
            check=False,
        )

    return bash


@pytest.fixture
def repository(tmp_path, bash):
    """repository("ada", {"lab/square.py": text}): the address of one that holds these files."""

    def repository(student, files):
        home = tmp_path / "remote" / student
        for name, content in files.items():
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            (home / name).write_text(content)
        identity = "-c user.name=x -c user.email=x@x"
        done = bash(f'cd "{home}" && git init -q . && git add -A && git {identity} commit -qm work')
        assert done.returncode == 0, done.stderr
        return home.as_uri()

    return repository


@pytest.fixture
def a_class(place, repository, course):
    """What a teacher has beside the recipe. One repository is gone, and one student has pushed a link to a neighbour's file."""
    (place / "course").symlink_to(course)
    addresses = {
        student: repository(student, {"lab/square.py": text}) for student, text in {"ada": RIGHT, "bob": WRONG}.items()
    }
    link = place.parent / "remote/eve/lab/square.py"
    link.parent.mkdir(parents=True)
    link.symlink_to("../../ada/lab/square.py")
    addresses |= {"eve": repository("eve", {}), "gone": f"{place.as_uri()}/nowhere"}
    (place / "students.txt").write_text(
        "# the class\n\n" + "".join(f"{each} {url}\n" for each, url in addresses.items())
    )


def graded(place):
    suites = ElementTree.parse(place / "results/junit.xml").getroot()
    return {suite.get("name"): (suite.get("failures"), suite.get("errors")) for suite in suites}


CLASS = {"ada/lab/square": ("0", "0"), "bob/lab/square": ("1", "0"), "eve/lab/square": ("2", "0"), "gone": ("0", "1")}


def everything_below(place):
    files = [path for path in place.parent.rglob("*") if path.is_file() and not path.is_symlink()]
    return "".join(path.read_text("utf-8", "replace") for path in files)


def steps(recipe, job):
    """The steps of a GitHub workflow that are scripts, each with its variables."""
    found = yaml.safe_load((RECIPES / recipe).read_text("utf-8"))["jobs"][job]
    return [(each, found.get("env", {}) | each.get("env", {})) for each in found["steps"] if "run" in each]


def in_order(bash, found, values, variables):
    """Run them as a runner does: what one adds to GITHUB_ENV the next ones have. How the last of them ended."""
    for step, own in found:
        own = {key: re.sub(r"\$\{\{ (.+?) \}\}", lambda use: values[use[1]], str(text)) for key, text in own.items()}
        added = Path(variables["GITHUB_ENV"]).read_text().split()
        done = bash(step["run"], variables | own | dict(pair.split("=", 1) for pair in added))
        yield step["name"], done


@pytest.fixture
def runner(tmp_path):
    """The files that GitHub's runner gives to a step."""
    files = {name: tmp_path / name.lower() for name in ("GITHUB_ENV", "GITHUB_STEP_SUMMARY")}
    for file in files.values():
        file.touch()
    (tmp_path / "temp").mkdir()
    return {name: str(file) for name, file in files.items()} | {"RUNNER_TEMP": str(tmp_path / "temp")}


@pytest.mark.parametrize(
    "recipe", ["github-teacher.yml", "github-student.yml", "gitlab-teacher.yml", "gitlab-student.yml"]
)
def test_a_recipe_keeps_to_the_schema_of_its_service(recipe):
    schema = (
        ["vendor.github-workflows"]
        if recipe.startswith("github")
        else ["vendor.gitlab-ci", "--data-transform", "gitlab-ci"]
    )
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", *schema, RECIPES / recipe]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_recipe_is_run_here_and_named_on_the_page():
    page, ours = (RECIPES / "README.md").read_text("utf-8"), Path(__file__).read_text("utf-8")
    for recipe in RECIPES.iterdir():
        if recipe.suffix != ".md":
            assert f"({recipe.name})" in page
            assert recipe.name in ours


# A teacher's


def test_collecting_takes_what_is_pushed_and_goes_on_without_who_is_gone(a_class, bash, place):
    done = bash("./collect.sh students.txt submissions")
    assert (done.returncode, done.stderr.splitlines()[-1].partition(": file")[0]) == (0, "collect.sh: gone")
    assert (place / "submissions/ada/lab/square.py").read_text() == RIGHT
    assert not (place / "submissions/eve/lab/square.py").is_symlink()
    assert [path.name for path in (place / "submissions/gone").iterdir()] == [".git"]
    remote = place.parent / "remote/ada"
    (remote / "lab/square.py").write_text(WRONG)
    bash(f'cd "{remote}" && git -c user.name=x -c user.email=x@x commit -qam again')
    (place / "submissions/ada/lab/square.py").write_text("changed here\n")
    (place / "submissions/ada/left").touch()
    assert bash("./collect.sh students.txt submissions").returncode == 0
    assert (place / "submissions/ada/lab/square.py").read_text() == WRONG
    assert not (place / "submissions/ada/left").exists()


def test_github_grades_the_class(a_class, bash, place, runner):
    done = dict(in_order(bash, steps("github-teacher.yml", "grade"), {"secrets.STUDENTS_TOKEN": "s3cret"}, runner))
    assert [each.returncode for each in done.values()] == [0, 0, 0, 0], done
    assert (place.parent / "pip.log").read_text() == "install clozekit==0.1.0\n"
    assert "s3cret" not in everything_below(place)
    assert "::warning::not all could be checked" in done["Grade"].stdout
    assert graded(place) == CLASS
    assert "| `bob` | `lab/square` | ✗ failed | 0 of 1 points |" in Path(runner["GITHUB_STEP_SUMMARY"]).read_text(
        "utf-8"
    )


def test_gitlab_grades_the_class(a_class, bash, place):
    job = yaml.safe_load((RECIPES / "gitlab-teacher.yml").read_text("utf-8"))["grade"]
    done = bash("\n".join(job["script"]), job["variables"] | {"STUDENTS_TOKEN": "s3cret"})
    assert done.returncode in job["allow_failure"]["exit_codes"], done.stderr
    assert graded(place) == CLASS
    assert all((place / path).is_file() for path in [*job["artifacts"]["paths"], *job["artifacts"]["reports"].values()])
    issues = json.loads((place / job["artifacts"]["reports"]["codequality"]).read_text("utf-8"))
    assert {issue["location"]["path"] for issue in issues} == {"bob/lab/square.py", "eve/lab/square.py", "gone"}
    assert (place.parent / "pip.log").read_text() == "install clozekit==0.1.0\n"
    assert "s3cret" not in everything_below(place)


@pytest.mark.parametrize("service", ["github", "gitlab"])
def test_the_token_is_what_git_asks_the_service_with(service, bash, place):
    """git tells which address it uses in the end, and asks nobody."""
    (place / "students.txt").write_text(f"ada https://{service}.com/our-class/ada\n")
    program(place / "collect.sh", '#!/bin/sh\nread -r _ url < "$1"\ngit ls-remote --get-url "$url"\n')
    if service == "github":
        (fetch,) = [step for step in steps("github-teacher.yml", "grade") if "Fetch" in step[0]["name"]]
        variables = {
            name: str(text).replace("${{ secrets.STUDENTS_TOKEN }}", "s3cret") for name, text in fetch[1].items()
        }
        done = bash(fetch[0]["run"], variables)
    else:
        job = yaml.safe_load((RECIPES / "gitlab-teacher.yml").read_text("utf-8"))["grade"]
        (fetch,) = [line for line in job["script"] if "collect.sh" in line]
        done = bash(fetch, job["variables"] | {"STUDENTS_TOKEN": "s3cret"})
    assert re.fullmatch(rf"https://\S*token:s3cret@{service}\.com/our-class/ada\n", done.stdout), done.stderr


def test_cron_grades_the_class_and_the_next_night_only_what_is_new(a_class, bash, place):
    first = bash("./nightly.sh")
    assert first.returncode == 3
    assert "3 that not all could be checked" in first.stdout
    assert graded(place) == CLASS
    seconds = [json.loads(line)["seconds"] for line in (place / "results/results.jsonl").read_text().splitlines()]
    assert bash("./nightly.sh").returncode == 3
    assert [
        json.loads(line)["seconds"] for line in (place / "results/results.jsonl").read_text().splitlines()
    ] == seconds


# A student's


def test_github_tells_a_student_what_rules_and_visible_cases_say(place, bash, runner, course):
    """The pack is played by a course: what `cloze release` writes is one, without its hidden cases."""
    (place / "pack").symlink_to(course)
    (place / "lab").mkdir()
    (place / "lab/square.py").write_text(WRONG)
    found = steps("github-student.yml", "check")
    assert found[-1][0]["if"] == "${{ !cancelled() && hashFiles('pack/exercises/contents.toml') != '' }}"
    done = dict(in_order(bash, found, {}, runner))
    assert [each.returncode for each in done.values()] == [0, 0, 0, 1], done
    assert (place.parent / "pip.log").read_text().splitlines() == [
        "install --no-deps clozekit==0.1.0",
        "install click msgspec",
        "install clozekit==0.1.0",
    ]
    assert "✗ failed" in Path(runner["GITHUB_STEP_SUMMARY"]).read_text("utf-8")
    before, shown, after = re.split(r"::(?:stop-commands::)?[0-9a-f]{32}(?:::)?\n", done["Visible cases"].stdout)
    assert "::error::forged" in shown  # what the answer printed is no command there
    assert "::" not in before + after


def test_github_annotates_a_broken_rule_without_a_pack(place, bash, runner):
    (place / "normalization").mkdir()
    (place / "normalization/rms_norm.py").write_text(CHEAT)
    (place / "normalization/notes.py").write_text(CHEAT)
    done = dict(in_order(bash, steps("github-student.yml", "check")[:-1], {}, runner))
    assert done["Source rules"].returncode != 0
    assert "::error file=normalization/rms_norm.py,line=1,col=8,title=CZ102" in done["Source rules"].stdout
    assert "notes.py" not in done["Source rules"].stdout


def test_github_is_content_with_a_repository_without_answers(place, bash, runner):
    done = dict(in_order(bash, steps("github-student.yml", "check")[:-1], {}, runner))
    assert [each.returncode for each in done.values()] == [0, 0, 0], done


def test_gitlab_tells_a_student_what_the_rules_say(place, bash):
    (place / "normalization").mkdir()
    (place / "normalization/rms_norm.py").write_text(CHEAT)
    job = yaml.safe_load((RECIPES / "gitlab-student.yml").read_text("utf-8"))["rules"]
    done = bash("\n".join(job["script"]), job["variables"])
    assert done.returncode != 0
    assert "normalization/rms_norm.py:1:8: CZ102" in done.stdout
