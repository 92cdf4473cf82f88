/* SPDX-License-Identifier: MIT
 *
 * cli/read_password.c: see read_password.h. The echo is off before the prompt is shown and on again
 * whatever signal comes: those that would end or stop the program only interrupt the reading, and
 * are raised anew when the terminal is as it was.
 */
#include "cli/read_password.h"
#include <openssl/crypto.h>
#include <signal.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#define ROOM (PASSWORD_MAX_BYTES + 2)

static const int ending[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
static volatile sig_atomic_t caught;

static void on_signal(int number)
{
    caught = number;
}

struct terminal {
    struct termios was;
    struct sigaction actions[ARRAY_LEN(ending)], stop;
};

static bool silence(struct terminal *t)
{
    struct sigaction act = { .sa_handler = on_signal }, ignore = { .sa_handler = SIG_IGN };
    if (tcgetattr(STDIN_FILENO, &t->was) != 0) return false;
    caught = 0;
    for (size_t i = 0; i < ARRAY_LEN(ending); i++) sigaction(ending[i], &act, &t->actions[i]);
    sigaction(SIGTSTP, &ignore, &t->stop);
    struct termios quiet = t->was;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    return tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) == 0;
}

static void restore(const struct terminal *t)
{
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &t->was);
    for (size_t i = 0; i < ARRAY_LEN(ending); i++) sigaction(ending[i], &t->actions[i], NULL);
    sigaction(SIGTSTP, &t->stop, NULL);
    if (caught) raise(caught);
}

/* Without stdio, whose buffer would keep it. */
static enum err read_line(char *out, struct diag *d)
{
    size_t n = 0;
    char c = '\0';
    ssize_t got;
    while ((got = read(STDIN_FILENO, &c, 1)) == 1 && c != '\n') {
        if (c == '\0') return diag_set(d, ERR_SYNTAX, "a password has no NUL in it");
        if (n == ROOM - 1)
            return diag_set(d, ERR_SYNTAX, "more than %d octets in the line", PASSWORD_MAX_BYTES);
        out[n++] = c;
    }
    if (got < 0 || (got == 0 && n == 0))
        return diag_set(d, ERR_IO, "there is no password on stdin");
    if (n && out[n - 1] == '\r') n--;
    out[n] = '\0';
    return ERR_OK;
}

static enum err ask(const char *prompt, char *out, struct diag *d)
{
    fputs(prompt, stderr);
    enum err err = read_line(out, d);
    fputc('\n', stderr);
    return err;
}

static enum err ask_twice(char *out, struct diag *d)
{
    struct terminal terminal;
    char again[ROOM];
    if (!silence(&terminal)) return diag_set(d, ERR_IO, "the terminal cannot hide what is typed");
    enum err err = ask("Password: ", out, d);
    if (!err) err = ask("The same password: ", again, d);
    if (!err && strcmp(out, again) != 0)
        err = diag_set(d, ERR_SYNTAX, "that was not the same twice");
    OPENSSL_cleanse(again, sizeof again);
    restore(&terminal);
    return err;
}

enum err read_password(char out[ROOM], struct diag *d)
{
    return isatty(STDIN_FILENO) ? ask_twice(out, d) : read_line(out, d);
}
