"""``python -m votca_mlp`` is ``votca-mlp``, whatever the PATH."""

from votca_mlp.cli.main import main

main()
