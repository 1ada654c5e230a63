"""CZ902 beyond-limits

What it does
    Reports a file that cannot be read to its end within bounds: too many parts, names that stand for ever more things,
    expressions nested too deeply, too much processor time or memory.

Why is this bad?
    What is not read is not checked. An answer is a page of code; the bounds are a hundred pages away.

Example
    table = [[[[[[[[[[[[0] * 9] * 9] * 9] * 9] * 9] * 9] * 9] * 9] * 9] * 9] * 9]  # and a hundred brackets more

Use instead
    row = [0] * 9
    table = [row, row, row]
"""

CODE = "CZ902"
