/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The fields that log entries about the same thing have in common (lfa/message-fields.h); an entry takes them. */

#include "daemon/manager.h"
#include "util/log.h"

/* Which job, and of what. */
LogFields *job_fields(const Job *job);

LogFields *image_fields(const Image *image);

/* The same of the image with this GUID, which need not be there; "" = all images: no fields. */
LogFields *guid_fields(Manager *manager, const char *guid);

/* Adds who asked. */
LogFields *add_requester(LogFields *fields, const Requester *requester);
