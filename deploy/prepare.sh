# shellcheck shell=bash
# What `deploy/up` and `deploy/test` share: installs what a build needs and is missing. Sourced.
# Tested on Debian and Ubuntu; on other systems it names what is missing and stops.

say() { printf '==> %s\n' "$*" >&2; }
give_up() { printf 'guildhall: %s\n' "$*" >&2; exit 1; }

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# A relative directory means the caller's, but cargo runs at the root of the repository.
target=${CARGO_TARGET_DIR:-$root/target}
case $target in /*) ;; *) target=$PWD/$target ;; esac
export CARGO_TARGET_DIR=$target

# Runs a command as root.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        give_up "\"$*\" has to run as root, and there is no sudo: run it yourself, then start again"
    fi
}

# Stops processes, and waits until all of their threads stand still. The signal by itself only asks
# for that: on a busy machine threads go on until the first of them has come to see it.
freeze() {
    local pid deadline=$((SECONDS + 20))
    kill -s STOP "$@" 2>/dev/null || true
    for pid; do
        while { cat "/proc/$pid/task/"*/stat 2>/dev/null || true; } |
            awk '{ sub(/.*\) /, "") } !/^[TtZX]/ { moves = 1 } END { exit !moves }'; do
            [ $SECONDS -lt $deadline ] || give_up "process $pid does not stand still"
            sleep 0.01
        done
    done
}

# Whether the C compiler makes programs; a compiler without a C library's headers does not.
has_c_compiler() {
    printf '#include <stdio.h>\nint main(void) { return puts("") < 0; }\n' |
        cc -x c -o /dev/null - 2>/dev/null
}

# Installs those of the given system packages that are not there yet.
install_packages() {
    local missing=()
    local package
    for package in "$@"; do
        case $package in
            build-essential) has_c_compiler && command -v make >/dev/null && continue ;;
            python3-venv) python3 -c 'import ensurepip' 2>/dev/null && continue ;;
            ca-certificates) [ -s /etc/ssl/certs/ca-certificates.crt ] && continue ;;
            libssl-dev) pkg-config --exists openssl 2>/dev/null && continue ;;
            iproute2) command -v ip >/dev/null && continue ;;
            postgresql-common) command -v pg_lsclusters >/dev/null && continue ;;
            *) command -v "$package" >/dev/null && continue ;;
        esac
        missing+=("$package")
    done
    [ ${#missing[@]} = 0 ] && return
    command -v apt-get >/dev/null ||
        give_up "this system has no apt-get; install what these packages of Debian give you, then \
start again: ${missing[*]}"
    say "installing ${missing[*]} with apt-get"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq -y -o Dpkg::Use-Pty=0 install --no-install-recommends "${missing[@]}" >/dev/null
}

# The oldest Rust that builds the workspace.
rust_wanted() { sed -n 's/^rust-version = "\(.*\)"/\1/p' "$root/Cargo.toml"; }

# The version that `cargo` has at the root of the repository, empty if there is none that works.
# Its exit code means nothing: rustup's cargo fails where no toolchain is chosen.
rust_found() {
    local version
    version=$(cd "$root" && cargo --version 2>/dev/null) || true
    printf '%s\n' "$version" | sed -n 's/^cargo \([0-9.]*\).*/\1/p'
}

is_rust_new_enough() {
    local found wanted
    found=$(rust_found)
    wanted=$(rust_wanted)
    [ -n "$found" ] && [ "$(printf '%s\n' "$wanted" "$found" | sort -V | head -n 1)" = "$wanted" ]
}

# Makes a new enough `cargo` the one that runs.
install_rust() {
    is_rust_new_enough && return
    # Where rustup puts it, which a shell that was open before does not know.
    export PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
    hash -r
    is_rust_new_enough && return
    if command -v rustup >/dev/null; then
        say "installing the stable Rust toolchain with rustup"
        rustup toolchain install stable --profile minimal --no-self-update
    else
        install_packages curl ca-certificates
        say "installing Rust with the official installer, rustup"
        # An older Rust of the system may stay: ours comes first on the PATH of this script.
        # https://sh.rustup.rs answers with this file. What it prints on stdout is advice for shells.
        curl --proto '=https' --tlsv1.2 --retry 3 -sSf \
            https://static.rust-lang.org/rustup/rustup-init.sh |
            RUSTUP_INIT_SKIP_PATH_CHECK=yes sh -s -- \
                -y -q --no-modify-path --profile minimal --default-toolchain stable >/dev/null
    fi
    export RUSTUP_TOOLCHAIN=stable
    hash -r
    is_rust_new_enough ||
        give_up "needs Rust $(rust_wanted) or newer, found \"$(rust_found)\" after the installation"
}
