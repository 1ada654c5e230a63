"""Ends its process while it is loaded.

Verdict: failed
"""

import os

os._exit(0)
