/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which image goes before which. Firmware has no such data (LFA knows no dependencies): the platform's
 * policy says it, as After= of the configuration. Pure: a relation between GUIDs, and what follows from it
 * for the images that are there to be activated.
 *
 * A GUID may be given in either form: both texts of the same bytes are one image here. The relation is
 * transitive: if b goes after a and c after b, then c goes after a, also while b is not there. */

#include "core/image-values.h"

#include <glib.h>

typedef struct Order Order;

Order *order_new(void);
void *order_free(Order *order);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Order, order_free)

/* guid goes after first. Both must be valid; they are copied. An image that goes after itself, directly or
 * by way of others, is a circle: nothing is refused here. */
void order_add(Order *order, const char *guid, const char *first);

bool order_is_empty(const Order *order);

/* Whether anything is to go before this image, be it there or not. */
bool order_has_first(const Order *order, const char *guid);

/* guids: n texts as they were added, each of which goes before the next one, the last one being the first
 * one again. All are borrowed. */
typedef void (*OrderCircle)(const char *const *guids, unsigned n, void *userdata);

/* Calls found for circles: for at least one when there is any; without those whose last step was told, none
 * is left. In the order in which the relation was added. */
void order_find_circles(const Order *order, OrderCircle found, void *userdata);

/* Those of the candidates (const char *, GUIDs) that must go before guid, in the order in which they are to
 * go. The caller unrefs the array; what it holds is borrowed from candidates. Costs no more than a look when
 * nothing is known of guid. */
GPtrArray *order_find_first(const Order *order, const char *guid, const GPtrArray *candidates);

/* Sorts images (const char *, GUIDs): as the relation wants it, and by GUID wherever it leaves a choice.
 * Meant for a few: the effort grows with the cube of their number. */
void order_sort(const Order *order, GPtrArray *guids);

/* Whether images that go after this one have to wait for it now: something is pending for it, and an
 * activation could change that. Not when firmware could never activate it live, when the version on offer is
 * the one that runs, nor when an activation to this very version was accepted without effect
 * (activated_without_effect): such an image may be pending for ever. What could not be read counts against
 * going ahead. */
bool order_waits_for(const ImageValues *image, bool activated_without_effect);
