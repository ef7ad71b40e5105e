"""VOTCA's pressure corrections (post_update ``pressure``): dU(r) = A (1 - r/r_max), nm, kJ/mol and bar.

A negative A pulls the atoms together and lowers the pressure. A is of ``pressure_cor_simple.pl``, or of
``pressure_cor_wjk.pl`` [H. Wang, C. Junghans, K. Kremer, Eur. Phys. J. E 28, 221 (2009), eq. 7], where it is
what the virial asks for: dp = -(2 pi/3) rho^2 int r^3 g (dU/dr) dr.
"""

import math

import numpy as np
from numpy.typing import NDArray

from votca_mlp.inverse.tables.operations import resample
from votca_mlp.inverse.tables.printing import PERL_DIGITS, as_printed
from votca_mlp.tables import Table, make_table

Array = NDArray[np.float64]

KJMOL_PER_BAR_NM3 = 0.06022
PI = 3.14159265
"""Both with the digits of VOTCA's program."""


def simple_prefactor(difference: float, *, kBT: float, scale: float, max_A: float) -> float:
    """Return A = -sign(dp) max_A kBT min(1, |dp| scale), kJ/mol.

    Parameters
    ----------
    difference
        dp, the pressure minus the one wanted, bar.
    kBT
        kJ/mol.
    scale
        1/bar.
    max_A
        Largest A in units of kBT.
    """
    largest = -max_A * kBT if difference > 0 else max_A * kBT
    factor = abs(difference * scale)
    return largest * factor if factor < 1 else largest


def wjk_prefactor(
    difference: float, g: Table, *, density: float, kBT: float, scale: float, max_A: float
) -> float:
    """Return A = -scale 3 r_max dp/(2 pi rho^2 int r^3 g dr), before ``scale`` at most max_A kBT; kJ/mol.

    Parameters
    ----------
    difference
        dp, bar.
    g
        g(r) up to r_max. VOTCA's program takes its rows for those of a grid from 0 on; here each has its r.
    density
        rho, 1/nm^3; of unlike atoms sqrt(2 rho_a rho_b), of which there are as many pairs.
    kBT, scale, max_A
        As :func:`simple_prefactor`; scale has no unit.
    """
    step, last = float(g.x[1] - g.x[0]), float(g.x[-1])
    # as there, where a cutoff of 0.7 is 69.99 steps of 0.01, so that the sum ends with the point before it
    steps, row = round(last, 10) / round(step, 10), np.rint(g.x / step)
    inside, end = (row >= 1) & (row < steps), row == int(steps)
    integral = float(np.sum(g.x[inside] ** 3 * g.y[inside]) * step + step / 2 * last**3 * g.y[end][0])
    if integral == 0.0:
        return 0.0
    wanted = -3 * last * difference * KJMOL_PER_BAR_NM3 / (2 * PI * density * density * integral)
    return scale * math.copysign(min(abs(wanted), max_A * kBT), wanted)


def pressure_correction(grid: Array, prefactor: float, comment: str = "") -> Table:
    """Return dU on a grid (nm), with the digits of the program and of csg_resample after it."""
    y = as_printed(prefactor * (1 - grid / grid[-1]), PERL_DIGITS)
    table = resample(make_table(grid, y), grid)
    return make_table(grid, table.y, comments=(comment,) if comment else ())
