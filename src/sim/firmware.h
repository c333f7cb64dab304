/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The firmware behind the driver: components, the six LFA calls, and faults on demand. Pure: no clock, no
 * thread, no descriptor. How long a call takes is told (FirmwareTiming), the caller lets the time pass and
 * then makes the call, whose effect is immediate. A component's id is its place in the inventory. */

#include "sim/lfa-codes.h"
#include "util/guid.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum SmcKind {
        SMC_INFO,
        SMC_INVENTORY,
        SMC_PRIME,
        SMC_ACTIVATE,
        SMC_CANCEL,
        _SMC_MAX,
        _SMC_INVALID = -EINVAL,
} SmcKind;

/* For ever, as a number of times. */
#define FOR_EVER UINT64_MAX

typedef enum PrimeState {
        PRIME_NONE,
        PRIME_STARTED, /* call-again was answered, or (TF-A) the PRIME failed */
        PRIME_COMPLETE,
} PrimeState;

/* What ACTIVATE does when nothing refuses it. */
typedef enum ActivateOutcome {
        OUTCOME_NORMAL,
        OUTCOME_NO_CHANGE,        /* success is answered, nothing was replaced */
        OUTCOME_CHANGE_THEN_FAIL, /* replaced, and an error is answered nevertheless */
        OUTCOME_CHANGE_THEN_BUSY, /* replaced, and BUSY is answered: one CPU came too late */
        OUTCOME_DEGRADE,          /* replaced, failed, and out of order until the next boot */
        OUTCOME_VERSION,          /* replaced by another version than the one on offer */
        _OUTCOME_MAX,
        _OUTCOME_INVALID = -EINVAL,
} ActivateOutcome;

/* Faults, for one component or (in Firmware) for all; each left counts down to 0. */
typedef struct FirmwareFaults {
        struct {
                int code;
                uint64_t left;
        } fail[_SMC_MAX];
        uint64_t busy[_SMC_MAX];       /* PRIME and ACTIVATE */
        uint64_t call_again[_SMC_MAX]; /* PRIME and ACTIVATE */
        ActivateOutcome outcome;
        uint64_t outcome_version;
} FirmwareFaults;

typedef struct FirmwareComponent {
        char guid[GUID_STRING_SIZE];
        uint64_t current_version;
        uint64_t staged_version;
        bool staged;          /* another image lies ready */
        bool pending_latched; /* pending as seen by the last GET_INVENTORY, for models that keep it */
        bool capable;
        bool may_reset;
        bool rendezvous_optional;
        bool degraded; /* out of order; no attribute shows it */
        bool vanished; /* answers nothing any more; its id is given away at the next GET_INFO */
        PrimeState prime;
        FirmwareFaults faults;
} FirmwareComponent;

/* A component as a model has it from the start. image: alias or GUID. */
typedef struct ComponentDefault {
        const char *image;
        uint64_t version;
        bool capable, may_reset, rendezvous_optional, staged;
} ComponentDefault;

/* One row per firmware implementation: what it does differently. */
typedef struct FirmwareModel {
        const char *name;
        const char *description;
        bool has_versions;      /* GET_INVENTORY tells versions */
        bool pending_latched;   /* pending is re-evaluated in GET_INVENTORY only, PRIME tests the kept bit */
        bool single_prime_slot; /* one component at a time, and a failed PRIME keeps the slot until CANCEL */
        bool pending_for_ever;  /* the staged image stays on offer after a success */
        const ComponentDefault *defaults;
        size_t n_defaults;
} FirmwareModel;

/* How long calls take, in µs. read: GET_INVENTORY made for an attribute; inventory: made for a refresh. */
typedef struct FirmwareTiming {
        uint64_t prime, activate, inventory, read;
        bool hang_activate, hang_read; /* the call does not end until released */
} FirmwareTiming;

typedef struct FirmwareCounters {
        uint64_t smc[_SMC_MAX];  /* ACTIVATE: attempts */
        uint64_t activate_calls; /* ACTIVATE: one per CPU taking part */
        uint64_t skip_rendezvous;
} FirmwareCounters;

typedef struct Firmware {
        const FirmwareModel *model;
        bool agent_absent;     /* nothing answers at all */
        GPtrArray *components; /* FirmwareComponent, owned; the index is the id */
        FirmwareFaults faults;
        FirmwareTiming timing;
        FirmwareCounters counters;
        unsigned n_cpus;
} Firmware;

/* What GET_INVENTORY answers. */
typedef struct FirmwareInventory {
        char guid[GUID_STRING_SIZE];
        bool capable, pending, may_reset, rendezvous_optional;
        uint64_t current_version, pending_version; /* 0: none given */
} FirmwareInventory;

/* NULL when there is no model of that name. */
const FirmwareModel *firmware_model_find(const char *name);
const FirmwareModel *firmware_model_at(size_t index); /* NULL behind the last */

Firmware *firmware_new(const FirmwareModel *model);
Firmware *firmware_free(Firmware *firmware);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Firmware, firmware_free)

/* The operator's side. Components are found by GUID; NULL when there is none or it has vanished. */
FirmwareComponent *firmware_find(Firmware *firmware, const char *guid);
/* -EEXIST when it is there already. The new component is capable and its rendezvous optional. */
int firmware_add(Firmware *firmware, const char *guid, uint64_t version, FirmwareComponent **ret_component);
void firmware_stage(Firmware *firmware, FirmwareComponent *component, uint64_t version);
void firmware_unstage(FirmwareComponent *component);

/* The six calls. They return LFA_SUCCESS or a negative LFA code; ret_* are set only on success. */
int firmware_get_info(Firmware *firmware, unsigned *ret_count);
int firmware_get_inventory(Firmware *firmware, int id, FirmwareInventory *ret_inventory);
int firmware_prime(Firmware *firmware, int id, bool *ret_call_again);
int firmware_activate(Firmware *firmware, int id, bool skip_rendezvous, bool *ret_call_again);
int firmware_cancel(Firmware *firmware, int id);
