# CZ101 {}
# ruff: noqa
"""A name that dataclasses.fields gives is written in the file; any other that is computed is not."""

import dataclasses
from dataclasses import dataclass, fields

import torch


@dataclass
class Pair:
    chosen: int
    rejected: int

    def __sub__(self, other):
        return Pair(*(getattr(self, f.name) - getattr(other, f.name) for f in fields(self)))

    def double(self, other):
        for each in dataclasses.fields(other):
            setattr(self, each.name, 2 * getattr(other, each.name))


def hostile(x, other, kinds):
    for kind in kinds:
        getattr(other, kind.name)  # CZ101: 9
    for field in fields(Pair):
        getattr(torch, field.name)  # CZ101: 9
        getattr(other, field.default)  # CZ101: 9
    either = fields(Pair)[0]
    either = kinds
    return getattr(other, either.name)  # CZ101: 12
