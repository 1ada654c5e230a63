import re
import unicodedata
from itertools import pairwise

BYTE = re.compile(r"<0x([0-9A-F]{2})>")


def normalise(text: str) -> str:
    """The text as it will come back."""
    # BLANK compose
    composed = unicodedata.normalize("NFKC", text)
    # END
    # BLANK trim
    return re.sub(" +", " ", composed).strip(" ")
    # END


def encode(text: str, scores: dict[str, float]) -> list[str]:
    """The pieces of a text, unknown characters as bytes."""
    clean = normalise(text)
    # BLANK mark
    pieces = list("▁" + clean.replace(" ", "▁")) if clean else []
    # END
    # BLANK merge
    while found := [(-scores[a + b], i) for i, (a, b) in enumerate(pairwise(pieces)) if a + b in scores]:
        _, i = min(found)
        pieces[i : i + 2] = [pieces[i] + pieces[i + 1]]
    # END
    # BLANK fall_back
    spelt = [[piece] if piece in scores else [f"<0x{byte:02X}>" for byte in piece.encode()] for piece in pieces]
    return [piece for group in spelt for piece in group]
    # END


def decode(pieces: list[str]) -> str:
    """The text that the pieces make."""
    # BLANK join
    joined = b"".join(octets(piece) for piece in pieces)
    if pieces and pieces[0].startswith("▁"):
        joined = joined[1:]
    # END
    # BLANK read
    text = joined.decode(errors="surrogateescape")  # a byte that is part of no character becomes one surrogate
    return re.sub("[\udc80-\udcff]", "\ufffd", text)
    # END


def octets(piece: str) -> bytes:
    """What a piece stands for, in UTF-8."""
    # BLANK octets
    if byte := BYTE.fullmatch(piece):
        return bytes.fromhex(byte[1])
    return piece.replace("▁", " ").encode()
    # END
