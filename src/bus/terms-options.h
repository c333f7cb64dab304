/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The options that say on what terms an activation is asked for. Shared by Activate, ActivatePending and Explain. */

#include "bus/options.h"
#include "bus/request.h"

/* Rows of a table of options. */
/* clang-format off */
#define TERMS_OPTIONS \
        { "override", OPTION_STRINGS, offsetof(Request, override) }, \
        { "unattended", OPTION_BOOL, offsetof(Request, terms.unattended) }, \
        { "reason", OPTION_STRING, offsetof(Request, reason) }
/* clang-format on */

/* After the options were read: what they come to. A request that passes over gates asks polkit about another action.
 * Returns 0, or a negative errno with error set. */
int request_settle_terms(Request *request, sd_bus_error *error);
