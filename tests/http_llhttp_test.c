/* http_llhttp_test.c - our parser and Node's http server on the same requests.
 *
 * As http_differ_test, with llhttp in the place of libhttp-parser: node runs
 * tests/http_differ/llhttp.js, which reads requests from a pipe and answers
 * with what its server made of them.
 *
 *   http_llhttp_test NUMBER    shows one request and what is said about it
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/http_differ/differ.h"
#include "tests/test.h"
#include <stdint.h>
#include <sys/wait.h>

/* The rules were made with 9; those before it bear more. */
enum { COUNT = 50000, BATCH = 64, MESSAGE_MAX = 2048, LLHTTP_LEAST = 9 };

static struct {
    FILE *to;
    FILE *from;
    pid_t pid;
} node;

static struct said ours, theirs;
static unsigned long verdicts[3];

static bool node_is_there(void)
{
    char version[64] = "";
    FILE *f = popen("node -p process.versions.llhttp 2>/dev/null", "r");

    CHECK(f != NULL);
    if (fgets(version, sizeof version, f) == NULL)
        version[0] = '\0';
    (void)pclose(f);
    fprintf(stderr, "  llhttp %s\n", version[0] ? version : "is not here");
    return atoi(version) >= LLHTTP_LEAST;
}

static void node_start(void)
{
    int to[2], from[2];

    CHECK(pipe(to) == 0);
    CHECK(pipe(from) == 0);
    node.pid = test_fork();
    CHECK(node.pid >= 0);
    if (node.pid == 0) {
        (void)unsetenv("LD_PRELOAD");
        (void)dup2(to[0], 0);
        (void)dup2(from[1], 1);
        (void)close(to[1]);
        (void)close(from[0]);
        execlp("node", "node", HTTP_DIFFER "/llhttp.js", (char *)NULL);
        _exit(127);
    }
    (void)close(to[0]);
    (void)close(from[1]);
    node.to = fdopen(to[1], "w");
    node.from = fdopen(from[0], "r");
    CHECK(node.to != NULL && node.from != NULL);
}

static void node_end(void)
{
    int status;

    (void)fclose(node.to);
    (void)fclose(node.from);
    CHECK_EQ(waitpid(node.pid, &status, 0), node.pid);
    CHECK_EQ(status, 0);
}

static void ask(unsigned long number)
{
    char buf[MESSAGE_MAX];
    uint32_t len = (uint32_t)generate(buf, sizeof buf, number, false);

    CHECK(fwrite(&len, sizeof len, 1, node.to) == 1);
    CHECK(fwrite(buf, len, 1, node.to) == 1);
}

static void part(char *text)
{
    size_t len = 0;
    int c;

    while ((c = getc(node.from)) > 0)
        if (len < SAID_MAX - 1)
            text[len++] = (char)c;
    CHECK(c == 0);
    text[len] = '\0';
}

static void said_by_node(struct said *s)
{
    static char text[SAID_MAX], why[SAID_MAX];

    memset(s, 0, sizeof *s);
    part(text);
    s->state = (enum said_state)atoi(text);
    part(why);
    if (s->state == SAID_REFUSED)
        s->why = why;
    part(text);
    s->head = atoi(text);
    part(text);
    s->keep_alive = atoi(text);
    part(text);
    s->upgrade = atoi(text);
    part(s->line);
    part(s->fields);
    part(s->body);
}

static void compare(unsigned long number, bool always)
{
    char buf[MESSAGE_MAX];
    const char *why;
    size_t len = generate(buf, sizeof buf, number, false);

    said_by_us(&ours, buf, len, false);
    said_by_node(&theirs);
    if (theirs.upgrade)
        ours.keep_alive = theirs.keep_alive; /* Node has no opinion then */
    enum verdict verdict = explain(&ours, &theirs, buf, len, &why);
    verdicts[verdict]++;
    if (always || (verdict == UNEXPLAINED && !said_shown(why)))
        said_print(number, false, why, &ours, &theirs, buf, len);
}

int main(int argc, char **argv)
{
    if (under_valgrind() || under_storm())
        return 77;
    if (!node_is_there())
        return 77;
    node_start();
    if (argc > 1) {
        ask(strtoul(argv[1], NULL, 0));
        (void)fflush(node.to);
        compare(strtoul(argv[1], NULL, 0), true);
    } else {
        for (long i = 0; i < test_count(COUNT); i += BATCH) {
            for (long j = 0; j < BATCH; j++)
                ask((unsigned long)(i + j));
            CHECK(fflush(node.to) == 0);
            for (long j = 0; j < BATCH; j++)
                compare((unsigned long)(i + j), false);
        }
        fprintf(stderr, "  %lu agree, %lu differ by a rule, %lu without one\n",
                verdicts[THEY_AGREE], verdicts[THEY_DIFFER],
                verdicts[UNEXPLAINED]);
        CHECK_EQ(verdicts[UNEXPLAINED], 0);
    }
    node_end();
    return 0;
}
