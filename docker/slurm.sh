#!/bin/sh
# A sweep on a Slurm cluster: sbatch docker/slurm.sh experiments/digits.py. docs/slurm.md explains each step.
#
#SBATCH --job-name=caviar
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=8
#SBATCH --exclusive
#SBATCH --time=08:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=TERM@120
#
# Each node starts Ray; the first one runs the sweep when all are there. A job that is preempted, or whose node fails,
# is queued again by Slurm, and the same command goes on with the same sweep. More #SBATCH lines, such as
# --gpus-per-node=1 or --partition=…, go beside those above.
set -eu

[ $# -gt 0 ] || { echo "usage: sbatch $0 EXPERIMENT.py [OPTIONS OF caviar run]" >&2; exit 2; }

PATH=${CAVIAR_ENVIRONMENT:-$HOME/caviar}/bin:$PATH
export PATH
export CAVIAR_STORE="${CAVIAR_STORE:-$PWD/caviar-store}"    # a folder, or s3://…, that every node sees
export RAY_AUTH_MODE=token RAY_USAGE_STATS_ENABLED=0
export RAY_SYMMETRIC_RUN_CLUSTER_WAIT_TIMEOUT=300
[ -s "$HOME/.ray/auth_token" ] || ray get-auth-token --generate >/dev/null

head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
address=$(srun --nodes=1 --ntasks=1 --nodelist="$head" hostname --all-ip-addresses | cut -d ' ' -f 1)

# What an attempt before this one left of Ray on a node would keep the next one from starting there.
# shellcheck disable=SC2016    # each node expands "$@"
exec srun --kill-on-bad-exit=0 sh -c 'ray stop --force >/dev/null 2>&1; exec "$@"' sh \
    ray symmetric-run --address "$address:6379" --min-nodes "$SLURM_JOB_NUM_NODES" \
    --num-cpus="${SLURM_CPUS_PER_TASK:-1}" --num-gpus="${SLURM_GPUS_ON_NODE:-0}" --include-dashboard=false \
    -- caviar run "$@" --resume-or-start --address "$address:6379"
