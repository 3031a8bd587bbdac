#!/bin/sh
# secrets.sh PROGRAM: a served session with key pairs that nobody else has, a wrong secret and a key rotated below a
# running core;
# then every byte that any process wrote, and every command line, is searched for them.
set -u
program=$1
. "$(dirname "$0")/harbour.sh"
need curl sqlite3 base64 od
unset APCA_API_KEY_ID APCA_API_SECRET_KEY CREDENTIALS_DIRECTORY

busy_config
keys=$place/keys # the only place where they may be
written=$place/written
mkdir "$keys" "$written"

# --- key pairs: first and second are the account's one after the other, wrong is never its ---

random_hex() { od -An -N "$1" -tx1 /dev/urandom | tr -d ' \n'; }

# The word as it is, and as base64 has it at each of the three places it may begin at.
spellings() {
    printf '%s\n' "$1"
    for pad in '' x xx; do
        printf '%s%s' "$pad" "$1" | base64 -w 0 | sed 's/^....//; s/....$//'
        echo
    done
}

new_pair() {
    pair_id=PK$(random_hex 9)
    pair_secret=$(random_hex 20)
    printf '{"key_id":"%s","secret":"%s"}\n' "$pair_id" "$pair_secret" >"$keys/$1.json"
    printf 'APCA-API-KEY-ID: %s\nAPCA-API-SECRET-KEY: %s\n' "$pair_id" "$pair_secret" >"$keys/$1.headers"
    printf 'export APCA_API_KEY_ID=%s APCA_API_SECRET_KEY=%s\n' "$pair_id" "$pair_secret" >"$keys/$1.sh"
    spellings "$pair_id" >>"$keys/words"
    spellings "$pair_secret" >>"$keys/words"
}
new_pair first
new_pair second
new_pair wrong

# The credential directory of a unit whose pair is PAIR, as systemd would hand it over.
unit_of() {
    mkdir -p "$keys/unit.$1"
    cp "$keys/$1.json" "$keys/unit.$1/alpaca-key"
    chmod 400 "$keys/unit.$1/alpaca-key"
}
unit_of first
unit_of second

# --- searching ---

# Files below place that hold one of the words, but those of keys/. Nothing is written meanwhile.
leaks() { grep -rlaF -f "$keys/words" --exclude-dir=keys "$place" | sort; }
# Which of these processes were started with a word on their command line, or carry one in their
# environment although it came from a file.
on_command_line() {
    for pid in "$@"; do
        tr '\0' '\n' <"/proc/$pid/cmdline" | grep -qaF -f "$keys/words" && say "$pid"
    done
}
in_environment() {
    for pid in "$@"; do
        tr '\0' '\n' <"/proc/$pid/environ" | grep -qaF -f "$keys/words" && say "$pid"
    done
}

# --- the search works: each place is planted once ---

mkdir -p "$state"
sed -n 1p "$keys/words" >"$state/planted"
claim "a planted key id is found" is "$(leaks)" "$state/planted"
printf 'bytes\0before %s and\0after' "$(sed -n 5p "$keys/words")" >"$state/planted"
claim "a planted secret is found between NULs" is "$(leaks)" "$state/planted"
sed -n 's/.*"secret":"\([^"]*\)".*/user:\1/p' "$keys/wrong.json" | base64 -w 0 >"$state/planted"
claim "a planted secret is found in base64" is "$(leaks)" "$state/planted"
rm -r "$state"
claim "nothing else is found" is "$(leaks)" ""
sh -c 'sleep 30; : "$1"' sh "$(sed -n 5p "$keys/words")" &
planted_pid=$!
sleep 0.2
claim "a secret on a command line is found" is "$(on_command_line $planted_pid)" "$planted_pid"
kill "$planted_pid"
wait "$planted_pid" 2>/dev/null

# --- the session ---

broker_options() {
    say "--config $place/config.json --clock served --base-url http://127.0.0.1:$port"
}
# place_key PAIR: whole at once, as a rotation does.
place_key() {
    cp "$keys/$1.json" "$keys/live.new"
    mv "$keys/live.new" "$keys/live.json"
}
# core_as PAIR: with a key file that is rotated later.
core_as() {
    place_key "$1"
    "$program" run --mode paper $(broker_options) --state "$state" --key-file "$keys/live.json" \
        >>"$place/run.out" 2>>"$place/run.err" &
    core_pid=$!
}
# ask_as PAIR PATH: prints the status; the answer is kept.
ask_as() {
    curl -sS -m 10 -H "@$keys/$1.headers" -o "$written/answer.$1" -w '%{http_code}' "http://127.0.0.1:$port$2"
}
holds_something() { [ "$(sqlite3 :memory: "select count(*) > 0 from
    json_each(json_extract(readfile('$state/view.json'), '$.positions'))" 2>/dev/null)" = 1 ]; }
# told NAME COMMAND...: what it says is kept.
told() {
    told_name=$1
    shift
    "$@" >"$written/$told_name.out" 2>"$written/$told_name.err"
}
is_told() { grep -rqsF -- "$@"; }
# Lines of the core's log that hold the words, in all.
logged() { cat "$state"/log.jsonl* 2>/dev/null | grep -cF -- "$1"; }
is_logged() { [ "$(logged "$1")" -ge "$2" ]; }
intents() { journal "select count(*) from row where kind='intent'"; }
trades_on() { [ "$(intents)" -gt "$1" ]; }

chmod 644 "$keys/first.json"
told open_key_file "$program" serve --port 0 --key-file "$keys/first.json"
claim "a key file that others may read is refused" is $? 3
chmod 600 "$keys/first.json"
told no_key_file "$program" serve --port 0 --key-file "$keys/nobody.json"
claim "a key file that is not there is an error" is $? 4
chmod 600 "$keys/words"
told bad_key_file "$program" serve --port 0 --key-file "$keys/words"
claim "a key file that is none is an error" is $? 3
told half_pair env APCA_API_KEY_ID=half "$program" serve --port 0
claim "half a pair in the environment is an error" is $? 3
chmod 444 "$keys/unit.first/alpaca-key"
told open_credential env CREDENTIALS_DIRECTORY="$keys/unit.first" timeout 20 "$program" serve --port 0
claim "a unit's credential that others may read is refused" is $? 3
chmod 400 "$keys/unit.first/alpaca-key"
. "$keys/wrong.sh"
told two_sources env CREDENTIALS_DIRECTORY="$keys/unit.first" timeout 20 "$program" serve --port 0
claim "a unit's credential and another pair in the environment are refused" is $? 3
unset APCA_API_KEY_ID APCA_API_SECRET_KEY
printf 'cat %s; cat %s >&2; exit 3\n' "$keys/first.json" "$keys/first.json" >"$keys/failing.sh"
printf 'cat %s %s %s >&2; cat %s/words\n' "$keys/first.json" "$keys/second.json" "$keys/wrong.json" "$keys" >"$keys/babbling.sh"
told failing_command "$program" serve --port 0 --key-command "/bin/sh $keys/failing.sh"
claim "a command that fails is an error" is $? 3
claim "and is told with its exit code" is_told "exit code 3" "$written/failing_command.err"
told babbling_command "$program" serve --port 0 --key-command "/bin/sh $keys/babbling.sh"
claim "a command that prints no pair is an error" is $? 3
told two_said "$program" serve --port 0 --key-command "/bin/cat $keys/first.json" --key-file "$keys/first.json"
claim "a command beside a key file is refused" is $? 2

serve --speed 10 --start 2024-03-04T15:30:00Z --key-file "$keys/first.json"
claim "the right pair is let in" is "$(ask_as first /v2/account)" 200
claim "a wrong pair is not" is "$(ask_as wrong /v2/account)" 401
claim "nor is the pair of an unnamed server" is "$(curl -sS -m 10 -o "$written/answer.default" \
    -w '%{http_code}' -H 'APCA-API-KEY-ID: SIM-KEY' -H 'APCA-API-SECRET-KEY: SIM-SECRET' \
    "http://127.0.0.1:$port/v2/account")" 401
core_as first
claim "the core trades" until_true 60 holds_something
claim "no key on a command line" is "$(on_command_line "$core_pid" "$server_pid")" ""
claim "no key of a file in an environment" is "$(in_environment "$core_pid" "$server_pid")" ""

# A core with a wrong secret, on a state directory of its own: nothing is held there, so it may say no.
told wrong_core timeout -s TERM 8 "$program" run --mode paper $(broker_options) \
    --state "$place/wrong_state" --key-file "$keys/wrong.json"
claim "a core with a wrong secret is refused, and told why" is_told "401" "$written/wrong_core.err"

# The key is rotated below a running core: first at the broker, then its file. A file that is no pair is told and
# changes nothing; what somebody is writing into the configuration is no business of the key's.
slay server_pid KILL
serve --speed 10 --key-command "/bin/cat $keys/second.json"
claim "no key of a command on a command line" is "$(on_command_line "$server_pid")" ""
claim "after the rotation the old pair is out" is "$(ask_as first /v2/clock)" 401
cp "$keys/words" "$keys/live.json"
claim "another file that is no pair is told" until_true 20 is_logged '"reload_refused"' 1
place_key wrong
claim "so is a pair of nobody" until_true 60 is_logged '"mechanism":"credentials","what":"held"' 1
cp "$place/config.json" "$place/config.whole"
say '{"universe": [' >"$place/config.json"
before=$(intents)
place_key second
claim "the pair of the account is taken" until_true 60 is_logged '"mechanism":"credentials","what":"acted"' 1
claim "and the core that was never restarted trades on" until_true 90 trades_on "$before"
mv "$place/config.whole" "$place/config.json"
claim "no key on its command line still" is "$(on_command_line "$core_pid")" ""
told freeze operator freeze weather
told status "$program" status --state "$state" --json
slay core_pid KILL
. "$keys/second.sh" # this time from the environment
core
unset APCA_API_KEY_ID APCA_API_SECRET_KEY
claim "with the new pair the core runs on" until_true 60 holds_something
claim "no key on its command line" is "$(on_command_line "$core_pid")" ""
told resume operator resume weather
sleep 2
slay core_pid KILL
told kill operator kill $(broker_options) --key-command "/bin/cat $keys/second.json"
claim "kill acts at the broker" is_told "kill: done" "$written/kill.out"
told flatten operator flatten $(broker_options) --key-file "$keys/wrong.json"
export CREDENTIALS_DIRECTORY="$keys/unit.second" # and this time from systemd
told flatten_again operator flatten $(broker_options)
unset CREDENTIALS_DIRECTORY
claim "flatten acts at the broker" is_told "flatten: done" "$written/flatten_again.out"
told show "$program" config show --config "$place/config.json"
told verify "$program" state verify --state "$state"
slay server_pid TERM

# What a simulation and its reports leave, with the pair in the environment.
. "$keys/second.sh"
told scenario "$program" scenario run scenarios/library/504_after_accept.json --json --out "$written/out"
told sim "$program" run --mode sim --state "$written/sim" --json
cp "$written/out/result.json" "$written/result.json"
for format in html junit json markdown; do
    told "report_$format" "$program" report "$written/result.json" --format "$format" --out "$written/report.$format"
done
unset APCA_API_KEY_ID APCA_API_SECRET_KEY

# --- the verdict ---

for file in "$state/journal.db" "$state/view.json" "$state/log.jsonl" "$ledger/requests.log" \
    "$place/serve.err" "$place/run.err" "$written/report.html" "$written/sim/journal.db" \
    "$written/wrong_core.err"; do
    claim "searched: ${file#"$place"/}" test -f "$file"
done
claim "no key in any of $(find "$place" -type f | grep -vc "^$keys/") files" is "$(leaks)" ""
finish
