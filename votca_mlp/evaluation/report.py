"""What the checks of a model found, and what of it is beyond the precision that it is computed in."""

import math
from dataclasses import dataclass

_FIVE = 5.0 * math.sqrt(130.0) / 12.0


@dataclass(frozen=True)
class Report:
    """Largest deviations that :func:`votca_mlp.evaluation.validate.validate_model` measured.

    Attributes
    ----------
    force_error
        Forces against central differences of the energy, eV/Angstrom; the largest of the components tried.
    stress_error
        Stress against central differences of the energy in the strain, eV/Angstrom^3; nan without a box.
    net_force
        Norm of the sum of all forces, eV/Angstrom.
    translation_energy, translation_forces
        Change under a rigid shift: eV/atom, eV/Angstrom.
    rotation_energy, rotation_forces, rotation_stress
        Change under a rotation of atoms and cell, results rotated back: eV/atom, eV/Angstrom,
        eV/Angstrom^3 (nan without a box).
    permutation_energy, permutation_forces
        Change when the atoms are renumbered: eV/atom, eV/Angstrom.
    image_energy, image_forces
        Change when the periodic box is doubled along its shortest vector: eV/atom, eV/Angstrom; nan without
        a box.
    repeat_energy
        Change when the same configuration is evaluated again after a displaced one, eV/atom: what a Verlet
        list or a cache leaves behind.
    force_scale
        Root mean square force component of the configuration, eV/Angstrom, to judge the others by.
    finite
        Every number that came back was finite.
    dtype
        ``float64`` when energies resolve displacements of 1e-7 Angstrom, else ``float32``; this decides the
        accuracy that can be asked for.
    energy_rounding
        Scatter of the energy that its precision leaves, eV; 0 in float64.
    step, strain
        Of the finite differences, Angstrom and dimensionless.
    volume
        Angstrom^3; nan without a box.
    """

    force_error: float
    stress_error: float
    net_force: float
    translation_energy: float
    translation_forces: float
    rotation_energy: float
    rotation_forces: float
    rotation_stress: float
    permutation_energy: float
    permutation_forces: float
    image_energy: float
    image_forces: float
    repeat_energy: float
    force_scale: float
    finite: bool
    dtype: str
    energy_rounding: float = 0.0
    step: float = 1e-3
    strain: float = 1e-4
    volume: float = math.nan

    @property
    def force_resolution(self) -> float:
        """What finite differences of the energy resolve of a force, eV/Angstrom.

        Five times the scatter that four energies with the weights 1, 8, 8, 1 by 12 h leave.
        """
        return _FIVE * self.energy_rounding / self.step

    @property
    def stress_resolution(self) -> float:
        """What finite differences of the energy resolve of the stress, eV/Angstrom^3; nan without a box."""
        return _FIVE * self.energy_rounding / (self.strain * self.volume)

    def problems(self) -> list[str]:
        """Return one sentence for each deviation beyond what the dtype explains; empty for a sound model."""
        tight = self.dtype == "float64"
        force = (1e-6 if tight else 2e-3) * max(self.force_scale, 1.0)
        limits = {
            "force_error": max(force, self.force_resolution),
            "stress_error": 1e-6 if tight else _larger(1e-3, self.stress_resolution),
            "net_force": force,
            "translation_energy": 1e-8 if tight else 1e-5,
            "translation_forces": force,
            "rotation_energy": 1e-8 if tight else 1e-5,
            "rotation_forces": force,
            "rotation_stress": 1e-8 if tight else 1e-5,
            "permutation_energy": 1e-8 if tight else 1e-5,
            "permutation_forces": force,
            "image_energy": 1e-8 if tight else 1e-5,
            "image_forces": force,
            "repeat_energy": 1e-8 if tight else 1e-5,
        }
        found = [
            f"{name} is {getattr(self, name):.2g}, more than {limit:.2g}"
            for name, limit in limits.items()
            if getattr(self, name) > limit
        ]
        return found if self.finite else ["energy, forces or stress are not finite", *found]


def _larger(limit: float, resolution: float) -> float:
    """Return the larger one; the limit where the resolution is nan."""
    return max(limit, resolution) if math.isfinite(resolution) else limit
