/* core.h - the engine's own struct, shared by the files of this room alone. */
#ifndef CORE_ENGINE_CORE_H
#define CORE_ENGINE_CORE_H

#include "core/alpaca/read_backoff.h"
#include "core/alpaca/smart_poller.h"
#include "core/engine/engine.h"
#include "core/health/health_supervisor.h"
#include "core/orders/drill.h"
#include "core/orders/exit_execution.h"
#include "core/orders/gateway.h"
#include "core/risk/clock_guard.h"
#include "core/risk/crash_loop_freeze.h"
#include "core/risk/data_guard.h"
#include "core/risk/degraded_mode.h"
#include "core/risk/equity_steps.h"
#include "core/risk/kill_switch.h"
#include "core/risk/learning_guard.h"
#include "core/risk/margin_guard.h"
#include "core/signals/bars.h"
#include "core/signals/signal_cache.h"
#include "core/signals/strategy.h"
#include "core/state/backup.h"

#define FLOWS_MAX 512 /* more than one answer tells */
#define ACTIVITIES_MAX 500
#define ANSWERS_KEPT 8

enum engine_read { /* each backs off by itself */
                   READ_CLOCK,
                   READ_CALENDAR,
                   READ_ACCOUNT,
                   READ_ORDERS,
                   READ_POSITIONS,
                   READ_IDS,
                   READS_BACKED_OFF,
                   /* when these are asked, smart_poller says */
                   READ_QUOTES = READS_BACKED_OFF,
                   READ_TRADES,
                   ENGINE_READS
};

enum account_seen { /* by this process */
                    ACCOUNT_UNSEEN,
                    ACCOUNT_OURS,
                    ACCOUNT_OTHER
};

struct operator_answer { /* what became of a command of the inbox, for who left it */
    char file[DISK_NAME_MAX];
    char outcome[240];
};

struct broker_trouble {      /* the last read that failed, until it succeeds */
    char text[ERR_TEXT_MAX]; /* "": none */
    enum engine_read read;
    enum err_code code;
    int status; /* of the answer; 0: none came */
    struct utc since;
};

enum {
    REFUSAL_CODES = 0
#define REFUSAL(code, word, mechanism, binds, meaning) +1
#include "core/orders/refusal.def"
#undef REFUSAL
};

enum score_ground {
    GROUND_BARS,   /* this life's */
    GROUND_FILLED, /* with a minute that snapshots told */
    GROUND_KEPT    /* an earlier life's bars, by the document */
};

struct entry_outlook {     /* of the last cycle that could enter, and refusals since the start */
    size_t scored, wanted; /* symbols with a score; of those, with one that suffices */
    size_t stale;          /* symbols with one that would suffice, of bars that are too old */
    int64_t refused[REFUSAL_CODES];
    struct refusal last;
    char last_symbol[SYMBOL_MAX];
    struct utc last_at; /* {0}: none was refused */
};

struct backups { /* zero-initialise */
    struct backup copies;
    bool is_open;
    bool is_due; /* a round is; its next file is that of `step` */
    size_t step; /* a document, then the journal */
    struct utc due_at;
    struct utc done_at; /* the last round; {0} none */
    int64_t
        begun_seq; /* last row of the journal when the round began: its documents may be no newer */
    int64_t done_seq; /* that of the last round */
    struct mono retry_at;
    enum err_code failed_with; /* as last told */
    bool is_late;              /* told, at told_at */
    struct utc told_at;
};

struct meters { /* zero-initialise; since the start */
    struct histogram ticks;
    struct mono at; /* of the last tick's end; what stood then, stood since */
    enum mode mode;
    struct usd naked;
    int64_t mode_ns[MODE_HALT + 1];
    int64_t naked_dollar_seconds; /* nanos */
    struct order_meter {
        int64_t ended, filled;
        int64_t ordered_shares, filled_shares; /* nanos */
        struct histogram decision, arrival;    /* by HISTOGRAM_BPS */
    } orders[PURPOSE_STOP + 1];
    int64_t failed_commits, failed_documents;
};

struct line_seen { /* reads of a host, when last looked at */
    int64_t answered, failed;
};

struct universe_reads { /* zero-initialise; each backs off by itself */
    struct read_backoff volumes, actions, assets;
    size_t next;           /* the symbol whose turn it is */
    struct date done_for;  /* the session of which all was read */
    struct date acted_for; /* the New York day on which the actions last came */
    struct mono acted_at; /* and when they were last asked for a quantity that changed over night */
    struct mono answered_at; /* and when they last came, whole */
    struct splits told; /* by the answer that is being read: of a part of one nothing is believed */
    struct spin_offs spun; /* likewise, announcements alone */
};

struct spin_reads { /* zero-initialise: activities of type SPIN */
    struct read_backoff backoff;
    struct mono asked_at;    /* for a position that nobody ordered */
    struct mono answered_at; /* whole */
};

struct rails_reads { /* zero-initialise */
    struct read_backoff backoff;
    bool is_blocked; /* as the account said when last looked at */
    bool is_paged;   /* that trading is suspended over what is at risk; last then: */
    struct utc paged_at;
    struct mono hurried_at; /* since then it is due and waits for an exit; {0}: it does not */
};

/* Money from outside; a dividend or cash in lieu: no profit of its day's trades, and not from outside either; a fee,
 * interest: a loss or a gain like any other. */
enum flow_kind { FLOW_OUTSIDE, FLOW_INCOME, FLOW_COST };

struct flow { /* an activity that moved cash and is no trade, taken once */
    char id[96];
    enum flow_kind kind;
    struct date date;
    struct usd amount;
};

struct engine {
    struct world *world;
    struct config settings;
    const struct config *config; /* the settings, for those who only read */
    enum engine_mode mode;
    char build[40];
    struct log log;
    struct journal *journal;
    struct lease *lease;
    struct alpaca *alpaca;
    struct causes causes;
    struct account_guards guards;
    struct data_guard data_guard;
    struct equity_steps equity_steps;
    struct degraded_mode degraded;
    struct crash_loop crash_loop;
    struct clock_guard clock_guard;
    struct kill_switch kill;
    struct kill_trips kill_trips;
    struct margin_guard margin;
    struct mono margin_sold_at; /* a sale for it was at work; {0}: none was */
    struct backups backups;
    struct book book;
    struct orders orders;
    struct truth truth;
    struct gateway gateway;
    struct exits exits;
    struct drill_past drilled; /* the last that passed */
    char settings_hash[17];    /* of the configuration in use */
    struct bars *bars;
    struct strategy *strategy;
    struct signal_cache *signals;
    bool is_filling;      /* told that snapshots fill a gap of bars */
    bool is_signals_kept; /* the cache was saved by this life, at: */
    struct mono signals_kept_at;
    bool is_signals_unread; /* of the disk's doing: until it is read nothing is saved over it */
    /* hash of those the strategy was made with: a reload makes no new one */
    char signals_settings[17];
    struct learning learning;

    struct session sessions[40]; /* of the broker's calendar around now */
    size_t session_count;
    struct date sessions_asked; /* day of the last answer */
    bool is_ids_checked;        /* the day's orders were held against the journal */
    bool is_account_pinned;     /* a row says so */
    char account_number[32];    /* pinned, or recalled; "": neither */
    char account_key[17];       /* hash of the key id that the pinned account last answered to */
    char key_hash[17];          /* of the key id in use */
    enum account_seen account_seen;
    struct read_backoff reads[READS_BACKED_OFF];
    struct smart_poller poller;
    enum poll_hold poll_told[POLL_LINES]; /* why it was said that this one waits */
    struct universe_reads universe_reads;
    struct splits splits; /* as last announced */
    struct spin_offs spin_offs;
    struct spin_reads spin_reads;
    struct rails_reads rails_reads;
    struct flow flows[FLOWS_MAX];
    size_t flow_count;
    struct usd last_cash;

    int listed_buys;       /* of ours, open, in the last listing */
    bool is_orders_listed; /* in this tick */
    bool is_stopping;
    struct utc halt_paged_at; /* HALT over a position; {0}: not so */
    bool is_late;             /* a tick took seconds, which ended then: */
    struct mono late_at;
    int64_t tick;
    struct utc next_at;
    struct utc scheduled_at; /* when that was chosen; a wall that shows less was set back */
    struct utc full_due;     /* next full tick */
    struct utc cycle_due;    /* next cycle */
    struct utc bars_from;    /* all bars before it were answered */
    bool is_truth_clean;     /* this tick's account, positions and orders all came */
    bool is_cycle;
    enum mode shown_mode;
    struct operator_answer answers[ANSWERS_KEPT]; /* a ring */
    struct alpaca_counts counts_told;
    unsigned breakers_told; /* open or half-open, one bit each */
    size_t answer_count;
    struct broker_trouble trouble;
    struct err read_err; /* of the read now asked */
    engine_tell *tell;
    void *tell_context;
    engine_reread *reread;
    void *reread_context;
    struct { /* a new key that the broker has not been heard on yet; see reload.c */
        bool is_owed;
        struct read_backoff backoff;
    } reload;
    struct entry_outlook outlook;
    struct text metadata_saved;  /* position_metadata.json as last saved */
    enum err_code metadata_save; /* how its last save ended */
    struct meters meters;
    struct health_state health[HEALTH_CHECK_COUNT];
    struct line_seen lines[HEALTH_DATA + 1];
    struct text scratch;
    struct broker_order listing[ALPACA_ORDERS_MAX]; /* of poll_orders(): too much for a stack */
};

/* engine.c: the client of the broker; stand_in.c needs it too */
enum err_code open_broker(const struct engine_options *options, struct alpaca **out,
                          struct err *err) MUST_USE;
/* cycle.c */
void cycle_tick(struct engine *engine);
/* The entry that a score asks for. One of the cache is no score of the position: it would reach decay and
 * displacement, which go by bars. */
struct order entry_of(const struct engine *engine, size_t index, const struct score *score,
                      enum score_ground ground);
/* Between two full ticks, as things stand. */
struct span step_of(const struct engine *engine);
/* polls.c: step 3, what the broker says */
/* True while what answers may not be the account this state belongs to: then nothing is believed of
 * it and nothing sent to it. */
bool is_elsewhere(const struct engine *engine);
enum err_code account_fold(struct engine *engine, const struct journal_row *row,
                           struct err *err) MUST_USE;
/* Behind the fold: the account of a state whose journal knows none, by a document of it. */
void account_recall(struct engine *engine, const cJSON *document);
void poll_truth(struct engine *engine);
/* The exchange day, or the day in New York while the broker has not told its calendar. */
struct date engine_day(const struct engine *engine);
/* The exchange day that an instant is of: behind a close it is the next. Its day in New York where no calendar says. */
struct date engine_day_of(const struct engine *engine, struct utc at);
/* Compares the wall with the monotonic clock. */
void look_at_wall(struct engine *engine);
/* What came of a read of the broker's truth or of its prices: said where a person looks, and counted by what a key
 * that is barred fires. */
void heed_outcome(struct engine *engine, enum engine_read read, enum err_code code);
/* data_polls.c: quotes, trades, bars and snapshots, as smart_poller lets them be asked */
void poll_prices(struct engine *engine);
void poll_bars(struct engine *engine);
/* Of the symbols whose bars have a gap, and which may be bought. */
void poll_snapshots(struct engine *engine);
/* signals.c: step 8, scores */
/* At a start: what an earlier life saved. */
void signals_restore(struct engine *engine);
/* In a cycle of a session: what both sources say; of snapshots only where something may be bought and nothing hurries. */
void signals_step(struct engine *engine, bool may_ask);
/* Step 10: signal_cache.json, where it is due. */
void signals_keep(struct engine *engine);
/* A score of old bars is none: the market has gone on since. True if one that suffices is not known for that. */
bool score_by_bars(const struct engine *engine, size_t index, struct score *out);
/* The same for an entry alone, which may also go by what the cache holds. */
bool score_for_entry(const struct engine *engine, size_t index, struct score *out,
                     enum score_ground *ground);
/* By that value of a score. */
bool score_reaches(const struct engine *engine, const struct score *score, struct ratio value);
/* What an entry goes by: what was learned. */
struct ratio score_of_entry(const struct score *score);
/* What was learned admits nothing that the configuration scores at 0 or less: exits go by the configured score at
 * the entry, and without one there is no decay, and the position gives way to nothing. */
bool score_suffices(const struct engine *engine, const struct score *score);
/* polls.c */
/* True if a read that no exit needs may be asked in this tick, which then counts as begun; a failed one only once a
 * minute while anything is at risk. That it waits is said once in each run of failures, as `what`. */
bool may_ask_aside(struct engine *engine, struct read_backoff *backoff, const char *what);
/* Files how the read that was asked last ended, with the waits of the settings. */
void note_backoff(struct engine *engine, struct read_backoff *backoff, enum err_code code);
/* The session before the current or next one; false while the calendar does not reach back to it. */
bool previous_session(const struct engine *engine, struct date *out);
/* flows.c: what moved cash and is no trade */
enum err_code flows_fold(struct engine *engine, const struct journal_row *row,
                         struct err *err) MUST_USE;
/* From when on the activities are asked for: one that is younger is told again, and must be known. */
struct date flows_since(const struct engine *engine);
/* Takes an activity that moved cash, once, by a journal row. Trades are none of it. */
void flows_take(struct engine *engine, const struct broker_activity *activity);
/* An operator says that the step of equity that is held out is money from outside: journaled as such. False where
 * there is none, or it could not be. */
bool flows_take_step(struct engine *engine);
/* As the account guards are to judge the account now. */
struct equity_reading reading_now(const struct engine *engine);
/* Shares are held, or an order of ours may still fill. */
bool is_at_risk(const struct engine *engine);
/* universe_reads.c: step 10, what must be known of a symbol before it is bought */
void universe_reads_step(struct engine *engine);
/* The corporate actions of the weeks around the session, of all symbols. True if they came. */
bool read_actions(struct engine *engine);
/* spin_offs.c: what a position that nobody ordered is explained by */
void spin_offs_note(struct engine *engine, const struct broker_position *listing, size_t count);
void spin_offs_look(struct engine *engine);
/* What the activities tell it waits for: no longer than a split that is awaited. */
bool spin_off_waits(const struct engine *engine, const struct holding *holding);
void spin_offs_follow(struct engine *engine);
/* splits.c: step 3, before a listing is reconciled: what splits are due */
void splits_look(struct engine *engine, const struct broker_position *listing, size_t count);
/* In each tick, before marks: for how long what nobody could be asked about, and what is due, hold up anything. */
void splits_time(struct engine *engine);
/* Says each that the listing showed. */
void splits_follow(struct engine *engine);
/* rails_reads.c: before entries, the account's configuration */
void rails_step(struct engine *engine);
/* operator.c: step 2, what people say */
void obey_inbox(struct engine *engine);
/* drills.c: before entries */
void drill_step(struct engine *engine);
/* True if the latches were drilled for the day, build and settings in use, and held; or none is to be. */
bool drill_is_done(const struct engine *engine);
/* margins.c: judges the account just read, and decides what is sold for it */
void margins_step(struct engine *engine);
/* healing.c: behind all that a full tick asks */
void healing_step(struct engine *engine);
/* backups.c: step 10, verified copies of journal and documents */
void backups_step(struct engine *engine);
/* measure.c: what the metrics tell */
/* Orders as they are, before those that are over are dropped. */
void measure_orders(struct engine *engine);
void measure_tick(struct engine *engine, struct mono began, bool is_committed);
/* metrics.prom: each cycle, and at the end. */
void show_metrics(struct engine *engine);
/* show.c: step 11, what others may read */
/* An exit is open, a position bare or a kill young: no copy of anything is worth a moment then. */
bool is_in_a_hurry(const struct engine *engine);
void show_state(struct engine *engine);
/* The last heartbeat of a core that ends as it was told to. */
void show_last(struct engine *engine);
/* The copy of positions and of the newest latch's row. */
void show_copy(struct engine *engine);
/* The view alone, at once: somebody waits for what it says. */
void show_view(struct engine *engine);
/* Tells the effective mode if it changed; before entries, so that none is judged by an old one. */
void show_mode(struct engine *engine);

#endif
