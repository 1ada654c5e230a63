"""Commands for a learner who is stuck or done: hint, explain, debug, diff, solution."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from clozekit import phrases
from clozekit.cli.common import (
    ExerciseId,
    catalog_of,
    confirm,
    console,
    content_option,
    inside,
    language_option,
    no_help_in_interview,
    remember_hint,
    surroundings,
)
from clozekit.describe import clean
from clozekit.errors import NotFound, unreadable
from clozekit.exercise import Exercise
from clozekit.report import Problem
from clozekit.state import Progress
from clozekit.workspace import Workspace, need_workspace

if TYPE_CHECKING:
    from clozekit.differences import Styled
    from clozekit.report import Report


class MistakeName(click.ParamType):
    """The name of a mistake that some exercise knows, completed in the shell."""

    name = "mistake"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        id = ctx.params.get("exercise")
        catalog = catalog_of(Workspace.around(Path.cwd()))
        exercises = [catalog[id]] if id else catalog
        known = {name: text for exercise in exercises for name, text in exercise.sheet.en.mistakes.items()}
        return [CompletionItem(name, help=text) for name, text in known.items() if name.startswith(incomplete)]


class CaseName(click.ParamType):
    """The name of a case of the exercise that was named before it, completed in the shell."""

    name = "case"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        cases = catalog_of(Workspace.around(Path.cwd()))[ctx.params["exercise"]].visible_cases
        return [CompletionItem(name) for name in cases if name.startswith(incomplete)]


@click.command()
@click.argument("exercise", type=ExerciseId())
@click.option("--all", "everything", is_flag=True, help="All hints at once.")
@language_option
@content_option
def hint(exercise: str, everything: bool, lang: str | None, content: tuple[Path, ...]) -> None:
    """Show the next hint for EXERCISE. In a workspace each call goes one step further.

    If the last check found a known mistake, the first hint is about that. While a review of EXERCISE is under way the checks of
    its file count.
    """
    from clozekit import hints

    workspace, chosen = surroundings(lang)
    found = catalog_of(workspace, content)[exercise]
    no_help_in_interview(workspace, found.id)
    report = _last_report(workspace, found.id)
    if everything:
        click.echo("\n\n".join(hints.everything(found, report, chosen)))
        return
    progress = workspace.progress(found.id) if workspace else Progress()
    given = hints.take(found, progress, report, chosen)
    click.echo(given.text)
    click.echo(given.next_step(found.id, chosen))
    if workspace:
        remember_hint(workspace, found.id, progress, chosen)


@click.command()
@click.argument("mistake", required=False, type=MistakeName())
@click.option("--exercise", type=ExerciseId(), help="Where it was made, if several exercises know it.")
@language_option
@content_option
def explain(mistake: str | None, exercise: str | None, lang: str | None, content: tuple[Path, ...]) -> None:
    """Explain MISTAKE, as a report names it. What is wrong, what people write, which case refuses it.

    Without MISTAKE the last one that a check found in this workspace. The right code beside it comes after you have passed.
    """
    from clozekit import explaining

    workspace, chosen = surroundings(lang)
    catalog = catalog_of(workspace, content)
    if mistake is None:
        found, mistake = explaining.last_diagnosed(need_workspace(Path.cwd()))
        exercise = exercise or found
    known = explaining.named(mistake, [catalog[exercise]] if exercise else catalog)
    for each in known:
        no_help_in_interview(workspace, each.id)
    meant = explaining.likeliest(mistake, known, workspace)
    if meant is None:
        for each in known:
            click.echo(f"{click.style(each.id, bold=True)}\n{each.words(chosen).mistakes[mistake]}\n")
        click.echo(phrases.say(chosen, "explain-which", name=mistake))
        return
    others = [each.id for each in known if each is not meant]
    click.echo(f"{click.style(mistake, bold=True)}  {meant.id}\n{meant.words(chosen).mistakes[mistake]}\n")
    _show_code(meant, mistake, passed=is_passed(meant, workspace), language=chosen)
    report = _last_report(workspace, meant.id)
    if refused := explaining.refusal(meant, mistake, report):
        from clozekit.hints import told

        click.echo("\n".join([phrases.say(chosen, "explain-refused"), *told(refused, meant, chosen)]))
    if others:
        click.echo(phrases.say(chosen, "explain-others", ids=phrases.say(chosen, "comma").join(others)))


def _show_code(exercise: Exercise, mistake: str, passed: bool, language: str) -> None:
    """What people write; beside what is right only for those who have found it themselves."""
    from clozekit import blanks, differences, explaining

    if passed:
        click.echo(phrases.say(language, "explain-difference"))
        _print_lines(
            differences.unified(exercise.mistaken(exercise.mistakes[mistake]), blanks.reveal(exercise.solution))
        )
    else:
        click.echo("\n".join(explaining.people_write(exercise, mistake, language)))
    click.echo()


@click.command()
@click.argument("exercise", type=ExerciseId())
@click.argument("case", nargs=-1, type=CaseName())
@language_option
@content_option
def debug(exercise: str, case: tuple[str, ...], lang: str | None, content: tuple[Path, ...]) -> None:
    """Run one visible CASE with print, breakpoint() and pdb. Without CASE list them.

    Your file is that of a review, while one is under way or if that was checked last. It runs here, without a sandbox.
    It decides nothing: that is for `cloze check`.
    """
    workspace, chosen = inside(lang)
    found = catalog_of(workspace, content)[exercise]
    path, _ = workspace.at_work(found.id)
    if case:
        no_help_in_interview(workspace, found.id)  # it shows what is expected
    if case and not path.exists():
        raise NotFound(Problem("no-starter", {"path": str(path)}))
    from clozekit import debugging

    if not case:
        titles = found.words(chosen).cases
        for name in debugging.visible_cases(found):
            click.echo(titles.get(name, name))
        return
    questions = debugging.rehearse(found, " ".join(case))
    click.echo(click.style(phrases.say(chosen, "debug-unconfined", path=path), fg="yellow"))
    went_through = debugging.run(found, path, questions, chosen)
    click.echo(f"\n{phrases.say(chosen, 'debug-no-verdict', id=found.id)}")
    sys.exit(0 if went_through else 1)


@click.command()
@click.argument("exercise", type=ExerciseId())
@click.option("--side-by-side", "-y", "beside", is_flag=True, help="Yours on the left, ours on the right.")
@language_option
@content_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def diff(exercise: str, beside: bool, lang: str | None, content: tuple[Path, ...], yes: bool) -> None:
    """Compare your file with our solution of EXERCISE. Asks first if you have not solved it yet, or are solving it again.

    Your file is that of a review, while one is under way or if that was checked last.
    """
    from clozekit import blanks, differences

    workspace, chosen = inside(lang)
    found = catalog_of(workspace, content)[exercise]
    path, _ = workspace.at_work(found.id)
    try:
        yours = path.read_text("utf-8-sig", "replace")
    except FileNotFoundError:
        raise NotFound(Problem("no-starter", {"path": str(path)})) from None
    except OSError as error:
        raise unreadable(path, error) from None
    ours = blanks.reveal(found.solution)
    _may_see_solution(found, workspace, chosen, yes)
    heads = phrases.say(chosen, "diff-yours", path=path), phrases.say(chosen, "diff-ours")
    lines = differences.unified(yours, ours)
    if not lines:
        click.echo(phrases.say(chosen, "diff-none"))
    elif beside:
        console().print(differences.beside(yours, ours, heads))
    else:
        _print_lines([[(f"--- {heads[0]}", "bold red")], [(f"+++ {heads[1]}", "bold green")], *lines])


@click.command()
@click.argument("exercise", type=ExerciseId())
@language_option
@content_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def solution(exercise: str, lang: str | None, content: tuple[Path, ...], yes: bool) -> None:
    """Print our solution of EXERCISE. Asks first if you have not solved it yet, or are solving it again."""
    from clozekit import blanks

    workspace, chosen = surroundings(lang)
    found = catalog_of(workspace, content)[exercise]
    ours = blanks.reveal(found.solution)
    _may_see_solution(found, workspace, chosen, yes)
    click.echo(ours, nl=False)


def is_passed(exercise: Exercise, workspace: Workspace | None) -> bool:
    """Whether the learner has found the answer, and is not about to find it again."""
    progress = workspace.progress(exercise.id) if workspace else Progress()
    return bool(progress.passed) and not progress.reviewing


def _last_report(workspace: Workspace | None, id: str) -> "Report | None":
    """What was said of the file that is worked on."""
    return workspace.last_report(id, workspace.at_work(id)[1]) if workspace else None


def _may_see_solution(exercise: Exercise, workspace: Workspace | None, language: str, yes: bool) -> None:
    """Go on only if nothing is spoiled, or if that is wanted."""
    no_help_in_interview(workspace, exercise.id)
    if not yes and not is_passed(exercise, workspace):
        again = workspace and workspace.progress(exercise.id).passed
        confirm(phrases.say(language, "unsolved-again" if again else "unsolved", id=exercise.id), language)


def _print_lines(lines: "list[Styled]") -> None:
    """Code in colour: what stands in brackets is no markup."""
    from rich.text import Text

    for line in lines:
        console().print(Text.assemble(*((clean(text), style) for text, style in line)))


COMMANDS = [hint, explain, debug, diff, solution]
