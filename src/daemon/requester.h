/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who asked for something: the uid, which the bus vouches for, and hints that tell people more. */

#include "util/json.h"

#define REQUESTER_UNIT_MAX 256

typedef struct Requester {
        uint32_t uid;
        uint32_t pid;                      /* 0 = not known */
        char unit[REQUESTER_UNIT_MAX + 1]; /* systemd's, of that process; "" = not known */
        bool logged_in;                    /* whether login_uid is known */
        uint32_t login_uid;                /* who logged in, whoever they became since */
} Requester;

/* Takes over a unit's name that may be shown: UTF-8 without control characters, not too long. Anything else leaves it
 * empty. */
void requester_set_unit(Requester *requester, const char *unit);

/* As the keys uid, pid, unit and login-uid; what is not known is absent. */
void requester_to_record(const Requester *requester, json_object *record);
void requester_from_record(json_object *record, Requester *ret);

/* For the log, like "uid 0 (pid 812, unit fleet.service, login uid 1000)". The caller frees it. */
char *requester_to_text(const Requester *requester);
