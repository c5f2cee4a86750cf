/* embed_glib.c - coroutines inside the main loop of GLib, and so of GTK.
 *
 *     embed_glib [SECONDS]       also counts steps in so many idle seconds
 *
 * Needs libglib2.0-dev.  What runs stands in embedded.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "examples/embedded.h"
#include <glib-unix.h>

static gboolean on_readable(gint fd, GIOCondition condition, gpointer e)
{
    (void)fd, (void)condition;
    embedded_step(e);
    return G_SOURCE_CONTINUE;
}

static gboolean on_tick(gpointer e)
{
    return embedded_tick(e) ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static void stop(void *loop) { g_main_loop_quit(loop); }

int main(int argc, char **argv)
{
    GMainLoop *loop = g_main_loop_new(NULL, FALSE);
    struct embedded e = { .stop = stop, .arg = loop };
    guint watch;

    if (!embedded_open(&e, argc, argv))
        return 1;
    watch = g_unix_fd_add(co_embed_fd(e.sched), G_IO_IN, on_readable, &e);
    (void)g_timeout_add(TICK_MS, on_tick, &e);
    g_main_loop_run(loop);

    (void)g_source_remove(watch);
    g_main_loop_unref(loop);
    return embedded_close(&e);
}
