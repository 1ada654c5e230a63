"""Commands about the source rules: lint, rule."""

import sys
from pathlib import Path

import click

from clozekit.cli.common import ExerciseId, catalog_of, content_option, language, language_option, locate
from clozekit.workspace import Workspace


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--exercise", type=ExerciseId(), help="TRACK/NAME, where the files' paths do not say it.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "sarif", "github"]),
    default="text",
    show_default=True,
    help="How findings are written: for people, or for a code-scanning service.",
)
@language_option
@content_option
def lint(files: tuple[str, ...], exercise: str | None, form: str, lang: str | None, content: tuple[Path, ...]) -> None:
    """Hold files against the source rules alone. Nothing runs; the exit status is 0 no errors, 1 errors, 2 wrong usage."""
    from clozekit import linting
    from clozekit.exports import findings

    workspace = Workspace.around(Path(files[0]))
    catalog = catalog_of(workspace, content)
    located = [locate(file, exercise, catalog) for file in files]
    chosen = language(lang, workspace)
    linted = [findings.Linted(path, found.id, linting.lint(path, found.sheet)) for path, found in located]
    if text := findings.FORMATS[form](linted, chosen):
        click.echo(text)
    sys.exit(1 if any(each.severity == "error" for file in linted for each in file.findings) else 0)


@click.command()
@click.argument("code", required=False)
@language_option
def rule(code: str | None, lang: str | None) -> None:
    """Print the page of the rule CODE. What it reports, why, an example; without CODE list them all."""
    from clozekit.rules.pages import page, pages

    chosen = language(lang, Workspace.around(Path.cwd()))
    if code:
        click.echo(page(code, chosen).text())
        return
    listed = pages(chosen)
    width = max(len(each.name) for each in listed)
    for each in listed:
        click.echo(f"{each.code}  {each.name:{width}}  {each.line}")


COMMANDS = [lint, rule]
