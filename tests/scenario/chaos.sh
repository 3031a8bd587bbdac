#!/bin/sh
# chaos.sh PROGRAM: `seatrial chaos` from outside: results that every report reads, shards that merge to the
# whole, seeds printed and shrunk, and usage that is refused before anything runs.
set -u
program=$1
. "$(dirname "$0")/harbour.sh"

# exits CODE COMMAND...: stdout in $place/out, stderr in $place/err.
exits() {
    exit_code=$1
    shift
    "$@" >"$place/out" 2>"$place/err"
    is "$?" "$exit_code"
}
holds() { grep -qF -- "$1" "$2" || { say "        no '$1' in $2"; return 1; }; }
cases() { grep -c '<testcase' "$1"; }

# --- no finding ---
claim "a sweep without a finding" exits 0 "$program" chaos --mode calm --seeds 1..2 \
    --out "$place/calm" --junit "$place/deep/folder/junit.xml"
claim "its junit names the sweep and nothing else" is "$(cases "$place/deep/folder/junit.xml")" 1
claim "and it passed" holds '<testcase classname="scenario" name="calm"/>' "$place/deep/folder/junit.xml"
for format in junit markdown json html; do
    claim "its result as $format" exits 0 "$program" report --format $format "$place/calm"
done

# --- findings: without its data a seed that sails real bars is one ---
mkdir "$place/nothing"
claim "a sweep with findings" exits 1 "$program" chaos --seeds 1..8 --data "$place/nothing" \
    --out "$place/bare" --junit "$place/bare.xml"
failed=$(sed -n 's/^8 seeds, \([0-9]*\) failed.*/\1/p' "$place/out")
claim "some seeds failed" at_least "${failed:-0}" 1
claim "its junit has a case for each, and the sweep's" is "$(cases "$place/bare.xml")" $((failed + 1))
claim "each failure says how to repeat it" is \
    "$(grep -c "repeat: seatrial chaos --mode swarm --seeds [1-8] --data $place/nothing</failure>" "$place/bare.xml")" "$failed"
claim "its result as html" exits 0 "$program" report --format html "$place/bare"

# --- going on ---
claim "what was run is not run again" exits 0 "$program" chaos --mode calm --seeds 1..2 --out "$place/calm"
claim "and it says so" holds "holds 2 seeds already, 0 of those asked for are left to run" "$place/err"
claim "another sweep's folder" exits 3 "$program" chaos --mode heal --seeds 1 --out "$place/calm"
claim "is told with a remedy" holds "choose another --out, or remove it" "$place/err"
claim "a recording makes its folders" exits 0 "$program" scenario run \
    "$(dirname "$0")/../../scenarios/library/operator_freeze.json" --record "$place/far/away/f.rec"

# --- shards ---
claim "the whole" exits 0 "$program" chaos --mode calm --seeds 1..4 --json
hash=$(sed 's/.*"trace_hash":"\([0-9a-f]*\)".*/\1/' "$place/out")
for shard in 0 1; do
    claim "shard $shard" exits 0 "$program" chaos --mode calm --seeds 1..4 --shard $shard/2 \
        --out "$place/shard$shard"
done
claim "merged" exits 0 "$program" chaos merge "$place/shard0/records.ndjson" \
    "$place/shard1/records.ndjson" --junit "$place/merged.xml"
claim "merged: the hash of the whole" holds "trace_hash $hash" "$place/out"
claim "merged: junit names the mode of the records" holds 'name="calm"/>' "$place/merged.xml"

# --- print, shrink ---
claim "a seed is printed" exits 0 "$program" chaos --seeds 3 --print
cp "$place/out" "$place/three.json"
claim "and is a scenario" exits 0 "$program" scenario check "$place/three.json"
cat >"$place/fails.json" <<'EOF'
{"id": "x", "title": "x", "source": "x", "seed": 3, "days": 1, "market": {"set": "synthetic", "symbols": 1},
 "config": {"risk.max_positions": 1},
 "faults": [{"point": "http.reset_mid_body", "at": "day 1 10:00", "until": "day 1 10:10"}],
 "operator": [{"at": "day 1 11:00", "command": "kill -9"}],
 "expect": [{"mechanism": "max_drawdown", "event": "acted"}]}
EOF
claim "a file that fails is shrunk" exits 1 "$program" chaos shrink "$place/fails.json" --out "$place/small.json"
claim "to no rows" holds "0 rows left" "$place/err"
claim "and still fails" exits 1 "$program" scenario run "$place/small.json"
claim "a seed that passes has nothing to shrink" exits 0 "$program" chaos --mode calm --seeds 1 --shrink \
    --out "$place/nothing.json"
mkdir -p "$place/clone/scenarios/library"
in_clone() { (cd "$place/clone" && "$@"); }
claim "without --out it goes where regressions live" exits 1 in_clone "$program" chaos shrink "$place/fails.json"
claim "and says so" holds "written to scenarios/library/x.json" "$place/err"
claim "nothing goes to standard output" is "$(wc -c <"$place/out")" 0
claim "it is the same file" exits 0 cmp "$place/small.json" "$place/clone/scenarios/library/x.json"
claim "what is there is not overwritten" exits 3 in_clone "$program" chaos shrink "$place/fails.json"
claim "and named" holds "scenarios/library/x.json is there already" "$place/err"
claim "elsewhere a file must be named" exits 3 sh -c "cd '$place' && '$program' chaos shrink fails.json"

# --- exhaust: what it cost is by CPU, all else the same whoever shares the work ---
minute=$(dirname "$0")/../bench/exhausted.json
for jobs in 1 2; do
    claim "a share of a minute is exhausted, --jobs $jobs" exits 0 "$program" exhaust "$minute" --first-tick \
        --shard 0/8 --jobs $jobs --out "$place/exhaust.$jobs"
    claim "runs per core-second are told" holds "runs per core-second" "$place/err"
    claim "and written" is "$(grep -cE '"cpu_seconds":[0-9]+\.[0-9]{3},"runs_per_core_second":[1-9][0-9]*\.[0-9],' \
        "$place/exhaust.$jobs")" 1
    sed -E 's/"cpu_seconds":[0-9.]+,"runs_per_core_second":[0-9.]+,//' "$place/exhaust.$jobs" >"$place/counted.$jobs"
done
claim "nothing else differs" exits 0 cmp "$place/counted.1" "$place/counted.2"

# --- exhaust: a file that names no window has one around its first disturbance, one around what it expects ---
two() {
    cat <<EOF
{"id": "two", "title": "x", "source": "x", "seed": 3, "days": 1, "market": {"set": "synthetic", "symbols": 2}, $1
 "operator": [{"at": "day 1 10:00", "command": "freeze", "cause": "news", "by": "ann", "why": "news"},
  {"at": "day 1 11:00", "command": "kill", "by": "ann", "why": "stop"}],
 "expect": [{"mechanism": "kill_switch", "event": "acted"}]}
EOF
}
effects() { sed 's/.*"effects":\([0-9]*\),.*/\1/' "$place/out"; }
two '"window": {"at": "day 1 09:59:55", "for": "60s"},' >"$place/first.json"
claim "a named window" exits 0 "$program" exhaust "$place/first.json" --first-tick --shard 0/9 --json
claim "is one" holds '"windows":1,' "$place/out"
first=$(effects)
claim "with effects" at_least "$first" 1
two "" >"$place/two.json"
claim "without a name" exits 0 "$program" exhaust "$place/two.json" --first-tick --shard 0/9 --json
claim "there are two" holds '"windows":2,' "$place/out"
claim "which are told" holds " 2 windows " "$place/err"
claim "and both have effects" at_least "$(effects)" $((first + 1))

# --- refused before anything runs ---
cat >"$place/waivers.json" <<'EOF'
{"waivers": [{"word": "point x", "reason": "r", "owner": "o", "expires": "2020-01-01"}]}
EOF
claim "an expired waiver" exits 3 "$program" chaos --seeds 1..1000 --waivers "$place/waivers.json" \
    --out "$place/never"
claim "is named" holds "expired on 2020-01-01" "$place/err"
claim "and nothing ran" is "$(ls "$place" | grep -c never)" 0
for words in "run foo --seeds 1" "list x" "modes x" "merge" "--seeds 1..2 --shrink" "--seeds 1..9000000000000000" \
    "--seeds 1 --shard 2/2" "--seeds 1 --shard 1"; do
    claim "usage: chaos $words" exits 2 "$program" chaos $words
done
claim "the shipped waivers are good" exits 0 "$program" chaos --mode calm --seeds 1 \
    --waivers "$(dirname "$0")/../waivers.json"
finish
