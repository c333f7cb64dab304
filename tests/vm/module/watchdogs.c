// SPDX-License-Identifier: GPL-2.0-only
/* Two watchdogs that bite nobody, and show what real ones show. Each is there while its parameter is 1:
 *
 *   short_heartbeat  the hardware holds 8 s, whatever time-out is asked for: the kernel feeds it in between
 *   running          firmware has started it, nobody has opened it: the kernel feeds it
 */

#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/watchdog.h>

#define HEARTBEAT_SEC 8
#define TIMEOUT_SEC 60
#define MAX_SEC 600

struct dog {
        struct watchdog_device device;
        unsigned long fed; /* jiffies */
        bool registered;
};

static struct dog *dog_of(struct watchdog_device *device) {
        return container_of(device, struct dog, device);
}

static int feed(struct watchdog_device *device) {
        dog_of(device)->fed = jiffies;
        return 0;
}

static int start(struct watchdog_device *device) {
        set_bit(WDOG_HW_RUNNING, &device->status);
        return feed(device);
}

static int stop(struct watchdog_device *device) {
        clear_bit(WDOG_HW_RUNNING, &device->status);
        return 0;
}

static int set_timeout(struct watchdog_device *device, unsigned int seconds) {
        device->timeout = seconds;
        return feed(device);
}

static unsigned int get_timeleft(struct watchdog_device *device) {
        unsigned long since = jiffies - dog_of(device)->fed, holds = HEARTBEAT_SEC * HZ;

        if (!watchdog_hw_running(device) || since >= holds)
                return 0;
        return (holds - since) / HZ;
}

static const struct watchdog_ops ops = {
        .owner = THIS_MODULE,
        .start = start,
        .stop = stop,
        .ping = feed,
        .set_timeout = set_timeout,
        .get_timeleft = get_timeleft,
};

static const struct watchdog_info short_info = {
        .identity = "lfad test, short heartbeat",
        .options = WDIOF_SETTIMEOUT | WDIOF_KEEPALIVEPING | WDIOF_MAGICCLOSE,
};

static const struct watchdog_info running_info = {
        .identity = "lfad test, running",
        .options = WDIOF_SETTIMEOUT | WDIOF_KEEPALIVEPING | WDIOF_MAGICCLOSE,
};

static struct dog short_dog = {
        .device = { .info = &short_info, .ops = &ops },
};
static struct dog running_dog = {
        .device = { .info = &running_info, .ops = &ops },
};

static int dog_register(struct dog *dog) {
        int r;

        dog->device.timeout = TIMEOUT_SEC;
        dog->device.min_timeout = 1;
        dog->device.max_hw_heartbeat_ms = HEARTBEAT_SEC * 1000;
        dog->device.status = 0;
        if (dog == &running_dog)
                start(&dog->device);
        r = watchdog_register_device(&dog->device);
        dog->registered = r >= 0;
        return r;
}

static void dog_unregister(struct dog *dog) {
        watchdog_unregister_device(&dog->device);
        dog->registered = false;
}

static int set_presence(const char *text, const struct kernel_param *parameter) {
        struct dog *dog = parameter->arg;
        bool wanted;
        int r = kstrtobool(text, &wanted);

        if (r < 0 || wanted == dog->registered)
                return r;
        if (wanted)
                return dog_register(dog);
        dog_unregister(dog);
        return 0;
}

static int get_presence(char *buffer, const struct kernel_param *parameter) {
        const struct dog *dog = parameter->arg;

        return sysfs_emit(buffer, "%d\n", dog->registered);
}

static const struct kernel_param_ops presence_ops = {
        .set = set_presence,
        .get = get_presence,
};
module_param_cb(short_heartbeat, &presence_ops, &short_dog, 0644);
module_param_cb(running, &presence_ops, &running_dog, 0644);

static int __init begin(void) {
        return 0;
}

static void __exit end(void) {
        if (short_dog.registered)
                dog_unregister(&short_dog);
        if (running_dog.registered)
                dog_unregister(&running_dog);
}

module_init(begin);
module_exit(end);
MODULE_DESCRIPTION("Awkward watchdogs that bite nobody");
MODULE_LICENSE("GPL");
