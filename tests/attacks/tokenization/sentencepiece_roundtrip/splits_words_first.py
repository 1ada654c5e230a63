"""Words are split off before BPE, so that no piece reaches across a space.

Verdict: failed
"""

import re
import unicodedata


def normalise(text):
    return re.sub(" +", " ", unicodedata.normalize("NFKC", text)).strip(" ")


def encode(text, scores):
    found = []
    for word in normalise(text).split(" ") if normalise(text) else []:
        parts = list("▁" + word)
        while best := [(-scores[a + b], i) for i, (a, b) in enumerate(zip(parts, parts[1:])) if a + b in scores]:
            i = min(best)[1]
            parts[i : i + 2] = [parts[i] + parts[i + 1]]
        for part in parts:
            found += [part] if part in scores else [f"<0x{b:02X}>" for b in part.encode()]
    return found


def decode(pieces):
    data = b"".join(
        bytes([int(p[3:5], 16)]) if re.fullmatch("<0x[0-9A-F]{2}>", p) else p.replace("▁", " ").encode() for p in pieces
    )
    text = re.sub("[\udc80-\udcff]", "�", data.decode(errors="surrogateescape"))
    return text[1:] if pieces and pieces[0].startswith("▁") else text
