"""A folder with a settings.xml that has no problem, and its parts to spoil one by one."""

import re
from pathlib import Path

import numpy as np
import pytest

from votca_mlp.tables import grid_points, make_table, write_table

GOOD = """\
<cg>
  <non-bonded>
    <name>Al-Al</name>
    <type1>Al</type1>
    <type2>Al</type2>
    <min>0.0</min>
    <max>1.0</max>  <!-- nm -->
    <step>0.005</step>
    <inverse>
      <target>Al-Al.dist.tgt</target>
      <wibi>
        <alpha>0.2</alpha>
      </wibi>
      <post_add>convergence</post_add>
    </inverse>
  </non-bonded>
  <inverse>
    <scriptpath>$(votca-mlp scriptpath)</scriptpath>
    <program>ase</program>
    <method>ibi</method>
    <kBT>8.50577</kBT>
    <filelist>topol.xml</filelist>
    <iterations_max>6</iterations_max>
    <mlp>
      <kind>hippynn</kind>
      <model>builtin:al-hipnn</model>
    </mlp>
    <ase>
      <conf>conf.extxyz</conf>
      <temperature>1023</temperature>
      <rdf>
        <with_errors>yes</with_errors>
      </rdf>
    </ase>
  </inverse>
</cg>
"""

TOPOLOGY = """\
<topology>
  <molecules>
    <molecule name="Al" nmols="500" nbeads="1">
      <bead name="Al" type="Al" mass="26.9815" q="0"/>
    </molecule>
  </molecules>
</topology>
"""


def liquid_rdf(r: np.ndarray) -> np.ndarray:
    """A g(r) such as a liquid's: a core below 0.22 nm, the main peak at 0.28 nm, 1 far away."""
    wave = 1.0 + 1.8 * np.exp(-(((r - 0.28) / 0.025) ** 2)) + 0.2 * np.exp(-(((r - 0.5) / 0.05) ** 2))
    return wave / (1.0 + np.exp(-(r - 0.24) / 0.004))


def write_good(folder: Path) -> Path:
    """Write settings, topology, target and start without any problem; return the settings' path."""
    (folder / "settings.xml").write_text(GOOD)
    (folder / "topol.xml").write_text(TOPOLOGY)
    (folder / "conf.extxyz").write_text("0\n")
    r = grid_points(0.0, 1.2, 0.002)
    write_table(folder / "Al-Al.dist.tgt", make_table(r, liquid_rdf(r)))
    return folder / "settings.xml"


def set_tag(text: str, tag: str, value: str) -> str:
    """Replace the content of the only ``<tag>`` of a settings text."""
    changed, count = re.subn(f"<{tag}>[^<]*</{tag}>", f"<{tag}>{value}</{tag}>", text)
    assert count == 1
    return changed


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return write_good(tmp_path)
