"""A table of some compatibility characters in place of NFKC.

Verdict: failed
"""

import re

TABLE = str.maketrans({"\u3000": " ", "\xa0": " ", "ﬁ": "fi", "①": "1", "™": "TM", "：": ":", "，": ",", "？": "?"})


def normalise(text):
    return re.sub(" +", " ", text.translate(TABLE)).strip(" ")


def encode(text, scores):
    parts = list("▁" + normalise(text).replace(" ", "▁")) if normalise(text) else []
    while best := [(-scores[a + b], i) for i, (a, b) in enumerate(zip(parts, parts[1:])) if a + b in scores]:
        i = min(best)[1]
        parts[i : i + 2] = [parts[i] + parts[i + 1]]
    return [p for part in parts for p in ([part] if part in scores else [f"<0x{b:02X}>" for b in part.encode()])]


def decode(pieces):
    data = b"".join(
        bytes([int(p[3:5], 16)]) if re.fullmatch("<0x[0-9A-F]{2}>", p) else p.replace("▁", " ").encode() for p in pieces
    )
    text = re.sub("[\udc80-\udcff]", "�", data.decode(errors="surrogateescape"))
    return text[1:] if pieces and pieces[0].startswith("▁") else text
