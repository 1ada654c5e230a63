"""Nothing but a comment.

Verdict: failed, missing
"""

# all is well
