/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The six firmware calls over a table of components, as TF-A's LFA service answers them or as a firmware
 * with versions would. What differs between the two is in FirmwareModel. */

#include "sim/firmware.h"

#include "sim/texts.h"

#include <string.h>

#define DEFAULT_CPUS 4

Firmware *firmware_new(const FirmwareModel *model) {
        Firmware *firmware = g_new0(Firmware, 1);

        firmware->model = model;
        firmware->n_cpus = DEFAULT_CPUS;
        firmware->components = g_ptr_array_new_with_free_func(g_free);
        for (size_t i = 0; i < model->n_defaults; i++) {
                const ComponentDefault *row = &model->defaults[i];
                FirmwareComponent *component = g_new0(FirmwareComponent, 1);

                g_assert(image_name_parse(row->image, component->guid) >= 0);
                component->current_version = row->version;
                component->staged_version = row->staged ? row->version + 1 : 0;
                component->staged = row->staged;
                component->capable = row->capable;
                component->may_reset = row->may_reset;
                component->rendezvous_optional = row->rendezvous_optional;
                g_ptr_array_add(firmware->components, component);
        }
        return firmware;
}

Firmware *firmware_free(Firmware *firmware) {
        if (!firmware)
                return NULL;
        g_ptr_array_unref(firmware->components);
        g_free(firmware);
        return NULL;
}

FirmwareComponent *firmware_find(Firmware *firmware, const char *guid) {
        for (guint i = 0; i < firmware->components->len; i++) {
                FirmwareComponent *component = firmware->components->pdata[i];

                if (!component->vanished && strcmp(component->guid, guid) == 0)
                        return component;
        }
        return NULL;
}

int firmware_add(Firmware *firmware, const char *guid, uint64_t version, FirmwareComponent **ret_component) {
        FirmwareComponent *component;

        if (firmware_find(firmware, guid))
                return -EEXIST;
        component = g_new0(FirmwareComponent, 1);
        memcpy(component->guid, guid, GUID_STRING_SIZE);
        component->current_version = version;
        component->capable = true;
        component->rendezvous_optional = true;
        g_ptr_array_add(firmware->components, component);
        *ret_component = component;
        return 0;
}

void firmware_stage(Firmware *firmware, FirmwareComponent *component, uint64_t version) {
        component->staged = true;
        component->staged_version = version;
}

void firmware_unstage(FirmwareComponent *component) {
        component->staged = false;
        component->staged_version = 0;
}

static FirmwareComponent *component_at(Firmware *firmware, int id) {
        FirmwareComponent *component;

        if (id < 0 || (guint) id >= firmware->components->len)
                return NULL;
        component = firmware->components->pdata[id];
        return component->vanished ? NULL : component;
}

/* Counts one use of a fault down; true while it acts. */
static bool fault_take(uint64_t *left) {
        if (*left == 0)
                return false;
        if (*left != FOR_EVER)
                (*left)--;
        return true;
}

/* The component's own fault comes before the one for all; component may be NULL. */
static int fail_take(Firmware *firmware, FirmwareComponent *component, SmcKind kind) {
        if (component && fault_take(&component->faults.fail[kind].left))
                return component->faults.fail[kind].code;
        if (fault_take(&firmware->faults.fail[kind].left))
                return firmware->faults.fail[kind].code;
        return LFA_SUCCESS;
}

static bool busy_take(Firmware *firmware, FirmwareComponent *component, SmcKind kind) {
        return fault_take(&component->faults.busy[kind]) || fault_take(&firmware->faults.busy[kind]);
}

static bool call_again_take(Firmware *firmware, FirmwareComponent *component, SmcKind kind) {
        return fault_take(&component->faults.call_again[kind]) ||
               fault_take(&firmware->faults.call_again[kind]);
}

/* The bit PRIME and ACTIVATE go by. */
static bool component_is_pending(const Firmware *firmware, const FirmwareComponent *component) {
        return firmware->model->pending_latched ? component->pending_latched : component->staged;
}

/* The component other than this one that holds the only prime slot; NULL when it is free or there are many.
 */
static FirmwareComponent *slot_holder(Firmware *firmware, const FirmwareComponent *component) {
        if (!firmware->model->single_prime_slot)
                return NULL;
        for (guint i = 0; i < firmware->components->len; i++) {
                FirmwareComponent *other = firmware->components->pdata[i];

                if (other != component && other->prime != PRIME_NONE)
                        return other;
        }
        return NULL;
}

int firmware_get_info(Firmware *firmware, unsigned *ret_count) {
        int code;

        firmware->counters.smc[SMC_INFO]++;
        code = fail_take(firmware, NULL, SMC_INFO);
        if (code < 0)
                return code;

        /* A new count begins a new inventory: the ids of vanished components are given to others. */
        for (guint i = firmware->components->len; i > 0; i--) {
                FirmwareComponent *component = firmware->components->pdata[i - 1];

                if (component->vanished)
                        g_ptr_array_remove_index(firmware->components, i - 1);
        }
        *ret_count = firmware->components->len;
        return LFA_SUCCESS;
}

int firmware_get_inventory(Firmware *firmware, int id, FirmwareInventory *ret_inventory) {
        FirmwareComponent *component = component_at(firmware, id);
        bool versions = firmware->model->has_versions;
        int code;

        firmware->counters.smc[SMC_INVENTORY]++;
        if (!component)
                return LFA_INVALID_PARAMETERS;
        code = fail_take(firmware, component, SMC_INVENTORY);
        if (code < 0)
                return code;

        component->pending_latched = component->staged && component->capable;
        *ret_inventory = (FirmwareInventory){
                .capable = component->capable,
                .pending = component->pending_latched,
                .may_reset = component->may_reset,
                .rendezvous_optional = component->rendezvous_optional,
                .current_version = versions ? component->current_version : 0,
                .pending_version = versions && component->staged ? component->staged_version : 0,
        };
        memcpy(ret_inventory->guid, component->guid, GUID_STRING_SIZE);
        return LFA_SUCCESS;
}

int firmware_prime(Firmware *firmware, int id, bool *ret_call_again) {
        FirmwareComponent *component = component_at(firmware, id), *holder;
        int code;

        firmware->counters.smc[SMC_PRIME]++;
        if (!component)
                return LFA_INVALID_PARAMETERS;
        if (!component_is_pending(firmware, component))
                return LFA_WRONG_STATE;
        if (!component->capable)
                return LFA_NOT_SUPPORTED;
        if (busy_take(firmware, component, SMC_PRIME))
                return LFA_BUSY;

        holder = slot_holder(firmware, component);
        if (holder && holder->prime == PRIME_STARTED)
                return LFA_WRONG_STATE;
        *ret_call_again = false;
        if (holder) /* TF-A accepts this and refuses the ACTIVATE */
                return LFA_SUCCESS;

        component->prime = PRIME_STARTED;
        code = fail_take(firmware, component, SMC_PRIME);
        if (code < 0) {
                if (!firmware->model->single_prime_slot)
                        component->prime = PRIME_NONE;
                return code;
        }
        *ret_call_again = call_again_take(firmware, component, SMC_PRIME);
        if (!*ret_call_again)
                component->prime = PRIME_COMPLETE;
        return LFA_SUCCESS;
}

static void component_replace(Firmware *firmware, FirmwareComponent *component, uint64_t version) {
        component->current_version = version;
        component->prime = PRIME_NONE;
        component->pending_latched = false;
        if (!firmware->model->pending_for_ever)
                firmware_unstage(component);
}

static int outcome_apply(Firmware *firmware, FirmwareComponent *component) {
        const FirmwareFaults *faults = component->faults.outcome ? &component->faults : &firmware->faults;

        switch (faults->outcome) {
        case OUTCOME_NO_CHANGE:
                component->prime = PRIME_NONE;
                return LFA_SUCCESS;
        case OUTCOME_CHANGE_THEN_FAIL:
                component_replace(firmware, component, component->staged_version);
                return LFA_ACTIVATION_FAILED;
        case OUTCOME_CHANGE_THEN_BUSY:
                component_replace(firmware, component, component->staged_version);
                return LFA_BUSY;
        case OUTCOME_DEGRADE:
                component_replace(firmware, component, component->staged_version);
                component->degraded = true;
                return LFA_ACTIVATION_FAILED;
        case OUTCOME_VERSION:
                component_replace(firmware, component, faults->outcome_version);
                return LFA_SUCCESS;
        default:
                component_replace(firmware, component, component->staged_version);
                return LFA_SUCCESS;
        }
}

int firmware_activate(Firmware *firmware, int id, bool skip_rendezvous, bool *ret_call_again) {
        FirmwareComponent *component = component_at(firmware, id);
        int code;

        firmware->counters.smc[SMC_ACTIVATE]++;
        firmware->counters.activate_calls += skip_rendezvous ? 1 : firmware->n_cpus;
        firmware->counters.skip_rendezvous += skip_rendezvous ? 1 : 0;

        if (!component || slot_holder(firmware, component))
                return LFA_INVALID_PARAMETERS;
        if (component->prime != PRIME_COMPLETE || !component_is_pending(firmware, component))
                return LFA_COMPONENT_WRONG_STATE;
        if (skip_rendezvous && !component->rendezvous_optional)
                return LFA_INVALID_PARAMETERS;
        if (busy_take(firmware, component, SMC_ACTIVATE))
                return LFA_BUSY;
        code = fail_take(firmware, component, SMC_ACTIVATE);
        if (code < 0)
                return code;

        *ret_call_again = call_again_take(firmware, component, SMC_ACTIVATE);
        return *ret_call_again ? LFA_SUCCESS : outcome_apply(firmware, component);
}

int firmware_cancel(Firmware *firmware, int id) {
        FirmwareComponent *component = component_at(firmware, id);
        int code;

        firmware->counters.smc[SMC_CANCEL]++;
        if (!component)
                return LFA_INVALID_PARAMETERS;
        code = fail_take(firmware, component, SMC_CANCEL);
        if (code < 0)
                return code;
        if (component->prime == PRIME_NONE)
                return LFA_INVALID_PARAMETERS;
        component->prime = PRIME_NONE;
        return LFA_SUCCESS;
}
