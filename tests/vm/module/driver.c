// SPDX-License-Identifier: GPL-2.0-only
/* The driver: its device on the bus, the tree, and a run from PRIME to the new inventory. */

#include "driver.h"

#include <linux/delay.h>
#include <linux/device.h>
#include <linux/firmware.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/stop_machine.h>
#include <linux/workqueue.h>

#define PREFIX "Arm LFA: "
#define PRIME_BUDGET_MS 30000
#define ACTIVATE_BUDGET_MS 10000
#define PAUSE_MS 10

LIST_HEAD(images);
DEFINE_MUTEX(run_lock);
DECLARE_RWSEM(inventory_lock);

static struct kset *tree;
static struct device *device;
static bool going;
static atomic64_t stores = ATOMIC64_INIT(0);
static unsigned int cleanup_ms;

static const char *const code_names[] = {
        "LFA_SUCCESS",
        "LFA_NOT_SUPPORTED",
        "LFA_BUSY",
        "LFA_AUTH_ERROR",
        "LFA_NO_MEMORY",
        "LFA_CRITICAL_ERROR",
        "LFA_DEVICE_ERROR",
        "LFA_WRONG_STATE",
        "LFA_INVALID_PARAMETERS",
        "LFA_COMPONENT_WRONG_STATE",
        "LFA_INVALID_ADDRESS",
        "LFA_ACTIVATION_FAILED",
};

static const char *code_name(int code) {
        return code <= 0 && code >= LFA_CODE_MIN ? code_names[-code] : code_names[-LFA_DEVICE_ERROR];
}

/* Directories of what firmware has no more are removed later, outside of the inventory lock: removing one
 * waits for those who read in it. Then, and only then, the device says that something has changed. */
static void clean_up(struct work_struct *work) {
        struct image *image, *next;

        mutex_lock(&run_lock);
        if (cleanup_ms > 0)
                msleep(cleanup_ms);
        list_for_each_entry_safe(image, next, &images, node) {
                if (image->id >= 0)
                        continue;
                down_write(&inventory_lock);
                list_del(&image->node);
                up_write(&inventory_lock);
                kobject_del(&image->kobj);
                kobject_put(&image->kobj);
        }
        if (!going)
                kobject_uevent(&device->kobj, KOBJ_CHANGE);
        mutex_unlock(&run_lock);
}
static DECLARE_WORK(cleanup, clean_up);

static struct image *find_image(const char *guid) {
        struct image *image;

        list_for_each_entry(image, &images, node) if (strcmp(image->guid, guid) == 0) return image;
        return NULL;
}

/* With the inventory lock held for writing. Returns 0, or firmware's code: then everything stays. */
static int make_inventory(void) {
        struct image *image;
        unsigned int count;
        int code = firmware_get_info(&count);

        if (code != LFA_SUCCESS) {
                pr_err(PREFIX "Error getting number of LFA components\n");
                return code;
        }
        list_for_each_entry(image, &images, node) image_invalidate(image);
        for (unsigned int id = 0; id < count; id++) {
                struct firmware_component component;

                if (firmware_get_inventory(id, &component) != LFA_SUCCESS)
                        continue;
                image = find_image(component.guid);
                if (image)
                        image_store_inventory(image, &component, id);
                else
                        (void) image_add(tree, &component, id);
        }
        return LFA_SUCCESS;
}

int driver_cancel(const struct image *image) {
        int code = firmware_cancel(image->id);

        if (code == LFA_SUCCESS)
                pr_info(PREFIX "Activation cancelled for image %s\n", image_name(image));
        else
                pr_err(PREFIX "Activation not cancelled for image %s: %s\n", image_name(image),
                       code_name(code));
        return code;
}

static bool is_over(unsigned long begin, unsigned int budget_ms) {
        return time_after(jiffies, begin + msecs_to_jiffies(budget_ms));
}

/* Its result is ignored, so that signals make it short. */
static void pause(void) {
        (void) msleep_interruptible(PAUSE_MS);
}

static int prime(const struct image *image) {
        unsigned long begin = jiffies;
        bool accepted = false;

        for (;;) {
                bool again;
                int code;

                down_read(&inventory_lock);
                code = firmware_prime(image->id, &again);
                up_read(&inventory_lock);
                if (code < 0) {
                        pr_err(PREFIX "LFA_PRIME for image %s failed: %s\n", image_name(image),
                               code_name(code));
                        if (accepted)
                                driver_cancel(image);
                        return -ECANCELED;
                }
                if (!again)
                        return 0;
                accepted = true;
                if (going || is_over(begin, PRIME_BUDGET_MS)) {
                        pr_err(PREFIX "LFA_PRIME for image %s timed out\n", image_name(image));
                        driver_cancel(image);
                        return -ECANCELED;
                }
                pause();
        }
}

struct attempt {
        int id;
        bool again;
};

static int attempt_on_cpu(void *data) {
        struct attempt *attempt = data;

        return firmware_activate(attempt->id, &attempt->again);
}

/* One ACTIVATE. The CPUs answer alike, and stop_machine() returns what one of them says. */
static int attempt_activate(const struct image *image, bool *ret_again) {
        struct attempt attempt = { .id = image->id };
        int code;

        firmware_expect_activate();
        if (image->force_rendezvous || !image->rendezvous_optional)
                code = stop_machine(attempt_on_cpu, &attempt, cpu_online_mask);
        else
                code = attempt_on_cpu(&attempt);
        *ret_again = attempt.again;
        return code;
}

/* A time-out has no code of its own, and is printed as an error of the device. */
static int fail_activate(const struct image *image, int code) {
        driver_cancel(image);
        pr_err(PREFIX "LFA_ACTIVATE for image %s failed: %s\n", image_name(image), code_name(code));
        return -ECANCELED;
}

/* With the inventory lock held for writing. Returns 1 when firmware wants to be called again, 0, or
 * -ECANCELED. */
static int activate_once(const struct image *image, unsigned long begin) {
        bool again;
        int code = attempt_activate(image, &again);

        if (code == LFA_SUCCESS && !again) {
                const char *name = image_name(image);

                if (make_inventory() == LFA_SUCCESS)
                        schedule_work(&cleanup);
                pr_info(PREFIX "%s: successfully activated\n", name);
                return 0;
        }
        if (code < 0 && code != LFA_BUSY)
                return fail_activate(image, code);
        if (going || is_over(begin, ACTIVATE_BUDGET_MS))
                return fail_activate(image, LFA_DEVICE_ERROR);
        return 1;
}

static int activate(const struct image *image) {
        unsigned long begin = jiffies;

        for (;;) {
                int r;

                down_write(&inventory_lock);
                r = activate_once(image, begin);
                up_write(&inventory_lock);
                if (r <= 0)
                        return r;
                pause();
        }
}

static int run(const struct image *image) {
        int r;

        if (going || image->id < 0)
                return -ECANCELED;
        if (image->may_reset) {
                pr_err(PREFIX "CPU reset not supported by kernel driver\n");
                return -ECANCELED;
        }
        r = prime(image);
        return r < 0 ? r : activate(image);
}

int driver_activate(struct image *image) {
        int r;

        atomic64_inc(&stores);
        if (!mutex_trylock(&run_lock))
                return -EBUSY;
        r = run(image);
        mutex_unlock(&run_lock);
        return r;
}

u64 driver_count_stores(void) {
        return atomic64_read(&stores);
}

void driver_set_cleanup(unsigned int ms) {
        WRITE_ONCE(cleanup_ms, ms);
}

static void remove_tree(void) {
        struct image *image, *next;

        list_for_each_entry_safe(image, next, &images, node) {
                list_del(&image->node);
                kobject_del(&image->kobj);
                kobject_put(&image->kobj);
        }
        kset_unregister(tree);
}

static int probe(struct device *bound) {
        int code;

        going = false;
        tree = kset_create_and_add("lfa", NULL, firmware_kobj);
        if (!tree)
                return -ENOMEM;
        down_write(&inventory_lock);
        code = make_inventory();
        up_write(&inventory_lock);
        if (code != LFA_SUCCESS || list_empty(&images)) {
                remove_tree();
                return -ENODEV;
        }
        pr_info(PREFIX "Live Firmware Activation: detected v1.0\n");
        schedule_work(&cleanup);
        return 0;
}

static void unbind(struct device *bound) {
        WRITE_ONCE(going, true);
        cancel_work_sync(&cleanup);
        remove_tree();
}

static int add_modalias(struct device *added, struct kobj_uevent_env *env) {
        return add_uevent_var(env, "MODALIAS=arm_smccc:arm-smccc-lfa");
}

static struct bus_type bus = {
        .name = "arm_smccc",
        .uevent = add_modalias,
        .remove = unbind,
};

static struct device_driver driver = {
        .name = "lfa_fw",
        .bus = &bus,
        .owner = THIS_MODULE,
        .probe = probe,
};

static void free_device(struct device *freed) {
        kfree(freed);
}

static int add_device(void) {
        int r;

        device = kzalloc(sizeof(*device), GFP_KERNEL);
        if (!device)
                return -ENOMEM;
        device->bus = &bus;
        device->release = free_device;
        dev_set_name(device, "arm-smccc-lfa-0");
        r = device_register(device);
        if (r < 0)
                put_device(device);
        return r;
}

int lfa_driver_init(void) {
        int r = bus_register(&bus);

        if (r < 0)
                return r;
        r = driver_register(&driver);
        if (r >= 0) {
                r = add_device();
                if (r >= 0)
                        return 0;
                driver_unregister(&driver);
        }
        bus_unregister(&bus);
        return r;
}

void lfa_driver_exit(void) {
        device_unregister(device);
        driver_unregister(&driver);
        bus_unregister(&bus);
}
