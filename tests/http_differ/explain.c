/* explain.c - the rules for differences between two parsers.
 *
 * A rule belongs to what one of them says when it refuses, or to what differs
 * when both accept; its patterns say what the message must look like for the
 * rule to apply, so that a wrong refusal finds none.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/http_differ/differ.h"
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rule {
    const char *why;   /* ours; "" for what both accept */
    const char *has;   /* a pattern that is there, or NULL */
    const char * not ; /* one that is not, or NULL */
    bool exact;        /* upper and lower case matter */
    const char *section;
    regex_t has_compiled;
    regex_t not_compiled;
    bool compiled;
};

#define START "^(\r\n)*"
#define TARGET START "[^ ]+ "
/* Which they take for the field that it begins like. */
#define OTHER_NAME "\nTransfer-Encoding[^: \t\r]+:"
#define NO_BODY "^HTTP/1[.][0-9] (1[0-9][0-9]|204|304)[ \r]"

/* We refuse, they do not. */
static struct rule refusals[] = {
    /* clang-format off */
    { .why = "a line ends with LF alone", .has = "(^|[^\r])\n", .section = "9112 2.2: LF alone may be taken for a line end; we do not" },
    { .why = "CR without LF", .has = "\r([^\n]|$)", .section = "9112 2.2: CR without LF is invalid" },
    { .why = "white space before a colon", .has = "\n[^\r\n:]*[ \t]+:", .section = "9112 5.1: 400 to white space before the colon" },
    { .why = "white space before a colon", .has = "\n[^\r\n:]*[ \t]", .not = "\n[^\r\n:]*[ \t]+:", .section = "9112 5: a name is a token" },
    { .why = "a folded line", .has = "\n[ \t]", .section = "9112 5.2: 400 to a folded line" },
    { .why = "a byte no name may have", .has = "\n[^\r\n:]*([^]!#$%&'*+.^_`|~0-9A-Za-z:-]|[]])", .section = "9112 5: a name is a token" },
    { .why = "a field without a name", .has = "\n:", .section = "9112 5: a name has a byte" },
    { .why = "a control byte in a value", .has = "[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]", .section = "9110 5.5: control bytes in values are invalid" },
    { .why = "a control byte in a reason", .has = "^[^\n]*[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]", .section = "9112 4: no control bytes in a reason" },
    { .why = "no Host", .has = "HTTP/1[.][1-9]", .not = "\nHost:", .section = "9112 3.2: 400 without Host" },
    { .why = "more than one Host", .has = "\nHost:.*\nHost:", .section = "9112 3.2: 400 to two Hosts" },
    { .why = "Host is not host[:port]", .has = "\nHost:[ \t]*([^]A-Za-z0-9._~!$&'()*+,;=:%\r \t[-]|:[^0-9\r]|[^ \t\r][^\r]*([^A-Za-z0-9._~!$&'()*+,;=:\r \t-]|[ \t][^\r \t]|:[^\r]*[^0-9\r \t]|:[0-9]{5}))", .section = "9112 3.2: 400 to an invalid Host" },
    { .why = "Host is not host[:port]", .has = "\nHost:[^\r]*([][]|%([^0-9a-f]|.[^0-9a-f]))", .not = "\nHost:[ \t]*[[][0-9a-f:.]+[]](:[0-9]*)?[ \t]*\r", .section = "9112 3.2: 400 to an invalid Host" },
    { .why = "more than one Content-Length", .has = "\nContent-Length:.*\nContent-Length:", .section = "9112 6.3: several lengths" },
    { .why = "Content-Length is not a number", .has = "\nContent-Length:[ \t]*[0-9]*[^\r0-9]", .section = "9112 6.3: an invalid length is an error" },
    { .why = "an empty Content-Length", .has = "\nContent-Length:[ \t]*\r", .section = "9112 6.3: an invalid length is an error" },
    { .why = "Content-Length is too large", .has = "\nContent-Length:[ \t]*[0-9]{19,}", .section = "9110 8.6: no overflow of lengths" },
    { .why = "Transfer-Encoding in HTTP/1.0", .has = "HTTP/1[.]0.*\nTransfer-Encoding:", .section = "9112 6.1: faulty framing" },
    { .why = "both Content-Length and Transfer-Encoding", .has = "\n(Content-Length:.*\nTransfer-Encoding|Transfer-Encoding:.*\nContent-Length):", .section = "9112 6.3: may be an attack, and is refused" },
    { .why = "the last transfer coding is not chunked", .has = "\nTransfer-Encoding:", .not = "\nTransfer-Encoding:[ \t]*chunked[ \t]*\r\n\r\n", .section = "9112 6.3: 400 when chunked is not the last coding" },
    { .why = "a transfer coding other than chunked", .has = "\nTransfer-Encoding:([^\r]*,)?[ \t]*([^c,\r \t]|c[^h]|ch[^u]|chu[^n]|chun[^k]|chunk[^e]|chunke[^d]|chunked[ \t]*[^\r, \t])", .section = "9112 6.1: 501 to an unknown coding" },
    { .why = "chunked more than once", .has = "chunked.*chunked", .section = "9112 6.1: chunked is applied once" },
    { .why = "a byte that no target may have", .has = TARGET "( |[^ \r\n]*[]\"#<>\x01-\x1f\x7f-\xff])", .section = "9112 3.2: the grammar of targets" },
    { .why = "the target has no form of a target", .has = TARGET "[^/ ]", .not = TARGET "[A-Za-z][A-Za-z0-9.+-]*://", .section = "9112 3.2: the forms of targets" },
    { .why = "the target of CONNECT is not host:port", .has = START "CONNECT ", .not = START "CONNECT [a-z]+:[0-9]+ ", .section = "9112 3.2.3: the target of CONNECT" },
    { .why = "the target * is for OPTIONS", .has = TARGET "[*] ", .not = START "OPTIONS ", .section = "9112 3.2.4: * is for OPTIONS" },
    { .why = "the target's authority is not a host", .has = TARGET "[A-Za-z]+://", .not = TARGET "[a-z]+://[a-z.]+(:[0-9]{0,4})?[/? ]", .section = "9110 4.2: a host, and no user" },
    { .why = "a version other than 1.0 and 1.1", .has = "HTTP/[02-9]", .section = "9110 2.5: 505 to another major version" },
    { .why = "no version at the end of the line", .not = START "[^ ]+ [^ ]+ HTTP/[0-9][.][0-9]\r\n|^HTTP/[0-9][.][0-9] ", .section = "9112 3: the line ends with a version" },
    { .why = "more behind the version", .has = "HTTP/[0-9][.][0-9][^\r]", .section = "9112 2.3: a version has two digits" },
    { .why = "no status code", .not = "^HTTP/[0-9][.][0-9] [1-9][0-9][0-9][ \r]", .section = "9112 4: a code has three digits" },
    { .why = "empty lines instead of a request", .has = "^(\r\n){5}", .section = "9112 2.2: at least one is ignored, here four" },
    { .why = "no method", .not = START "[!#$%&'*+.^_`|~0-9A-Za-z-]+ ", .section = "9112 3.1: a method is a token" },
    /* bodies */
    { .why = "no chunk size", .has = "\r\n([^0-9a-f]|$)", .section = "9112 7.1: a size has a digit" },
    { .why = "a chunk size is not a number", .has = "\r\n[0-9a-f]+[^\r0-9a-f]", .section = "9112 7.1: a size has hexadecimal digits" },
    { .why = "a chunk size is not a number", .has = "\r\n[0-9a-f]{17,}", .section = "9112 7.1: no overflow of sizes; here, more than 16 digits" },
    { .why = "a chunk is too large", .has = "\r\n[89a-f][0-9a-f]{15}", .section = "9112 7.1: no overflow of sizes" },
    { .why = "a chunk is longer than its size", .has = "\r\n[0-9a-f]+", .section = "9112 7.1: a chunk ends with CRLF" },
    { .why = "a control byte in a value", .has = "\n[^\r\n]*[^\r]\n", .section = "9112 2.2: LF alone may be taken for a line end; we do not" },
    { .why = "a chunk extension without a name", .has = ";[ \t]*[^ \ta-z0-9]", .section = "9112 7.1.1: the grammar of extensions" },
    { .why = "a control byte in a chunk extension", .has = ";[^\r]*[\x01-\x08\x0a-\x0c\x0e-\x1f\x7f]", .section = "9112 7.1.1: the grammar of extensions" },
    /* clang-format on */
};

/* They refuse, we do not; in their words. */
static struct rule theirs_refuse[] = {
    /* clang-format off */
    { .why = "HPE_INVALID_METHOD", .has = START "[!#$%&'*+.^_`|~0-9A-Za-z-]+ ", .not = START "(GET|HEAD|POST|PUT|DELETE|PATCH|OPTIONS|TRACE|CONNECT) ", .exact = true, .section = "9110 9.1: any token is a method" },
    { .why = "HPE_INVALID_TRANSFER_ENCODING", .has = "\nTransfer-Encoding:([^\r]*,|[ \t]*\r)", .section = "9110 5.6.1.2: empty members of lists are ignored" },
    { .why = "HPE_INVALID_TRANSFER_ENCODING", .has = "\nTransfer-Encoding:[^\r]*\t\r", .section = "9112 5: white space behind a value is not part of it" },
    { .why = "HPE_INVALID_CONTENT_LENGTH", .has = "\nContent-Length:[ \t]*[0-9]+[ \t]+\r", .section = "9112 5: white space behind a value is not part of it" },
    { .why = "HPE_INVALID_TRANSFER_ENCODING", .has = OTHER_NAME, .section = "9110 5.1: the field has another name" },
    { .why = "HPE_INVALID_VERSION", .has = "HTTP/1[.][2-9]\r", .section = "9110 2.5: a higher minor version is taken for 1" },
    { .why = "HPE_UNEXPECTED_CONTENT_LENGTH", .has = OTHER_NAME, .section = "9110 5.1: the field has another name" },
    { .why = "HPE_INVALID_URL", .has = TARGET "[a-z][a-z0-9.+-]*[0-9.+-][a-z0-9.+-]*://", .section = "3986 3.1: the letters of schemes" },
    { .why = "HPE_STRICT", .has = "\r\n[0-9a-f]+;[^\r]*[^]a-z0-9\r]", .section = "9112 7.1.1: extensions are ignored, whatever is in them" },
    { .why = "HPE_INVALID_CHUNK_SIZE", .has = "\r\n[0-9a-f]+[ \t]+;", .section = "9112 7.1.1: white space before an extension" },
    { .why = NULL, .has = NO_BODY, .section = "9112 6.3: such responses have no body, whatever the fields say" },
    /* clang-format on */
};

/* Both accept it, and this differs. */
static struct rule meanings[] = {
    /* clang-format off */
    { .why = "body", .has = NO_BODY, .section = "9112 6.3: such responses have no body, whatever the fields say" },
    { .why = "body", .has = "^(\r\n)*CONNECT ", .section = "9112 6.3: a request has the body that its fields say" },
    { .why = "state", .has = "^(\r\n)*CONNECT ", .section = "9112 6.3: a request has the body that its fields say" },
    { .why = "state", .has = "\nTransfer-Encoding:([^\r]*,|[ \t]*\r)", .section = "9110 5.6.1.2: empty members of lists are ignored" },
    { .why = "keep", .has = "\nConnection:[^\r]*close", .section = "9112 9.3: close wins over keep-alive" },
    { .why = "state", .has = "\nTransfer-Encoding:[^\r]*\t\r", .section = "9112 5: white space behind a value is not part of it" },
    { .why = "keep", .has = "\nConnection:[^\r]*\t\r", .section = "9112 5: white space behind a value is not part of it" },
    { .why = "state", .has = OTHER_NAME, .section = "9110 5.1: the field has another name" },
    { .why = "body", .has = "\nUpgrade:.*\nConnection:[^\r]*upgrade|\nConnection:[^\r]*upgrade.*\nUpgrade:", .section = "9110 7.8: the request ends before another protocol begins" },
    { .why = "state", .has = "\nUpgrade:.*\nConnection:[^\r]*upgrade|\nConnection:[^\r]*upgrade.*\nUpgrade:", .section = "9110 7.8: the request ends before another protocol begins" },
    { .why = "body", .has = OTHER_NAME, .section = "9110 5.1: the field has another name" },
    { .why = "body", .has = "\nTransfer-Encoding:([^\r]*,|[ \t]*\r)", .section = "9110 5.6.1.2: empty members of lists are ignored" },
    { .why = "upgrade", .has = "^HTTP/1[.][0-9] .*\nUpgrade:", .section = "9110 7.8: a response may tell what could be changed to" },
    { .why = "upgrade", .has = "HTTP/1[.]0\r", .section = "9110 7.8: Upgrade in HTTP/1.0 is ignored" },
    { .why = "upgrade", .has = "^HTTP/1[.][0-9] 101", .section = "9110 15.2.2: 101 changes the protocol" },
    { .why = "state", .has = NO_BODY, .section = "9112 6.3: such responses have no body, whatever the fields say" },
    /* clang-format on */
};

static bool matches(regex_t *compiled, const char *text)
{
    return regexec(compiled, text, 0, NULL, 0) == 0;
}

static bool applies(struct rule *r, const char *why, const char *text)
{
    int flags = REG_EXTENDED | REG_NOSUB | (r->exact ? 0 : REG_ICASE);

    if (r->why != NULL && strcmp(r->why, why) != 0)
        return false;
    if (!r->compiled) {
        if ((r->has != NULL && regcomp(&r->has_compiled, r->has, flags) != 0) ||
            (r->not != NULL && regcomp(&r->not_compiled, r->not, flags) != 0)) {
            fprintf(stderr, "no pattern: %s\n", r->why);
            exit(1);
        }
        r->compiled = true;
    }
    return (r->has == NULL || matches(&r->has_compiled, text)) &&
           (r->not == NULL || !matches(&r->not_compiled, text));
}

static const char *find(struct rule *rules, size_t count, const char *why,
                        const char *text)
{
    for (size_t i = 0; i < count; i++)
        if (applies(&rules[i], why, text))
            return rules[i].section;
    return NULL;
}

#define FIND(rules, why, text)                                                 \
    find(rules, sizeof(rules) / sizeof *(rules), why, text)

/* The first thing that differs in what both accept; text alone, and of the
 * fields ours, since their trailer fields follow. */
static const char *first_difference(const struct said *a, const struct said *b)
{
    if (a->head != b->head)
        return "head";
    if (!a->head)
        return NULL;
    if (strcmp(a->line, b->line) != 0)
        return "line";
    if (strncmp(a->fields, b->fields, strlen(a->fields)) != 0)
        return "fields";
    if (a->state != b->state)
        return "state";
    if (strcmp(a->body, b->body) != 0)
        return "body";
    if (a->state == SAID_COMPLETE && a->keep_alive != b->keep_alive)
        return "keep";
    if (a->state == SAID_COMPLETE && a->upgrade != b->upgrade)
        return "upgrade";
    return NULL;
}

enum verdict explain(const struct said *ours, const struct said *theirs,
                     const char *buf, size_t len, const char **why)
{
    char text[SAID_MAX];
    bool we = ours->state == SAID_REFUSED, they = theirs->state == SAID_REFUSED;
    const char *difference = NULL;

    *why = NULL;
    if (we == they) {
        if (we || (difference = first_difference(ours, theirs)) == NULL)
            return THEY_AGREE;
    }
    /* Patterns are for text without its end in it. */
    for (size_t i = 0; i < len; i++)
        text[i] = buf[i] != '\0' ? buf[i] : '\x01';
    text[len] = '\0';
    if (difference != NULL)
        *why = FIND(meanings, difference, text);
    else if (we)
        *why = FIND(refusals, ours->why, text);
    else
        *why = FIND(theirs_refuse, theirs->why, text);
    if (*why != NULL)
        return THEY_DIFFER;
    *why = difference ? difference : we ? ours->why : theirs->why;
    return UNEXPLAINED;
}
