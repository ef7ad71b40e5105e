#!/usr/bin/env bash
# VOTCA's post_update task ibi makes the update of one state by itself: with several states it is not available.

if [[ $1 = "--help" ]]; then
  echo "Usage: ${0##*/} infile outfile"
  exit 0
fi

multistate || exec "$(find_in_csgshare postupd_ibi.sh)" "$@"
die "${0##*/}: post_update 'ibi' knows one state only\nSet do_potential to 1 and leave it out"
