"""The command line: arguments in, text out. `cloze --help` and `cloze list` answer without torch."""

import codecs
import contextlib
import io
import os
import sys
from collections.abc import Iterator
from importlib import import_module

import click

from clozekit import __version__
from clozekit.cli.common import spoken
from clozekit.describe import describe
from clozekit.errors import CannotCheck, ClozeError, of_the_system
from clozekit.render_picture import in_ascii
from clozekit.report import EXIT_STATUS

MODULES = (  # in the order in which their commands are met
    "learner",
    "course",
    "watch",
    "study",
    "practice",
    "report",
    "notebook",
    "rules",
    "meter",
    "author",
    "release",
    "teacher",
    "gradebook",
    "classroom_pages",
    "gradescope",
    "machine",
)
PLAIN = "clozekit.plain"  # how a stream writes what its encoding lacks
codecs.register_error(PLAIN, in_ascii)


class Cloze(click.Group):
    """Prints what users can act on. Modules are imported until one has the command: none waits for what others need."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [command.name for command in _commands() if command.name]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        return next((command for command in _commands() if command.name == name), None)

    def invoke(self, ctx: click.Context) -> object:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors=PLAIN)  # a terminal that has no ★ shows a question mark
        if os.environ.get("NO_COLOR"):
            ctx.color = False  # rich knows by itself, click does not
        try:
            return super().invoke(ctx)
        except ClozeError as error:
            click.echo(f"cloze: {error.text(spoken(ctx))}", err=True)
            ctx.exit(2)
        except CannotCheck as error:
            click.echo(f"cloze: {error.text(spoken(ctx))}", err=True)
            ctx.exit(EXIT_STATUS["could not check"])
        except KeyboardInterrupt:
            ctx.exit(130)  # as a shell says it of what Ctrl-C ended; 1 would mean that the file failed
        except BrokenPipeError:
            sys.stderr.close()
            ctx.exit(0)
        except OSError as error:
            click.echo(f"cloze: {describe(of_the_system(error), spoken(ctx))}", err=True)
            with contextlib.suppress(OSError):  # what could not be written must not fail again at the exit
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(2)


def _commands() -> Iterator[click.Command]:
    for module in MODULES:
        yield from import_module(f"clozekit.cli.{module}").COMMANDS


@click.group(cls=Cloze, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="cloze")
def main() -> None:
    """Fill in the blanks of a large language model.

    Start with `cloze init`, edit a file, run `cloze check FILE`. `cloze demo` tells the whole story in under a minute.
    For shell completion add `eval "$(_CLOZE_COMPLETE=bash_source cloze)"` to ~/.bashrc (or zsh_source, fish_source).
    """
