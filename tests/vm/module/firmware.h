/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LFA_TEST_FIRMWARE_H
#define LFA_TEST_FIRMWARE_H

/* Firmware, as the driver calls it: components with versions, of which one at a time can be primed. What it
 * is told to do wrong, and for how long ACTIVATE holds the CPUs, is set by the control file. */

#include <linux/types.h>

struct pid;

#define GUID_SIZE_TEXT 37

enum {
        LFA_SUCCESS = 0,
        LFA_WRONG_STATE = -7,
        LFA_INVALID_PARAMETERS = -8,
        LFA_COMPONENT_WRONG_STATE = -9,
        LFA_DEVICE_ERROR = -6,
        LFA_BUSY = -2,
        LFA_CODE_MIN = -11,
};

enum firmware_call {
        CALL_INFO,
        CALL_PRIME,
        CALL_ACTIVATE,
        CALL_CANCEL,
        _CALL_MAX,
};

struct firmware_component {
        char guid[GUID_SIZE_TEXT];
        bool pending, may_reset, rendezvous_optional;
        u64 current_version, pending_version; /* major in the upper half */
};

/* For how long ACTIVATE held the CPUs since firmware_forget_stalls(). */
struct firmware_stalls {
        u64 count, largest_ns, sum_ns;
};

/* The calls. Each returns LFA_SUCCESS or a negative code. ids: 0 to count - 1. */
int firmware_get_info(unsigned int *ret_count);
int firmware_get_inventory(int id, struct firmware_component *ret);
/* May sleep for as long as it is told to hang. */
int firmware_prime(int id, bool *ret_again);
/* Before the CPUs are stopped: one ACTIVATE follows, issued by each of them. */
void firmware_expect_activate(void);
/* On each CPU of a rendezvous, with interrupts off: returns on all of them when the stall is over. */
int firmware_activate(int id, bool *ret_again);
int firmware_cancel(int id);

/* What it is told. Returns 0, -EEXIST, -ENOENT (no such component) or -ENOSPC. */
int firmware_add(const char *guid, u64 version);
int firmware_remove(const char *guid);
int firmware_stage(const char *guid, u64 version);
int firmware_set_flags(const char *guid, bool may_reset, bool rendezvous_optional);
/* The next `times` calls are answered with that code. */
void firmware_fail(enum firmware_call call, int code, unsigned int times);
void firmware_set_stall(unsigned int ms);
/* The next n ACTIVATE calls are answered "call again". */
void firmware_set_call_again(unsigned int n);
/* PRIME does not return until this is called with false. */
void firmware_set_hang(bool hangs);
/* The next stall sends SIGKILL to that process; takes the reference. NULL: to none. */
void firmware_set_victim(struct pid *victim);
struct firmware_stalls firmware_get_stalls(void);
void firmware_forget_stalls(void);

void firmware_init(void);
void firmware_exit(void);

#endif
