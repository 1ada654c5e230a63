"""The functions of CUDA's libdevice, in numpy.

    __nv_rsqrtf -> rsqrt,  __nv_rsqrt -> rsqrt,  __nv_fast_expf -> exp,  __nv_fmul_rn -> mul

Rounding modes are not told apart: every result is the nearest.
"""

import math
import re
from collections.abc import Callable

import numpy as np

from clozekit.kernels.refusal import refused

SHAPE = re.compile(r"__nv_(?:fast_)?(\w+?)(_r[nzud])?$")


class NotOnCpu(NotImplementedError):
    """What a GPU can do and the interpreter cannot."""


def _each(function: Callable[..., float]) -> Callable[..., np.ndarray]:
    """A function of Python numbers, lane by lane in float64; where it is not defined, NaN."""

    def lane(*values: float) -> float:
        try:
            return function(*values)
        except (ValueError, OverflowError):
            return math.inf if function in (math.gamma, math.lgamma) and values[0] > 0 else math.nan

    return np.vectorize(lane, otypes=[np.float64])


FUNCTIONS: dict[str, Callable[..., np.ndarray]] = {
    **{
        name: getattr(np, name)
        for name in ("exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "cbrt", "sin", "cos")
    },
    **{
        name: getattr(np, name)
        for name in ("tan", "sinh", "cosh", "tanh", "floor", "ceil", "trunc", "rint", "hypot", "copysign")
    },
    **{name: getattr(np, name) for name in ("nextafter", "ldexp", "fmod", "fabs", "signbit")},
    **{f"a{name}": getattr(np, f"arc{name}") for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    "atan2": np.arctan2,
    "exp10": lambda x: np.power(np.asarray(10, x.dtype), x),
    "sinpi": lambda x: np.sin(np.pi * x),
    "cospi": lambda x: np.cos(np.pi * x),
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "rcbrt": lambda x: 1 / np.cbrt(x),
    "rhypot": lambda x, y: 1 / np.hypot(x, y),
    "rcp": lambda x: 1 / x,
    "pow": np.power,
    "powi": np.power,
    "fma": lambda x, y, z: x.astype(np.float64) * y + z,
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "abs": np.abs,
    "llabs": np.abs,
    "fdim": lambda x, y: np.where(np.isnan(x) | np.isnan(y), x + y, np.maximum(x - y, 0)),
    "round": lambda x: np.copysign(np.floor(np.abs(x) + np.asarray(0.5, x.dtype)), x),
    "llrint": np.rint,
    "nearbyint": np.rint,
    "remainder": _each(math.remainder),
    "saturate": lambda x: np.clip(np.nan_to_num(x, nan=0), 0, 1),
    "isnan": np.isnan,
    "isinf": np.isinf,
    "finite": np.isfinite,
    "isfinite": np.isfinite,
    "norm3d": lambda *x: np.sqrt(sum(v * v for v in x)),
    "norm4d": lambda *x: np.sqrt(sum(v * v for v in x)),
    "erf": _each(math.erf),
    "erfc": _each(math.erfc),
    "normcdf": _each(lambda x: math.erfc(-x / math.sqrt(2)) / 2),
    "tgamma": _each(math.gamma),
    "lgamma": _each(math.lgamma),
    "popc": lambda x: np.bitwise_count(x.view(f"u{x.itemsize}")),
    "float_as_int": lambda x: x.view(np.int32),
    "int_as_float": lambda x: x.view(np.float32),
}


def find(symbol: str) -> Callable[..., np.ndarray]:
    """The function behind a symbol of libdevice.

    Raises:
        NotOnCpu: there is none here.
    """
    if found := SHAPE.match(symbol):
        stem = found[1]
        # a trailing f or d is the type, and so is a leading one where a rounding is named: fmul_rn, drcp_rz
        for name in (stem, stem[:-1] if stem[-1] in "fd" else stem, stem[1:] if stem[0] in "fd" else stem):
            if name in FUNCTIONS:
                return FUNCTIONS[name]
    raise refused(NotOnCpu, "kernel-libdevice", name=symbol.removeprefix("__nv_"))
