#!/usr/bin/env bash
# Asks a Slurm controller on loopback whether it would take a batch script, or lets it take a
# reservation and compares what was granted with what was asked:
#     slurm.sh SCRIPT... COMMANDS.reservation...
# One controller serves all scripts; it has 32 nodes of eight A100s, none of which exists.
set -euo pipefail

directory=$(mktemp -d)
cat > "$directory/gres.conf" <<CONF
AutoDetect=off
CONF
cat > "$directory/slurm.conf" <<CONF
ClusterName=loopback
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
SlurmUser=root
SlurmctldPidFile=$directory/slurmctld.pid
SlurmctldLogFile=$directory/slurmctld.log
StateSaveLocation=$directory/state
SlurmdSpoolDir=$directory/spool
AuthType=auth/none
CredType=cred/none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SchedulerType=sched/backfill
EnforcePartLimits=ALL
GresTypes=gpu
ResumeProgram=/bin/true
SuspendProgram=/bin/true
SuspendTime=3600
ReturnToService=2
NodeName=node[1-32] CPUs=64 RealMemory=1000000 Gres=gpu:a100:8 Feature=a100_80gb State=CLOUD
PartitionName=a100 Nodes=node[1-32] Default=YES MaxTime=30-00:00:00 State=UP
CONF
mkdir -p "$directory/state" "$directory/spool"
export SLURM_CONF=$directory/slurm.conf

slurmctld -D -i > "$directory/out" 2>&1 &
controller=$!
trap 'kill "$controller" 2> /dev/null || true; wait "$controller" 2> /dev/null || true; rm -rf "$directory"' EXIT
for _ in $(seq 100); do
    scontrol ping 2> /dev/null | grep -q 'is UP' && break
    sleep 0.2
done
if ! scontrol ping | grep -q 'is UP'; then
    echo "the controller did not start:"
    tail -n 20 "$directory/slurmctld.log" "$directory/out"
    exit 2
fi

reserve() {
    local said asked granted
    said=$(USER=root bash -e "$1" 2>&1) || { echo "$said"; return 1; }
    if grep -q 'fewer nodes' <<< "$said"; then
        echo "$said"
        return 1
    fi
    asked=$(grep -o 'StartTime=[0-9T:-]*' "$1")
    granted=$(TZ=UTC scontrol show reservation | grep -o 'StartTime=[0-9T:-]*')
    if [ "$asked" != "$granted" ]; then
        echo "asked $asked, granted $granted"
        return 1
    fi
    scontrol delete "ReservationName=$(scontrol show reservation | grep -o 'ReservationName=[^ ]*' | cut -d= -f2)"
}

status=0
for script in "$@"; do
    if [[ $script == *.reservation ]]; then
        reserve "$script" || status=1
        continue
    fi
    (cd "$(dirname "$script")" && sbatch --test-only "$(basename "$script")") || status=1
done
exit "$status"
