# wine.sh - the agent's EXEs under headless wine: a prefix of our own, the COM stand-in registered, agents started and ended. A script sources it, with
# `root` and B set. The wineserver of this prefix ends with the script; nothing else on the machine is touched.
WINE=/usr/lib/wine/wine64
WINESERVER=/usr/lib/wine/wineserver
MLC_WINE=${MLC_WINE:-$HOME/.cache/mlc-agent-wine}
export WINEPREFIX="$B/agent/prefix" WINEDEBUG=-all WINEDLLOVERRIDES="mscoree,mshtml,winemenubuilder.exe=" TZ=America/Chicago
[ -d "$MLC_WINE/i386-windows" ] && export WINEDLLPATH="$MLC_WINE"
unset DISPLAY WAYLAND_DISPLAY || true
AGENT_TOKEN=agent-token-7f3a91c2
AGENT_PASSWORD=pw-55d0c2a7
agent_pids=""

# Both bitnesses where the 32-bit parts are there.
arches() { if [ -d "$MLC_WINE/i386-windows" ]; then echo x64 x86; else echo x64; fi; }
# A path of ours as wine sees it.
winpath() { printf 'Z:%s' "$1" | tr / '\\'; }
exe() { echo "$B/agent/$1.exe"; }

wine_end() {
    for p in $agent_pids; do kill "$p" 2>/dev/null || true; done
    timeout 20 "$WINESERVER" -k 2>/dev/null || true
    timeout 20 "$WINESERVER" -w 2>/dev/null || true
}

# The prefix: made once, and again when wine or its 32-bit parts changed. No COM before the wineserver has gone.
wine_begin() {
    want="$("$WINE" --version) $(arches)"
    if [ "$(cat "$WINEPREFIX/made-by" 2>/dev/null)" != "$want" ]; then
        rm -rf "$WINEPREFIX"
        mkdir -p "$B/agent"
        timeout 240 "$WINE" wineboot -i >"$B/agent/wineboot.log" 2>&1 </dev/null || { echo "wine makes no prefix:"; tail -3 "$B/agent/wineboot.log"; return 1; }
        timeout 60 "$WINESERVER" -w || true
        echo "$want" >"$WINEPREFIX/made-by"
    fi
    timeout 20 "$WINESERVER" -k 2>/dev/null || true
    timeout 20 "$WINESERVER" -w 2>/dev/null || true
}

# standin ARCH DIR: registers Sage's COM class for this bitness; DIR holds the tables
standin() { timeout 60 "$WINE" "$(exe "sage-standin-$1")" --register "$(winpath "$2")" >/dev/null 2>&1 </dev/null; }

# agent_set_up ARCH DIR DATA [LINE...]: folder, ini, secrets
agent_set_up() {
    arch=$1 dir=$2 data=$3
    shift 3
    mkdir -p "$dir"
    port=$((20000 + ($$ * 7 + $(date +%N | sed 's/^0*//' | cut -c1-6)) % 20000))
    { printf '[agent]\nlisten = http://127.0.0.1:%s/\nhome = %s\nuser = sync\ncompanies = ABC\n' "$port" "$(winpath "$data")"; for l; do echo "$l"; done; } >"$dir/agent.ini"
    echo "$AGENT_TOKEN" >"$dir/in"
    timeout 60 "$WINE" "$(exe "mlc-boi-agent-$arch")" token --stdin --dir "$(winpath "$dir")" <"$dir/in" >"$dir/out" 2>&1 || { cat "$dir/out"; return 1; }
    echo "$AGENT_PASSWORD" >"$dir/in"
    timeout 60 "$WINE" "$(exe "mlc-boi-agent-$arch")" login --dir "$(winpath "$dir")" <"$dir/in" >"$dir/out" 2>&1 || { cat "$dir/out"; return 1; }
    rm -f "$dir/in"
}

# agent_start ARCH DIR: sets AGENT to its address and agent_pid; it ends when its input ends
agent_start() {
    rm -f "$2/stdin" "$2/run.out"
    mkfifo "$2/stdin"
    timeout "${AGENT_SECONDS:-900}" "$WINE" "$(exe "mlc-boi-agent-$1")" run --dir "$(winpath "$2")" <"$2/stdin" >"$2/run.out" 2>&1 &
    agent_pid=$!
    agent_pids="$agent_pids $agent_pid"
    exec 9>"$2/stdin"
    AGENT=$(sed -n 's|^listen *= *\(http://.*\)/[[:space:]]*$|\1|p' "$2/agent.ini")
    n=200
    until grep -q 'listens on' "$2/run.out" 2>/dev/null; do
        n=$((n - 1))
        [ $n -gt 0 ] && kill -0 "$agent_pid" 2>/dev/null || { echo "the agent does not start: $(cat "$2/run.out")"; return 1; }
        sleep 0.1
    done
}
agent_stop() {
    exec 9>&-
    n=300
    while kill -0 "$agent_pid" 2>/dev/null && [ $n -gt 0 ]; do sleep 0.1; n=$((n - 1)); done
    kill "$agent_pid" 2>/dev/null || true
    wait "$agent_pid" 2>/dev/null || true
}
ask() { curl -sS -m "${ASK_SECONDS:-60}" -H "Authorization: Bearer $AGENT_TOKEN" "$@"; }
