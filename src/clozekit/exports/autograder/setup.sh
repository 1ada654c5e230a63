#!/usr/bin/env bash
# Gradescope runs this once, when it builds the image: the kit and what it needs, in /autograder/venv.
set -euo pipefail
root=${AUTOGRADER_ROOT:-/autograder}

# pip brings torch with CUDA, several gigabytes that no exercise needs. The selector on pytorch.org gives the options for the
# CPU build: put what follows `torch` there between these quotes.
torch_from=""

python=$(command -v python3.13 || command -v python3.12 || command -v python3.11 || true)
if [ -z "$python" ]; then
    apt-get update
    apt-get install -y python3.11 python3.11-venv
    python=python3.11
fi
"$python" -m venv "$root/venv"
cd "$root/source"
# shellcheck disable=SC2086  (several words are meant)
"$root/venv/bin/pip" install -c constraints.txt torch $torch_from
"$root/venv/bin/pip" install -c constraints.txt -r requirements.txt
