#!/usr/bin/env bash
# One update of all interactions (and states) together: g(r) of each, then the rule, then every NAME.dpot.new. Nothing
# of csg_stat --do-imc and csg_imc_solve is used.

if [[ $1 = "--help" ]]; then
  echo "Usage: ${0##*/}   updates every potential"
  exit 0
fi

rdfs() { #the RDFs of this step, or of one of its states in its folder
  [[ -z $CSG_STATE ]] || msg "RDFs of state $CSG_STATE"
  for_all "non-bonded bonded" do_external rdf "$(csg_get_property cg.inverse.program)"
}
export -f rdfs

if multistate; then
  # <settings.xml> may have changed since the step began
  votca_mlp_csg state-settings
  for_all_states rdfs || die "${0##*/}: the RDFs of a state failed"
else
  rdfs
fi
votca_mlp_csg update-all
do_external update states
