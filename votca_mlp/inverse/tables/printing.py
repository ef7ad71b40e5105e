"""Numbers as VOTCA's programs print them, so that both loops carry the same digits on.

A table goes through several programs within one iteration. Each prints its result and the next one reads it:
what is lost in printing is lost for good, and MD with a potential that differs in the twelfth digit becomes
another trajectory. Rounding as they do keeps both loops on the same one.
"""

from votca_mlp.tables import TABLE_DIGITS, as_printed

__all__ = ["AWK_DIGITS", "NUMPY_DIGITS", "PERL_DIGITS", "VOTCA_DIGITS", "as_printed"]

PERL_DIGITS = TABLE_DIGITS
"""VOTCA's perl scripts, and this package's own tables."""
VOTCA_DIGITS = 10
"""csg_stat and csg_resample (``operator<<`` of VOTCA's Table)."""
NUMPY_DIGITS = 7
"""table_smooth_at_cut_off.py."""
AWK_DIGITS = 6
"""table_average.sh and csg_calc."""
