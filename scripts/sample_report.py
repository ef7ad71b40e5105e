#!/usr/bin/env python3
"""Make docs/sample_report.html from a real run: the quickstart's with all `<checks>`, in some minutes.

    python scripts/sample_report.py [--run FOLDER] [-o PAGE]

A run that is in the folder already goes on, or is only drawn again.
"""

import argparse
import shutil
import tempfile
from pathlib import Path

from votca_mlp.files import atomic_write
from votca_mlp.inverse.from_settings import inverse_plan
from votca_mlp.inverse.start import run_plan
from votca_mlp.report.page.page import report_page
from votca_mlp.settings import load_settings

ROOT = Path(__file__).resolve().parents[1]
CASE = ROOT / "settings" / "al_quickstart"
CHECKS = "<checks><observables>density diffusion angles coordination</observables></checks>"
PAGE = ROOT / "docs" / "sample_report.html"


def main() -> None:
    """Run and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", type=Path, help="kept; a temporary folder by default")
    parser.add_argument("-o", "--output", type=Path, default=PAGE)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.run or Path(temporary) / "run"
        if not (folder / "settings.xml").is_file():
            shutil.copytree(CASE, folder, dirs_exist_ok=True)
            settings = folder / "settings.xml"
            settings.write_text(settings.read_text().replace("    <mlp>", f"    {CHECKS}\n    <mlp>", 1))
        run_plan(inverse_plan(load_settings(folder / "settings.xml")))
        page = report_page(folder, running=False).encode()
    with atomic_write(options.output, "wb") as file:
        file.write(page)
    print(f"wrote {options.output}, {len(page) / 1000:.0f} kB")


if __name__ == "__main__":
    main()
