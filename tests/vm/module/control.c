// SPDX-License-Identifier: GPL-2.0-only
/* The test's side. One command a write:
 *
 *   add GUID VERSION, remove GUID    firmware has a component more, or less: the next inventory shows it
 *   stage GUID VERSION               new firmware is pending
 *   flags GUID MAY_RESET OPTIONAL    two of its flags, 0 or 1: the next inventory shows them
 *   fail CALL CODE TIMES             CALL: info, prime, activate or cancel
 *   stall MS                         for how long each ACTIVATE holds all CPUs
 *   again N                          the next N ACTIVATE calls want to be called again
 *   hang 0|1                         whether PRIME does not return
 *   kill PID                         SIGKILL at the end of the next stall
 *   cleanup MS                       for how long directories of what has gone stay
 */

#include "control.h"
#include "driver.h"
#include "firmware.h"

#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#define WORDS_MAX 4

static struct kobject *folder;

static int parse_version(const char *text, u64 *ret) {
        unsigned int major, minor;
        char rest;

        if (sscanf(text, "%u.%u%c", &major, &minor, &rest) != 2)
                return -EINVAL;
        *ret = (u64) major << 32 | minor;
        return 0;
}

static int parse_call(const char *text, enum firmware_call *ret) {
        static const char *const calls[_CALL_MAX] = {
                [CALL_INFO] = "info",
                [CALL_PRIME] = "prime",
                [CALL_ACTIVATE] = "activate",
                [CALL_CANCEL] = "cancel",
        };
        int i = match_string(calls, _CALL_MAX, text);

        if (i < 0)
                return -EINVAL;
        *ret = i;
        return 0;
}

static int run_add(char **words) {
        u64 version;
        int r = parse_version(words[2], &version);

        return r < 0 ? r : firmware_add(words[1], version);
}

static int run_remove(char **words) {
        return firmware_remove(words[1]);
}

static int run_stage(char **words) {
        u64 version;
        int r = parse_version(words[2], &version);

        return r < 0 ? r : firmware_stage(words[1], version);
}

static int run_flags(char **words) {
        bool may_reset, optional;
        int r = kstrtobool(words[2], &may_reset);

        if (r >= 0)
                r = kstrtobool(words[3], &optional);
        return r < 0 ? r : firmware_set_flags(words[1], may_reset, optional);
}

static int run_fail(char **words) {
        enum firmware_call call;
        unsigned int times;
        int code, r = parse_call(words[1], &call);

        if (r >= 0)
                r = kstrtoint(words[2], 10, &code);
        if (r >= 0)
                r = kstrtouint(words[3], 10, &times);
        if (r >= 0)
                firmware_fail(call, code, times);
        return r;
}

static int run_stall(char **words) {
        unsigned int ms;
        int r = kstrtouint(words[1], 10, &ms);

        if (r < 0)
                return r;
        firmware_set_stall(ms);
        firmware_forget_stalls();
        return 0;
}

static int run_again(char **words) {
        unsigned int n;
        int r = kstrtouint(words[1], 10, &n);

        if (r >= 0)
                firmware_set_call_again(n);
        return r;
}

static int run_hang(char **words) {
        bool hangs;
        int r = kstrtobool(words[1], &hangs);

        if (r >= 0)
                firmware_set_hang(hangs);
        return r;
}

static int run_kill(char **words) {
        struct pid *pid;
        int number, r = kstrtoint(words[1], 10, &number);

        if (r < 0)
                return r;
        pid = find_get_pid(number);
        if (!pid)
                return -ESRCH;
        firmware_set_victim(pid);
        return 0;
}

static int run_cleanup(char **words) {
        unsigned int ms;
        int r = kstrtouint(words[1], 10, &ms);

        if (r >= 0)
                driver_set_cleanup(ms);
        return r;
}

static const struct {
        const char *name;
        int n_words;
        int (*run)(char **words);
} commands[] = {
        { "add", 3, run_add },         { "remove", 2, run_remove }, { "stage", 3, run_stage },
        { "flags", 4, run_flags },     { "fail", 4, run_fail },     { "stall", 2, run_stall },
        { "again", 2, run_again },     { "hang", 2, run_hang },     { "kill", 2, run_kill },
        { "cleanup", 2, run_cleanup },
};

static int run_line(char *line) {
        char *words[WORDS_MAX];
        int n = 0;

        for (char *word; (word = strsep(&line, " "));) {
                if (n == WORDS_MAX)
                        return -EINVAL;
                words[n++] = word;
        }
        for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
                if (strcmp(commands[i].name, words[0]) == 0)
                        return n == commands[i].n_words ? commands[i].run(words) : -EINVAL;
        return -EINVAL;
}

static ssize_t control_store(struct kobject *object, struct kobj_attribute *attribute, const char *buffer,
                             size_t size) {
        char *line = kstrndup(buffer, size, GFP_KERNEL);
        int r;

        if (!line)
                return -ENOMEM;
        r = run_line(strim(line));
        kfree(line);
        return r < 0 ? r : size;
}

/* How many writes to `activate` there were, whatever came of them. */
static ssize_t stores_show(struct kobject *object, struct kobj_attribute *attribute, char *buffer) {
        return sysfs_emit(buffer, "%llu\n", driver_count_stores());
}

/* Since the last `stall`, in ns: how often, the longest, all together. */
static ssize_t held_show(struct kobject *object, struct kobj_attribute *attribute, char *buffer) {
        struct firmware_stalls stalls = firmware_get_stalls();

        return sysfs_emit(buffer, "%llu %llu %llu\n", stalls.count, stalls.largest_ns, stalls.sum_ns);
}

static struct kobj_attribute control_attribute = __ATTR_WO(control);
static struct kobj_attribute stores_attribute = __ATTR_RO(stores);
static struct kobj_attribute held_attribute = __ATTR_RO(held);

static const struct attribute *const attributes[] = {
        &control_attribute.attr,
        &stores_attribute.attr,
        &held_attribute.attr,
        NULL,
};

int control_init(void) {
        int r;

        folder = kobject_create_and_add("lfa-test", kernel_kobj);
        if (!folder)
                return -ENOMEM;
        r = sysfs_create_files(folder, attributes);
        if (r < 0)
                kobject_put(folder);
        return r;
}

void control_exit(void) {
        kobject_put(folder);
}
