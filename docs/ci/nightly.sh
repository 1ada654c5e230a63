#!/usr/bin/env bash
# Every night, by cron, in the directory of the course with collect.sh, students.txt and course/:
#
#     17 3 * * *  cd /srv/llm-course && ./nightly.sh >> nightly.log 2>&1
#
# as a user of its own, who may read the course and who is not root. Set PATH to the environment that has `cloze`.
set -uo pipefail
date --iso-8601=seconds
./collect.sh students.txt submissions
cloze grade submissions --out results --content course --format junit --format markdown
status=$?
if [ $status -ne 0 ]; then
    echo "cloze grade ended with status $status: 2 is wrong usage, 3 that not all could be checked"
fi
exit $status
