"""A flexible water of three charged points a molecule, as an ASE calculator: the baseline of this case.

Between molecules: SPC/E's charges and Lennard-Jones between oxygens (H. J. C. Berendsen, J. R. Grigera,
T. P. Straatsma, J. Phys. Chem. 91, 6269 (1987)), Coulomb damped, shifted and cut (C. J. Fennell, J. D.
Gezelter, J. Chem. Phys. 124, 234104 (2006)). Within one: harmonic springs O-H and H-H. Those are soft,
so that a classical trajectory has bonds as wide as those of quantum nuclei, which diffraction sees;
vibrations mean nothing here. A repulsion r^-12 keeps a hydrogen on so soft a spring off the oxygens of
other molecules. Atoms are O, H, H of one molecule after another.
"""

from math import erfc, exp, pi, sqrt
from typing import Any

import numpy as np
from ase.calculators.calculator import Calculator, all_changes
from numba import njit
from numpy.typing import NDArray

Array = NDArray[np.float64]

CHARGE_H = 0.4238
SIGMA, EPSILON = 3.166, 0.650 / 96.48533
"""Angstrom, eV."""
CORE = 3.0 * 1.2**12
"""eV Angstrom^12, between O and H of different molecules."""
CUTOFF, DAMPING = 9.0, 0.2
"""Angstrom, 1/Angstrom."""
SKIN = 0.8
COULOMB = 14.3996454
"""eV Angstrom."""
POINTS = 6000
"""Of the table of the Coulomb part, evenly spaced in r^2."""
NEAREST = 0.8
"""Angstrom; the table begins here, nearer atoms of different molecules are refused."""


class FlexibleWater(Calculator):
    """Energy (eV), forces (eV/Angstrom) and stress (eV/Angstrom^3) of water in a rectangular box.

    Parameters
    ----------
    bond, bond_constant
        Of the O-H springs: rest length (Angstrom), eV/Angstrom^2 in E = k (r - r0)^2 / 2.
    across, across_constant
        Of the H-H spring.
    """

    implemented_properties = ["energy", "forces", "stress"]  # noqa: RUF012 - ASE's own name and form

    def __init__(self, bond: float, bond_constant: float, across: float, across_constant: float) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.springs = np.array([bond, bond_constant, across, across_constant])
        self.table = coulomb_table()
        self.pairs = np.zeros((0, 2), np.int32)
        self.listed: Array | None = None
        self.edges = np.zeros(3)

    def calculate(self, atoms: Any = None, properties: Any = None, system_changes: Any = all_changes) -> None:
        """Evaluate; see ASE."""
        super().calculate(atoms, properties, system_changes)  # type: ignore[no-untyped-call]
        x = atoms.get_positions()
        edges = np.diag(atoms.cell.array).copy()
        if not np.array_equal(atoms.numbers.reshape(-1, 3), np.tile([8, 1, 1], (len(x) // 3, 1))):
            raise ValueError("atoms must be O, H, H of one molecule after another")
        if np.abs(atoms.cell.array - np.diag(edges)).max() > 0.0:
            raise ValueError("the box is not rectangular along x, y and z")
        if edges.min() < 2.0 * CUTOFF:
            raise ValueError(f"the box is shorter than {2.0 * CUTOFF:g} Angstrom")
        if (
            self.listed is None
            or not np.array_equal(edges, self.edges)
            or np.max(np.sum((x - self.listed) ** 2, axis=1)) > (0.5 * SKIN) ** 2
        ):
            self.pairs, self.listed, self.edges = near_pairs(x, edges, CUTOFF + SKIN), x, edges
        forces, virial = np.zeros_like(x), np.zeros((3, 3))
        energy = between(x, edges, self.pairs, self.table, forces, virial)
        energy += within(x, edges, self.springs, forces, virial)
        if not np.isfinite(energy):
            raise ValueError(f"atoms of different molecules are nearer than {NEAREST:g} Angstrom")
        stress = 0.5 * (virial + virial.T) / np.prod(edges)
        self.results = {
            "energy": energy,
            "forces": forces,
            "stress": stress.ravel()[[0, 4, 8, 5, 2, 1]],
        }


def coulomb_table() -> Array:
    """Return v(r) and -v'(r)/r of two unit charges at even steps of r^2, shape [POINTS, 2], eV, Angstrom.

    v(r) = f(r) - f(R) - f'(R) (r - R), f(r) = erfc(a r)/r.
    """

    def value(r: float) -> float:
        return erfc(DAMPING * r) / r

    def slope(r: float) -> float:
        return -value(r) / r - 2.0 * DAMPING / sqrt(pi) * exp(-((DAMPING * r) ** 2)) / r

    table = np.zeros((POINTS, 2))
    for k, square in enumerate(np.linspace(NEAREST**2, CUTOFF**2, POINTS)):
        r = sqrt(square)
        table[k, 0] = value(r) - value(CUTOFF) - slope(CUTOFF) * (r - CUTOFF)
        table[k, 1] = -(slope(r) - slope(CUTOFF)) / r
    return COULOMB * table


@njit(cache=True)
def near_pairs(x: Array, edges: Array, reach: float) -> NDArray[np.int32]:
    """Return the pairs of atoms of different molecules that are nearer than ``reach``, shape [n, 2]."""
    found = np.empty((x.shape[0] * (x.shape[0] - 1) // 2, 2), np.int32)
    count = 0
    for i in range(x.shape[0]):
        for j in range(3 * (i // 3 + 1), x.shape[0]):
            square = 0.0
            for k in range(3):
                d = x[j, k] - x[i, k]
                d -= edges[k] * np.rint(d / edges[k])
                square += d * d
            if square < reach * reach:
                found[count, 0], found[count, 1] = i, j
                count += 1
    return found[:count].copy()


@njit(cache=True, fastmath={"contract", "reassoc", "nsz", "arcp", "nnan"}, error_model="numpy")
def between(
    x: Array, edges: Array, pairs: NDArray[np.int32], table: Array, forces: Array, virial: Array
) -> float:
    """Add forces and virial sum d x dE/dd between molecules; return their energy, inf where atoms overlap."""
    low, end = NEAREST**2, CUTOFF**2
    scale = (POINTS - 1) / (end - low)
    # Lennard-Jones is shifted, as Coulomb is
    sixth = (SIGMA / CUTOFF) ** 6
    shift = 4.0 * EPSILON * (sixth * sixth - sixth)
    lx, ly, lz = edges[0], edges[1], edges[2]
    ox, oy, oz = 1.0 / lx, 1.0 / ly, 1.0 / lz
    energy = 0.0
    xx = yy = zz = xy = xz = yz = 0.0
    begin, count = 0, pairs.shape[0]
    while begin < count:
        i = pairs[begin, 0]
        # charges of O and H: -2, 1 times that of H
        charge = CHARGE_H**2 * (-2.0 if i % 3 == 0 else 1.0)
        px, py, pz = x[i, 0], x[i, 1], x[i, 2]
        fx = fy = fz = 0.0
        p = begin
        while p < count and pairs[p, 0] == i:
            j = pairs[p, 1]
            p += 1
            dx, dy, dz = x[j, 0] - px, x[j, 1] - py, x[j, 2] - pz
            dx -= lx * np.floor(dx * ox + 0.5)
            dy -= ly * np.floor(dy * oy + 0.5)
            dz -= lz * np.floor(dz * oz + 0.5)
            square = dx * dx + dy * dy + dz * dz
            if square >= end:
                continue
            if square < low:
                return np.inf
            at = (square - low) * scale
            k = int(at)
            part = at - k
            charges = charge * (-2.0 if j % 3 == 0 else 1.0)
            change = table[k + 1, 1] - table[k, 1]
            force = charges * (table[k, 1] + part * change)
            # the integral of that force: d v / d r^2 = v' / (2 r)
            energy += charges * (table[k, 0] - 0.5 * part / scale * (table[k, 1] + 0.5 * part * change))
            if i % 3 == 0 and j % 3 == 0:
                sixth = (SIGMA * SIGMA / square) ** 3
                energy += 4.0 * EPSILON * (sixth * sixth - sixth) - shift
                force += 24.0 * EPSILON * (2.0 * sixth * sixth - sixth) / square
            elif i % 3 == 0 or j % 3 == 0:
                core = CORE / square**6
                energy += core
                force += 12.0 * core / square
            gx, gy, gz = force * dx, force * dy, force * dz
            forces[j, 0] += gx
            forces[j, 1] += gy
            forces[j, 2] += gz
            fx += gx
            fy += gy
            fz += gz
            xx -= gx * dx
            yy -= gy * dy
            zz -= gz * dz
            xy -= gx * dy
            xz -= gx * dz
            yz -= gy * dz
        forces[i, 0] -= fx
        forces[i, 1] -= fy
        forces[i, 2] -= fz
        begin = p
    virial[0, 0], virial[1, 1], virial[2, 2] = xx, yy, zz
    virial[0, 1], virial[0, 2], virial[1, 2] = xy, xz, yz
    virial[1, 0], virial[2, 0], virial[2, 1] = xy, xz, yz
    return energy


@njit(cache=True)
def within(x: Array, edges: Array, springs: Array, forces: Array, virial: Array) -> float:
    """Add forces and virial of the springs; return their energy."""
    energy = 0.0
    d = np.zeros(3)
    for first in range(0, x.shape[0], 3):
        for spring in range(3):
            i, j = first + (1 if spring == 2 else 0), first + (1 if spring == 0 else 2)
            rest, constant = (springs[2], springs[3]) if spring == 2 else (springs[0], springs[1])
            for k in range(3):
                d[k] = x[j, k] - x[i, k]
                d[k] -= edges[k] * np.rint(d[k] / edges[k])
            r = np.sqrt(d[0] ** 2 + d[1] ** 2 + d[2] ** 2)
            energy += 0.5 * constant * (r - rest) ** 2
            force = -constant * (r - rest) / r
            for a in range(3):
                forces[j, a] += force * d[a]
                forces[i, a] -= force * d[a]
                for b in range(3):
                    virial[a, b] -= force * d[a] * d[b]
    return energy
