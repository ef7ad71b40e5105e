#!/usr/bin/env python3
"""Known answers with several states: targets of all made with one u*(r), recovered from some or all of them.

    scripts/multistate_known_answer.py targets
    scripts/multistate_known_answer.py compare DIRECTORY [--states equal | mixture | unequal]
                [--most STATES] [--replicas N] [--iterations N] [--production FS] [--longer X] [--first N]
                [--json FILE]
    scripts/multistate_known_answer.py conflict DIRECTORY [--json FILE]

`targets` makes those of settings/lj_two_states and its NAME.pot.known. `compare` fits u(r) to each state of a
supercritical fluid alone and to every choice of several, with targets of other seeds in every replica, and
prints how far u is from u*: mean and standard error over the replicas. The states are argon of one density at
three temperatures (equal), argon and krypton 3:1 and 1:3 (mixture), argon of three temperatures and densities
(unequal). `conflict` makes the targets of two of the last with u* and -u*, so that no u(r) fits both, and
prints how the run ends. Started again in the same directory all of them go on.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np
from known_states import ARGON, CASE, SETS, STAR, UNEQUAL, Array, fit, fits_of, make_targets, prepare
from known_tables import UNITS, distances, noises, print_tables, settled, total
from results_file import add_json, machine_line, rounded, write_result
from run_result import UNITS as RUN_UNITS
from run_result import tables_of

from votca_mlp.settings import load_settings
from votca_mlp.settings.states import state_named


def main() -> None:
    """Do what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=["targets", "compare", "conflict"])
    parser.add_argument("directory", type=Path, nargs="?")
    parser.add_argument("--states", choices=list(SETS), default="equal", help="default equal")
    parser.add_argument("--most", type=int, help="how many states are fitted together at most; default all")
    parser.add_argument("--replicas", type=int, default=8, help="default 8")
    parser.add_argument("--first", type=int, default=1, help="number of the first replica; default 1")
    parser.add_argument("--iterations", type=int, default=10, help="of each fit; default 10")
    parser.add_argument("--production", type=float, default=4000, help="fs an iteration; default 4000")
    parser.add_argument("--longer", type=float, default=5.0, help="target's run in productions; default 5")
    add_json(parser)
    options = parser.parse_args()
    if options.what == "targets":
        make_targets(load_settings(CASE / "settings.xml"), CASE, STAR, longer=8.0)
    elif options.directory is None:
        parser.error("a directory is needed")
    elif options.what == "compare":
        compare(options.directory.resolve(), options)
    else:
        conflict(options.directory.resolve(), options.json)


def compare(directory: Path, options: argparse.Namespace) -> None:
    """Fit to every choice of the states; print the distances from u*."""
    fluids, bumps = SETS[options.states]
    fits = fits_of(fluids, list(bumps), options.most)
    found: dict[str, list[Array]] = {label: [] for label in fits}
    noise: dict[str, list[Array]] = {state: [] for state in fluids}
    for replica in range(options.first, options.first + options.replicas):
        main = directory / f"replica_{replica}"
        prepare(
            main,
            fluids,
            bumps,
            iterations=options.iterations,
            production=options.production,
            replica=replica,
        )
        settings = load_settings(main / "settings.xml")
        make_targets(settings, main, bumps, longer=options.longer)
        for label, shares in fits.items():
            run = main / f"fit_{label.replace(', by pairs', '_by_pairs').replace(' ', '')}"
            fit(main, run, [state_named(settings, name) for name in shares], shares, options.iterations)
            # step 0 has no simulation
            steps = sorted(run.glob("step_*"))[1:]
            found[label].append(np.array([distances(main, fluids, step) for step in steps]))
            if label in fluids:
                noise[label].append(np.array([noises(main, fluids, label, step) for step in steps]))
            left = total(settled(found[label][-1]))
            print(f"replica {replica}, {label}: {left:.3f} meV from u*", flush=True)
    before = total(distances(directory / f"replica_{options.first}", fluids, None))
    print(f"\n{machine_line()}\n\nsize of u*: {before:.3f} meV")
    arrays = [{label: np.array(each) for label, each in values.items()} for values in (found, noise)]
    tables = print_tables(fits, *arrays, names=list(bumps))
    tables["size"] = {"u*": {"distance": rounded(float(before))}}
    last = options.first + options.replicas - 1
    seeds = f"10 n and up in replica n, {options.first} to {last}"
    write_result(options.json, tables, units=UNITS | dict.fromkeys(bumps, "meV"), seeds=seeds)


def conflict(main: Path, json: Path | None) -> None:
    """Fit to two states whose targets contradict each other; print how the run ends."""
    prepare(main, UNEQUAL, ARGON, iterations=12, production=4000)
    text = (main / "settings.xml").read_text()
    check = "<type>plateau</type><iterations>2</iterations>"
    (main / "settings.xml").write_text(text.replace("<type>none</type>", check))
    settings = load_settings(main / "settings.xml")
    make_targets(settings, main, ARGON, longer=5.0, signs={"middle": -1.0})
    names = ("dense", "middle")
    shares = fits_of(UNEQUAL, list(ARGON))[" + ".join(names)]
    ended = fit(main, main / "fit", [state_named(settings, name) for name in names], shares, 12)
    print(f"\n{machine_line()}\n\nended: {ended}")
    subprocess.run([sys.executable, "-m", "votca_mlp", "status", str(main / "fit")], check=True)
    tables = tables_of(main / "fit") | {"ended": {"run": {"text": ended}}}
    write_result(json, tables, units=RUN_UNITS, seeds="10 and up")


if __name__ == "__main__":
    main()
