"""Chemical symbols, without importing ASE."""

from votca_mlp.errors import UserError

_TEXT = """
H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr
Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir
Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl
Mc Lv Ts Og
"""

SYMBOLS = frozenset(_TEXT.split())
"""The 118 elements."""


def refuse_unknown_element(element: str, where: str | None = None) -> None:
    """Refuse what is no chemical symbol; ``where`` is named in errors.

    Raises
    ------
    UserError
        Naming it.
    """
    if element not in SYMBOLS:
        raise UserError(f"no element '{element}'", where=where, accepted="a chemical symbol, such as Al")
