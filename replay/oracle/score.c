/* score.c - the two clocks of a mechanism, and how they are printed. */
#include "replay/oracle/score.h"

void clocks_true(struct two_clocks *clocks, struct utc at, bool is_due, struct usd beyond) {
    bool is_new = is_due && clocks->true_at.ns == 0;
    clocks->true_at = !is_due ? (struct utc){0} : is_new ? at : clocks->true_at;
    clocks->beyond = is_due && beyond.nanos > 0 ? beyond : (struct usd){0};
}

void clocks_known(struct two_clocks *clocks, struct score *score, struct utc at, bool is_due) {
    if (is_due && clocks->known_at.ns == 0) {
        clocks->known_at = at;
        clocks->beyond_at_known = clocks->beyond;
        score->due_at = at;
        score->due++;
    } else if (!is_due) {
        clocks->known_at = (struct utc){0};
    }
}

static void note_latency(struct score *score, struct span latency) {
    score->latency_most = latency.ns > score->latency_most.ns ? latency : score->latency_most;
}

bool clocks_act(struct two_clocks *clocks, struct score *score, struct utc at) {
    if (clocks->known_at.ns == 0 && clocks->true_at.ns == 0) {
        score->unfounded++;
        return false;
    }
    score->acted++;
    score->due_at = clocks->known_at.ns != 0 ? clocks->known_at : clocks->true_at;
    score->dues[score->founded++ % SCORE_DUES] = score->due_at;
    if (clocks->known_at.ns != 0) {
        note_latency(score, utc_sub(at, clocks->known_at));
        score->overshoot_view = usd_max(score->overshoot_view, clocks->beyond_at_known);
        score->overshoot_own =
            usd_max(score->overshoot_own, usd_sub(clocks->beyond, clocks->beyond_at_known));
    }
    return true;
}

void score_held(struct score *score, struct utc at) {
    score->due++;
    score->acted++;
    if (score->passed_at.ns != 0) {
        note_latency(score, utc_sub(at, score->passed_at));
    }
    score->passed_at = (struct utc){0};
}

void score_passed(struct score *score, struct utc at) {
    score->due++;
    score->missed++;
    score->due_at = at;
    score->passed_at = score->passed_at.ns == 0 ? at : score->passed_at;
}

void score_beyond(struct score *score, struct usd without, struct usd with) {
    struct usd view = usd_max(without, (struct usd){0});
    score->overshoot_view = usd_max(score->overshoot_view, view);
    score->overshoot_own = usd_max(score->overshoot_own, usd_sub(with, view));
}

void scores_print(const struct table *scores, struct text *out) {
    bool is_first = true;
    text_add_char(out, '[');
    for (size_t i = 0; i < scores->count; i++) {
        const struct score *score = table_at(scores, i);
        if (score->due + score->acted + score->missed + score->unfounded == 0) {
            continue;
        }
        text_add(out, is_first ? "{" : ",{");
        is_first = false;
        text_member_string(out, "mechanism", score->mechanism);
        text_member_int(out, "due", score->due);
        text_member_int(out, "acted", score->acted);
        text_member_int(out, "missed", score->missed);
        text_member_int(out, "unfounded", score->unfounded);
        text_member_int(out, "risky", score->risky);
        text_member_int(out, "latency_ms", score->latency_most.ns / 1000000);
        text_member_decimal(out, "overshoot_view", score->overshoot_view.nanos);
        text_member_decimal(out, "overshoot_own", score->overshoot_own.nanos);
        text_add_char(out, '}');
    }
    text_add_char(out, ']');
}
