"""The integrator's loops over atoms, compiled: in numpy each of them costs several passes through memory.

Shapes: positions, velocities, accelerations, forces [n_atoms, 3]; masses [n_atoms, 1]. Units: Angstrom, fs,
eV, masses in eV fs^2/Angstrom^2. One thread, sums in a fixed order: same input, same bits.
"""

import numba


@numba.njit(cache=True, nogil=True)
def twice_kinetic(masses, velocities):  # type: ignore[no-untyped-def]
    """Return the sum of m v^2."""
    x = y = z = 0.0
    for i in range(len(velocities)):
        mass = masses[i, 0]
        x += mass * velocities[i, 0] * velocities[i, 0]
        y += mass * velocities[i, 1] * velocities[i, 1]
        z += mass * velocities[i, 2] * velocities[i, 2]
    return x + y + z


@numba.njit(cache=True, nogil=True)
def scale(velocities, factor):  # type: ignore[no-untyped-def]
    """Multiply velocities by a factor."""
    for i in range(len(velocities)):
        for k in range(3):
            velocities[i, k] *= factor


@numba.njit(cache=True, nogil=True)
def add(target, factor, other, time):  # type: ignore[no-untyped-def]
    """Replace ``target`` by factor x target + time x other: a kick of velocities, a move of positions."""
    for i in range(len(target)):
        for k in range(3):
            target[i, k] = factor * target[i, k] + time * other[i, k]


@numba.njit(cache=True, nogil=True)
def accelerate(accelerations, forces, masses):  # type: ignore[no-untyped-def]
    """Fill ``accelerations`` with forces / masses less that of the centre of mass.

    Forces in single precision do not sum to zero exactly; the centre of mass must stay at rest.
    """
    x = y = z = mass = 0.0
    for i in range(len(forces)):
        x += forces[i, 0]
        y += forces[i, 1]
        z += forces[i, 2]
        mass += masses[i, 0]
    net = (x / mass, y / mass, z / mass)
    for i in range(len(forces)):
        inverse = 1.0 / masses[i, 0]
        for k in range(3):
            accelerations[i, k] = forces[i, k] * inverse - net[k]
