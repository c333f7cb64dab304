/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Preloaded into the lfad that ships: how many slots it holds of sd-bus, which does not tell: questions without an
 * answer yet, matches, objects. They are those that it got and has not given back; the soak asserts that no more remain
 * than there were. All functions by which lfad gets one stand here. */

#include "virtual-time.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <systemd/sd-bus.h>

static void *next_symbol(const char *name) {
        void *symbol = dlsym(RTLD_NEXT, name);

        if (!symbol)
                abort();
        return symbol;
}

#define HELD_MAX 65536

typedef struct Held {
        const sd_bus_slot *slot;
        unsigned references;
} Held;

/* One thread alone uses the bus. */
static Held held[HELD_MAX];
static int held_count;

#define NEXT(name) ((__typeof__(&name)) next_symbol(#name))

static Held *find_held(const sd_bus_slot *slot) {
        for (int i = 0; i < held_count; i++)
                if (held[i].slot == slot)
                        return &held[i];
        return NULL;
}

static void tell(void) {
        if (virtual_time_page())
                atomic_store(&virtual_time_page()->bus_slots, held_count);
}

/* A slot that the caller did not want to have is the bus' own. Some functions are made of others, and were here before.
 */
static int take(int r, sd_bus_slot *const *slot) {
        if (r < 0 || !slot || find_held(*slot))
                return r;
        if (held_count == HELD_MAX)
                abort();
        held[held_count++] = (Held){ *slot, 1 };
        tell();
        return r;
}

/* sd-bus itself calls this and the next by way of these, too: around callbacks, and for slots of its own. */
sd_bus_slot *sd_bus_slot_ref(sd_bus_slot *slot) {
        Held *mine = find_held(slot);

        if (mine)
                mine->references++;
        return NEXT(sd_bus_slot_ref)(slot);
}

sd_bus_slot *sd_bus_slot_unref(sd_bus_slot *slot) {
        Held *mine = find_held(slot);

        if (mine && --mine->references == 0) {
                *mine = held[--held_count];
                tell();
        }
        return NEXT(sd_bus_slot_unref)(slot);
}

int sd_bus_call_async(sd_bus *bus, sd_bus_slot **slot, sd_bus_message *call,
                      sd_bus_message_handler_t answered, void *userdata, uint64_t usec) {
        return take(NEXT(sd_bus_call_async)(bus, slot, call, answered, userdata, usec), slot);
}

int sd_bus_call_method_async(sd_bus *bus, sd_bus_slot **slot, const char *destination, const char *path,
                             const char *interface, const char *member, sd_bus_message_handler_t answered,
                             void *userdata, const char *types, ...) {
        va_list arguments;
        int r;

        va_start(arguments, types);
        r = NEXT(sd_bus_call_method_asyncv)(bus, slot, destination, path, interface, member, answered,
                                            userdata, types, arguments);
        va_end(arguments);
        return take(r, slot);
}

int sd_bus_request_name_async(sd_bus *bus, sd_bus_slot **slot, const char *name, uint64_t flags,
                              sd_bus_message_handler_t answered, void *userdata) {
        return take(NEXT(sd_bus_request_name_async)(bus, slot, name, flags, answered, userdata), slot);
}

int sd_bus_add_match_async(sd_bus *bus, sd_bus_slot **slot, const char *match,
                           sd_bus_message_handler_t received, sd_bus_message_handler_t installed,
                           void *userdata) {
        return take(NEXT(sd_bus_add_match_async)(bus, slot, match, received, installed, userdata), slot);
}

int sd_bus_match_signal(sd_bus *bus, sd_bus_slot **slot, const char *sender, const char *path,
                        const char *interface, const char *member, sd_bus_message_handler_t received,
                        void *userdata) {
        return take(NEXT(sd_bus_match_signal)(bus, slot, sender, path, interface, member, received,
                                              userdata),
                    slot);
}

int sd_bus_add_object_vtable(sd_bus *bus, sd_bus_slot **slot, const char *path, const char *interface,
                             const sd_bus_vtable *vtable, void *userdata) {
        return take(NEXT(sd_bus_add_object_vtable)(bus, slot, path, interface, vtable, userdata), slot);
}

int sd_bus_add_fallback_vtable(sd_bus *bus, sd_bus_slot **slot, const char *path, const char *interface,
                               const sd_bus_vtable *vtable, sd_bus_object_find_t find, void *userdata) {
        return take(NEXT(sd_bus_add_fallback_vtable)(bus, slot, path, interface, vtable, find, userdata),
                    slot);
}

int sd_bus_add_node_enumerator(sd_bus *bus, sd_bus_slot **slot, const char *path,
                               sd_bus_node_enumerator_t enumerate, void *userdata) {
        return take(NEXT(sd_bus_add_node_enumerator)(bus, slot, path, enumerate, userdata), slot);
}

int sd_bus_add_object_manager(sd_bus *bus, sd_bus_slot **slot, const char *path) {
        return take(NEXT(sd_bus_add_object_manager)(bus, slot, path), slot);
}
