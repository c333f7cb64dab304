/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The inhibitors: who holds activations back, or wants to be told of them. Each is bound to a descriptor: the write end
 * of a FIFO, which the client keeps open or passes on; once nobody has it open any more, the inhibitor is gone. FIFO
 * and description are in the runtime folder (inhibitor-files.h), so that it outlives lfad, too. */

#include "lfa/enums.h"
#include "util/clock.h"

#include <glib.h>
#include <stdbool.h>
#include <systemd/sd-event.h>

#define INHIBITORS_MAX 64
#define INHIBITORS_PER_UID_MAX 8
#define INHIBITOR_IMAGES_MAX 64
#define INHIBITOR_TEXT_MAX 256 /* bytes of who and of why */

typedef struct Inhibitor {
        uint32_t id;
        InhibitMode mode;
        char *who, *why; /* never empty */
        char **guids; /* of images, sorted, each once; none = all images, also those that are not there yet */
        uint32_t uid, pid;
        uint64_t since_usec; /* CLOCK_REALTIME */
} Inhibitor;

/* Frees what the struct points to. */
void inhibitor_clear(Inhibitor *inhibitor);

typedef struct Inhibitors Inhibitors;

/* One was taken or is gone. */
typedef void (*InhibitorsChanged)(void *userdata);

/* event, runtime_folder and clock must outlive the object. */
Inhibitors *inhibitors_new(sd_event *event, const char *runtime_folder, const Clock *clock,
                           InhibitorsChanged changed, void *userdata);

/* Those that are held stay so, for the lfad that comes next. */
void *inhibitors_free(Inhibitors *inhibitors);

/* Takes in what an earlier lfad of this boot has left and somebody holds still; removes the rest. changed is not
 * called. */
void inhibitors_restore(Inhibitors *inhibitors);

/* Whether one more of this user fits. Returns 0 or -EDQUOT. */
int inhibitors_check_caps(const Inhibitors *inhibitors, uint32_t uid);

/* Takes one: wanted is copied, its id and since_usec are ignored. It lasts as long as *ret_fd, or a copy of it in
 * whatever process, is open; the caller closes it. Returns 0, -EDQUOT, or another negative errno when the files could
 * not be made. */
int inhibitors_take(Inhibitors *inhibitors, const Inhibitor *wanted, int *ret_fd);

/* In the order in which they were taken; borrowed, until one changes. */
unsigned inhibitors_count(const Inhibitors *inhibitors);
const Inhibitor *inhibitors_get(const Inhibitors *inhibitors, unsigned index);

/* The one of this mode that is held longest on this image, or NULL; ret_more: how many others there are. */
const Inhibitor *inhibitors_find_first(const Inhibitors *inhibitors, InhibitMode mode, const char *guid,
                                       unsigned *ret_more);

/* Who delays activations of this image, for people: "who (why)", perhaps with ", and 2 more"; NULL when nobody does.
 * The caller frees it. */
char *inhibitors_describe_delays(const Inhibitors *inhibitors, const char *guid);
