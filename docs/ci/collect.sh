#!/usr/bin/env bash
# Bring every student's repository up to date:  collect.sh students.txt submissions
#
# students.txt has a line for each:  ada https://github.com/our-class/week1-ada.git
# Of a repository that cannot be had stays what there was: at first an empty directory, of which `cloze grade` says that nothing
# was handed in.
set -euo pipefail
list=$1 home=$2
export GIT_TERMINAL_PROMPT=0 GIT_LFS_SKIP_SMUDGE=1

while read -r student url; do
    case $student in "" | \#*) continue ;; esac
    folder=$home/$student
    mkdir -p "$folder"
    if [ ! -d "$folder/.git" ]; then
        git init --quiet "$folder"
    fi
    # What is pushed by now, whatever was here before. A link becomes a file with its target in it, a submodule nothing.
    if git -C "$folder" fetch --quiet --depth 1 --no-tags -- "$url" HEAD; then
        git -C "$folder" -c core.symlinks=false checkout --quiet --force --detach FETCH_HEAD
        git -C "$folder" clean --quiet -dffx
    else
        echo "collect.sh: $student: $url cannot be fetched" >&2
    fi
done < "$list"
