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
     "                    [--config F] [--state DIR] [--json]\n"
     "       seatrial run --mode paper --state DIR --config F [--base-url URL] [--key-file F]\n"
     "                    [--clock served]\n"
     "Paper credentials come from APCA_API_KEY_ID and APCA_API_SECRET_KEY, or from a key file\n"
     "(mode 0600): {\"key_id\":\"...\",\"secret\":\"...\"}. --base-url takes Alpaca's paper host "
     "or a\n"
     "loopback address; --clock served follows the clock of `seatrial serve`.\n"
     "example: seatrial run --mode sim --seed 7 --days 5 --data synthetic --json\n"},
    {"serve", cli_serve, "the simulated Alpaca over HTTP, for any client",
     "usage: seatrial serve [--port P] [--ledger DIR] [--speed X] [--data DIR|synthetic]\n"
     "                      [--seed N] [--symbols N] [--days D] [--start RFC3339]\n"
     "One base URL on 127.0.0.1 for trading and data; key SIM-KEY, secret SIM-SECRET.\n"
     "example: seatrial serve --port 8080 --speed 10 --ledger /tmp/ledger\n"},
    {"scenario", cli_scenario, "list, check or run scenario files",
     "usage: seatrial scenario list\n"
     "       seatrial scenario check FILE...\n"
     "       seatrial scenario run FILE...|DIR [--data DIR] [--out DIR] [--junit F] [--json]\n"
     "example: seatrial scenario run scenarios/library/answer_lost_after_accept.json\n"},
    {"status", cli_status, "what the core last said about itself",
     "usage: seatrial status --state DIR [--json]\n"
     "example: seatrial status --state ~/seatrial\n"},
    {"freeze", cli_freeze, "no more risk: set a latch",
     "usage: seatrial freeze CAUSE --by WHO --why TEXT --state DIR [--halt]\n"
     "example: seatrial freeze news --by ann --why \"earnings tonight\" --state ~/seatrial\n"},
    {"resume", cli_resume, "clear one latch, by name",
     "usage: seatrial resume CAUSE --by WHO --why TEXT --state DIR [--mode paper --config F ...]\n"
     "Without a running core it takes the lease and clears the latch itself (broker options as in\n"
     "`run`).\n"
     "example: seatrial resume news --by ann --why \"reported\" --state ~/seatrial\n"},
    {"kill", cli_kill, "stop: cancel entries, verify, hold until an operator clears",
     "usage: seatrial kill --by WHO --why TEXT --state DIR [--config F --base-url URL ...]\n"
     "Without a running core it takes the lease and acts at the broker; without credentials it "
     "leaves\n"
     "the command for the next start.\n"
     "example: seatrial kill --by ann --why \"two writers\" --state ~/seatrial\n"},
    {"flatten", cli_flatten, "close every position, or one symbol",
     "usage: seatrial flatten [SYMBOL] --by WHO --why TEXT --state DIR [--config F ...]\n"
     "example: seatrial flatten AAPL --by ann --why \"risk off\" --state ~/seatrial\n"},
    {"state", cli_state, "verify a state directory",
     "usage: seatrial state verify --state DIR [--json]\n"
     "example: seatrial state verify --state ~/seatrial\n"},
    {"config", cli_config, "check, show or explain the configuration",
     "usage: seatrial config check FILE | show [--config F] | explain [KEY] [--config F]\n"
     "example: seatrial config explain risk.daily_loss_usd\n"},
    {"report", cli_report, "print a result as HTML, JUnit, JSON or markdown",
     "usage: seatrial report RESULT|DIR --format html|junit|json|markdown --out F\n"
     "example: seatrial report out/certify --format html --out report.html\n"},
    {"certify", cli_certify, "the sea trial: two months of real bars, then every scenario",
     "usage: seatrial certify [--out DIR] [--data DIR] [--quick]\n"
     "--quick leaves the scenarios out.\n"
     "example: seatrial certify --out out/certify\n"},
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static void print_overview(FILE *out) {
    fprintf(out, "seatrial: a trading core for Alpaca, and the sea it has to survive\n\n"
                 "usage: seatrial COMMAND [...]     (seatrial COMMAND --help for each)\n\n");
    for (size_t i = 0; i < COMMANDS; i++) {
        fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].summary);
    }
    fprintf(out, "\nbuild %s\n", cli_build());
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
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        print_overview(stdout);
        return CLI_PASS;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("seatrial %s\n", cli_build());
        return CLI_PASS;
    }
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].name, argv[1]) == 0) {
            if (wants_help(argc - 2, argv + 2)) {
                fputs(commands[i].help, stdout);
                return CLI_PASS;
            }
            return commands[i].run(argc - 2, argv + 2);
        }
    }
    fprintf(stderr, "seatrial: no command '%s'\nTry: seatrial --help\n", argv[1]);
    return CLI_USAGE;
}
