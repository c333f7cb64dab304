/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The options that say on what terms an activation is asked for. Shared by Activate, ActivatePending and Explain. */

#include "bus/options.h"
#include "bus/request.h"

/* Rows of a table of options. */
/* clang-format off */
#define TERMS_OPTIONS \
        { "when-allowed", OPTION_BOOL, offsetof(Request, when_allowed) }, \
        { "deadline", OPTION_U64, offsetof(Request, deadline) }, \
        { "override", OPTION_STRINGS, offsetof(Request, override) }, \
        { "unattended", OPTION_BOOL, offsetof(Request, terms.unattended) }, \
        { "reason", OPTION_STRING, offsetof(Request, reason) }
/* clang-format on */

/* After the options were read: what they come to. A request that passes over gates asks polkit about another action.
 * Returns 0, or a negative errno with error set. */
int request_settle_terms(Request *request, sd_bus_error *error);

/* Whether the deadline can be: it lies ahead, and not too far. Not judged with the other options, since who asks again
 * under the same request-id may do so after it. Returns 0, or a negative errno with error set. */
int request_check_deadline(const Request *request, sd_bus_error *error);

/* What a job is asked for on these terms; the rest of it is the caller's to fill in. */
JobRequest request_new_job(const Request *request);

/* How far ahead a deadline may be. */
#define DEADLINE_MAX_DAYS 30
