/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A driver and its firmware under virtual time, for tests of the model: no step really takes any. */

#include "sim/driver.h"

#define RMM "6c0762a6-12f2-4b56-92cb-ba8f633606d9"
#define BL31 "47d4086d-4cfe-9846-9b95-2950cbbd5a00"
#define SCP "65922703-2f74-e644-8dff-579ac1ff0610"
#define UNKNOWN "0509b633-5734-422f-a681-6096e932d93a"
#define SP1 "f07b2a96-1d47-4d17-9ec8-86a64e253e5c"
#define BL33 "d6d0eea7-fcea-d54b-9782-9934f234b6e4"

#define VERSION(major, minor) ((uint64_t) (major) << 32 | (minor))

typedef struct World {
        Firmware *firmware;
        Driver *driver;
        uint64_t now;     /* µs */
        unsigned n_steps; /* of all calls driven so far */
        char text[128];   /* of the last read */
} World;

/* Bound at once, at time 1000000. */
World *world_new(const char *profile, const char *model);
World *world_free(World *world);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(World, world_free)

FirmwareComponent *world_component(World *world, const char *guid);
DriverImage *world_image(World *world, const char *guid);
/* Stages and reads activation_pending, as a daemon would. */
void world_offer(World *world, const char *guid, uint64_t version);

/* Advances virtual time while the call goes on; fails the test if it waits for another call. */
ssize_t world_drive(World *world, DriverCall *call);
/* The same, with the call freed. */
ssize_t world_write(World *world, const char *guid, SysfsAttribute attribute, const char *data);
ssize_t world_activate(World *world, const char *guid);
/* The text without its line end, or NULL with the errno in *ret_errno (may be NULL). */
const char *world_read(World *world, const char *guid, SysfsAttribute attribute, int *ret_errno);
/* A store of activate as a call that the test steps itself. */
DriverCall *world_start(World *world, const char *guid);
/* Lets time pass with everything due done in it. */
void world_pass(World *world, uint64_t usec);

/* Takes the queued events: their actions, separated by blanks. Free with g_free. */
char *world_events(World *world);
/* How many log lines contain the text. */
unsigned world_logged(const World *world, const char *text);
