// SPDX-License-Identifier: GPL-2.0-only
/* The firmware. All its state is below one spin lock, which nobody can hold while the CPUs are stopped:
 * whoever holds it cannot be preempted. */

#include "firmware.h"

#include <linux/atomic.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/wait.h>

#define COMPONENTS_MAX 16
#define NOBODY (-1)

static DEFINE_SPINLOCK(lock);
static struct firmware_component components[COMPONENTS_MAX];
static unsigned int n_components;
static int primed = NOBODY;
static struct {
        int code;
        unsigned int left;
} failures[_CALL_MAX];
static u64 stall_ns;
static unsigned int call_again;
static struct pid *victim;
static struct firmware_stalls stalls;

static bool hangs;
static DECLARE_WAIT_QUEUE_HEAD(hang_changed);

/* One rendezvous: the first CPU that comes does the work, the others wait for its answer. */
static struct {
        atomic_t entered;
        int done;
        int code;
        bool again;
} rendezvous;

static int take_failure(enum firmware_call call) {
        if (failures[call].left == 0)
                return LFA_SUCCESS;
        failures[call].left--;
        return failures[call].code;
}

static bool is_component(int id) {
        return id >= 0 && (unsigned int) id < n_components;
}

static int find(const char *guid) {
        for (unsigned int i = 0; i < n_components; i++)
                if (strcmp(components[i].guid, guid) == 0)
                        return i;
        return -ENOENT;
}

int firmware_get_info(unsigned int *ret_count) {
        unsigned long flags;
        int code;

        spin_lock_irqsave(&lock, flags);
        code = take_failure(CALL_INFO);
        *ret_count = n_components;
        spin_unlock_irqrestore(&lock, flags);
        return code;
}

int firmware_get_inventory(int id, struct firmware_component *ret) {
        unsigned long flags;
        int code = LFA_INVALID_PARAMETERS;

        spin_lock_irqsave(&lock, flags);
        if (is_component(id)) {
                *ret = components[id];
                code = LFA_SUCCESS;
        }
        spin_unlock_irqrestore(&lock, flags);
        return code;
}

static int prime(int id) {
        int code = take_failure(CALL_PRIME);

        if (code != LFA_SUCCESS)
                return code;
        if (!is_component(id))
                return LFA_INVALID_PARAMETERS;
        if (!components[id].pending || (primed != NOBODY && primed != id))
                return LFA_WRONG_STATE;
        primed = id;
        return LFA_SUCCESS;
}

int firmware_prime(int id, bool *ret_again) {
        unsigned long flags;
        int code;

        wait_event(hang_changed, !READ_ONCE(hangs));
        spin_lock_irqsave(&lock, flags);
        code = prime(id);
        spin_unlock_irqrestore(&lock, flags);
        *ret_again = false;
        return code;
}

/* With the lock held. */
static int replace(int id, bool *ret_again) {
        int code = take_failure(CALL_ACTIVATE);

        *ret_again = false;
        if (code != LFA_SUCCESS)
                return code;
        if (!is_component(id) || primed != id)
                return LFA_COMPONENT_WRONG_STATE;
        if (call_again > 0) {
                call_again--;
                *ret_again = true;
                return LFA_SUCCESS;
        }
        components[id].current_version = components[id].pending_version;
        components[id].pending_version = 0;
        components[id].pending = false;
        primed = NOBODY;
        return LFA_SUCCESS;
}

static void count_stall(u64 held_ns) {
        stalls.count++;
        stalls.sum_ns += held_ns;
        stalls.largest_ns = max(stalls.largest_ns, held_ns);
}

/* What is measured is the time in between, for which no CPU can have done anything else. */
static void stall(void) {
        u64 begin = ktime_get_raw_fast_ns(), now = begin;

        while (now - begin < stall_ns) {
                cpu_relax();
                now = ktime_get_raw_fast_ns();
        }
        if (victim) {
                kill_pid(victim, SIGKILL, 1);
                put_pid(victim);
                victim = NULL;
        }
        if (stall_ns > 0)
                count_stall(ktime_get_raw_fast_ns() - begin);
}

void firmware_expect_activate(void) {
        atomic_set(&rendezvous.entered, 0);
        WRITE_ONCE(rendezvous.done, 0);
}

int firmware_activate(int id, bool *ret_again) {
        if (atomic_inc_return(&rendezvous.entered) == 1) {
                unsigned long flags;

                stall();
                spin_lock_irqsave(&lock, flags);
                rendezvous.code = replace(id, &rendezvous.again);
                spin_unlock_irqrestore(&lock, flags);
                smp_store_release(&rendezvous.done, 1);
        } else
                while (!smp_load_acquire(&rendezvous.done))
                        cpu_relax();
        *ret_again = rendezvous.again;
        return rendezvous.code;
}

int firmware_cancel(int id) {
        unsigned long flags;
        int code;

        spin_lock_irqsave(&lock, flags);
        code = take_failure(CALL_CANCEL);
        if (code == LFA_SUCCESS && (!is_component(id) || primed != id))
                code = LFA_INVALID_PARAMETERS;
        if (code == LFA_SUCCESS)
                primed = NOBODY;
        spin_unlock_irqrestore(&lock, flags);
        return code;
}

int firmware_add(const char *guid, u64 version) {
        unsigned long flags;
        int r = 0;

        spin_lock_irqsave(&lock, flags);
        if (find(guid) >= 0)
                r = -EEXIST;
        else if (n_components == COMPONENTS_MAX)
                r = -ENOSPC;
        else {
                struct firmware_component *component = &components[n_components++];

                *component = (struct firmware_component){ .current_version = version };
                strscpy(component->guid, guid, sizeof(component->guid));
        }
        spin_unlock_irqrestore(&lock, flags);
        return r;
}

int firmware_remove(const char *guid) {
        unsigned long flags;
        int id;

        spin_lock_irqsave(&lock, flags);
        id = find(guid);
        if (id >= 0) {
                primed = NOBODY;
                memmove(&components[id], &components[id + 1],
                        (n_components - id - 1) * sizeof(components[0]));
                n_components--;
        }
        spin_unlock_irqrestore(&lock, flags);
        return id < 0 ? id : 0;
}

int firmware_stage(const char *guid, u64 version) {
        unsigned long flags;
        int id;

        spin_lock_irqsave(&lock, flags);
        id = find(guid);
        if (id >= 0) {
                components[id].pending_version = version;
                components[id].pending = true;
        }
        spin_unlock_irqrestore(&lock, flags);
        return id < 0 ? id : 0;
}

int firmware_set_flags(const char *guid, bool may_reset, bool rendezvous_optional) {
        unsigned long flags;
        int id;

        spin_lock_irqsave(&lock, flags);
        id = find(guid);
        if (id >= 0) {
                components[id].may_reset = may_reset;
                components[id].rendezvous_optional = rendezvous_optional;
        }
        spin_unlock_irqrestore(&lock, flags);
        return id < 0 ? id : 0;
}

void firmware_fail(enum firmware_call call, int code, unsigned int times) {
        unsigned long flags;

        spin_lock_irqsave(&lock, flags);
        failures[call].code = code;
        failures[call].left = times;
        spin_unlock_irqrestore(&lock, flags);
}

void firmware_set_stall(unsigned int ms) {
        WRITE_ONCE(stall_ns, (u64) ms * NSEC_PER_MSEC);
}

void firmware_set_call_again(unsigned int n) {
        WRITE_ONCE(call_again, n);
}

void firmware_set_hang(bool value) {
        WRITE_ONCE(hangs, value);
        wake_up_all(&hang_changed);
}

void firmware_set_victim(struct pid *pid) {
        put_pid(xchg(&victim, pid));
}

struct firmware_stalls firmware_get_stalls(void) {
        return stalls;
}

void firmware_forget_stalls(void) {
        stalls = (struct firmware_stalls){ 0 };
}

/* A known image with an old name, one more, and one that the driver has no name for. */
void firmware_init(void) {
        firmware_add("47d4086d-4cfe-9846-9b95-2950cbbd5a00", (2ULL << 32) | 10);
        firmware_add("6c0762a6-12f2-4b56-92cb-ba8f633606d9", (1ULL << 32) | 2);
        firmware_add("0509b633-5734-422f-a681-6096e932d93a", 4ULL << 32);
}

void firmware_exit(void) {
        firmware_set_victim(NULL);
}
