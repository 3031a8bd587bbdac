#!/bin/sh
# bad_input.sh PROGRAM: what is wrong from outside is refused with one clear error and the documented
# exit code, and what was there before is still there after.
set -u
program=$1
. "$(dirname "$0")/harbour.sh"
need cksum timeout

unset APCA_API_KEY_ID APCA_API_SECRET_KEY CREDENTIALS_DIRECTORY

# refuses CODE WORDS COMMAND...: that exit code, one line of ours on stderr that has the words, no more
# than ten lines in all, nothing on stdout.
refuses() {
    refuse_code=$1
    refuse_words=$2
    shift 2
    timeout 60 "$@" >"$place/out" 2>"$place/err" </dev/null
    refuse_status=$?
    if [ "$refuse_status" != "$refuse_code" ] ||
        [ "$(grep -c '^seatrial' "$place/err")" != 1 ] ||
        [ "$(wc -l <"$place/err")" -gt 10 ] ||
        ! grep -qF -- "$refuse_words" "$place/err" || [ -s "$place/out" ]; then
        say "        exit $refuse_status, should be $refuse_code and say '$refuse_words' once; it says:"
        head -n 12 "$place/out" "$place/err"
        return 1
    fi
}

# Every file of a folder by content; times and locks are not content.
picture() { (cd "$1" && find . -type f ! -name '*.lock' -exec cksum {} + | sort -k 3); }
unchanged() { is "$(picture "$1")" "$2"; }

write() { printf '%s' "$2" >"$place/$1"; }

# --- the command line ---
claim "no such command" refuses 2 "no command 'sail'" "$program" sail
claim "no such option" refuses 2 "unknown option" "$program" run --speed 3
claim "an option without its value" refuses 2 "--seed needs a value" "$program" run --seed
claim "not a number" refuses 2 "is not a number" "$program" run --seed seven
claim "no such mode" refuses 2 "sim, paper or live" "$program" run --mode rehearsal
claim "days out of range" refuses 2 "--days" "$program" run --days 0
claim "paper without a state directory" refuses 2 "--state" "$program" run --mode paper
claim "a freeze without a reason" refuses 2 "--why" "$program" freeze news --by ann --state "$place/none"
claim "an option given twice" refuses 2 "--seed is given twice" "$program" run --seed 7 --seed 8
claim "a short option" refuses 2 "unknown option '-x'" "$program" status -x
for words in "run extra" "serve extra" "scenario list extra" "config show a extra" "status extra --state x" \
    "state verify extra --state x" "kill extra --by ann --why x --state x" "mechanism daily_loss extra" \
    "score a extra" "report a extra" "certify extra"; do
    claim "a word that nobody asks for: $words" refuses 2 "'extra' is one word too many" "$program" $words
done
claim "options of the other mode: paper" refuses 2 "--mode paper takes no --seed" "$program" run --mode paper \
    --state "$place/none" --seed 7
claim "options of the other mode: sim" refuses 2 "--mode sim takes no --key-file" "$program" run --key-file x
claim "options of another verb" refuses 2 "go with run" "$program" scenario check x.json --json
claim "another clock" refuses 2 "--clock 'foo'" env APCA_API_KEY_ID=a APCA_API_SECRET_KEY=b \
    "$program" run --mode paper --base-url http://127.0.0.1:1 --clock foo --state "$place/clock"
claim "a start that is no time" refuses 2 "--start: 'yesterday'" "$program" serve --port 0 --start yesterday
claim "a start that is no date" refuses 2 "--start: 'yesterday'" "$program" run --start yesterday
claim "a speed that is no number" refuses 2 "--speed: 'fast'" "$program" serve --port 0 --speed fast
claim "bounds are told one at a time" refuses 2 "--jobs is 1 to 64" "$program" chaos --seeds 1 --jobs 0
for words in -h --help help; do
    claim "$words: the exit codes" sh -c '"$1" $2 | grep -q "^exit codes: 0 pass"' - "$program" "$words"
done
claim "the version has a number" sh -c '"$1" --version | grep -q "^seatrial [0-9][0-9.]*, build "' - "$program"
claim "live is refused" refuses 3 "live is refused" "$program" run --mode live
claim "a foreign host" refuses 2 "--base-url" env APCA_API_KEY_ID=a APCA_API_SECRET_KEY=b \
    "$program" run --mode paper --base-url https://example.com --state "$place/foreign"

# --- configuration ---
write torn.json '{"universe": ["SPY"'
write array.json '[1, 2]'
write unknown.json '{"universe": ["SPY"], "risk.dayly_loss_usd": "5"}'
write range.json '{"universe": ["SPY"], "risk.max_drawdown": "7"}'
write type.json '{"universe": ["SPY"], "risk.max_positions": "many"}'
write symbol.json '{"universe": ["not a symbol"]}'
write nested.json '{"universe": ["SPY"], "risk": {"max_positions": 4}}'
write empty.json ''
write torn.csv 'symbol,sec'
write torn_groups.json "{\"universe\": [\"SPY\"], \"risk.groups_file\": \"$place/torn.csv\"}"
write no_groups.json "{\"universe\": [\"SPY\"], \"risk.groups_file\": \"$place/none.csv\"}"
for verb in "config check" "config show" "config show --config" "run --mode sim --config"; do
    claim "$verb: no JSON" refuses 3 "torn.json" "$program" $verb "$place/torn.json"
    claim "$verb: not an object" refuses 3 "array.json" "$program" $verb "$place/array.json"
    claim "$verb: empty" refuses 3 "empty.json" "$program" $verb "$place/empty.json"
    claim "$verb: unknown key" refuses 3 "risk.dayly_loss_usd" "$program" $verb "$place/unknown.json"
    claim "$verb: out of range" refuses 3 "risk.max_drawdown" "$program" $verb "$place/range.json"
    claim "$verb: wrong type" refuses 3 "risk.max_positions" "$program" $verb "$place/type.json"
    claim "$verb: no symbol" refuses 3 "universe" "$program" $verb "$place/symbol.json"
    claim "$verb: nested" refuses 3 'write "risk.max_positions"' "$program" $verb "$place/nested.json"
    claim "$verb: torn groups" refuses 3 "torn.csv:1: " "$program" $verb "$place/torn_groups.json"
    claim "$verb: no groups" refuses 4 "none.csv" "$program" $verb "$place/no_groups.json"
    claim "$verb: no file" refuses 4 "none.json" "$program" $verb "$place/none.json"
done

write four.json '{"universe": ["SPY"], "risk.max_positions": 4}'
claim "config show FILE shows the file's" is "$("$program" config show "$place/four.json" |
    grep -c '"risk.max_positions": {"value": "4"')" 1
claim "config show: one file" refuses 2 "not both" "$program" config show "$place/four.json" \
    --config "$place/four.json"
claim "a torn configuration: where" refuses 3 "line 1" "$program" config check "$place/torn.json"
head -c 1100000 /dev/zero | tr '\0' ' ' >"$place/long.json"
claim "a configuration too long" refuses 3 "long.json: longer than 1048576 bytes" "$program" config check \
    "$place/long.json"

# --- files to write ---
mkdir "$place/target"
"$program" chaos --mode calm --seeds 1 --out "$place/result" >/dev/null 2>&1
claim "a result onto a folder" refuses 4 "target: Is a directory" "$program" report --format json \
    --out "$place/target" "$place/result"
claim "nothing is left beside it" is "$(ls "$place" | grep -c 'target.tmp')" 0
claim "a report of what is no result: which file" refuses 3 "four.json: title: missing" "$program" report \
    "$place/four.json"
claim "a report of what is no JSON: which file" refuses 3 "torn.json: no result" "$program" report \
    "$place/torn.json"

# --- scenarios ---
write s_torn.json '{"id": "x"'
write s_unknown.json '{"id": "x", "title": "x", "source": "x", "seed": 1, "days": 1, "wether": "bad"}'
write s_range.json '{"id": "x", "title": "x", "source": "x", "seed": 1, "days": 100000}'
for verb in "scenario check" "scenario run"; do
    claim "$verb: no JSON" refuses 3 "s_torn.json" "$program" $verb "$place/s_torn.json"
    claim "$verb: unknown key" refuses 3 "wether" "$program" $verb "$place/s_unknown.json"
    claim "$verb: out of range" refuses 3 "days" "$program" $verb "$place/s_range.json"
    claim "$verb: no file" refuses 4 "s_none.json" "$program" $verb "$place/s_none.json"
done

claim "a scenario that is not there is named once" sh -c '"$1" serve --port 0 --scenario "$2" 2>&1 |
    grep -q "^seatrial: $2: No such file or directory$"' - "$program" "$place/s_none.json"
claim "a folder without scenarios" refuses 4 "without scenario files" "$program" scenario run "$place/target"
for shard in 4/4 1 x/2; do
    claim "--shard $shard" refuses 2 "i/n" "$program" scenario run "$(dirname "$0")/../../scenarios/library" --shard $shard
done
claim "a share without files" refuses 2 "leaves no file" "$program" scenario run \
    "$(dirname "$0")/../../scenarios/library/operator_freeze.json" --shard 1/2
claim "scenarios without their data" refuses 4 "--data $place/none" "$program" scenario run \
    "$(dirname "$0")/../../scenarios/library/operator_freeze.json" --data "$place/none"
claim "each shipped scenario has its file's name" is "$("$program" scenario list | cut -d ' ' -f 1 | sort)" \
    "$(cd "$(dirname "$0")/../../scenarios/library" && ls | sed 's/\.json$//' | sort)"

# --- bars ---
mkdir "$place/bars" "$place/nothing"
write bars/SPY.csv 'timestamp,open,high,low,close,volume
2019-12-02T14:30:00Z,314.59,314.66,314.5,314.56,100
2019-12-02T14:31:00Z,314.5'
write config.json '{"universe": ["SPY"]}'
claim "truncated bars" refuses 3 "SPY.csv" "$program" run --mode sim --config "$place/config.json" \
    --data "$place/bars"
claim "truncated bars, served" refuses 3 "SPY.csv" "$program" serve --port 0 --data "$place/bars"
claim "symbols that a made up market lacks" refuses 3 "--data data/stocks-2022-03" "$program" run --mode sim \
    --config "$place/config.json"
claim "no bars" refuses 4 "nothing" "$program" run --mode sim --config "$place/config.json" \
    --data "$place/nothing"
claim "no such folder of bars" refuses 4 "none" "$program" run --mode sim \
    --config "$place/config.json" --data "$place/none"

# --- the state directory, with a served broker ---
export APCA_API_KEY_ID=SIM-KEY APCA_API_SECRET_KEY=SIM-SECRET
busy_config
serve --speed 10 --start 2024-03-04T15:30:00Z
url=http://127.0.0.1:$port
has_order() { [ "$(wc -l <"$ledger/requests.log")" -gt 1 ] && [ -s "$state/view.json" ]; }

claim "a server on a taken port" refuses 4 "choose another port" "$program" serve --port "$port"
claim "a second server on the same ledger" refuses 6 "ledger" "$program" serve --port 0 --ledger "$ledger"
claim "no credentials" refuses 3 "no credentials" env -u APCA_API_KEY_ID \
    "$program" run --mode paper --base-url "$url" --config "$place/config.json" --state "$place/s1"
write key '{"key_id": "a", "secret": "b"}'
chmod 644 "$place/key"
claim "a key file that others may read" refuses 3 "others may read" "$program" run \
    --mode paper --base-url "$url" --key-file "$place/key" --config "$place/config.json" --state "$place/s1"
write odd_key '{"key": "a"}'
chmod 600 "$place/odd_key"
claim "a file that is no key file" refuses 3 'wants {"key_id":"...","secret":"..."}' "$program" run \
    --mode paper --base-url "$url" --key-file "$place/odd_key" --config "$place/config.json" --state "$place/s1"
claim "a key file that is not there" refuses 4 "no_key: No such file" "$program" run \
    --mode paper --base-url "$url" --key-file "$place/no_key" --config "$place/config.json" --state "$place/s1"
write file ''
claim "the state directory is a file" refuses 4 "$place/file" "$program" run --mode paper \
    --base-url "$url" --config "$place/config.json" --state "$place/file"
claim "the state directory cannot be made" refuses 4 "/proc/none" "$program" run --mode paper \
    --base-url "$url" --config "$place/config.json" --state /proc/none/state
claim "no configuration file: no state directory is made" is "$("$program" run --mode paper --base-url "$url" \
    --clock served --config "$place/none.json" --state "$place/unmade" 2>/dev/null; echo "$?" "$(ls "$place" |
    grep -c unmade)")" "4 0"
write strange.json '{"universe": ["AAPL", "MSFT"]}'
claim "symbols that the broker does not know" refuses 3 "knows no symbol of the universe ('AAPL'" "$program" run \
    --mode paper --clock served --base-url "$url" --config "$place/strange.json" --state "$place/s3"
claim "keys that open nothing" refuses 3 "HTTP 401" env APCA_API_KEY_ID=wrong "$program" run --mode paper \
    --clock served --base-url "$url" --config "$place/config.json" --state "$place/s2"
claim "a state that no core has used" refuses 4 "--new" "$program" freeze news --by ann --why x \
    --state "$place/nosuch"
claim "and it is not made" is "$(ls "$place" | grep -c nosuch)" 0
claim "no server there" refuses 4 "127.0.0.1" "$program" run --mode paper --clock served \
    --base-url http://127.0.0.1:1 --config "$place/config.json" --state "$place/s1"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
    mkdir "$place/locked"
    chmod 755 "$place"
    chmod 555 "$place/locked"
    claim "an unwritable state directory" refuses 4 "ermission" setpriv --reuid 65534 --clear-groups \
        "$program" freeze news --new --by ann --why x --state "$place/locked"
    chmod 700 "$place"
elif [ "$(id -u)" != 0 ]; then
    mkdir -m 555 "$place/locked"
    claim "an unwritable state directory" refuses 4 "ermission" \
        "$program" freeze news --new --by ann --why x --state "$place/locked"
fi

core
claim "a core trades" until_true 40 has_order
claim "a second instance is told where to look" refuses 6 "see \`seatrial status --state $state\`" "$program" run \
    --mode paper --clock served --base-url "$url" --config "$place/config.json" --state "$state"
claim "a second instance" refuses 6 "held by" "$program" run --mode paper --clock served \
    --base-url "$url" --config "$place/config.json" --state "$state"
mv "$state/broker.json" "$place/broker.json"
claim "a second instance that goes by another clock" refuses 6 "held by" "$program" run \
    --mode paper --base-url "$url" --config "$place/config.json" --state "$state"
mv "$place/broker.json" "$state/broker.json"
claim "another broker than the state's" refuses 3 "belongs to the broker at $url" "$program" run \
    --mode paper --config "$place/config.json" --state "$state"
claim "the first lives on" core_lives
claim "verify while a core runs" refuses 6 "a core runs" "$program" state verify --state "$state"
slay core_pid TERM
claim "the core stops cleanly" is "$slay_status" 0
claim "the state verifies" is "$("$program" state verify --state "$state" >"$place/out"; echo $?)" 0

# --- a damaged journal: one flipped byte in a row's body ---
cp -r "$state" "$place/damaged"
at=$(grep -abo PA3SIMULATED "$place/damaged/journal.db" | head -n 1 | cut -d : -f 1)
printf 'X' | dd of="$place/damaged/journal.db" bs=1 seek="$at" conv=notrunc 2>/dev/null
before=$(cksum <"$place/damaged/journal.db")
claim "a damaged journal" refuses 5 "journal.db" "$program" run --mode paper --clock served \
    --base-url "$url" --config "$place/config.json" --state "$place/damaged"
claim "verify says so" is "$("$program" state verify --state "$place/damaged" >"$place/out"; echo $?)" 5
claim "the damaged journal is untouched" is "$(cksum <"$place/damaged/journal.db")" "$before"
cp -r "$state" "$place/garbage"
head -c 5000 /dev/zero | tr '\0' 'x' >"$place/garbage/journal.db"
claim "a journal that is none" refuses 5 "journal.db" "$program" run --mode paper --clock served \
    --base-url "$url" --config "$place/config.json" --state "$place/garbage"
before=$(ls -a "$place/nothing")
claim "verify where no core was" refuses 4 "is --state right?" "$program" state verify --state "$place/nothing"
claim "it leaves nothing there" is "$(ls -a "$place/nothing")" "$before"
cp -r "$state" "$place/bare"
rm "$place/bare"/journal.db*
claim "verify without a journal says what to do" sh -c '"$1" state verify --state "$2" 2>&1 |
    grep -q "journal.db .*put it back"' - "$program" "$place/bare"
claim "status without a core's state" refuses 12 "view.json" "$program" status --state "$place/nothing"

# --- a damaged ledger ---
slay server_pid TERM
sed '1s/"method"/"mothed"/' "$ledger/requests.log" >"$place/log"
cp "$place/log" "$ledger/requests.log"
before=$(picture "$ledger")
claim "a damaged ledger" refuses 5 "requests.log" "$program" serve --port 0 --speed 10 --ledger "$ledger"
claim "the damaged ledger is untouched" unchanged "$ledger" "$before"
finish
