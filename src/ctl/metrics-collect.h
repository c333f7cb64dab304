/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From what lfad tells to samples. What lfad does not know, or does not have, gets none: 0 would be a lie. */

#include "ctl/managed-objects.h"
#include "ctl/metrics-text.h"

/* A host with more images than this has no samples of single ones. */
#define METRIC_IMAGES_MAX 64

/* The manager, its images and its jobs. */
void metrics_take_inventory(Metrics *metrics, const Inventory *inventory);

/* What ListInhibitors and GetWatchdogs gave. */
void metrics_take_inhibitors(Metrics *metrics, json_object *inhibitors);
void metrics_take_watchdogs(Metrics *metrics, json_object *watchdogs);
