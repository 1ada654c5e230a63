"""Commands for an author: new, build, verify."""

import json
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import click
import msgspec

from clozekit.catalog import Catalog, builtin_root, make_index, open_catalog
from clozekit.cli.common import ExerciseId, console, content_option
from clozekit.errors import ClozeError
from clozekit.pack import Pack


@click.command()
@click.argument("exercise", metavar="TRACK/NAME")
@click.option(
    "--content",
    type=click.Path(path_type=Path, file_okay=False),
    help="The content root; default: here, or the kit's own.",
)
def new(exercise: str, content: Path | None) -> None:
    """Write the four files of a new exercise. It is small and verifies clean, for you to change."""
    from clozekit.skeleton import write_skeleton

    root = _authored(content or (Path.cwd() if (Path.cwd() / "exercises").is_dir() else builtin_root()))
    for path in [*write_skeleton(root, exercise), *_write(_index(root))]:
        click.echo(path)
    click.echo(f"Now: cloze verify {exercise}{f' --content {content}' if content else ''}")


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; leave with status 1 if something is stale.")
@click.option(
    "--content",
    type=click.Path(path_type=Path, file_okay=False),
    help="The content root; default: here, or the kit's own.",
)
def build(check: bool, content: Path | None) -> None:
    """Derive every starter and the index from solutions and words."""
    root = _authored(
        content or (Path.cwd() if (Path.cwd() / "exercises" / "contents.toml").is_file() else builtin_root())
    )
    derived = {exercise.starter_path: exercise.render() for exercise in Catalog([root])} | _index(root)
    stale = {path: text for path, text in derived.items() if not path.exists() or path.read_text("utf-8") != text}
    starters = {path.with_suffix(".py") for path in (root / "exercises").glob("*/*.toml")}
    strays = [path for path in (root / "exercises").glob("*/*.py") if path not in starters]
    for path in stale if check else _write(stale):
        click.echo(f"{'stale' if check else 'written'}: {path}")
    for path in strays:
        click.echo(f"stray: {path} has no .toml beside it; delete it or write one")
    if strays or (check and stale):
        if check and stale:
            click.echo("run `cloze build`", err=True)
        sys.exit(1)


def _authored(root: Path) -> Path:
    """A content root that may be changed.

    Raises:
        ClozeError: it is a course pack.
    """
    if Pack.at(root):
        raise ClozeError(f"{root} is a course pack; change the course and run `cloze release {root}` again")
    return root


def _index(root: Path) -> dict[Path, str]:
    """The index of a content root, by its path."""
    text = msgspec.json.format(msgspec.json.encode(make_index(root)), indent=1).decode() + "\n"
    return {root / "exercises" / "index.json": text}


def _write(files: dict[Path, str]) -> Iterator[Path]:
    """Write files, each announced when it is there."""
    for path, text in files.items():
        path.write_text(text, "utf-8")
        yield path


@click.command()
@click.argument("exercises", nargs=-1, metavar="[EXERCISE]...", type=ExerciseId())
@click.option("--json", "as_json", is_flag=True, help="One object an exercise, in an array.")
@click.option("--mutants/--no-mutants", default=True, help="Also try machine-made mutants of the solution.")
@click.option("--seed", type=int, help="Draw the same inputs again; by default they are new.")
@content_option
def verify(
    exercises: tuple[str, ...], as_json: bool, mutants: bool, seed: int | None, content: tuple[Path, ...]
) -> None:
    """Prove that graders refuse what they must, and nothing else.

    The solution passes, blanks fail, mistakes are refused and named, mutants refused or justified.
    """
    from clozekit.engine import Engine
    from clozekit.verify import Proof, prove

    catalog = open_catalog(content)
    chosen = [catalog[id] for id in exercises] or list(catalog)
    proofs: list[Proof] = []
    progress = console(stderr=True)
    with Engine(seed) as engine, progress.status("") as status:
        for exercise in chosen:
            try:
                tick = partial(_update, status, exercise.id)
                proof = prove(exercise, engine, with_mutants=mutants, tick=tick)
            except ClozeError as error:
                proof = Proof(exercise.id, complaints=[str(error)])
            proofs.append(proof)
            if not as_json:
                _tell(proof)
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(proofs), ensure_ascii=False, indent=1))
    sys.exit(1 if any(proof.complaints for proof in proofs) else 0)


def _update(status: Any, id: str, what: str) -> None:
    from rich.markup import escape

    text = f"{id}: {what}"
    status.update(escape(text if len(text) <= 100 else text[:99] + "…"))


def _tell(proof: object) -> None:
    """One exercise's proof as text: a line of figures, the margins, then what is wrong."""
    from clozekit.verify import Proof

    assert isinstance(proof, Proof)
    mark = click.style("✗", fg="red") if proof.complaints else click.style("✓", fg="green")
    passing = len(proof.survivors)
    refused = proof.mutants - proof.justified - passing
    click.echo(
        f"{mark} {proof.id}  {len(proof.mistakes)} mistakes named  "
        f"{proof.mutants} mutants: {refused} refused, {proof.justified} justified, {passing} pass  {proof.seconds} s"
    )
    for margin in proof.margins:
        nearest = "-" if margin.mistake is None else f"{margin.mistake:.3g}"
        click.echo(f"    {margin.test:44} honest {margin.honest:8.3g}   bar 20   nearest mistake {nearest:>9}")
    for note in proof.notes:
        click.echo(f"    note: {note}")
    for complaint in proof.complaints:
        click.echo(f"  {click.style('✗', fg='red')} {complaint}")


COMMANDS = [new, build, verify]
