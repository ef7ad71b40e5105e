#!/usr/bin/env bash
# VOTCA's own RDF script; csg_stat's reason for a failure reaches the terminal, not only the log. What the rules
# need of each frame is kept beside, once a step.

if [[ $1 = "--help" ]]; then
  echo "Usage: ${0##*/}   calculates the RDFs of this step with csg_stat"
  exit 0
fi

csg_stat() { #csg_stat, with its last words on the terminal when it fails; VOTCA's script runs it once a step
  local status observing
  # beside it: csg_stat takes as long
  votca_mlp_csg observe $CSG_STATE &
  observing=$!
  # one thread a task: csg_stat has its own
  OMP_NUM_THREADS=1 command csg_stat "$@" 2> csg_stat.err
  status=$?
  cat csg_stat.err >&2
  [[ $status -eq 0 ]] && rm -f csg_stat.err || msg --color red --to-stderr "csg_stat: $(tail -n 5 csg_stat.err)"
  # shows its own error
  wait $observing && return $status
  return 1
}
export -f csg_stat

"$(find_in_csgshare calc_rdf_generic.sh)" "$@" || exit
# a target seen through a finite range of Q: g(r) is compared as seen through the same
[[ -z $(csg_get_interaction_property --allow-empty inverse.window.q_max) ]] || votca_mlp_csg windows $CSG_STATE
