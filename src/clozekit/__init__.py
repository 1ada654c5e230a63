"""clozekit: fill in the blanks of a large language model.

Nothing here imports torch: `cloze list` and `cloze --help` must answer at once.
"""

__version__ = "0.1.0"
