# CZ102 {}
# ruff: noqa
"""A module of the machine counts by its name on an owner that nobody knows; not as a field of the file's own."""

import warnings

warnings.catch_warnings()._module.sys  # CZ102: 1
[object][0]()._thread  # CZ102: 1


class Token:
    def __init__(self, code, site):
        self.code, self.site, self.inspect = code, site, None


token = Token(1, 2)
token.code, token.site, token.inspect
