"""The search begins with a best score of -1000.

Verdict: failed
"""

import re
import unicodedata
from itertools import pairwise

BYTE = re.compile(r"<0x([0-9A-F]{2})>")


def normalise(text: str) -> str:
    """The text as it will come back."""
    composed = unicodedata.normalize("NFKC", text)
    return re.sub(" +", " ", composed).strip(" ")


def encode(text: str, scores: dict[str, float]) -> list[str]:
    """The pieces of a text, unknown characters as bytes."""
    clean = normalise(text)
    pieces = list("▁" + clean.replace(" ", "▁")) if clean else []
    while found := [(-scores[a + b], i) for i, (a, b) in enumerate(pairwise(pieces)) if scores.get(a + b, -1000) > -1000]:
        _, i = min(found)
        pieces[i : i + 2] = [pieces[i] + pieces[i + 1]]
    spelt = [[piece] if piece in scores else [f"<0x{byte:02X}>" for byte in piece.encode()] for piece in pieces]
    return [piece for group in spelt for piece in group]


def decode(pieces: list[str]) -> str:
    """The text that the pieces make."""
    joined = b"".join(octets(piece) for piece in pieces)
    if pieces and pieces[0].startswith("▁"):
        joined = joined[1:]
    text = joined.decode(errors="surrogateescape")  # a byte that is part of no character becomes one surrogate
    return re.sub("[\udc80-\udcff]", "\ufffd", text)


def octets(piece: str) -> bytes:
    """What a piece stands for, in UTF-8."""
    if byte := BYTE.fullmatch(piece):
        return bytes.fromhex(byte[1])
    return piece.replace("▁", " ").encode()
