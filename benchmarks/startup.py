"""What a command costs beyond Python itself: `cloze list` and `cloze --help` against `python -c pass`, `cloze check` against
`python -c "import torch"`.

    python benchmarks/startup.py [ROUNDS]
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent.parent
CLOZE = [sys.executable, "-m", "clozekit"]
SOLUTION = HERE / "solutions/normalization/rms_norm.py"
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "cloze --help": [*CLOZE, "--help"],
    "cloze list": [*CLOZE, "list"],
    "python -c 'import torch'": [sys.executable, "-c", "import torch"],
    "cloze check, cold": [*CLOZE, "check", str(SOLUTION)],
}


def main(rounds: int) -> None:
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(rounds):
        for name, command in COMMANDS.items():
            began = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            times[name].append(time.perf_counter() - began)
    medians = {name: statistics.median(each) for name, each in times.items()}
    for name, median in medians.items():
        base = medians["python -c pass" if "cloze" not in name or "check" not in name else "python -c 'import torch'"]
        print(f"{name:26} p50 {1e3 * median:7.0f} ms   over its base {1e3 * (median - base):7.0f} ms")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
