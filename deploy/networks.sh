# shellcheck shell=bash
# Networks that can be cut, for deploy/cluster, which sources this: each node runs in a network
# namespace of its own that has a loopback interface and nothing else. What it reaches, and what reaches
# it, goes through relays, one for each thing that can be cut off. A relay that stands still is a cable
# that was cut: connections stay open, new ones are taken up, and nothing arrives. Needs root.
#
# $dir/networks/NODE.NAME.cfg and .pid are a node's relay: one for each engine, `to-N` for each other
# node, `link` for what others say to it, `clients` for its two listeners. NODE 0 is outside.
# `$dir`, `nodes` and `node_dir` are the caller's.

networks=$dir/networks

is_cuttable() { [ -d "$networks" ]; }

# Whether the process runs whose number is in a file.
lives() { [ -s "$1" ] && kill -0 "$(cat "$1")" 2>/dev/null; }

# What makes a command one of a node's network: nothing where nodes have none of their own.
inside() {
    if is_cuttable && [ "$1" != 0 ]; then
        echo "nsenter --net=/proc/$(cat "$networks/$1.pid")/ns/net"
    fi
}

# The engines' addresses, a name and the ports of one engine each, out of the settings of nodes.
engine_ports() {
    local engine value
    (configured env) | sed -nE 's#^GUILDHALL__CLUSTER__(POSTGRES|KAFKA|CQL|S3|REDIS)=#\1 #p' |
        sed 's/^CQL/CASSANDRA/' | while read -r engine value; do
        # Without scheme, credentials and path; several hosts are separated by commas.
        value=$(sed -E 's#^[a-z0-9]+://##; s#^.*@##; s#[/?].*$##' <<<"$value")
        [[ $value =~ ^127\.0\.0\.1:[0-9]+(,127\.0\.0\.1:[0-9]+)*$ ]] || continue
        echo "${engine,,}" "$(sed 's/127\.0\.0\.1://g; s/,/ /g' <<<"$value")"
    done
}

# Starts a relay of a node unless it runs: relay NODE NAME [FROM TO]…
relay() {
    local number=$1 name=$2 file=$networks/$1.$2
    shift 2
    ! lives "$file.pid" || return 0
    {
        printf 'global\n    nbthread 1\n    maxconn 4000\n'
        printf 'defaults\n    mode tcp\n    timeout connect 5s\n    timeout client 1h\n    timeout server 1h\n'
        while [ $# -gt 0 ]; do
            printf 'listen from-%s\n    bind %s\n    server there %s\n' "${1##*[/:]}" "$1" "$2"
            shift 2
        done
    } >"$file.cfg"
    # shellcheck disable=SC2046  # `inside` is several words
    $(inside "$number") haproxy -D -q -f "$file.cfg" -p "$file.pid" ||
        give_up "a relay does not start, see $file.cfg"
}

# Gives a node a network, if it has none yet.
network() {
    local pid
    ! lives "$networks/$1.pid" || return 0
    setsid unshare --net sleep infinity </dev/null >/dev/null 2>&1 &
    pid=$!
    disown
    # Until then it is still in ours.
    while [ "$(readlink "/proc/$pid/ns/net")" = "$(readlink /proc/self/ns/net)" ]; do
        kill -0 "$pid" 2>/dev/null || give_up "this system lets nobody make a network namespace"
        sleep 0.01
    done
    echo "$pid" >"$networks/$1.pid"
    # shellcheck disable=SC2046
    $(inside "$1") ip link set lo up
}

# Connects all nodes that there are with each other, the engines and their clients.
connect() {
    local number other http operator link engine ports port outside=() within=()
    engine_ports >"$networks/engines"
    while read -r engine ports; do
        for port in $ports; do outside+=("unix@$networks/$engine.$port" "127.0.0.1:$port"); done
    done <"$networks/engines"
    relay 0 engines "${outside[@]}"
    for number in $(nodes); do
        network "$number"
        read -r http operator link <"$(node_dir "$number")/ports"
        relay "$number" link "unix@$networks/$number.link" "127.0.0.1:$link"
        relay "$number" clients "unix@$networks/$number.http" "127.0.0.1:$http" \
            "unix@$networks/$number.operator" "127.0.0.1:$operator"
        relay 0 "$number" "127.0.0.1:$http" "unix@$networks/$number.http" \
            "127.0.0.1:$operator" "unix@$networks/$number.operator"
        while read -r engine ports; do
            within=()
            for port in $ports; do within+=("127.0.0.1:$port" "unix@$networks/$engine.$port"); done
            relay "$number" "$engine" "${within[@]}"
        done <"$networks/engines"
        for other in $(nodes); do
            [ "$other" != "$number" ] || continue
            read -r _ _ link <"$(node_dir "$other")/ports"
            relay "$number" "to-$other" "127.0.0.1:$link" "unix@$networks/$other.link"
        done
    done
}

# The relays of a node for one of the engines, `peers` or `clients`.
relays() {
    local found=()
    case $2 in
        peers) found=("$networks/$1.link.pid" "$networks/$1".to-*.pid) ;;
        *) found=("$networks/$1.$2.pid") ;;
    esac
    [ -s "${found[0]}" ] || give_up "node $1 can be cut from its peers, clients and engines only, not from \"$2\""
    cat "${found[@]}"
}

# Cuts a node off, and heals it: cut|heal NODE WHAT.
cut_off() {
    is_cuttable || give_up "nodes can be cut off where GUILDHALL_CLUSTER_CUTTABLE=yes was said to up"
    local pids
    pids=$(relays "$2" "$3")
    # shellcheck disable=SC2086  # several numbers
    if [ "$1" = cut ]; then freeze $pids; else kill -CONT $pids; fi
}

# Ends all relays, and the networks with them.
disconnect() {
    local file
    for file in "$networks"/*.pid; do
        ! lives "$file" || kill -KILL "$(cat "$file")"
        rm -f "$file"
    done
}
