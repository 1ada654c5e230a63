"""RoPE wavelengths: what a longer text shows for the first time

Nothing in RoPE ends at the length of training: any position has its angles. Models fail in
longer texts all the same, because some of these angles never occurred in training. Which?

RoPE turns pair j = 0 … d/2 − 1 of a vector by base^(−2j/d) radians from one position to
the next. Its wavelength λ_j is how many positions one turn takes, 2π radians; it need not
be a whole number. Within n tokens a pair goes through a share of its circle,

    share_j(n) = n / λ_j, and 1 where that is more than 1

as a second turn repeats the first. A pair that finished a turn in training has seen all its
angles; one that did not meets new ones in every longer text, even if it does not finish a
turn there either. In a text that is no longer than those of training nothing is new.

rope_wavelengths(d, base=10000.0)
        λ_0, λ_1, …, a list of d/2 floats
new_shares(d, base, train_len, test_len)
        share_j(test_len) − share_j(train_len) for every pair, but at least 0: a list of d/2
        floats
unseen_dims(d, base, train_len, test_len)
        the numbers j of the pairs whose new share is above 0, a list of ints, ascending

d         int, even, at least 2
base      float > 1
lengths   int, at least 1, either may be the larger one

Position interpolation, NTK and YaRN are ways to keep these pairs within the angles that
they know.

Source: Su et al. 2021, RoFormer, arXiv:2104.09864, eq. 15; Peng et al. 2023, YaRN, arXiv:2309.00071, §3
"""

import math


def rope_wavelengths(d: int, base: float = 10000.0) -> list[float]:
    """Of each of the d/2 pairs, in how many positions it turns once."""
    # TODO (1 line): the wavelength of every pair, a list
    raise NotImplementedError("wavelengths")


def new_shares(d: int, base: float, train_len: int, test_len: int) -> list[float]:
    """Of each pair, what share of its circle a text of test_len tokens reaches and one of train_len does not."""

    # TODO (3 lines): a function `share(tokens, wavelength)`: the share of the circle within so many tokens
    raise NotImplementedError("share")
    # TODO (1 line): of every pair the share that only the longer text has; never below 0
    raise NotImplementedError("difference")


def unseen_dims(d: int, base: float, train_len: int, test_len: int) -> list[int]:
    """The pairs, by number, that meet angles in a text of test_len tokens which training did not show."""
    # TODO (1 line): the numbers of the pairs that have a new share
    raise NotImplementedError("unseen")
