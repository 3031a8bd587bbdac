/* scene.h - what every judge may know of a run, folded once: limits, time, ledger, causes, faults.
 *
 * Folded before the judges see an event, so that all of them see the same scene. */
#ifndef REPLAY_ORACLE_SCENE_H
#define REPLAY_ORACLE_SCENE_H

#include "core/base/calendar.h"
#include "core/base/decimal.h"
#include "core/base/json.h"
#include "core/world/observe.h"
#include "replay/oracle/oracle.h"
#include "replay/oracle/table.h"

/* Modes as numbers, so that they compare. */
enum { SCENE_NORMAL, SCENE_CAUTION, SCENE_REDUCE_ONLY, SCENE_HALT };

struct scene_symbol {
    char symbol[TABLE_NAME_MAX];
    struct qty qty; /* held, by the ledger; below zero: short */
    struct qty
        undone; /* of buys, by a bust: the core keeps what vanished until a person has looked */
    struct qty stopped;   /* open quantity of the sell stops that rest at the exchange */
    struct usd price;     /* of the last execution */
    int live_buys;        /* of ours, at the broker */
    struct usd live_cost; /* what they may still take, at their limits as sent */
    bool is_exiting;      /* an exit of the core is not over; it outlives its process */
};

struct scene_order { /* at the broker */
    char id[TABLE_NAME_MAX];
    char symbol[16];
    struct usd limit; /* as sent; 0 unknown */
    struct usd cost;  /* its part of live_cost */
    struct qty stop;  /* its part of stopped */
    bool is_live_buy, is_foreign, is_met, is_judged, is_cancelling;
    /* by its intent, the first order of the entry that it goes on with; "": none */
    char of[TABLE_NAME_MAX];
    bool is_cover; /* a buy of no more than was short by the ledger when it came, whoever sent it */
};

struct scene_cause {
    char cause[TABLE_NAME_MAX];
    int mode;    /* demanded now */
    int latched; /* the part of it that only a clear ends */
    int doubted; /* latched by a life that died before a row held it: the next one must say */
    bool is_journaled;
    bool is_resume_wished; /* an operator asked for its end */
    int64_t row;           /* the newest that set it */
    bool is_documented;    /* a document of freezes was saved with it */
    bool is_row_a_lie;     /* its row is durable by a sync that was a lie */
    bool is_taken_back;    /* no copy of it is left, and nobody said it since */
    bool is_sign;          /* it tells that the journal went back */
};

struct scene_sent { /* the order in EVENT_SEND "POST /v2/orders" or "PATCH /v2/orders/..." */
    bool is_new, is_change, is_buy; /* is_buy: one that opens or adds */
    bool is_cover; /* a buy of no more than is short by the ledger, whatever it calls itself */
    char id[TABLE_NAME_MAX];
    char symbol[16];
    char type[16];
    struct qty qty;
    struct usd limit;        /* 0: none */
    uint64_t content;        /* hash of the body with sorted keys, and of the path */
    char of[TABLE_NAME_MAX]; /* as of a scene_order */
};

struct scene_limits { /* 0: not told, then not judged */
    int64_t max_positions;
    struct usd order_cap, base;
    struct ratio equity_share, risk_budget; /* of an entry */
    struct ratio gross, symbol, sector, sector_unknown;
    struct ratio cluster, correlation; /* what moves together; above which it does */
    struct usd theme;
    struct usd daily_loss_usd;
    struct ratio daily_loss_share;
    struct span quote_max_age, degraded_clean, truth_max_age;
    struct span no_entry_first, no_entry_last; /* of a session */
    struct usd equity_floor_usd;
    struct ratio equity_floor_share, max_drawdown, open_risk_factor, stop_distance, hard_stop;
    struct span cooldown, time_exit;
    int64_t entries_in_15min, cooldown_growth;
    int64_t repeats;
    struct span repeat_window;
    struct ratio volume_day, volume_hour;
    int64_t volume_orders, volume_trips;
    struct span displacement_min_age, displacement_cooldown;
    int64_t maker_tries, maker_cross;
    struct span maker_patience, partial;
    int64_t performance_trades;
    struct ratio performance_loss;
    struct span performance_pause;
    int64_t position_sign;
    struct ratio margin_excess, margin_overnight;
    struct span margin_no_entry, margin_reduce;
    int64_t ramp_on, ramp_days;
    struct ratio ramp_drawdown;
    int64_t learning_on, learning_trades, learning_step, learning_day_cap;
    int64_t kill_rejects, kill_divergence, kill_auto_rearm, kill_incidents;
    struct span kill_rejects_window, kill_auth, kill_outage, kill_cooldown;
    int64_t crash_starts, crash_ticks;
    struct span crash_window;
    struct span backup_interval;
    int64_t backup_newest, backup_days;
    struct span stuck;
    struct span clock_agreement, clock_step;
    int64_t requests_a_minute;
    int64_t messages_1s, messages_60s;
    int64_t drill_on;
    struct span health_reconnect, health_again;
    struct usd universe_price, universe_volume;
    struct ratio universe_share, universe_spread;
    int64_t universe_action_days;
    struct span cycle;
    int64_t rate_core, rate_other; /* requests a minute */
    int64_t poller_most, poller_minute, poller_day;
    struct span signals_fill, signals_cache;
    struct span rails_interval;
    int64_t rails_write;
    struct span deadline_read, deadline_submit, deadline_slow;
    struct ratio collar, agreement, equity_step, cash_step;
    int64_t breaker_failures; /* of an endpoint's last ten answers */
    struct span breaker_pause, breaker_most;
};

/* What the event says as JSON, for all judges at once; parsed when the first of them asks. */
struct scene_trees {
    struct scene_tree {
        bool is_read;
        cJSON *json; /* NULL: it is none */
    } body, answer, members;
};

struct scene {
    struct calendar calendar;
    struct session session; /* the one that contains `now`, or the next */
    bool has_session;
    struct utc now;
    struct scene_limits limits;
    bool is_never[ORACLE_INVARIANT_COUNT];
    struct table symbols, orders, causes;
    int64_t held;       /* symbols with a position or a live buy of ours */
    int64_t judged;     /* orders of ours at the broker, ever */
    int64_t cancelling; /* of ours, whose cancel the broker has not ended yet */
    struct scene_sent sent;
    struct usd equity, baseline, flows; /* of the ledger; baseline: at the last session's end */
    struct date day;                    /* of the baseline */
    int mode;
    size_t strict; /* causes that demand REDUCE_ONLY or HALT */
    bool is_journal_back, is_freezes_back, is_positions_back; /* since the last death */
    bool is_row_told;                                         /* likewise: a row was */
    bool has_journal_lied, has_freezes_lied; /* a sync of it: since the last tick, save of it */
    size_t excused_latches;                  /* latches that this event made uncertain */
    int64_t last_row;
    bool is_row_gap;      /* before the last row a death left others that nobody was told of */
    int64_t newest_stamp; /* the row that a document told of, of all that were ever saved */
    int64_t copied;       /* the last row of which the copies in backups/ know */
    bool is_ready;        /* a life that began, and has not ended */
    bool is_up;           /* likewise, and it does not stand still */
    struct utc up_since;
    struct utc fault_at, lie_at; /* last; {0} never */
    struct span wall;            /* its offset from true time, to 5 ms; events say true time */
    bool is_stepped;             /* a clock fault fired: the wall stays wrong from then on */
    struct utc other_account_at; /* {0}: the last answer about the account was its own */
    bool is_other_account;       /* the answer on its way is another's */
    struct utc healed_at;        /* {0}: faults may come, or the core has not the broker's key */
    bool is_healed;              /* no more faults */
    bool is_locked_out;          /* the broker knows another key than the core */
    struct utc paged_at, foreign_at; /* foreign: an execution that is none of ours */
    struct scene_trees *trees;
};

void scene_init(struct scene *scene);
void scene_release(struct scene *scene);
void scene_observe(struct scene *scene, const struct event *event);
/* Behind the last judge of the event: no tree outlives it. */
void scene_leave(struct scene *scene);

/* The body of the event that is being judged; NULL where it is no JSON. The scene's. */
const cJSON *scene_body(const struct scene *scene, const struct event *event);
/* Likewise the answer of an EVENT_HTTP, behind what was asked. */
const cJSON *scene_answer(const struct scene *scene, const struct event *event);
/* Likewise the body of a cause or a mechanism's word, which may lack its braces. */
const cJSON *scene_members(const struct scene *scene, const struct event *event);

/* The market trades at scene->now. */
bool scene_is_open(const struct scene *scene);
/* An instant, or the open of the running session if that is later: for spans that count session time. */
struct utc scene_since(const struct scene *scene, struct utc at);
/* The name of one cause that demands REDUCE_ONLY or HALT; "" if none does. */
const char *scene_strict_cause(const struct scene *scene);
const struct scene_symbol *scene_symbol(const struct scene *scene, const char *symbol);
/* The most that an entry may cost by sizing.*, the ramp aside: the smallest of amount, share of equity, and
 * what may be lost at the stop; 0: not told. Equity is the ledger's, which moved since the core's last answer. */
struct usd scene_largest_entry(const struct scene *scene);
/* The core says that it cannot believe, or get, what it reads of its account. */
bool scene_is_doubting(const struct scene *scene);
/* An id of our shape that no other program is known to have used. */
bool scene_is_ours(const struct scene *scene, const char *client_id);
/* The row that a document's first line names, of a document or a copy; -1: it names none. */
int64_t scene_stamp(const struct event *document);
/* A fill of the ledger that undoes another. */
bool scene_is_bust(const struct event *fill);
/* A fill of the ledger that is a split's, whether the broker tells of it or not. */
bool scene_is_split(const struct event *fill);

/* causes.c */
void scene_take_causes(struct scene *scene, const struct event *event);

#endif
