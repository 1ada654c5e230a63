"""The roofline of a device with what stands under it, for a terminal and for a page.

 TFLOP/s
   989 ┤                          ┌─────────────
    31 ┤                    ╱
     1 ┤        ○ ●  ╱                  FLOP/byte

Both axes are logarithmic: the slope is the memory's bandwidth, the flat part the peak of what computes.
"""

import html
import math
from collections.abc import Callable

from clozekit.comparing import Point
from clozekit.meters.devices import Device

SIGNS = {"yours": "●", "ours": "○", "eager": "×"}
COLOURS = {"yours": "#d6336c", "ours": "#1c7ed6", "eager": "#868e96"}
INTENSITIES = (2**-5, 2**12)  # FLOPs per byte
DECADES = 4.5  # of FLOPs per second, below the peak
WIDTH, HEIGHT = 58, 12  # characters


def peak(device: Device) -> float:
    """FLOPs per second of the fastest that the device has for floats of 16 bits or more."""
    return max(device.tensor.get("half", 0.0), device.fp32)


def scales(device: Device) -> tuple[Callable[[float], float], Callable[[float], float]]:
    """Where an intensity and a rate are on the two axes, from 0 to 1."""
    low, high = map(math.log10, INTENSITIES)
    top = math.log10(peak(device) * 1.6)

    def across(intensity: float) -> float:
        return min(1.0, max(0.0, (math.log10(intensity) - low) / (high - low)))

    def up(rate: float) -> float:
        return min(1.0, max(0.0, 1 - (top - math.log10(max(rate, 1.0))) / DECADES))

    return across, up


def as_text(points: list[Point], device: Device) -> list[str]:
    """Lines of characters."""
    across, up = scales(device)
    rows = [[" "] * WIDTH for _ in range(HEIGHT)]
    low, high = map(math.log10, INTENSITIES)
    for column in range(WIDTH):
        intensity = 10 ** (low + (high - low) * column / (WIDTH - 1))
        rate = min(peak(device), intensity * device.bandwidth)
        rows[_row(up(rate))][column] = "─" if rate == peak(device) else "╱"
    for point in reversed(points):  # yours is on top
        rows[_row(up(point.flops))][round(across(point.intensity) * (WIDTH - 1))] = SIGNS[point.name]
    top, bottom = peak(device) * 1.6 / 1e12, peak(device) * 1.6 / 1e12 / 10**DECADES
    labels = {0: f"{top:.0f}", HEIGHT - 1: f"{bottom:.2g}"}
    lines = [f"{labels.get(at, ''):>6} │{''.join(row)}" for at, row in enumerate(rows)]
    ticks = f"{INTENSITIES[0]:g}".ljust(WIDTH - 12) + f"{INTENSITIES[1]} FLOP/B"
    return ["TFLOP/s", *lines, "       └" + "─" * WIDTH, "        " + ticks]


def _row(height: float) -> int:
    return round((1 - height) * (HEIGHT - 1))


def as_svg(points: list[Point], device: Device, title: str) -> str:
    """A drawing that needs nothing from outside."""
    across, up = scales(device)
    wide, high, left, below = 640, 340, 60, 40

    def at(intensity: float, rate: float) -> tuple[float, float]:
        return left + across(intensity) * (wide - left - 20), 20 + (1 - up(rate)) * (high - 20 - below)

    knee = peak(device) / device.bandwidth
    roof = [
        at(INTENSITIES[0], INTENSITIES[0] * device.bandwidth),
        at(knee, peak(device)),
        at(INTENSITIES[1], peak(device)),
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in roof)
    marks = []
    for point in points:
        x, y = at(point.intensity, point.flops)
        label = f"{point.name}: {point.flops / 1e12:.3g} TFLOP/s, {point.intensity:.3g} FLOP/B"
        marks.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" fill="{COLOURS[point.name]}"><title>{html.escape(label)}</title></circle>'
            f'<text x="{x + 10:.1f}" y="{y + 4:.1f}" fill="{COLOURS[point.name]}">{html.escape(point.name)}</text>'
        )
    return (
        f'<svg viewBox="0 0 {wide} {high}" role="img" aria-label="{html.escape(title)}" xmlns="http://www.w3.org/2000/svg">'
        f'<text x="{left}" y="14">TFLOP/s, {html.escape(device.name)}</text>'
        f'<line x1="{left}" y1="{high - below}" x2="{wide - 20}" y2="{high - below}" stroke="currentColor"/>'
        f'<line x1="{left}" y1="20" x2="{left}" y2="{high - below}" stroke="currentColor"/>'
        f'<text x="{wide - 90}" y="{high - below + 24}">FLOP/byte</text>'
        f'<polyline points="{line}" fill="none" stroke="currentColor" stroke-width="2"/>{"".join(marks)}</svg>'
    )
