import math


def rope_wavelengths(d: int, base: float = 10000.0) -> list[float]:
    """Of each of the d/2 pairs, in how many positions it turns once."""
    # BLANK wavelengths
    return [2 * math.pi * base ** (2 * j / d) for j in range(d // 2)]  # 2π over the angle of one position
    # END


def new_shares(d: int, base: float, train_len: int, test_len: int) -> list[float]:
    """Of each pair, what share of its circle a text of test_len tokens reaches and one of train_len does not."""

    # BLANK share
    def share(tokens: int, wavelength: float) -> float:
        return min(1.0, tokens / wavelength)  # a second turn shows nothing new

    # END
    # BLANK difference
    return [max(0.0, share(test_len, w) - share(train_len, w)) for w in rope_wavelengths(d, base)]
    # END


def unseen_dims(d: int, base: float, train_len: int, test_len: int) -> list[int]:
    """The pairs, by number, that meet angles in a text of test_len tokens which training did not show."""
    # BLANK unseen
    return [j for j, share in enumerate(new_shares(d, base, train_len, test_len)) if share > 0]
    # END
