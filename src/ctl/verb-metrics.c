/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lfactl metrics: numbers about lfad, printed or put into a file that is replaced as a whole. That lfad does not answer is
 * one of them, and no failure. */

#include "ctl/bus-value.h"
#include "ctl/inhibitor-list.h"
#include "ctl/metrics-collect.h"
#include "ctl/output.h"
#include "ctl/verbs.h"
#include "ctl/watchdog-list.h"
#include "util/file-io.h"

#include <fcntl.h>
#include <string.h>

/* Who reads the file learns of it there; a timer would say it every minute. */
static void report(Client *client, const sd_bus_error *error, int r, const char *what) {
        if (!client->options->output)
                (void) client_fail_call(client, error, r, "%s", what);
}

static bool connect_bus(Client *client) {
        return client->options->output ? client_open(client) >= 0 : client_connect(client) == EXIT_DONE;
}

static int take_inventory(Client *client, Metrics *metrics) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(inventory_freep) Inventory *inventory = NULL;
        int r = inventory_query(client, &error, &inventory);

        if (r >= 0)
                metrics_take_inventory(metrics, inventory);
        else
                report(client, &error, r, "Cannot ask lfad");
        return r;
}

/* What of lfad's answers comes from another call each. */
static void take_list(Client *client, Metrics *metrics, const char *what,
                      int (*load)(Client *client, sd_bus_error *error, json_object **ret),
                      void (*take)(Metrics *metrics, json_object *list)) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(json_object_unrefp) json_object *list = NULL;
        int r = load(client, &error, &list);

        if (r >= 0)
                take(metrics, list);
        else
                report(client, &error, r, what);
}

static void collect(Client *client, Metrics *metrics) {
        client->passive = true;
        if (connect_bus(client) && take_inventory(client, metrics) >= 0) {
                take_list(client, metrics, "Cannot read who holds activations back", inhibitors_load,
                          metrics_take_inhibitors);
                take_list(client, metrics, "Cannot read the watchdogs", watchdogs_load,
                          metrics_take_watchdogs);
        } else
                metrics_add(metrics, METRIC_UP, NULL, 0);
        metrics_add(metrics, METRIC_WRITTEN, NULL, g_get_real_time());
}

static ExitCode write_file(Client *client, const char *path, const char *text) {
        g_autofree char *folder = g_path_get_dirname(path), *name = g_path_get_basename(path);
        _cleanup_close_ int folder_fd = -EBADF;
        int r;

        if (g_str_has_suffix(path, "/") || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
                return client_fail(client, EXIT_USAGE, SD_BUS_ERROR_INVALID_ARGS, NULL,
                                   "'%s' is the name of a folder; name a file in it.", path);
        folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        r = folder_fd < 0 ? -errno : file_publish(folder_fd, name, text, strlen(text), 0644);
        if (r < 0)
                return client_fail(client, EXIT_FAILED, SD_BUS_ERROR_IO_ERROR,
                                   r == -ENOTSUP ? "Only a regular file is replaced." : NULL,
                                   "Cannot write '%s': %s.", path, g_strerror(-r));
        return EXIT_DONE;
}

static ExitCode print_text(Client *client, const char *text) {
        if (fputs(text, stdout) >= 0 && fflush(stdout) == 0)
                return EXIT_DONE;
        return client_fail(client, EXIT_FAILED, SD_BUS_ERROR_IO_ERROR, NULL, "Cannot print: %s.",
                           g_strerror(errno));
}

ExitCode verb_metrics(Client *client, int argc, char **argv) {
        _cleanup_(metrics_freep) Metrics *metrics = metrics_new();
        g_autofree char *text = NULL;

        collect(client, metrics);
        text = metrics_to_text(metrics);
        if (client_json(client))
                json_object_object_add(client->document, "metrics", metrics_to_json(metrics));
        if (client->options->output)
                return write_file(client, client->options->output, text);
        return client_json(client) ? EXIT_DONE : print_text(client, text);
}
