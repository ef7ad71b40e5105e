#!/usr/bin/env bash
# The update of every interaction, and of every term of it, that is made of more than one g(r).

if [[ $1 = "--help" ]]; then
  echo "Usage: ${0##*/}   writes every NAME.dpot.new"
  exit 0
fi

for_all "non-bonded bonded" do_external update shared_single
