"""Commands about cost: meter, bench."""

import json
import sys
from pathlib import Path
from typing import Literal

import click

from clozekit import submission
from clozekit.cli.common import (
    ExerciseId,
    catalog_of,
    console,
    content_option,
    language,
    language_option,
    locate,
    need_gpu,
    write,
)
from clozekit.describe import describe
from clozekit.errors import unreadable
from clozekit.meters import callstring
from clozekit.meters.costs import TARGETS, Target
from clozekit.meters.devices import DEVICES
from clozekit.workspace import Workspace


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
    """Count what a call of FILE costs, without a GPU. Bytes, sectors, FLOPs, and what its kernels compile to.

    Nothing of that size is computed: tensors are empty pages, and of a large grid a few programs run.
    """
    from clozekit import profiling
    from clozekit.processes import Processes
    from clozekit.render_meters import as_text

    calls = [callstring.parse(text) for text in texts]
    chosen = language(lang, None)
    try:
        upload = submission.read(file, links=True)
    except OSError as error:
        raise unreadable(file, error) from None
    with Processes() as processes:
        profiles = [profiling.profile(processes, upload, call, targets, eager) for call in calls]
    if as_json:
        click.echo(json.dumps(profiling.as_json(profiles), indent=1))
    else:
        for profile in profiles:
            console().print(as_text(profile, chosen))
    problems = [profile.problem for profile in profiles if profile.problem]
    for problem in problems if as_json else ():
        click.echo(f"cloze: {describe(problem, chosen)}", err=True)
    sys.exit(1 if problems else 0)


@click.command()
@click.argument("target", metavar="FILE|EXERCISE")
@click.option("--exercise", type=ExerciseId(), help="TRACK/NAME, where the file's path does not say it.")
@click.option(
    "--gpu", type=click.Choice([*DEVICES]), default="H100", show_default=True, help="Which one to predict for."
)
@click.option("--call", "texts", multiple=True, help="Such as 'softmax(float32[4096, 1000])'; default: the grader's.")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), help="Also measure there; cuda is an NVIDIA GPU.")
@click.option("--json", "json_path", metavar="PATH", help="Write all of it as JSON; - is standard output.")
@click.option("--html", "page", type=click.Path(path_type=Path, dir_okay=False), help="Also write a page of its own.")
@language_option
@content_option
def bench(
    target: str,
    exercise: str | None,
    gpu: str,
    texts: tuple[str, ...],
    device: Literal["cpu", "cuda"] | None,
    json_path: str | None,
    page: Path | None,
    lang: str | None,
    content: tuple[Path, ...],
) -> None:
    """Show what a kernel costs beside ours and eager PyTorch. And where it stands under the roofline of a GPU.

    Counted and predicted; with --device also timed, in turns with ours. 1 if something is above its bar, 3 if it could not be
    told.
    """
    from clozekit import racing
    from clozekit.comparing import compare
    from clozekit.processes import Processes
    from clozekit.render_bench import as_json, as_page, as_text

    workspace = Workspace.around(Path(target))
    path, found = locate(target, exercise, catalog_of(workspace, content))
    chosen = language(lang, workspace)
    if device:
        racing.check_device(found, device)
    if device == "cuda":
        need_gpu()
    try:
        upload = submission.read(path, links=True)
    except OSError as error:
        raise unreadable(path, error) from None
    compared = []
    with Processes() as processes:
        for each in compare(found, upload, processes, gpu, texts or found.costs):
            if device and not each.yours.problem:
                each = each._replace(measured=racing.measure(processes, found, upload, each.yours.call, device))
            compared.append(each)
            if json_path != "-":
                console().print(as_text(each, found, chosen))
    if json_path:
        write(json_path, json.dumps(as_json(compared, found, chosen), ensure_ascii=False, indent=1) + "\n")
    if page:
        page.write_text(as_page(compared, found, chosen), "utf-8")
    verdicts = {verdict for each in compared for verdict in each.verdicts()}
    sys.exit(1 if "failed" in verdicts else 3 if "could not check" in verdicts else 0)


COMMANDS = [meter, bench]
