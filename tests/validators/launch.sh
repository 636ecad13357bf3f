#!/usr/bin/env bash
# Every launch target against the program that will read its files, and a broken twin of each file
# that the same program must refuse:
#     launch.sh TMINUS CACHE
# CACHE keeps the Python environments. Installs what it needs with apt-get and pip.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
tminus=$(realpath "$1")
mkdir -p "$2"
cache=$(realpath "$2")

install() {
    local missing=()
    command -v shellcheck > /dev/null || missing+=(shellcheck)
    command -v slurmctld > /dev/null || missing+=(slurmctld)
    command -v sbatch > /dev/null || missing+=(slurm-client)
    python3 -c 'import ensurepip' 2> /dev/null || missing+=(python3-venv)
    if [ "${#missing[@]}" -gt 0 ]; then
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" > /dev/null
    fi
    if [ ! -e "$cache/ready-2" ]; then
        python3 -m venv "$cache/common"
        "$cache/common/bin/pip" install -q -r "$here/requirements.txt"
        # The trainer's dependencies are gigabytes; its configuration class needs none of them.
        "$cache/common/bin/pip" install -q --no-deps llm-foundry==0.22.0
        # SkyPilot pins other versions of what the others need.
        python3 -m venv "$cache/sky"
        "$cache/sky/bin/pip" install -q skypilot==0.14.1
        touch "$cache/ready-2"
    fi
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
failed=0

tell() {
    if [ "$1" = ok ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
    printf '%-4s %s\n' "$1" "$2"
}

check() {
    local target=$1 file=$2
    case $target in
        slurm) "$here/slurm.sh" "$file" ;;
        # Notes below a warning ask whether quotes are meant; they are.
        shellcheck) shellcheck --severity=warning "$file" ;;
        skypilot)
            (cd "$(dirname "$file")" \
                && HOME=$work SKYPILOT_DISABLE_USAGE_COLLECTION=1 \
                    "$cache/sky/bin/python" "$here/launch.py" skypilot "$file")
            ;;
        *) HOME=$work "$cache/common/bin/python" "$here/launch.py" "$target" "$file" ;;
    esac
}

accepted() {
    if check "$1" "$2" > "$work/said" 2>&1; then
        tell ok "$1 accepts ${2#"$work/"}"
    else
        tell FAIL "$1 refuses ${2#"$work/"}: $(tail -n 5 "$work/said")"
    fi
}

# refused TARGET FILE SED-EXPRESSION: the file, edited, must be refused.
refused() {
    local twin
    twin=$(dirname "$2")/twin
    rm -rf "$twin"
    mkdir "$twin"
    cp "$(dirname "$2")"/*.* "$twin"
    sed -i "$3" "$twin/$(basename "$2")"
    if cmp -s "$2" "$twin/$(basename "$2")"; then
        tell FAIL "the edit '$3' changes nothing in ${2#"$work/"}"
    elif check "$1" "$twin/$(basename "$2")" > "$work/said" 2>&1; then
        tell FAIL "$1 accepts ${2#"$work/"} after '$3'"
    else
        tell ok "$1 refuses ${2#"$work/"} after '$3'"
    fi
}

write() {
    local job=$1 target=$2
    "$tminus" --quiet launch "$here/jobs/$job.toml" --target "$target" \
        -o "$work/$job-$target" --accept-extrapolated > /dev/null
}

install
for job in plain quotes llama fp8; do
    for target in llm-foundry slurm skypilot mcli huggingface deepspeed megatron kubeflow; do
        write "$job" "$target"
    done
    accepted llm-foundry "$work/$job-llm-foundry/train.yaml"
    [ ! -e "$work/$job-slurm/train.yaml" ] || accepted llm-foundry "$work/$job-slurm/train.yaml"
    # The controller has A100s alone, which don't multiply fp8.
    [ "$job" = fp8 ] || accepted slurm "$work/$job-slurm/job.sbatch"
    accepted skypilot "$work/$job-skypilot/task.yaml"
    # The release of the client that is installed knows no H100: the rest is read as for a GPU that it does.
    sed -i 's/^\( *gpu_type:\) h100_80gb$/\1 a100_80gb/' "$work/$job-mcli/run.yaml"
    accepted mcli "$work/$job-mcli/run.yaml"
    accepted huggingface "$work/$job-huggingface/training_args.json"
    accepted deepspeed "$work/$job-deepspeed/ds_config.json"
    accepted megatron "$work/$job-megatron/launch.sh"
    accepted kubeflow "$work/$job-kubeflow/trainjob.yaml"
    for script in "$work/$job-"{llm-foundry,huggingface,deepspeed,megatron}/launch.sh \
        "$work/$job-slurm/job.sbatch"; do
        accepted shellcheck "$script"
    done
done

for file in llm-foundry/train.yaml skypilot/task.yaml mcli/run.yaml kubeflow/trainjob.yaml; do
    cp "$here/jobs/quotes.toml" "$work/quotes-${file%/*}/job.toml"
    accepted settings "$work/quotes-$file"
done
refused settings "$work/quotes-skypilot/task.yaml" "s/QUOTES: .*/QUOTES: x/"
refused settings "$work/quotes-kubeflow/trainjob.yaml" 's/\$\$(/$(/'

mkdir "$work/plain-reserve"
"$tminus" --quiet reserve "$here/jobs/plain.toml" --cluster r1z1 --start 2036-12-01T09:00Z \
    --nodes 8 --product slurm --format json \
    | python3 "$here/reservation.py" > "$work/plain-reserve/booking.reservation"
accepted slurm "$work/plain-reserve/booking.reservation"
refused slurm "$work/plain-reserve/booking.reservation" 's/NodeCnt=[0-9]*/NodeCnt=33/'
refused slurm "$work/plain-reserve/booking.reservation" 's/Users=.*//'
refused slurm "$work/plain-reserve/booking.reservation" 's/Duration=[^ ]*/Duration=x/'

refused llm-foundry "$work/plain-llm-foundry/train.yaml" 's/^seed:/sead:/'
refused llm-foundry "$work/plain-llm-foundry/train.yaml" 's/^\(global_train_batch_size: .*\)$/\11/'
refused llm-foundry "$work/plain-llm-foundry/train.yaml" 's/^  d_model:/  d_modle:/'
refused slurm "$work/plain-slurm/job.sbatch" 's/--nodes=.*/--nodes=33/'
refused slurm "$work/plain-slurm/job.sbatch" 's/--gpus-per-node=a100:/--gpus-per-node=b100:/'
refused slurm "$work/plain-slurm/job.sbatch" 's/--time=.*/--time=31-00:00:00/'
refused shellcheck "$work/plain-slurm/job.sbatch" 's/"$SLURM_JOB_NODELIST"/"$SLURM_JOB_NODELIST/'
refused skypilot "$work/plain-skypilot/task.yaml" 's/A100-80GB:/A100-80:/'
refused skypilot "$work/plain-skypilot/task.yaml" 's/^num_nodes:/nodes:/'
refused mcli "$work/plain-mcli/run.yaml" 's/^image:/imgae:/'
refused mcli "$work/plain-mcli/run.yaml" 's/a100_80gb$/a100/'
refused huggingface "$work/plain-huggingface/training_args.json" 's/"max_steps"/"max_stepz"/'
refused huggingface "$work/plain-huggingface/training_args.json" \
    's/"gradient_checkpointing": false/"gradient_checkpointing": true/'
refused llm-foundry "$work/fp8-llm-foundry/train.yaml" '/^  fc_type:/d'
refused llm-foundry "$work/fp8-llm-foundry/train.yaml" 's/amp_fp8/amp_bf16/'
refused huggingface "$work/fp8-huggingface/training_args.json" 's/"bf16": false/"bf16": true/'
refused megatron "$work/fp8-megatron/launch.sh" 's/--fp8-format hybrid//'
refused deepspeed "$work/plain-deepspeed/ds_config.json" 's/\("train_batch_size": .*\),/\11,/'
refused megatron "$work/plain-megatron/launch.sh" 's/--micro-batch-size [0-9]*/--micro-batch-size 3/'
refused kubeflow "$work/plain-kubeflow/trainjob.yaml" 's/numNodes:/numNode:/'
refused kubeflow "$work/plain-kubeflow/trainjob.yaml" 's/\(numNodes: .*\)/\1.5/'

printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
