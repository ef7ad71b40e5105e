#!/usr/bin/env bash
# With several states: g(r) and target of each in its folder, then the shared update. With one state VOTCA's own
# script.

if [[ $1 = "--help" ]]; then
  echo "Usage: ${0##*/}   updates every potential"
  exit 0
fi

multistate || exec "$(find_in_csgshare update_ibi.sh)" "$@"

rdfs_of_state() { #the RDFs of one state, in its folder
  msg "RDFs of state $CSG_STATE"
  for_all "non-bonded bonded" do_external rdf "$(csg_get_property cg.inverse.program)"
  for_all "non-bonded bonded" do_external resample target '$(csg_get_interaction_property inverse.target)' '$(csg_get_interaction_property name).dist.tgt'
}
export -f rdfs_of_state

# <settings.xml> may have changed since the step began
votca_mlp_csg state-settings
for_all_states rdfs_of_state || die "${0##*/}: the RDFs of a state failed"
do_external update states
votca_mlp_csg agreement
