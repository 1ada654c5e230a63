"""Commands about cost: meter."""

import json
import sys
from pathlib import Path

import click

from clozekit import submission
from clozekit.cli.common import console, language, language_option
from clozekit.describe import describe
from clozekit.errors import ClozeError
from clozekit.meters import callstring
from clozekit.meters.costs import TARGETS, Target


class Targets(click.ParamType):
    """sm_80,sm_90"""

    name = "targets"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> list[Target]:
        if isinstance(value, list):
            return value
        names = [name.strip() for name in str(value).split(",") if name.strip()]
        known = [target for target in TARGETS if target in names]
        if len(known) < len(set(names)) or not known:
            self.fail(f"{value!r}: known are {', '.join(TARGETS)}", param, ctx)
        return known


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--call", "texts", multiple=True, required=True, help="Such as 'softmax(float32[4096, 1000])'.")
@click.option("--targets", type=Targets(), default="sm_80,sm_90", show_default=True, help="GPUs to compile for.")
@click.option("--eager", metavar="NAME", default="", help="A function of FILE that does the same with torch.")
@click.option("--json", "as_json", is_flag=True, help="Counts, facts and predictions as one object.")
@language_option
def meter(
    file: Path, texts: tuple[str, ...], targets: list[Target], eager: str, as_json: bool, lang: str | None
) -> None:
    """Count what a call of FILE costs, without a GPU: bytes, sectors, FLOPs, and what its kernels compile to.

    Nothing of that size is computed: tensors are empty pages, and of a large grid a few programs run.
    """
    from clozekit import profiling
    from clozekit.render_meters import as_text

    calls = [callstring.parse(text) for text in texts]
    chosen = language(lang, None)
    try:
        upload = submission.read(file, links=True)
    except OSError as error:
        raise ClozeError(f"{file} cannot be read: {error.strerror}") from None
    with profiling.Profiler() as profiler:
        profiles = [profiler.profile(upload, call, targets, eager) for call in calls]
    if as_json:
        click.echo(json.dumps(profiling.as_json(profiles), indent=1))
    else:
        for profile in profiles:
            console().print(as_text(profile, chosen))
    problems = [profile.problem for profile in profiles if profile.problem]
    for problem in problems if as_json else ():
        click.echo(f"cloze: {describe(problem, chosen)}", err=True)
    sys.exit(1 if problems else 0)


COMMANDS = [meter]
