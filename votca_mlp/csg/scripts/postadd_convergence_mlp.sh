#!/usr/bin/env bash
# VOTCA's measure of convergence; of several states that of the one that is furthest from its target.

if [[ $1 = "--help" ]]; then
  echo "Usage: ${0##*/} infile outfile   writes NAME.conv"
  exit 0
fi

stock="$(find_in_csgshare postadd_convergence.sh)"
multistate || exec "$stock" "$@"

name="$(csg_get_interaction_property name)"
convergence_of_state() { #VOTCA's script in the folder of a state that has the interaction
  [[ ! -f $1.dist.new ]] || "$2"
}
for_all_states convergence_of_state "$name" "$stock" || die "${0##*/}: the convergence of a state failed"
for kind in dist.conv conv; do
  cat ./*/"$name.$kind" | LC_ALL=C sort -g | tail -n 1 > "$name.$kind"
done
