/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What lfad knows of whatever may take an activation for a standstill. */

#include "ctl/client.h"

/* What GetWatchdogs gives. Returns 0 or a negative errno with error filled; the caller owns *ret. */
int watchdogs_load(Client *client, sd_bus_error *error, json_object **ret);

/* The others are the kernel's own detectors, and services: what they may do is no reason against an activation. */
bool watchdog_is_hardware(json_object *watchdog);

/* A verdict of a newer lfad counts as a doubt. */
bool watchdog_looks_safe(json_object *watchdog);

typedef struct WatchdogCount {
        unsigned hardware, made_safe, unsafe; /* made_safe: lfad would see to it first */
} WatchdogCount;

WatchdogCount watchdogs_count(json_object *watchdogs);
