/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* lfad in a world that holds still: its own objects, manager and service as lfad.c wires them, on a bus that is this
 * program. Time goes on only when it is told to, the worker is answered for from memory, and whatever lfad asks of the
 * bus, polkit, systemd and logind is answered here. */

#include "bus/service.h"

#define LFAD ":1.1"
#define GUID_PENDING "6c0762a6-12f2-4b56-92cb-ba8f633606d9"
#define GUID_IDLE "47d4086d-4cfe-9846-9b95-2950cbbd5a00"

typedef enum PolkitSays {
        POLKIT_SAYS_YES,
        POLKIT_SAYS_NO,
        POLKIT_SAYS_CHALLENGE,
        POLKIT_SAYS_ERROR,
        POLKIT_SAYS_RUBBISH,
        POLKIT_SAYS_NOTHING,
        _POLKIT_SAYS_MAX,
} PolkitSays;

typedef struct WorldSettings {
        PolkitSays polkit;
        bool window_closed; /* there is one, and it is not open */
        bool driver_fails;  /* the write is refused */
        bool write_is_long; /* it takes some seconds */
        bool worker_fails;  /* no worker can be started once lfad is ready */
        bool keeps_files;   /* those that world_write has made, and what an earlier lfad left */
        /* Of the files that there are, some may ask for activations: in automatic mode, or as jobs that wait. */
        bool may_activate_by_itself, may_activate_kept;
} WorldSettings;

typedef struct World {
        WorldSettings settings;
        sd_event *event;
        sd_bus *bus; /* this side */
        int matches; /* that lfad has with the bus */
        bool asked_for_name;
        bool may_activate; /* somebody who may has asked for an activation */
        unsigned activations;

        ManagerSettings manager_settings;
        sd_bus *lfad_bus;
        Service *service;
        Manager *manager;
} World;

/* Files for the next world: below etc/lfad, state and run, which are /etc/lfad, /var/lib/lfad and /run/lfad to it. */
void world_clear_files(void);
void world_write(const char *name, const void *data, size_t size);

/* Never fails. lfad is ready and has its name when this returns. */
World *world_new(const WorldSettings *settings);

/* Stops lfad, and sees to it that it leaves nothing behind. */
void *world_free(World *world);

/* Everything that can happen without time going on. */
void world_run(World *world);

void world_let_time_pass(World *world, uint64_t usec);

/* Calls as root and awaits the reply, also when it is an error; the caller unrefs it. types: as for
 * sd_bus_message_append. */
sd_bus_message *world_call(World *world, const char *path, const char *interface, const char *member,
                           const char *types, ...);

/* The time that lfad sees, CLOCK_REALTIME in µs. */
uint64_t world_now(void);

/* How a client of this uid is called on the bus. */
char *world_client(uint32_t uid);

/* The client closes its connection. */
void world_vanish(World *world, uint32_t uid);
