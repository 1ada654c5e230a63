"""Static rules: what a submission's source may not do, found before anything runs. One file each.

findings(tree, sheet)  ->  [Finding("CZ001", "error", 7, 12, Problem("CZ001", {"path": "torch.softmax"}))]
"""

import ast

from clozekit.exercise import Sheet
from clozekit.report import Finding
from clozekit.rules import forbidden_api
from clozekit.rules.names import Names

RULES = (forbidden_api,)


def findings(tree: ast.Module, sheet: Sheet) -> list[Finding]:
    """Everything that the rules find, by line."""
    names = Names(tree)
    found = [finding for rule in RULES for finding in rule.check(tree, names, sheet.policy)]
    return sorted(found, key=lambda finding: (finding.line, finding.column))
