"""Rows and columns by their strides, several rows per program; more axes are folded into rows first."""

import torch
import triton
import triton.language as tl


@triton.jit
def add_rows(z_ptr, x_ptr, y_ptr, xr, xc, yr, yc, rows, cols, ROWS: tl.constexpr, COLS: tl.constexpr):
    r = tl.program_id(0) * ROWS + tl.arange(0, ROWS)[:, None]
    c = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    here = (r < rows) & (c < cols)
    x = tl.load(x_ptr + r * xr + c * xc, mask=here)
    y = tl.load(y_ptr + r * yr + c * yc, mask=here)
    tl.store(z_ptr + r * cols + c, x + y, mask=here)


def add(x, y):
    shape = x.shape
    cols = shape[-1] if x.ndim else 1
    x, y = x.reshape(-1, cols), y.reshape(-1, cols)
    rows = x.shape[0]
    z = torch.empty((rows, cols), dtype=x.dtype, device=x.device)
    ROWS, COLS = 4, 256
    add_rows[(triton.cdiv(rows, ROWS), triton.cdiv(cols, COLS))](
        z, x, y, *x.stride(), *y.stride(), rows, cols, ROWS=ROWS, COLS=COLS
    )
    return z.view(shape)
