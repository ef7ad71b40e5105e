"""What can be chosen when a target is made; light, so that the command line can import it."""

from typing import Literal

Unit = Literal["angstrom", "nm"]
"""Length unit of the measured data."""

Core = Literal["zero", "keep"]
"""Ripples below the first peak: set to zero, or keep those that are positive."""

Tail = Literal["refuse", "one"]
"""Data that end before the grid: refuse, or lead g to one beyond them."""

Spline = Literal["akima", "pchip"]
"""Interpolation between data points."""

Window = Literal["auto", "none", "lorch"]
"""Window function of the transform from S(Q); auto: none where S has reached one at Qmax, else Lorch's."""

RdfWindowKind = Literal["none", "lorch"]
"""Window that a target g(r) was made with."""

Function = Literal["g", "g-1", "G", "D", "T", "RDF", "S", "S-1", "Q(S-1)", "F"]
"""What a file holds: see :mod:`votca_mlp.targets.functions`."""
