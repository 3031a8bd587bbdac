# harbour.sh - sourced by the scripts beside it: a served broker and a core as real processes.
#
# The script sets `program` (the seatrial binary) first. Everything lives in one temporary folder, which
# the exit trap removes with the processes; KEEP=1 keeps it. Loopback only.

umask 077
place=$(mktemp -d "${TMPDIR:-/tmp}/seatrial-XXXXXX")
state=$place/state
ledger=$place/ledger
server_pid=
core_pid=
port=
failures=0

leave() {
    status=$?
    trap - EXIT INT TERM
    for pid in $core_pid $server_pid; do
        kill -CONT "$pid" 2>/dev/null
        kill -KILL "$pid" 2>/dev/null
    done
    wait 2>/dev/null
    [ "${KEEP:-0}" = 1 ] || rm -rf "$place"
    exit "$status"
}
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say() { printf '%s\n' "$*"; }

# claim TEXT COMMAND...: the command holds, or the script fails in the end.
claim() {
    claim_text=$1
    shift
    if "$@"; then
        say "ok      $claim_text"
    else
        say "NOT OK  $claim_text"
        failures=$((failures + 1))
    fi
}

finish() {
    say "$failures claims failed"
    [ "$failures" = 0 ]
    exit
}

# Leaves early where a tool is missing; CTest shows 77 as skipped.
need() {
    for tool in "$@"; do
        command -v "$tool" >/dev/null || { say "skipped: no $tool here"; exit 77; }
    done
}

is() { [ "$1" = "$2" ] || { say "        is '$1', should be '$2'"; return 1; }; }
at_least() { [ "$1" -ge "$2" ] || { say "        is $1, should be at least $2"; return 1; }; }

# until_true SECONDS COMMAND...: tries ten times a second.
until_true() {
    tries=$(($1 * 10))
    shift
    while ! "$@"; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || return 1
        sleep 0.1
    done
}

# A key pair of this session alone: a core that another session left behind and that meets our port is
# not let in.
own_keys() {
    APCA_API_KEY_ID=PK$(od -An -N 8 -tx1 /dev/urandom | tr -d ' \n')
    APCA_API_SECRET_KEY=$(od -An -N 16 -tx1 /dev/urandom | tr -d ' \n')
    export APCA_API_KEY_ID APCA_API_SECRET_KEY
}

has_port() { grep -q '^http://127' "$place/serve.out" 2>/dev/null; }

# serve [OPTION...]: on the same port after the first time, as a client expects.
serve() {
    rm -f "$place/serve.out"
    "$program" serve --port "${port:-0}" --ledger "$ledger" "$@" \
        >"$place/serve.out" 2>>"$place/serve.err" &
    server_pid=$!
    until_true 20 has_port || { say "the server does not start:"; cat "$place/serve.err"; exit 70; }
    port=$(sed -n 's,^http://127.0.0.1:,,p' "$place/serve.out")
}

core() {
    "$program" run --mode paper --base-url "http://127.0.0.1:$port" --clock served \
        --config "$place/config.json" --state "$state" >>"$place/run.out" 2>>"$place/run.err" &
    core_pid=$!
}

# slay NAME SIGNAL: and reap.
slay() {
    eval "slay_pid=\$$1"
    kill "-$2" "$slay_pid" 2>/dev/null
    wait "$slay_pid" 2>/dev/null
    slay_status=$?
    eval "$1="
    return 0
}

core_lives() { kill -0 "$core_pid" 2>/dev/null; }

# A second shell: OPERATION WORDS..., with who and why.
operator() {
    operator_verb=$1
    shift
    "$program" "$operator_verb" "$@" --by tester --why "a rehearsal" --state "$state"
}

# The broker's answer to GET $1 into file $2. Who asks shares the core's budget of requests, and waits for it.
ask() {
    asked=0
    while :; do
        answered=$(curl -sS -m 10 -H "APCA-API-KEY-ID: ${APCA_API_KEY_ID:-SIM-KEY}" \
            -H "APCA-API-SECRET-KEY: ${APCA_API_SECRET_KEY:-SIM-SECRET}" \
            "http://127.0.0.1:$port$1" -o "$2" -w '%{http_code}') || return 1
        asked=$((asked + 1))
        [ "$answered" = 429 ] && [ "$asked" -lt 30 ] || return 0
        sleep 0.5
    done
}

# SQL over a copy of the journal: the files themselves belong to the core.
journal() {
    rm -rf "$place/copy"
    mkdir "$place/copy"
    cp "$state"/journal.db* "$place/copy/"
    sqlite3 "$place/copy/journal.db" "$1"
}

view_has_cause() {
    "$program" status --state "$state" | grep -q "^cause  *$1:"
}

# hang: stops the core, but not while it renews its lease: whoever comes then finds the lock taken and
# can only say so.
hang() {
    while :; do
        kill -STOP "$core_pid"
        flock -n "$state/lease.lock" true && break
        kill -CONT "$core_pid"
        sleep 0.1
    done
}

# All orders that the broker knows (in pages) beside a copy of the journal, for count(). The core is
# not running.
collect_books() {
    rm -f "$place"/count.db*
    after=
    page=0
    : >"$place/orders.sql"
    say "create table broker(id text, client text, filled text, side text);" >"$place/orders.sql"
    while :; do
        page=$((page + 1))
        ask "/v2/orders?status=all&limit=500&direction=asc${after:+&after=$after}" "$place/orders.$page"
        size=$(sqlite3 :memory: "select count(*) from json_each(readfile('$place/orders.$page'))")
        [ "$size" -gt 0 ] || break
        say "insert into broker select value->>'id', value->>'client_order_id', value->>'filled_qty',
             value->>'side' from json_each(readfile('$place/orders.$page'));" >>"$place/orders.sql"
        [ "$size" -eq 500 ] || break
        after=$(sqlite3 :memory: "select max(value->>'submitted_at')
            from json_each(readfile('$place/orders.$page'))")
    done
    journal "select 1" >/dev/null
    cp "$place/copy/journal.db" "$place/count.db"
    [ ! -f "$place/copy/journal.db-wal" ] || cp "$place/copy/journal.db-wal" "$place/count.db-wal"
    sqlite3 "$place/count.db" <"$place/orders.sql"

    sqlite3 "$place/count.db" "create table books as
        select key client, sum(round((body->>'qty') * 1000000000)) filled from row where kind='fill' group by key"
}

count() { sqlite3 "$place/count.db" "$1"; }

# What the broker did is what the journal says, and no order went out twice.
claim_books() {
    claim "ledger = books, order by order" is "$(count "
        select b.client, b.filled, k.filled from broker b left join books k on k.client = b.client
            where round(b.filled * 1000000000) <> coalesce(k.filled, 0)
        union all
        select k.client, 'none', k.filled from books k where k.client not in (select client from broker)")" ""
    claim "one order per intent" is "$(count "
        select client from broker group by client having count(*) > 1")" ""
    claim "one intent per order" is "$(count "
        select key from row where kind='intent' group by key having count(*) > 1
        union all
        select client from broker where client not in (select key from row where kind='intent')")" ""
}

# A configuration that trades all the time: each symbol is entered as soon as it is flat.
busy_config() {
    cat >"$place/config.json" <<'END'
{"universe": ["SYM000", "SYM001", "SYM002", "SYM003", "SYM004", "SYM005", "SYM006", "SYM007"],
 "strategy.threshold": "0", "strategy.weight_momentum": "0", "risk.max_new_per_15min": 1000,
 "risk.symbol_cooldown_s": 0, "sizing.base_usd": "4000", "sizing.equity_share": "0.04",
 "exits.time_s": 120, "orders.entry_patience_s": 60, "orders.entry_offset": "0",
 "engine.cycle_s": 20, "degraded.clean_s": 5, "volume.day_share": "1000", "volume.hour_share": "1000",
 "volume.orders": 100000, "volume.round_trips": 10000}
END
}

# The same, but with entries that rest below the market and positions that stay.
patient_config() {
    busy_config
    sed -i 's/"orders.entry_offset": "0"/"orders.entry_offset": "0.01", "risk.max_positions": 10/
            s/"exits.time_s": 120/"exits.time_s": 20000/
            s/"orders.entry_patience_s": 60/"orders.entry_patience_s": 600/' "$place/config.json"
}
