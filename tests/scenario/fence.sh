#!/bin/sh
# fence.sh PROGRAM: a fence from a second shell without a state directory, beside a core that trades; who may lift it.
set -u
program=$1
. "$(dirname "$0")/harbour.sh"
need curl sqlite3
own_keys
busy_config
record=$place/records

fence() {
    "$program" fence --mode paper --base-url "http://127.0.0.1:$port" --by tester --why "a rehearsal" \
        --record "$record" "$@" >"$place/fence.out" 2>&1
    fence_status=$?
    cat "$place/fence.out"
    return "$fence_status"
}
fails_with() {
    wanted=$1
    shift
    "$@"
    is "$?" "$wanted"
}
configured() { # MEMBER
    ask /v2/account/configurations "$place/configuration"
    sqlite3 :memory: "select json_extract(readfile('$place/configuration'), '\$.$1')"
}
configure() { # BODY
    curl -sS -m 10 -X PATCH -H "APCA-API-KEY-ID: $APCA_API_KEY_ID" \
        -H "APCA-API-SECRET-KEY: $APCA_API_SECRET_KEY" "http://127.0.0.1:$port/v2/account/configurations" \
        -d "$1" -o "$place/patched"
}

serve --speed 1
claim "nothing to lift where no record is" fails_with 3 fence --lift
claim "the account takes orders" is "$(configured suspend_trade)" 0
claim "a fence is set" fence
claim "and the broker says so" is "$(configured suspend_trade)" 1
claim "an order is refused with 403" is "$(curl -sS -m 10 -X POST -o "$place/order" -w '%{http_code}' \
    -H "APCA-API-KEY-ID: $APCA_API_KEY_ID" -H "APCA-API-SECRET-KEY: $APCA_API_SECRET_KEY" \
    "http://127.0.0.1:$port/v2/orders" \
    -d '{"symbol":"SYM000","side":"buy","type":"market","time_in_force":"day","qty":"1"}')" 403
claim "a second fence is no other" fence
claim "who and why are asked for" fails_with 2 "$program" fence --lift --mode paper
claim "another host's record is none" fails_with 2 "$program" fence --lift --mode paper --by t --why w \
    --base-url https://example.com --record "$record"
mv "$record" "$record.away"
claim "without the record it is not lifted" fails_with 3 fence --lift
claim "and stands" is "$(configured suspend_trade)" 1
rm -rf "$record"
mv "$record.away" "$record"
claim "with it it is" fence --lift
claim "and orders are taken again" is "$(configured suspend_trade)" 0
claim "no record lifts twice" fails_with 3 fence --lift
configure '{"suspend_trade":true}'
claim "a suspension of somebody else's is not lifted" fails_with 3 fence --lift
claim "a fence upon it is none of ours" fence
claim "and is not lifted either" fails_with 3 fence --lift
claim "it stands" is "$(configured suspend_trade)" 1
configure '{"suspend_trade":false}'
mkdir "$place/open"
chmod 777 "$place/open"
record=$place/open
claim "a fence is set though no record can be kept" fence
claim "the broker says so" is "$(configured suspend_trade)" 1
claim "but nobody lifts it here" fails_with 4 fence --lift
finish
