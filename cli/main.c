/* main.c - the program: verb first, then its file. */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

struct command {
    const char *name;
    cli_main *run;
    const char *summary;
    const char *help;
};

static const struct command commands[] = {
    {"run", cli_run, "trade: in simulation, or on Alpaca paper",
     "usage: seatrial run --mode sim [--seed N] [--days D] [--data DIR|synthetic] [--symbols N]\n"
     "                    [--start YYYY-MM-DD] [--config F] [--state DIR] [--json]\n"
     "       seatrial run --mode paper --state DIR --config F [--base-url URL] [--clock served]\n"
     "                    [--key-file F | --key-command LINE]\n"
     "Paper credentials come from APCA_API_KEY_ID and APCA_API_SECRET_KEY, or from a key file\n"
     "(mode 0600): {\"key_id\":\"...\",\"secret\":\"...\"}, or from a command that prints the "
     "same\n"
     "(words parted by blanks, no shell, 5 s), or from the credential alpaca-key of a systemd "
     "unit.\n"
     "--base-url takes Alpaca's paper host or a loopback address; --clock served follows the "
     "clock\n"
     "of `seatrial serve`. A paper run goes on until Ctrl-C or SIGTERM; positions stay, under "
     "their\n"
     "stops at the broker. Alerts are shown, and left in outbox/ of the state directory.\n"
     "example: seatrial run --mode sim --seed 7 --days 5 --data synthetic --json\n"},
    {"serve", cli_serve, "the simulated Alpaca over HTTP, for any client",
     "usage: seatrial serve [--port P] [--ledger DIR] [--speed X] [--data DIR|synthetic]\n"
     "                      [--seed N] [--symbols N] [--days D] [--start RFC3339]\n"
     "                      [--scenario F] [--key-file F | --key-command LINE]\n"
     "One base URL on 127.0.0.1 for trading and data. The key pair comes from a key file, a "
     "command,\n"
     "a credential or the environment (as in `run`), else it is SIM-KEY, SIM-SECRET. --scenario\n"
     "takes market, account and the http.*, api.* and view.* faults from a scenario file.\n"
     "example: seatrial serve --port 8080 --speed 10 --ledger /tmp/ledger\n"},
    {"scenario", cli_scenario, "list, check or run scenario files",
     "usage: seatrial scenario list\n"
     "       seatrial scenario check FILE...\n"
     "       seatrial scenario run FILE...|DIR [--data DIR] [--out DIR] [--junit F] [--json]\n"
     "                             [--record F]   (of one scenario: what `score` judges)\n"
     "                             [--shard i/n]  (of the files, in their order)\n"
     "example: seatrial scenario run scenarios/library/answer_lost_after_accept.json\n"},
    {"chaos", cli_chaos, "sweep seeds: draw a scenario from each, run it, judge it",
     "usage: seatrial chaos --seeds A..B [--mode swarm] [--days D] [--jobs N] [--shard i/n]\n"
     "                      [--out DIR] [--junit F] [--data DIR] [--waivers F] [--json]\n"
     "                      [--verify PERCENT]   so many seeds twice, event by event\n"
     "       seatrial chaos --seeds N --print        the scenario file of a seed\n"
     "       seatrial chaos --seeds N --shrink | chaos shrink FILE   [--out F]\n"
     "                                               the smallest file that still fails\n"
     "       seatrial chaos merge RECORDS...         the totals of several shards\n"
     "       seatrial chaos list | modes             the fault points; the modes\n"
     "With --out an interrupted sweep goes on where it stopped; what was run there is not run "
     "again.\n"
     "example: seatrial chaos --seeds 1..500 --jobs 2 --out out/chaos\n"},
    {"exhaust", cli_exhaust, "die at every effect of a scenario's windows, with every fate",
     "usage: seatrial exhaust FILE...|DIR [--jobs N] [--depth 1|2] [--shard i/n] [--first-tick]\n"
     "                        [--data DIR] [--out F] [--json]\n"
     "--depth 2 also dies inside each recovery. The window is the scenario's, else the minute "
     "around\n"
     "the first fault, the first deed of an operator, or the first order, and one around what it "
     "expects.\n"
     "example: seatrial exhaust scenarios/library/operator_freeze.json --jobs 2\n"},
    {"courier", cli_courier, "take the core's alerts to people",
     "usage: seatrial courier --state DIR --channels FILE [--once | --test]\n"
     "A process of its own beside `run`, without a broker's key. FILE (mode 0600, it holds "
     "secrets)\n"
     "lists channels of the shapes json, slack, pagerduty and ntfy, two hosts at least, and a "
     "dead\n"
     "man's url; docs/operator.md shows one. It goes on until Ctrl-C or SIGTERM. --once delivers\n"
     "what waits and ends, and does not watch the core: 1 if something still waits. --test sends\n"
     "one message to each channel, beside a running courier too: 1 if one did not take it.\n"
     "example: seatrial courier --state ~/seatrial --channels ~/channels.json --test\n"},
    {"status", cli_status, "what the core last said about itself",
     "usage: seatrial status --state DIR [--json]\n"
     "exit codes: 0 running, 10 hung (it lives, but has not renewed its lease for 15 s), 11 dead,\n"
     "12 never started here.\n"
     "It shows the newest alerts (all of them: outbox/, log.jsonl) and the commands that wait in "
     "inbox/.\n"
     "example: seatrial status --state ~/seatrial\n"},
    {"freeze", cli_freeze, "no more risk: set a latch",
     "usage: seatrial freeze CAUSE --by WHO --why TEXT --state DIR [--halt] [--new]\n"
     "--new: on a state directory that no core has used yet; it binds from the first start.\n"
     "example: seatrial freeze news --by ann --why \"earnings tonight\" --state ~/seatrial\n"},
    {"resume", cli_resume, "clear one latch, by name",
     "usage: seatrial resume CAUSE --by WHO --why TEXT --state DIR [--mode paper --config F ...]\n"
     "Without a running core it takes the lease and clears the latch itself, for which it needs "
     "the\n"
     "keys; the broker is the one of the last `run` on this state. Exit code 1: no such latch.\n"
     "example: seatrial resume news --by ann --why \"reported\" --state ~/seatrial\n"},
    {"kill", cli_kill, "stop: cancel entries, verify, hold until an operator clears",
     "usage: seatrial kill --by WHO --why TEXT --state DIR [--config F] [--base-url URL] [--new]\n"
     "A running core takes it within a tick. If the core hangs for 15 s, the command cancels the\n"
     "entries at the broker itself, and the core is bound when it wakes. If no core runs, it "
     "takes\n"
     "the lease and does the same. Stops are never touched. Exit codes: 0 the core took it, or it\n"
     "is done at the broker; 3 no credentials or wrong ones, 4 broker not reached or not finished "
     "in time: then\n"
     "the order waits in the inbox for the core. Acting itself it needs the keys; the broker is "
     "the\n"
     "one of the last `run` on this state.\n"
     "example: seatrial kill --by ann --why \"two writers\" --state ~/seatrial\n"},
    {"flatten", cli_flatten, "close every position, or one symbol",
     "usage: seatrial flatten [SYMBOL] --by WHO --why TEXT --state DIR [--config F ...]\n"
     "It does not stop trading: kill or freeze first if nothing is to be bought again. Beside a\n"
     "hung core it cancels the entries and takes the lease once that is 15 s old: that core stops\n"
     "with 6 when it wakes, and another must be started. Exit codes as of kill; 1: no such "
     "position; 6: the lease\n"
     "could not be taken.\n"
     "example: seatrial flatten AAPL --by ann --why \"risk off\" --state ~/seatrial\n"},
    {"fence", cli_fence, "no new order of an account is taken, from any program",
     "usage: seatrial fence --mode paper|live --by WHO --why TEXT [--base-url URL]\n"
     "                      [--key-file F | --key-command LINE] [--record DIR]\n"
     "       seatrial fence --lift ...   the same options\n"
     "Sets suspend_trade of the account at the broker, from any host and without a state "
     "directory: "
     "the\n"
     "key alone decides which account. What rests there stays, stops too, but exits are refused "
     "like\n"
     "entries: kill and flatten first where you can. --lift ends it again, but only a fence of "
     "which a\n"
     "record in DIR (~/.local/state/seatrial) proves that this command set it; any other is ended "
     "on\n"
     "the account's web page. Exit codes: 0 done and read back; 3 refused; 4 broker not reached.\n"
     "example: seatrial fence --mode paper --by ann --why \"it runs amok\" --key-file "
     "~/key.json\n"},
    {"state", cli_state, "verify a state directory, or restore its journal",
     "usage: seatrial state verify --state DIR [--json]\n"
     "       seatrial state restore --state DIR\n"
     "restore makes a missing or damaged journal anew from backups/, with no core running: the\n"
     "damaged one is kept, and the new one begins in REDUCE_ONLY until somebody resumes it.\n"
     "example: seatrial state verify --state ~/seatrial\n"},
    {"config", cli_config, "check, show or explain the configuration",
     "usage: seatrial config check FILE | show [FILE] | explain [KEY] [--config F]\n"
     "show prints every setting: the defaults, and over them what the file says.\n"
     "example: seatrial config explain risk.daily_loss_usd\n"},
    {"mechanism", cli_mechanism, "the table of mechanisms, or all about one",
     "usage: seatrial mechanism [ID]\n"
     "Markdown, as in docs/mechanisms.\n"
     "example: seatrial mechanism daily_loss\n"},
    {"score", cli_score, "judge a recording: the verdict of the run it was made in",
     "usage: seatrial score RECORDING\n"
     "Prints the verdict as JSON; exit code 1 if an invariant broke.\n"
     "example: seatrial scenario run F --record out/run.rec && seatrial score out/run.rec\n"},
    {"report", cli_report, "print a result as HTML, JUnit, JSON or markdown",
     "usage: seatrial report RESULT|DIR --format html|junit|json|markdown --out F\n"
     "example: seatrial report out/certify --format html --out report.html\n"},
    {"certify", cli_certify, "the sea trial: two months of real bars, then every scenario",
     "usage: seatrial certify [--out DIR] [--data DIR] [--quick]\n"
     "It takes one to three minutes; --quick leaves the scenarios out.\n"
     "example: seatrial certify --out out/certify\n"},
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static void print_overview(FILE *out) {
    fprintf(out, "seatrial: a trading core for Alpaca, and the sea it has to survive\n\n"
                 "usage: seatrial COMMAND [...]     (seatrial COMMAND --help: its options and an "
                 "example)\n\n");
    for (size_t i = 0; i < COMMANDS; i++) {
        fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].summary);
    }
    fprintf(out, "\nexit codes: 0 pass; 1 a finding; 2 usage; 3 configuration, scenario or "
                 "credentials invalid;\n"
                 "4 environment (disk, network, no such file); 5 state corrupt; 6 another instance "
                 "holds the state;\n"
                 "70 the harness itself failed. `status`: 0 running, 10 hung, 11 dead, 12 never "
                 "started.\n");
    fprintf(out, "\nversion " SEATRIAL_VERSION ", build %s\n", cli_build());
}

static bool wants_help(int argc, char **argv) {
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return true;
        }
    }
    return false;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        print_overview(stderr);
        return CLI_USAGE;
    }
    bool is_help = strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
                   strcmp(argv[1], "help") == 0;
    if (is_help && argc == 2) {
        print_overview(stdout);
        return CLI_PASS;
    }
    const char *name = argv[is_help ? 2 : 1];
    if (strcmp(argv[1], "--version") == 0) {
        printf("seatrial " SEATRIAL_VERSION ", build %s\n", cli_build());
        return CLI_PASS;
    }
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].name, name) == 0) {
            if (is_help || wants_help(argc - 2, argv + 2)) {
                fputs(commands[i].help, stdout);
                return CLI_PASS;
            }
            return commands[i].run(argc - 2, argv + 2);
        }
    }
    fprintf(stderr, "seatrial: no command '%s'\nTry: seatrial --help\n", name);
    return CLI_USAGE;
}
