"""Static rules: what a submission's source may not do, found before anything runs. One file each.

findings(tree, policy)  ->  [Finding("CZ001", "error", 7, 12, Problem("CZ001", {"path": "torch.softmax"}))]
"""

import ast

from clozekit.exercise import Policy
from clozekit.report import Finding, Problem
from clozekit.rules import (
    dynamic_escape,
    forbidden_api,
    foreign_call,
    harness_access,
    kept_state,
    no_launch,
    unlisted_import,
    unmasked_access,
)
from clozekit.rules.names import Names, TooMuch

RULES = (
    forbidden_api,
    dynamic_escape,
    harness_access,
    unlisted_import,
    kept_state,
    no_launch,
    foreign_call,
    unmasked_access,
)


def findings(tree: ast.Module, policy: Policy) -> list[Finding]:
    """Everything that the rules find, by line. A file that they cannot read to its end is a finding itself."""
    try:
        names = Names(tree)
        found = [finding for rule in RULES for finding in rule.check(tree, names, policy)]
    except RecursionError:
        return [Finding("CZ902", "error", 1, 1, Problem("CZ902-deep"))]
    except TooMuch:
        return [Finding("CZ902", "error", 1, 1, Problem("CZ902"))]
    places = {(finding.line, finding.column, finding.code): finding for finding in reversed(found)}
    return [places[place] for place in sorted(places)]  # `table` and `table.get(...)` begin at the same place
