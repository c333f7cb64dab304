/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of firmware implementations: one row each, with the components it starts with. */

#include "sim/firmware.h"

#include <string.h>

#define VERSION(major, minor) ((uint64_t) (major) << 32 | (minor))

/* A platform as the specification's later betas have it: versions, and each component primed on its own. */
static const ComponentDefault versioned_components[] = {
        { "rmm", VERSION(1, 2), .capable = true, .rendezvous_optional = true },
        { "bl31", VERSION(2, 10), .capable = true },
        { "scp", VERSION(3, 1), .capable = true, .rendezvous_optional = true },
        { "0509b633-5734-422f-a681-6096e932d93a", VERSION(4, 0), .capable = true,
          .rendezvous_optional = true },
};

/* BL33 has no activator in TF-A: not capable, and its flag says that a rendezvous is needed. */
static const ComponentDefault tfa_components[] = {
        { "bl31", VERSION(2, 10), .capable = true },
        { "rmm", VERSION(1, 2), .capable = true, .rendezvous_optional = true },
        { "sp1", VERSION(1, 0), .capable = true, .rendezvous_optional = true },
        { "bl33", VERSION(1, 0) },
};

/* TF-A on the FVP: everything with an activator is on offer for ever, and BL31 may reset CPUs. */
static const ComponentDefault tfa_fvp_components[] = {
        { "bl31", VERSION(2, 10), .capable = true, .may_reset = true, .staged = true },
        { "rmm", VERSION(1, 2), .capable = true, .rendezvous_optional = true, .staged = true },
        { "sp1", VERSION(1, 0), .capable = true, .rendezvous_optional = true, .staged = true },
        { "sp2", VERSION(1, 0), .capable = true, .rendezvous_optional = true, .staged = true },
        { "bl32", VERSION(1, 0) },
        { "bl33", VERSION(1, 0) },
};

/* The four components NVIDIA's Vera patches name. How its firmware behaves has not been published. */
static const ComponentDefault vera_components[] = {
        { "rmm", VERSION(1, 2), .capable = true, .rendezvous_optional = true },
        { "scp", VERSION(3, 1), .capable = true, .rendezvous_optional = true },
        { "0509b633-5734-422f-a681-6096e932d93a", VERSION(4, 0), .capable = true,
          .rendezvous_optional = true },
        { "3ab71f81-32b9-496d-841b-e3d0e9fd1a48", VERSION(5, 0), .capable = true,
          .rendezvous_optional = true },
};

#define COMPONENTS(table) .defaults = table, .n_defaults = G_N_ELEMENTS(table)

static const FirmwareModel models[] = {
        { .name = "versioned",
          .description = "tells versions; each component is primed on its own",
          .has_versions = true,
          COMPONENTS(versioned_components) },
        { .name = "tfa",
          .description = "TF-A: no versions, one sticky prime slot, pending re-evaluated only when asked",
          .pending_latched = true,
          .single_prime_slot = true,
          COMPONENTS(tfa_components) },
        { .name = "tfa-fvp",
          .description = "TF-A on the FVP: as tfa, and images stay pending for ever",
          .pending_latched = true,
          .single_prime_slot = true,
          .pending_for_ever = true,
          COMPONENTS(tfa_fvp_components) },
        { .name = "vera",
          .description = "NVIDIA Vera's four components; behaves as versioned",
          .has_versions = true,
          COMPONENTS(vera_components) },
};

const FirmwareModel *firmware_model_at(size_t index) {
        return index < G_N_ELEMENTS(models) ? &models[index] : NULL;
}

const FirmwareModel *firmware_model_find(const char *name) {
        for (size_t i = 0; i < G_N_ELEMENTS(models); i++)
                if (strcmp(models[i].name, name) == 0)
                        return &models[i];
        return NULL;
}
