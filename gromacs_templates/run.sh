#!/usr/bin/env bash
# One node: mdrun is one process, the model beside it takes the threads.
#SBATCH --nodes=1 --ntasks=1 --cpus-per-task=8 --time=24:00:00
set -euo pipefail
export OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}
export NUMBA_NUM_THREADS=$OMP_NUM_THREADS
# ends at a checkpoint before the time is up; submit again to go on
csg_inverse --options settings.xml --wall-time 85000
