"""ast.parse for a program with threads.

CPython 3.11 counts the depth of the tree that it builds once for all threads: two that parse at a time may see a SystemError
("AST constructor recursion depth mismatch"). So one parses after the other.
"""

import ast
import threading

_lock = threading.Lock()


def parse(source: str, name: str = "<unknown>") -> ast.Module:
    """The tree of a module. Raises what ast.parse raises."""
    with _lock:
        return ast.parse(source, name)
