"""A class: what it handed in, what it gets for that, and in which forms that is told."""
