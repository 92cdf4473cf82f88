/* SPDX-License-Identifier: MIT
 * A worker's rings of facts, tallies and ended connections; names of events. */
#include "unit/test.h"
#include "watch/event.h"
#include "watch/fact.h"
#include "watch/names.h"

static struct fact_note note_of(const char *channel, const char *event)
{
    return (struct fact_note) {
        .fact = { .of = 1, .status = 200 },
        .app = SPAN("shop"),
        .channel = span_str(channel),
        .event_raw = span_str(event),
    };
}

static struct facts *open_facts(void)
{
    struct facts *facts;
    assert_int_equal(facts_new(&facts, 3, 2), ERR_OK);
    return facts;
}

static void a_fact_is_found_by_its_id_with_its_texts(void **state)
{
    (void)state;
    struct facts *facts = open_facts();
    struct fact_note note = note_of("orders.7", "\"App\\\\Events\\\\Paid\"");
    note.fact.exclude = 77;
    uint64_t id = facts_add(facts, &note, true);
    const struct fact *f = facts_find(facts, id);
    assert_non_null(f);
    assert_span(fact_app(f), "shop");
    assert_span(fact_channel(f), "orders.7");
    assert_span(fact_event_raw(f), "App\\\\Events\\\\Paid");
    assert_int_equal(f->exclude, 77);
    assert_true(f->request == id);
    assert_null(facts_find(facts, id + 1));
    facts_free(facts);
}

static void what_went_well_does_not_push_failures_out(void **state)
{
    (void)state;
    struct facts *facts = open_facts();
    struct fact_note bad = note_of("nobody.here", "\"e\"");
    bad.why = SPAN("No such thing.");
    uint64_t id = facts_add(facts, &bad, false);
    struct fact_note good = note_of("orders", "\"e\"");
    uint64_t first = facts_add(facts, &good, true);
    for (uint32_t i = 0; i < facts_kept(FACT_RING_OK); i++) facts_add(facts, &good, true);
    assert_null(facts_find(facts, first));
    assert_non_null(facts_find(facts, id));
    assert_span(fact_why(facts_find(facts, id)), "No such thing.");
    facts_free(facts);
}

static void what_strangers_cause_pushes_out_only_what_strangers_caused(void **state)
{
    (void)state;
    static const struct {
        uint8_t kind, source, cause;
    } floods[] = {
        { FACT_CONNECT_REFUSED, FACT_SOURCE_NONE, CAUSE_UNKNOWN_APP },
        { FACT_SUBSCRIBE_REFUSED, FACT_SOURCE_NONE, CAUSE_SIGNATURE },
        { FACT_CLIENT_EVENT_REFUSED, FACT_SOURCE_NONE, CAUSE_RATE },
        { FACT_CLIENT_REFUSED, FACT_SOURCE_NONE, CAUSE_BAD_DATA },
        { FACT_PUBLISH, FACT_SOURCE_CLIENT, CAUSE_NONE },
        { FACT_PUBLISH_REFUSED, FACT_SOURCE_API, CAUSE_UNKNOWN_APP },
        { FACT_PUBLISH_REFUSED, FACT_SOURCE_BATCH, CAUSE_SIGNATURE },
    };
    struct facts *facts = open_facts();
    struct fact_note note = note_of("orders", "\"e\"");
    uint64_t nobody = facts_add(facts, &note, false);
    note.fact.kind = FACT_PUBLISH_REFUSED;
    note.fact.source = FACT_SOURCE_API;
    note.fact.cause = CAUSE_BAD_CHANNEL;
    uint64_t refused = facts_add(facts, &note, false);
    note.fact.kind = FACT_CUT;
    uint64_t cut = facts_add(facts, &note, false);
    for (size_t i = 0; i < ARRAY_LEN(floods); i++) {
        note.fact.kind = floods[i].kind;
        note.fact.source = floods[i].source;
        note.fact.cause = floods[i].cause;
        for (uint32_t n = 0; n < 1000; n++) facts_add(facts, &note, false);
    }
    assert_non_null(facts_find(facts, nobody));
    assert_non_null(facts_find(facts, refused));
    assert_non_null(facts_find(facts, cut));
    facts_free(facts);
}

static void the_newest_comes_first_and_what_was_forgotten_is_known(void **state)
{
    (void)state;
    struct facts *facts = open_facts();
    assert_int_equal(facts_since_ms(facts), 0);
    struct fact_note note = note_of("c", "\"e\"");
    uint32_t n = facts_kept(FACT_RING_FAILED);
    for (uint32_t i = 0; i < n + 5; i++) {
        note.fact.at_ms = 1000 + i;
        facts_add(facts, &note, false);
    }
    uint32_t pos = 0, seen = 0;
    for (const struct fact *f; (f = facts_next(facts, FACT_RING_FAILED, &pos)); seen++)
        assert_int_equal(f->at_ms, 1000 + n + 4 - seen);
    assert_int_equal(seen, n);
    assert_int_equal(facts_since_ms(facts), 1004);
    facts_free(facts);
}

static void long_names_are_cut_at_a_character_and_never_in_an_escape(void **state)
{
    (void)state;
    struct facts *facts = open_facts();
    char channel[400], event[402];
    memset(channel, 'c', sizeof channel);
    for (size_t i = 0; i < sizeof event; i += 2) memcpy(event + i, "\\n", 2);
    event[0] = '"';
    event[1] = 'x';
    event[sizeof event - 1] = '"';
    memcpy(event + 2, "\\u00e9", 6);
    struct fact_note note = note_of("", "");
    note.channel = span_of(channel, sizeof channel);
    note.event_raw = span_of(event, sizeof event - 1);
    const struct fact *f = facts_find(facts, facts_add(facts, &note, true));
    assert_true(f->shortened);
    assert_true(f->channel_n < 400 && f->channel_n > 50);
    struct span cut = fact_event_raw(f);
    assert_true(cut.n > 50 && cut.n % 2 == 1); /* x, then whole escapes */
    facts_free(facts);
}

static void an_unknown_app_is_kept_as_text(void **state)
{
    (void)state;
    struct facts *facts = open_facts();
    struct fact_note note = note_of("c", "\"e\"");
    note.app = (struct span) { NULL, 0 };
    char name[] = "shpo";
    note.app_text = span_str(name);
    note.why = SPAN("There is no app with the id 'shpo'.");
    const struct fact *f = facts_find(facts, facts_add(facts, &note, false));
    memset(name, 'x', 4);
    assert_span(fact_app(f), "shpo");
    assert_span(fact_why(f), "There is no app with the id 'shpo'.");
    facts_free(facts);
}

static void tallies_and_ends_are_remembered_for_a_while(void **state)
{
    (void)state;
    struct facts *facts = open_facts();
    for (uint64_t i = 1; i <= 5000; i++) {
        const struct fact_tally tally = { .fact = i, .delivered = (uint32_t)i };
        facts_tally(facts, &tally);
        facts_end(facts, &(struct fact_end) { .socket_id = i, .code = 4100 });
        facts_vacated(facts, &(struct fact_vacated) { i & 1, .at_ms = i, .socket_id = i });
    }
    uint32_t pos = 0, n = 0;
    for (const struct fact_tally *t; (t = facts_next_tally(facts, &pos)); n++)
        assert_int_equal(t->fact, 5000 - n);
    assert_in_range(n, 1024, 4999);
    assert_null(facts_find_end(facts, 1));
    assert_int_equal(facts_find_end(facts, 5000)->code, 4100);
    assert_int_equal(facts_find_vacated(facts, 0, 6000)->at_ms, 5000);
    assert_int_equal(facts_find_vacated(facts, 1, 4998)->socket_id, 4997);
    assert_null(facts_find_vacated(facts, 2, 6000));
    assert_null(facts_find_vacated(facts, 1, 100)); /* forgotten */
    facts_free(facts);
}

static void ids_read_as_they_are_written(void **state)
{
    (void)state;
    struct facts *facts = open_facts();
    uint64_t id = facts_take_id(facts), read = 0;
    struct buf b = { 0 };
    BUF_ADD_LIT(&b, "{");
    watch_key_fact(&b, "id", id);
    assert_span(buf_span(&b), "{\"id\":\"3-1\"");
    assert_true(watch_fact_read(SPAN("3-1"), &read));
    assert_true(read == id);
    assert_false(watch_fact_read(SPAN("3-0"), &read));
    assert_false(watch_fact_read(SPAN("3"), &read));
    assert_false(watch_fact_read(SPAN("70000-1"), &read));
    assert_false(watch_fact_read(SPAN("1-2-3"), &read));
    buf_fini(&b);
    facts_free(facts);
}

static void names_are_noted_for_each_app_and_the_older_ones_go(void **state)
{
    (void)state;
    static struct names names;
    int one = 1, two = 2;
    names_note(&names, &one, SPAN("order.paid"), 1);
    names_note(&names, &one, SPAN("order.paid"), 2);
    names_note(&names, &two, SPAN("other"), 3);
    uint32_t pos = 0;
    const struct name *n = names_next(&names, &one, &pos);
    assert_span(name_raw(n), "order.paid");
    assert_int_equal(n->count, 2);
    assert_null(names_next(&names, &one, &pos));
    char text[16];
    for (int i = 0; i < 5000; i++) {
        int len = snprintf(text, sizeof text, "name-%d", i);
        names_note(&names, &one, span_of(text, (size_t)len), 10 + (uint64_t)i);
    }
    uint32_t known = 0;
    pos = 0;
    while (names_next(&names, &one, &pos)) known++;
    assert_in_range(known, 150, NAMES_PLACES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fact_is_found_by_its_id_with_its_texts),
        cmocka_unit_test(what_went_well_does_not_push_failures_out),
        cmocka_unit_test(what_strangers_cause_pushes_out_only_what_strangers_caused),
        cmocka_unit_test(the_newest_comes_first_and_what_was_forgotten_is_known),
        cmocka_unit_test(long_names_are_cut_at_a_character_and_never_in_an_escape),
        cmocka_unit_test(an_unknown_app_is_kept_as_text),
        cmocka_unit_test(tallies_and_ends_are_remembered_for_a_while),
        cmocka_unit_test(ids_read_as_they_are_written),
        cmocka_unit_test(names_are_noted_for_each_app_and_the_older_ones_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
