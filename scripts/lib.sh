# Helpers of scripts/setup that deal with the machine. Sourced, never run.

# Prints the first suitable Python. 3.12 and 3.11 come first: they need no installed Redis.
find_python() {
    local python
    for python in python3.12 python3.11 python3 python3.13 python3.14; do
        if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' &>/dev/null; then
            echo "$python"
            return
        fi
    done
    echo "dubbing needs Python 3.11 or newer, and found none on PATH" >&2
    return 1
}

# Installs a Debian package, or asks the user to install it.
system_package() {
    if [[ $(id -u) != 0 ]] || ! command -v apt-get >/dev/null; then
        echo "this machine lacks $1: install it (sudo apt-get install $1) and run this again" >&2
        exit 1
    fi
    echo "installing $1" >&2
    local install=(apt-get install --yes --quiet --no-install-recommends "$1")
    export DEBIAN_FRONTEND=noninteractive
    "${install[@]}" >&2 || { apt-get update --quiet >&2 && "${install[@]}" >&2; }
}
