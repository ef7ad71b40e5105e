#!/usr/bin/env bash
# Everything after the simulation starts afresh: VOTCA repeats the update when it resumes, but would skip the
# post_update and post_add tasks marked as done, and so leave an update without its scaling or smoothing.

if [[ $1 = "--help" ]]; then
  echo "Usage: ${0##*/}   forgets the post_update and post_add marks of an interrupted step"
  exit 0
fi

restart="$(get_restart_file)"
critical sed -e '/^post_update-.* done$/d' -e '/^post_add-.* done$/d' "$restart" > "$restart.part"
critical mv "$restart.part" "$restart"
