/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Naming an image in a call, and what polkit is shown of it. Shared by Activate, ActivatePending and
 * Explain. */

#include "bus/request.h"

/* What manager_lookup_image's failure means to a caller: also that nothing could be found yet. */
int bus_error_from_lookup(const Manager *manager, int r, sd_bus_error *error);

/* By what the caller typed. Returns 0, or a negative errno with error set: NoSuchImage, AmbiguousImage,
 * NoDriver, ... */
int request_find_image(const Request *request, Image **ret, sd_bus_error *error);

/* Several, as request->images names them, into request->guids: sorted, each once; none = NULL. known (may be NULL): GUIDs
 * that mean an image, though the driver does not show it. Errors as above. */
int request_find_images(Request *request, bool (*known)(const Manager *manager, const char *guid),
                        sd_bus_error *error);

/* Adds the details images (GUIDs with blanks between, none = all) and names (for people). */
void request_show_images(Request *request);

/* Remembers the image's versions as the request's target and adds the details for polkit: guid, name, from,
 * to, rendezvous (yes, no), downgrade (yes, no, unknown); override (gates), when any is to be passed over. */
void request_show_image(Request *request, const Image *image);

/* The same for a job that was accepted under this request-id before. */
void request_show_known(Request *request, const KnownRequest *known);
