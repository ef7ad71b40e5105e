#!/usr/bin/env python3
"""Write votca_mlp/settings/votca_tags.xml: the names of VOTCA's own tags, from its csg_defaults.xml files.

scripts/votca_tags.py csg_defaults.xml [more versions] > votca_mlp/settings/votca_tags.xml

Only names are kept. ``any="yes"`` marks a section in which VOTCA lets the user choose the names.
"""

import sys

from lxml import etree

# read by VOTCA's programs (csg_stat, csg_fmatch, csg_reupdate) but not in any csg_defaults.xml
EXTRA = """
non-bonded.type3 non-bonded.threebody non-bonded.force non-bonded.fmatch.a non-bonded.fmatch.sigma
non-bonded.cut non-bonded.fmatch.gamma non-bonded.fmatch.periodic bonded.type1 bonded.type2
inverse.multistate.enabled inverse.multistate.state_names inverse.multistate.state_weights
inverse.multistate.state_kBTs
"""
ANY = """
inverse.imc inverse.gromacs.index inverse.gromacs.mdp inverse.gromacs.topol_in inverse.gromacs.conf
non-bonded.inverse.post_update_options.pressure
"""


def merge(into: etree._Element, other: etree._Element) -> None:
    for child in other:
        if not isinstance(child.tag, str) or child.tag == "DESC":
            continue
        mine = into.find(child.tag)
        merge(etree.SubElement(into, child.tag) if mine is None else mine, child)


def element(root: etree._Element, path: str) -> etree._Element:
    for tag in path.split("."):
        found = root.find(tag)
        root = etree.SubElement(root, tag) if found is None else found
    return root


def main(paths: list[str]) -> None:
    root = etree.Element("cg")
    for path in paths:
        merge(root, etree.parse(path).getroot())
    for path in EXTRA.split():
        element(root, path)
    for path in ANY.split():
        element(root, path).set("any", "yes")
    etree.indent(root)
    sys.stdout.write(etree.tostring(root, encoding="unicode") + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
