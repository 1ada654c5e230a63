"""The command line: arguments in, text out. `cloze --help` and `cloze list` answer without torch."""

import sys

import click

from clozekit import __version__
from clozekit.cli import author, learner, machine
from clozekit.errors import ClozeError


class Cloze(click.Group):
    """Prints what users can act on; shows commands in the order in which they are met."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except ClozeError as error:
            click.echo(f"cloze: {error}", err=True)
            ctx.exit(2)
        except BrokenPipeError:
            sys.stderr.close()
            ctx.exit(0)


@click.group(cls=Cloze, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="cloze")
def main() -> None:
    """Fill in the blanks of a large language model.

    Start with `cloze init`, edit a file, run `cloze check FILE`. `cloze demo` tells the whole story in under a minute.
    For shell completion add `eval "$(_CLOZE_COMPLETE=bash_source cloze)"` to ~/.bashrc (or zsh_source, fish_source).
    """


for command in (*learner.COMMANDS, *author.COMMANDS, *machine.COMMANDS):
    main.add_command(command)
