"""Compiled loops over pairs, vector registers, threads: nothing here knows any physics."""

import os

from votca_mlp.kernels.cache import find_folder

# OpenMP's idle threads spin by default and take the cores from whoever works: from the next stage of the same
# step, and from other processes (a step with two threads took three times as long on two busy cores). Read
# when torch is loaded; a value of the user's stays.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
# but for a moment they do: going to sleep and being woken between two loops of one step takes longer
os.environ.setdefault("GOMP_SPINCOUNT", "3000")
find_folder()
