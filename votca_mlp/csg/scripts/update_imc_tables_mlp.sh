#!/usr/bin/env bash
# NAME.dpot.new of every interaction, and of every term of it, from the update that the rule has written.

if [[ $1 = "--help" ]]; then
  echo "Usage: ${0##*/}   writes every NAME.dpot.new"
  exit 0
fi

for_all "non-bonded bonded" do_external update imc_single
