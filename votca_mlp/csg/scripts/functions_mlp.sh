#!/usr/bin/env bash
# Sourced by csg_inverse and csg_call for our programs; everything is exported to VOTCA's scripts.

if [[ $1 = "--help" ]]; then
  echo "Functions for MD with a machine-learning potential (votca-mlp)"
  exit 0
fi

# VOTCA's scripts would go wrong later, and elsewhere
[[ $PWD != *[[:space:]]* ]] || die "'$PWD' has blanks, which VOTCA cannot have in a path\nMove the run to a path without, or use votca-mlp inverse --options settings.xml"

find_votca_mlp() { #prints the votca-mlp command of the environment that holds these scripts
  local here tag candidate
  here="$(cd "${BASH_SOURCE[0]%/*}" && pwd -P)"
  # <scriptpath> names the command itself: $(.../votca-mlp scriptpath)
  tag="$(csg_get_property --allow-empty cg.inverse.scriptpath)"
  if [[ $tag =~ \$\(([^\)]+)\ +scriptpath\ *\) ]]; then
    # VOTCA evaluates this tag in the same way; before the last ; is what to say when the command is not there
    tag="${BASH_REMATCH[1]##*;}"
    tag="$(eval "echo $tag")"
    [[ $tag = /* || $tag != */* ]] || tag="$PWD/$tag"
  else
    tag=""
  fi
  # else: what the user says; bin/ of the environment around lib/pythonX.Y/site-packages; the PATH
  for candidate in "$tag" "$VOTCA_MLP" "${here%/lib/python*}/bin/votca-mlp" votca-mlp; do
    [[ -n $candidate && -n $(type -p ${candidate%% *}) ]] || continue
    [[ $($candidate scriptpath 2>/dev/null) -ef $here ]] || continue
    [[ $candidate = */* ]] && echo "$candidate" || type -p "$candidate"
    return 0
  done
  return 1
}

VOTCA_MLP="$(find_votca_mlp)" || die "Could not find the command votca-mlp that belongs to ${BASH_SOURCE[0]%/*}\nWrite <scriptpath>\$(/path/to/votca-mlp scriptpath)</scriptpath>, or export VOTCA_MLP=/path/to/votca-mlp"
export VOTCA_MLP
unset -f find_votca_mlp
echo "votca-mlp is $VOTCA_MLP"

# a second csg_inverse, or one beside votca-mlp inverse, would make steps of the first again
if [[ ${0##*/} = *inverse* ]]; then
  $VOTCA_MLP csg claim "$CSG_MASTER_PID" || die "votca-mlp csg claim failed"
fi

# Ctrl-C is the cause, and nothing has failed: the processes of a step hand its status 130 up, in the place of VOTCA's
# "do_external ... failed"
if ! declare -F votca_die >/dev/null; then
  eval "votca_$(declare -f die)"
fi
die() { #VOTCA's die, but for an interruption
  [[ $? -eq 130 ]] || votca_die "$@"
  [[ ${0##*/} = *inverse* && $BASHPID = "$CSG_MASTER_PID" ]] && interrupted
  exit 130
}
interrupted() { #ends csg_inverse after Ctrl-C with one line, unless votca-mlp has said it
  trap '' INT
  grep -qsx "interrupted: csg_inverse $CSG_MASTER_PID" "$CSGLOG" || msg --color red --to-stderr \
    "interrupted; run csg_inverse again to go on: what is done stays, a simulation goes on from its last checkpoint"
  exit 130
}
export -f votca_die die interrupted
if [[ ${0##*/} = *inverse* ]]; then
  trap interrupted INT
  # at the end of a run: whether it has worked, in words
  [[ -n $(trap -p EXIT) ]] || trap '[[ $? -ne 0 ]] || $VOTCA_MLP csg verdict' EXIT
fi

# VOTCA's defaults and ours in one file, so that its scripts find cg.inverse.ase.*
VOTCA_CSG_DEFAULTS="$($VOTCA_MLP csg defaults "$VOTCA_CSG_DEFAULTS")" || die "votca-mlp could not write its defaults file"
export VOTCA_CSG_DEFAULTS

votca_mlp_csg() { #runs a votca-mlp csg command; it shows its own error on the terminal
  # which knows the run's own settings only, not those written for VOTCA's scripts
  local status=0 told="" trapped="$(trap -p INT)"
  # Ctrl-C while Python starts ends it with the status of a failure; csg_inverse itself has a trap already
  [[ -n $trapped ]] || trap 'told="yes"' INT
  CSGXMLFILE="${CSG_RUN_XMLFILE:-$CSGXMLFILE}" $VOTCA_MLP csg "$@" || status=$?
  [[ -n $trapped ]] || trap - INT
  [[ $status -eq 0 || -z $told ]] || status=130
  [[ $status -eq 0 ]] || exit $status
}
export -f votca_mlp_csg

# VOTCA's scripts ask for the same few settings some two hundred times a step, and start csg_property each time. What
# stays through a run is asked once, here; with several states for the settings of each.
if ! declare -F votca_csg_get_property >/dev/null; then
  votca_csg_get_property="$(declare -f csg_get_property)"
  # under its own name in its messages
  eval "votca_${votca_csg_get_property//'${FUNCNAME[0]}'/csg_get_property}"
  unset votca_csg_get_property
fi
csg_get_property() { #VOTCA's, but for what is remembered of these settings
  if [[ -n $CSGXMLFILE && $CSGXMLFILE = "$VOTCA_MLP_SETTINGS" ]]; then
    case "$*" in
      cg.inverse.program | cg.inverse.restart_file | cg.inverse.multistate.enabled)
        local answer="VOTCA_MLP_${1##*.}"
        echo "${!answer}"
        return;;
      "--allow-empty cg.bonded.name" | "--allow-empty cg.bonded.min")
        # asked by every loop over interactions
        [[ $(<"$CSGXMLFILE") = *"<bonded"* ]] || { echo; return; }
    esac
  fi
  votca_csg_get_property "$@"
}
remember_settings() { #asks for what csg_get_property then knows of these settings
  export VOTCA_MLP_SETTINGS="" VOTCA_MLP_program VOTCA_MLP_restart_file VOTCA_MLP_enabled
  VOTCA_MLP_program="$(csg_get_property cg.inverse.program)" && \
  VOTCA_MLP_restart_file="$(csg_get_property cg.inverse.restart_file)" && \
  VOTCA_MLP_enabled="$(csg_get_property cg.inverse.multistate.enabled)" || return
  VOTCA_MLP_SETTINGS="$CSGXMLFILE"
}
export -f votca_csg_get_property csg_get_property remember_settings
# csg_call in a script of csg_inverse knows them already
if [[ ${0##*/} = *inverse* || $CSGXMLFILE != "$VOTCA_MLP_SETTINGS" ]]; then
  remember_settings || die "could not read $CSGXMLFILE"
fi

multistate() { #checks if the run has several states
  [[ $(csg_get_property cg.inverse.multistate.enabled) = yes ]]
}
export -f multistate

for_all_states() { #runs a command in the folder of each state of this step, with the settings and inputs of the state
  local state main
  main="$(get_main_dir)"
  for state in $(csg_get_property cg.inverse.multistate.state_names); do
    echo "for_all_states: run '$*' for state '$state'" >&2
    (
      cd "$state" || exit 1
      export CSG_RUN_XMLFILE="$CSGXMLFILE" CSGXMLFILE="$PWD/settings.xml" CSG_MAINDIR="$main/$state" CSG_STATE="$state"
      remember_settings || exit
      "$@"
    ) || return
  done
}
export -f for_all_states

if multistate; then
  # csg_inverse itself copies the files of <filelist>, and knows one folder of inputs only
  for file in $(csg_get_property --allow-empty cg.inverse.filelist); do
    (cd "${CSGXMLFILE%/*}" && [[ -f $file ]]) || die "<filelist> names $file, which is not in ${CSGXMLFILE%/*}\nA file that each state has for itself belongs into the <filelist> of each state's own settings.xml"
  done
fi

simulation_finish() { #checks if simulation is finished
  # both appear under their names only when complete
  local program
  multistate && { for_all_states simulation_finish; return; }
  program="$(csg_get_property cg.inverse.program)"
  [[ -f "$(csg_get_property "cg.inverse.$program.traj")" && -f "$(csg_get_property "cg.inverse.$program.conf_out")" ]]
}
export -f simulation_finish

checkpoint_exist() { #checks if there is a checkpoint to resume from
  $VOTCA_MLP csg has-checkpoint
}
export -f checkpoint_exist

get_simulation_setting() { #prints a setting (1st argument) of the program's section, or the default (2nd argument)
  csg_get_property "cg.inverse.$(csg_get_property cg.inverse.program).$1" "$2"
}
export -f get_simulation_setting
