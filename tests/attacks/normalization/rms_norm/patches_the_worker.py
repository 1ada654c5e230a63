"""The worker's method that makes a call is replaced by one that echoes the input.

Verdict: failed
"""

import sys

worker = sys.modules["clozekit.worker"]
calls, values = sys.modules["clozekit.calls"], sys.modules["clozekit.values"]


def call(self, request, reader, buffers):
    return calls.Returned(request.nonce, values.encode(reader.decode(request.args[0]), buffers))


worker.Worker.call = call


def rms_norm(x, weight, eps=1e-6):
    raise ValueError
