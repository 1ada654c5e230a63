"""python -m clozekit: the same as `cloze`."""

from clozekit.cli import main

main(prog_name="cloze")
