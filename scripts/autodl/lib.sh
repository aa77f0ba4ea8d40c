# shellcheck shell=bash
# The paths on an AutoDL card. Sourced, never run.

# Prefix of the machine's paths, only for tests.
root=${AUTODL_ROOT:-}
# On the data disk, which survives a stop and is larger than the system disk.
home=$root/root/autodl-tmp/dubbing
venv=$home/venv
PORT=6006

refuse() {
    echo "$1" >&2
    exit 2
}

# Refuses unless a file with secrets exists and only its owner can read it.
private() {
    [[ -s $1 ]] || refuse "$1 is missing or empty: see docs/gpu-hosts.md"
    [[ $(stat -c %a "$1") == 600 ]] || refuse "others may read $1: chmod 600 $1"
}
