/* serve.c - a server of files.
 *
 *     serve [OPTION]... [ADDRESS [FOLDER]]    127.0.0.1:8000, this folder
 *
 *     --log=FORM            the access log on stdout: common (unless given),
 *                           json or off
 *     --no-listing          folders without index.html are not shown
 *     --dotfiles            names that begin with a dot are
 *     --cache-control=TEXT  what caches are told, e.g. max-age=60
 *     --unchecked=MS        a file asked for again so soon is taken to be the
 *                           same, without a look
 *     --max-conns=N         more get 503; 20,000 unless given
 *
 * Only what lies in the folder is served, wherever links lead to.  Ctrl-C or
 * SIGTERM finishes the answers that have begun, for 10 s at most.
 *
 * Try: curl http://127.0.0.1:8000/
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http.h"
#include "net/http_files.h"
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { WRONG = 2, NUMBER_MAX = 1000000, FILES_MAX = 10000 };

struct program {
    const char *addr;
    struct http_config http;
    struct http_files_config files;
    int status;
};

/* ---- The command line ------------------------------------------------------
 */

static const struct option options[] = {
    { "log", required_argument, NULL, 'l' },
    { "no-listing", no_argument, NULL, 'n' },
    { "dotfiles", no_argument, NULL, 'd' },
    { "cache-control", required_argument, NULL, 'c' },
    { "unchecked", required_argument, NULL, 'u' },
    { "max-conns", required_argument, NULL, 'm' },
    { "help", no_argument, NULL, 'h' },
    { 0 },
};

static _Noreturn void usage(FILE *out, int status)
{
    fprintf(out, "usage: serve [--log=common|json|off] [--no-listing] "
                 "[--dotfiles]\n"
                 "             [--cache-control=TEXT] [--unchecked=MS] "
                 "[--max-conns=N]\n"
                 "             [ADDRESS [FOLDER]]\n"
                 "127.0.0.1:8000 and this folder unless given\n");
    exit(status);
}

static unsigned to_number(const char *text)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end != '\0' || n == 0 ||
        n > NUMBER_MAX) {
        fprintf(stderr, "serve: '%s' is not a number from 1 to %d\n", text,
                NUMBER_MAX);
        exit(WRONG);
    }
    return (unsigned)n;
}

static int to_form(const char *text)
{
    static const char *const forms[] = { [HTTP_LOG_OFF] = "off",
                                         [HTTP_LOG_COMMON] = "common",
                                         [HTTP_LOG_JSON] = "json" };

    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        if (strcmp(text, forms[i]) == 0)
            return (int)i;
    fprintf(stderr, "serve: '%s' is no form of a log\n", text);
    exit(WRONG);
}

static void set(struct program *p, int option)
{
    switch (option) {
    case 'l':
        p->http.log_form = to_form(optarg);
        break;
    case 'n':
        p->files.listing = false;
        break;
    case 'd':
        p->files.dotfiles = true;
        break;
    case 'c':
        p->files.cache_control = optarg;
        break;
    case 'u':
        p->files.unchecked = to_number(optarg) * CO_MSEC;
        break;
    case 'm':
        p->http.max_conns = to_number(optarg);
        break;
    case 'h':
        usage(stdout, 0);
    default:
        usage(stderr, WRONG);
    }
}

static void parse(struct program *p, int argc, char **argv)
{
    int option;

    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1)
        set(p, option);
    if (argc - optind > 2)
        usage(stderr, WRONG);
    if (optind < argc)
        p->addr = argv[optind++];
    if (optind < argc)
        p->files.root = argv[optind];
}

/* ---- The program -----------------------------------------------------------
 */

/* Connections and files take more descriptors than a shell gives: all that
 * there may be, a quarter of them for files. */
static void take_descriptors(struct program *p)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit); /* fewer do, too */
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur / 4 > FILES_MAX)
        p->files.cache_files = FILES_MAX;
    else
        p->files.cache_files = (unsigned)limit.rlim_cur / 4 + 1;
}

static void announce(struct net_listener *l, const char *folder)
{
    char bound[NET_ADDR_MAX];
    char *path = realpath(folder, NULL);

    net_listener_addr(l, bound, sizeof bound);
    printf("listening on %s\nserving %s\n", bound, path ? path : folder);
    fflush(stdout);
    free(path);
}

static int serve(struct program *p, const struct http_files *files)
{
    const struct http_route routes[] = {
        { "GET", "/*", http_files, files, 0 },
        { 0 },
    };
    struct net_listener *l = net_listen(p->addr, NULL);

    if (l == NULL && errno == EINVAL) { /* the folder comes second */
        fprintf(stderr, "serve: '%s' is no address as 127.0.0.1:8000 is one\n",
                p->addr);
        return 1;
    }
    if (l != NULL)
        announce(l, p->files.root);
    p->http.routes = routes;
    if (http_serve(l, &p->http) == 0)
        return 0;
    perror(p->addr);
    return 1;
}

static void root(void *arg)
{
    struct program *p = arg;
    struct http_files *files = http_files_open(&p->files);

    if (files == NULL) {
        if (errno == EINVAL && p->files.cache_control != NULL)
            fprintf(stderr, "serve: '%s' is no value of a field\n",
                    p->files.cache_control);
        else
            perror(p->files.root);
        p->status = 1;
        return;
    }
    p->status = serve(p, files);
    http_files_close(files);
}

int main(int argc, char **argv)
{
    struct program p = { .addr = "127.0.0.1:8000",
                         .http = { .server = "serve",
                                   .log_form = HTTP_LOG_COMMON },
                         .files = { .root = ".", .listing = true } };

    parse(&p, argc, argv);
    take_descriptors(&p);
    return co_run(root, &p, NULL) < 0 || p.status;
}
