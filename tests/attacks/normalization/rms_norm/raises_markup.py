"""Raises terminal escapes, rich markup, HTML and a fake report.

Verdict: failed
"""

def rms_norm(x, weight, eps=1e-6):
    raise ValueError("\x1b[2J\x1b]8;;http://127.0.0.1\x07[bold green]passed[/] <script>alert(1)</script> ]]> \u202e \u2066 \0 \x9b31m")
