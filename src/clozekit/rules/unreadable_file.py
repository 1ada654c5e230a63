"""CZ901 unreadable-file

What it does
    Reports a file that is no Python: a syntax error, another encoding than UTF-8, NUL bytes, nothing at all.

Why is this bad?
    It cannot run, and no other rule can look at it.

Example
    return x / rms * (weight

Use instead
    return x / rms * weight
"""

CODE = "CZ901"
