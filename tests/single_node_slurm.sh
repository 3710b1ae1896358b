#!/usr/bin/env bash
# Runs a command beside a SLURM cluster of this machine alone, which is gone afterwards:
#   apt-get install slurm-wlm munge
#   tests/single_node_slurm.sh python scripts/cl_run.py -m seed=0,1 hydra/launcher=submitit_slurm
# All of it lives in a temporary folder and listens on this machine; nothing of the system's SLURM is used.
set -euo pipefail

export PATH=$PATH:/usr/sbin:/sbin
node=$(hostname -s)
place=$(mktemp -d)
chmod 755 "$place"
mkdir "$place"/{state,spool}
started=()

stop() {
    # a sweep ends when its results are there, and its last job a moment later
    scancel --user="$(id -un)" 2>/dev/null || true
    for _ in $(seq 20); do
        if [ -z "$(squeue --noheader 2>/dev/null)" ]; then break; fi
        sleep 0.5
    done
    # the newest first: munged answers until the others have ended
    for ((i = ${#started[@]} - 1; i >= 0; i--)); do
        kill "${started[i]}" 2>/dev/null || true
        wait "${started[i]}" 2>/dev/null || true
    done
    rm -rf "$place"
}
trap stop EXIT

start() { # NAME COMMAND...: in the background, with a log
    "${@:2}" >"$place/$1.log" 2>&1 &
    started+=($!)
}

wait_for() { # WHAT COMMAND...: until the command succeeds
    for _ in $(seq 60); do
        if "${@:2}" >/dev/null 2>&1; then return; fi
        sleep 1
    done
    echo "error: $1 does not answer" >&2
    tail -n 5 "$place"/*.log >&2
    exit 1
}

head -c 1024 /dev/urandom >"$place/munge.key"
chmod 600 "$place/munge.key"
cat >"$place/slurm.conf" <<CONF
ClusterName=single
# numbers that no earlier cluster gave: submitit finds a job's outcome by its number
FirstJobId=$(($(date +%s) % 60000000 + 1))
SlurmctldHost=$node(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/munge
AuthInfo=socket=$place/munge.socket
CredType=cred/munge
StateSaveLocation=$place/state
SlurmdSpoolDir=$place/spool
SlurmctldPidFile=$place/slurmctld.pid
SlurmdPidFile=$place/slurmd.pid
ProctrackType=proctrack/pgid
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
ReturnToService=2
KillWait=5
NodeName=$node NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=$node Default=YES MaxTime=INFINITE State=UP
CONF
export SLURM_CONF=$place/slurm.conf

start munged munged --foreground --force --num-threads=2 --key-file="$place/munge.key" \
    --socket="$place/munge.socket" --pid-file="$place/munge.pid" --log-file="$place/munged.log" \
    --seed-file="$place/munge.seed"
wait_for munged munge --socket="$place/munge.socket" --no-input
start slurmctld slurmctld -D -f "$SLURM_CONF"
wait_for slurmctld scontrol ping
start slurmd slurmd -D -f "$SLURM_CONF" -N "$node"
wait_for slurmd bash -c 'sinfo --noheader --format=%T | grep -qx idle'

"$@"
