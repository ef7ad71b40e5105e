#!/usr/bin/env bash
# Step 0: check everything that can be checked, then write the initial pair corrections.

if [[ $1 = "--help" ]]; then
  echo "Usage: ${0##*/}   checks settings, model, targets and start, then prepares every potential"
  exit 0
fi

msg "Checking settings, model, targets and start configuration"
votca_mlp_csg check
multistate && votca_mlp_csg state-settings
for_all "bonded non-bonded" do_external prepare_single ibi
