/* SPDX-License-Identifier: MIT
 *
 * server/login.c: see login.h.
 *
 *     form ──token, brake──> aside: scrypt ──task of the worker──> session and cookie, or the page
 *
 * The token of the form is bound to a cookie that came with the page, so that nobody else's page
 * can log somebody in. A browser that was in before has a cookie that says so, signed with the
 * password's hash: it outlives a restart, and ends with the password.
 */
#include "server/login.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/password.h"
#include "base/rand.h"
#include "http/url.h"
#include "server/aside.h"
#include "server/attempts.h"
#include "server/client_addr.h"
#include "server/conn.h"
#include "server/login_page.h"
#include "server/server_priv.h"

#define FORM_MS 3600000 /* the page may stay open so long */
#define FORM "form"
#define STREAM_MS 60000
#define NONCE_LEN 32 /* hex digits */
#define DEVICE_S (365 * 86400)
#define DEVICE_LEN (NONCE_LEN + 1 + SHA256_HEX_LEN)
#define BUSY_RETRY_S 2

struct login {
    struct sessions *sessions;
    struct aside *aside;
    struct lock lock; /* of all below */
    struct attempts attempts;
    struct buf hash;      /* dashboard.password_hash as it is in force; empty: not exposed */
    uint64_t n_passwords; /* how often it was another one */
};

/* --- life --- */

enum err login_new(struct login **out)
{
    struct login *l = mem_zalloc(sizeof *l);
    if (!l) return ERR_NOMEM;
    lock_init(&l->lock);
    enum err err = sessions_new(&l->sessions);
    if (!err) err = aside_new(&l->aside);
    if (err) {
        login_free(l);
        return err;
    }
    *out = l;
    return ERR_OK;
}

void login_free(struct login *l)
{
    if (!l) return;
    aside_free(l->aside);
    sessions_free(l->sessions);
    buf_fini(&l->hash);
    lock_fini(&l->lock);
    mem_free(l);
}

void login_stop(struct login *l)
{
    aside_stop(l->aside);
}

void login_configure(struct login *l, const struct config *cfg)
{
    struct span hash = cfg->dashboard.expose ? cfg->dashboard.password_hash : SPAN("");
    lock_take(&l->lock);
    bool same = span_eq(buf_span(&l->hash), hash);
    if (!same) {
        l->n_passwords++;
        buf_clear(&l->hash);
        buf_add_span(&l->hash, hash); /* without memory it is none: the next reload is another */
    }
    lock_drop(&l->lock);
    if (!same) sessions_end_all(l->sessions);
}

/* --- sessions --- */

static struct login *login_of(const struct conn *c)
{
    return c->worker->server->login;
}

session_ref login_session(const struct conn *c, const struct http1_req *req)
{
    struct span id = login_cookie_find(req, LOGIN_COOKIE_SESSION);
    return id.p ? sessions_find(login_of(c)->sessions, id, clock_mono_ms()) : 0;
}

bool login_lasts(const struct conn *c)
{
    return sessions_ends_ms(login_of(c)->sessions, c->session, clock_mono_ms()) != 0;
}

uint64_t login_left_ms(const struct conn *c, session_ref ref)
{
    uint64_t now_ms = clock_mono_ms();
    uint64_t ends_ms = sessions_ends_ms(login_of(c)->sessions, ref, now_ms);
    return ends_ms ? ends_ms - now_ms : 0;
}

void login_token(const struct conn *c, session_ref ref, const char *purpose, struct buf *out)
{
    struct sessions *s = login_of(c)->sessions;
    uint64_t now_ms = clock_mono_ms(), ends_ms = sessions_ends_ms(s, ref, now_ms);
    bool stream = strcmp(purpose, LOGIN_TOKEN_STREAM) == 0;
    if (stream && ends_ms > now_ms + STREAM_MS) ends_ms = now_ms + STREAM_MS;
    sessions_sign_for(s, purpose, ref, ends_ms, out);
}

bool login_token_good(const struct conn *c, session_ref ref, const char *purpose, struct span token)
{
    return sessions_signed_for(login_of(c)->sessions, purpose, ref, token, clock_mono_ms());
}

/* --- what a request says --- */

/* A page that browsers have by https says so itself, also where the proxy does not. */
static bool is_secure(const struct conn *c, const struct http1_req *req)
{
    return client_is_https(c->io.fd, req, c->worker->cfg) ||
           span_starts(http1_header(req, SPAN("Origin")), SPAN("https://"));
}

static bool is_hex(struct span s, size_t n)
{
    if (s.n != n) return false;
    for (size_t i = 0; i < n; i++)
        if (hex_value(s.p[i]) < 0) return false;
    return true;
}

static void new_nonce(char hex[NONCE_LEN])
{
    uint8_t octets[NONCE_LEN / 2];
    rand_bytes(octets, sizeof octets);
    hex_encode(span_of(octets, sizeof octets), hex);
}

/* --- the page --- */

/* A page that is open in another tab keeps its token: the cookie stays what it is. */
static enum err show(const struct conn *c, const struct http1_req *req, struct login_page *page,
                     struct http1_reply to, struct buf *out)
{
    const struct login *l = login_of(c);
    char fresh[NONCE_LEN];
    struct buf token = { 0 }, cookie = { 0 };
    struct span nonce = login_cookie_find(req, LOGIN_COOKIE_FORM);
    if (!is_hex(nonce, NONCE_LEN)) {
        new_nonce(fresh);
        nonce = span_of(fresh, sizeof fresh);
    }
    bool secure = is_secure(c, req);
    const struct login_cookie set = { LOGIN_COOKIE_FORM, nonce, FORM_MS / 1000, secure };
    sessions_sign(l->sessions, FORM, nonce, clock_mono_ms() + FORM_MS, &token);
    login_cookie_write(c->worker->cfg, &set, &cookie);
    page->token = buf_span(&token);
    page->cookie = buf_span(&cookie);
    page->in_the_clear = !secure && !client_is_here(c->io.fd, req, c->worker->cfg);
    bool failed = buf_failed(&token) || buf_failed(&cookie);
    enum err err = failed ? ERR_NOMEM : login_page_write(page, to, out);
    buf_fini(&token);
    buf_fini(&cookie);
    return err;
}

enum err login_show(const struct conn *c, const struct http1_req *req, struct http1_reply to,
                    struct buf *out)
{
    struct login_page page = { .status = 200, .notice = "" };
    if (login_session(c, req)) return admin_redirect(out, to, 302, SPAN("./"));
    return show(c, req, &page, to, out);
}

/* --- a password is looked at --- */

struct check {
    struct aside_job job;
    struct task reply;
    struct conn *conn; /* of `home`; waits until it is answered */
    struct worker *home;
    struct password_hash hash;
    uint64_t n_passwords; /* whose hash it is */
    struct attempts_who who;
    enum err err;
    bool right;
    size_t n;
    char password[PASSWORD_MAX_BYTES];
};

static void run_check(struct aside_job *job)
{
    struct check *k = CONTAINER_OF(job, struct check, job);
    k->err = password_check(&k->hash, span_of(k->password, k->n), &k->right);
}

static void check_done(struct aside_job *job)
{
    struct check *k = CONTAINER_OF(job, struct check, job);
    explicit_bzero(k->password, sizeof k->password);
    worker_post(k->home, &k->reply);
}

/* --- who tries --- */

/* Signed with the hash, which holds more chance than could be guessed; a part of its text each. */
static bool sign_device(struct span hash, struct span nonce, char hex[SHA256_HEX_LEN])
{
    const struct span parts[] = { SPAN("peal device "), nonce };
    struct hmac_key *key = hmac_key_new(hash);
    if (!key) return false;
    hmac_sha256_hex(key, parts, ARRAY_LEN(parts), hex);
    hmac_key_free(key);
    return true;
}

static bool is_device(const struct config *cfg, struct span cookie)
{
    char hex[SHA256_HEX_LEN];
    if (cookie.n != DEVICE_LEN || cookie.p[NONCE_LEN] != '.') return false;
    return sign_device(cfg->dashboard.password_hash, span_head(cookie, NONCE_LEN), hex) &&
           equal_consttime(span_of(hex, sizeof hex), span_skip(cookie, NONCE_LEN + 1));
}

static struct span client_of(const struct conn *c, const struct http1_req *req,
                             char text[SOCK_ADDR_TEXT_MAX])
{
    return client_addr(c->io.fd, req, c->worker->cfg, text);
}

static struct attempts_who who_of(const struct conn *c, const struct http1_req *req)
{
    char text[SOCK_ADDR_TEXT_MAX];
    struct span device = login_cookie_find(req, LOGIN_COOKIE_DEVICE);
    struct attempts_who who = attempts_address(client_of(c, req, text));
    if (!is_device(c->worker->cfg, device)) return who;
    uint8_t digest[32];
    sha256(device, digest);
    memcpy(who.key, digest, sizeof who.key);
    who.device = true;
    return who;
}

static void undo(struct login *l, const struct attempts_who *who)
{
    lock_take(&l->lock);
    attempts_undo(&l->attempts, who);
    lock_drop(&l->lock);
}

/* --- the answer --- */

static void add_device(const struct config *cfg, bool secure, struct buf *out)
{
    char value[DEVICE_LEN];
    new_nonce(value);
    value[NONCE_LEN] = '.';
    if (!sign_device(cfg->dashboard.password_hash, span_of(value, NONCE_LEN),
                     value + NONCE_LEN + 1)) {
        buf_fail(out);
        return;
    }
    const struct login_cookie set = { LOGIN_COOKIE_DEVICE, span_of(value, sizeof value), DEVICE_S,
                                      secure };
    login_cookie_write(cfg, &set, out);
}

static enum err let_in(struct conn *c, const struct http1_req *req, struct span id,
                       struct http1_reply to, struct buf *out)
{
    const struct config *cfg = c->worker->cfg;
    char client[SOCK_ADDR_TEXT_MAX];
    struct buf session = { 0 }, device = { 0 };
    bool secure = is_secure(c, req);
    const struct login_cookie set = { LOGIN_COOKIE_SESSION, id, cfg->dashboard.session_s, secure };
    login_cookie_write(cfg, &set, &session);
    add_device(cfg, secure, &device);
    const struct http1_field fields[] = { { SPAN("Location"), SPAN("./") },
                                          { SPAN("Cache-Control"), SPAN("no-store") },
                                          { SPAN("Set-Cookie"), buf_span(&session) },
                                          { SPAN("Set-Cookie"), buf_span(&device) } };
    const struct http1_res res = { .status = 303, .fields = fields, .n_fields = ARRAY_LEN(fields) };
    bool failed = buf_failed(&session) || buf_failed(&device);
    enum err err = failed ? ERR_NOMEM : http1_res_write(out, to, &res);
    log_info("dashboard", "logged in", kv_span("client", client_of(c, req, client)),
             kv_bool("https", secure));
    buf_fini(&session);
    buf_fini(&device);
    return err;
}

static enum err refuse(struct conn *c, const struct http1_req *req, struct login_page *page,
                       struct http1_reply to, struct buf *out)
{
    char client[SOCK_ADDR_TEXT_MAX];
    log_warn("dashboard", "log-in refused", kv_span("client", client_of(c, req, client)),
             kv_u64("status", page->status), kv_str("why", page->notice));
    return show(c, req, page, to, out);
}

/* Opens the session where it was the right one. The settings may have changed meanwhile, and what
 * was right is no longer: both are done under the lock, so that either the session ends with the
 * others or it is not opened. */
static enum verdict { RIGHT, WRONG, UNKNOWN } settle(const struct check *k, char id[SESSION_ID_LEN])
{
    struct login *l = login_of(k->conn);
    uint64_t now_ms = clock_mono_ms();
    uint64_t ends_ms = now_ms + (uint64_t)k->home->cfg->dashboard.session_s * 1000;
    enum verdict verdict = k->right ? RIGHT : WRONG;
    lock_take(&l->lock);
    if (k->err || l->n_passwords != k->n_passwords) verdict = UNKNOWN;
    if (verdict == UNKNOWN) attempts_undo(&l->attempts, &k->who);
    if (verdict == RIGHT) {
        attempts_good(&l->attempts, &k->who);
        sessions_open(l->sessions, now_ms, ends_ms, id);
    }
    lock_drop(&l->lock);
    return verdict;
}

static enum err write_answer(void *ctx, const struct http1_req *req, struct http1_reply to,
                             struct buf *out)
{
    const struct check *k = ctx;
    char id[SESSION_ID_LEN];
    session_ref before = login_session(k->conn, req); /* of another tab, perhaps */
    struct login_page page = { .status = 403, .notice = "That is not the password." };
    switch (settle(k, id)) {
    case RIGHT: {
        sessions_end(login_of(k->conn)->sessions, before);
        enum err err = let_in(k->conn, req, span_of(id, sizeof id), to, out);
        explicit_bzero(id, sizeof id);
        return err;
    }
    case UNKNOWN:
        page = (struct login_page) { .status = 503, .notice = "Please try again." };
        page.retry_s = BUSY_RETRY_S;
        break;
    case WRONG:
        break;
    }
    return refuse(k->conn, req, &page, to, out);
}

static void answer(struct worker *w, struct task *t)
{
    struct check *k = CONTAINER_OF(t, struct check, reply);
    (void)w;
    conn_http_answer_with(k->conn, write_answer, k);
    mem_free(k);
}

/* --- the form --- */

static struct check *check_new(struct conn *c, const struct attempts_who *who, struct span password)
{
    const char *why;
    struct login *l = login_of(c);
    struct check *k = mem_zalloc(sizeof *k);
    if (!k) return NULL;
    k->job.run = run_check;
    k->job.done = check_done;
    k->reply.run = answer;
    k->conn = c;
    k->home = c->worker;
    k->who = *who;
    k->err = ERR_CLOSED; /* unless it is run */
    k->n = password.n;
    memcpy(k->password, password.p, password.n);
    lock_take(&l->lock);
    k->n_passwords = l->n_passwords;
    lock_drop(&l->lock);
    if (password_hash_read(c->worker->cfg->dashboard.password_hash, &k->hash, &why)) return k;
    mem_free_secret(k, sizeof *k);
    return NULL;
}

/* A field of the form, decoded; false where it is not there once, or malformed. */
static bool read_field(struct span form, const char *name, struct buf *text, struct span *out)
{
    struct span raw;
    size_t from = text->n;
    if (url_query_find(form, span_str(name), &raw) != 1 || !raw.p) return false;
    if (url_decode(raw, URL_PLUS_SPACE, text)) return false;
    *out = span_skip(buf_span(text), from);
    return true;
}

static enum admin_result try_password(struct conn *c, const struct http1_req *req,
                                      struct span password, struct http1_reply to, struct buf *out)
{
    struct login *l = login_of(c);
    const struct attempts_who who = who_of(c, req);
    struct login_page page = { .status = 429 };
    lock_take(&l->lock);
    uint64_t wait_ms = attempts_try(&l->attempts, &who, clock_mono_ms());
    lock_drop(&l->lock);
    if (wait_ms) {
        char notice[100];
        page.retry_s = (wait_ms + 999) / 1000;
        snprintf(notice, sizeof notice, "Too many attempts. Please wait %llu s.",
                 (unsigned long long)page.retry_s);
        page.notice = notice;
        return admin_answered(refuse(c, req, &page, to, out));
    }
    struct check *k = check_new(c, &who, password);
    enum err err = k ? aside_do(l->aside, &k->job) : ERR_NOMEM;
    if (!err) return ADMIN_WAITS;
    undo(l, &who);
    if (k) mem_free_secret(k, sizeof *k);
    if (err != ERR_BUSY) return ADMIN_FAILED;
    page = (struct login_page) { .status = 503, .retry_s = BUSY_RETRY_S };
    page.notice = "Others are logging in. Please try again.";
    return admin_answered(refuse(c, req, &page, to, out));
}

enum admin_result login_submit(struct conn *c, const struct http1_req *req, struct http1_reply to,
                               struct buf *out)
{
    struct buf text = { 0 };
    struct span form = http1_req_body(req), token, password;
    struct span nonce = login_cookie_find(req, LOGIN_COOKIE_FORM);
    struct login_page page = { .status = 403 };
    enum admin_result result;
    if (!buf_room(&text, form.n + 1)) return ADMIN_FAILED;
    bool whole =
        read_field(form, "token", &text, &token) && read_field(form, "password", &text, &password);
    if (!whole || password.n > PASSWORD_MAX_BYTES) {
        page = (struct login_page) { .status = 400, .notice = "This form is not complete." };
        result = admin_answered(refuse(c, req, &page, to, out));
    } else if (!is_hex(nonce, NONCE_LEN) ||
               !sessions_signed(login_of(c)->sessions, FORM, nonce, token, clock_mono_ms())) {
        page.notice = "This page was open for too long, or your browser keeps no cookies for it. "
                      "Please try again.";
        result = admin_answered(refuse(c, req, &page, to, out));
    } else {
        result = try_password(c, req, password, to, out);
    }
    explicit_bzero(text.p, text.n);
    buf_fini(&text);
    return result;
}

/* --- the way out --- */

enum err login_end(const struct conn *c, const struct http1_req *req, session_ref ref,
                   struct http1_reply to, struct buf *out)
{
    char client[SOCK_ADDR_TEXT_MAX];
    struct buf cookie = { 0 };
    const struct login_cookie set = { LOGIN_COOKIE_SESSION, SPAN(""), 0, is_secure(c, req) };
    sessions_end(login_of(c)->sessions, ref);
    login_cookie_write(c->worker->cfg, &set, &cookie);
    const struct http1_field fields[] = { { SPAN("Cache-Control"), SPAN("no-store") },
                                          { SPAN("Set-Cookie"), buf_span(&cookie) } };
    const struct http1_res res = { .status = 200,
                                   .type = SPAN("application/json"),
                                   .fields = fields,
                                   .n_fields = ARRAY_LEN(fields),
                                   .body = SPAN("{}") };
    enum err err = buf_failed(&cookie) ? ERR_NOMEM : http1_res_write(out, to, &res);
    log_info("dashboard", "logged out", kv_span("client", client_of(c, req, client)));
    buf_fini(&cookie);
    return err;
}
