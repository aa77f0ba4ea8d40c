# shellcheck shell=bash
# Where things are on an AutoDL card. Sourced, never run.

# Stands before the paths of the machine; for tests alone.
root=${AUTODL_ROOT:-}
# On the data disk, which outlives a stop and holds more than the system disk.
home=$root/root/autodl-tmp/dubbing
venv=$home/venv
PORT=6006

refuse() {
    echo "$1" >&2
    exit 2
}

# Ends unless a file with secrets is there, and its owner's alone.
private() {
    [[ -s $1 ]] || refuse "$1 is missing or empty: see docs/gpu-hosts.md"
    [[ $(stat -c %a "$1") == 600 ]] || refuse "others may read $1: chmod 600 $1"
}
