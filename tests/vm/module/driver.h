/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LFA_TEST_DRIVER_H
#define LFA_TEST_DRIVER_H

/* The driver as userspace meets version "nvnew" of it: /sys/firmware/lfa, and the device whose uevents tell
 * of it. */

#include "firmware.h"

#include <linux/kobject.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>

/* One directory. The values are those of the last inventory; they are read without a lock. */
struct image {
        struct kobject kobj;
        struct list_head node; /* below inventory_lock for writing, and run_lock */
        char guid[GUID_SIZE_TEXT];
        int id; /* firmware's, or -1: firmware has it no more, and the directory will go */
        bool capable, pending, may_reset, rendezvous_optional;
        bool force_rendezvous, auto_activate;
        u64 current_version;
};

extern struct list_head images;
extern struct mutex run_lock;              /* one run at a time, and none while directories are removed */
extern struct rw_semaphore inventory_lock; /* written by an ACTIVATE and the inventory behind it */

/* Creates a directory in the tree. Returns 0 or a negative errno. */
int image_add(struct kset *tree, const struct firmware_component *component, int id);
void image_store_inventory(struct image *image, const struct firmware_component *component, int id);
void image_invalidate(struct image *image);
const char *image_name(const struct image *image);

/* Sends CANCEL, with inventory_lock held. Returns what firmware answers. */
int driver_cancel(const struct image *image);
/* A write to `activate`. Returns 0, -EBUSY or -ECANCELED. */
int driver_activate(struct image *image);

u64 driver_count_stores(void);
/* For how long the removal of directories takes. */
void driver_set_cleanup(unsigned int ms);

int lfa_driver_init(void);
void lfa_driver_exit(void);

#endif
