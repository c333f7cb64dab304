/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Commands that make firmware or the files misbehave. */

#include "sim/control-command.h"
#include "sim/texts.h"

#include <string.h>

#define RAW_SIZE_MAX (1024 * 1024)

static const char *const smc_names[_SMC_MAX] = {
        [SMC_INFO] = "info",         [SMC_INVENTORY] = "inventory", [SMC_PRIME] = "prime",
        [SMC_ACTIVATE] = "activate", [SMC_CANCEL] = "cancel",
};

static SmcKind smc_parse(const char *text) {
        for (SmcKind i = 0; i < _SMC_MAX; i++)
                if (strcmp(smc_names[i], text) == 0)
                        return i;
        return _SMC_INVALID;
}

/* PRIME and ACTIVATE are the two that can be told to come back. */
static SmcKind loop_parse(const char *text) {
        SmcKind kind = smc_parse(text);

        return kind == SMC_PRIME || kind == SMC_ACTIVATE ? kind : _SMC_INVALID;
}

/* With the lock held: whose faults --image= means; all components' without it. NULL with a reply text. */
static FirmwareFaults *faults_find(Machine *machine, const CommandLine *line, GString *reply) {
        const char *image = command_option(line, "image");
        FirmwareComponent *component;
        char guid[GUID_STRING_SIZE];

        if (!image)
                return &machine->firmware->faults;
        component = image_name_parse(image, guid) < 0 ? NULL : firmware_find(machine->firmware, guid);
        if (!component)
                g_string_printf(reply, "firmware has no component %s", image);
        return component ? &component->faults : NULL;
}

static CommandResult run_fail(Machine *machine, const CommandLine *line, GString *reply) {
        SmcKind kind = smc_parse(line->words[1]);
        bool none = strcmp(line->words[2], "none") == 0;
        FirmwareFaults *faults;
        uint64_t times;
        int code = LFA_SUCCESS;

        if (kind < 0 || command_times(line, &times) < 0 ||
            (kind == SMC_INFO && command_option(line, "image")) ||
            (!none && (lfa_code_parse(line->words[2], &code) < 0 || code == LFA_SUCCESS)))
                return COMMAND_USAGE;
        machine_lock(machine);
        faults = faults_find(machine, line, reply);
        if (faults) {
                faults->fail[kind].code = code;
                faults->fail[kind].left = none ? 0 : times;
        }
        machine_unlock(machine);
        return faults ? COMMAND_OK : COMMAND_REFUSED;
}

/* Sets one of the countdowns, which are arrays by SmcKind. */
static CommandResult countdown_set(Machine *machine, const CommandLine *line, GString *reply, bool busy,
                                   uint64_t value) {
        SmcKind kind = loop_parse(line->words[1]);
        FirmwareFaults *faults;

        if (kind < 0)
                return COMMAND_USAGE;
        machine_lock(machine);
        faults = faults_find(machine, line, reply);
        if (faults)
                (busy ? faults->busy : faults->call_again)[kind] = value;
        machine_unlock(machine);
        return faults ? COMMAND_OK : COMMAND_REFUSED;
}

static CommandResult run_busy(Machine *machine, const CommandLine *line, GString *reply) {
        uint64_t times;

        if (number_parse(line->words[2], UINT32_MAX, &times) < 0)
                return COMMAND_USAGE;
        return countdown_set(machine, line, reply, true, times);
}

static CommandResult run_call_again(Machine *machine, const CommandLine *line, GString *reply) {
        uint64_t times;

        if (number_parse(line->words[2], UINT32_MAX, &times) < 0)
                return COMMAND_USAGE;
        return countdown_set(machine, line, reply, false, times);
}

static CommandResult run_never(Machine *machine, const CommandLine *line, GString *reply) {
        return countdown_set(machine, line, reply, false, FOR_EVER);
}

static CommandResult run_budget(Machine *machine, const CommandLine *line, GString *reply) {
        SmcKind kind = loop_parse(line->words[1]);
        uint64_t usec;

        if (kind < 0 || duration_parse(line->words[2], &usec) < 0)
                return COMMAND_USAGE;
        machine_lock(machine);
        if (kind == SMC_PRIME)
                machine->traits.prime_budget_usec = usec;
        else
                machine->traits.activate_budget_usec = usec;
        machine_unlock(machine);
        return COMMAND_OK;
}

static CommandResult run_slow(Machine *machine, const CommandLine *line, GString *reply) {
        FirmwareTiming *timing = &machine->firmware->timing;
        const char *what = line->words[1];
        uint64_t usec, *field;

        if (strcmp(what, "prime") == 0)
                field = &timing->prime;
        else if (strcmp(what, "activate") == 0)
                field = &timing->activate;
        else if (strcmp(what, "inventory") == 0)
                field = &timing->inventory;
        else if (strcmp(what, "read") == 0)
                field = &timing->read;
        else
                return COMMAND_USAGE;
        if (duration_parse(line->words[2], &usec) < 0)
                return COMMAND_USAGE;
        machine_lock(machine);
        *field = usec;
        machine_unlock(machine);
        return COMMAND_OK;
}

static CommandResult run_outcome(Machine *machine, const CommandLine *line, GString *reply) {
        const char *what = line->words[2];
        ActivateOutcome outcome;
        FirmwareFaults *faults;
        uint64_t version = 0;

        if (strcmp(line->words[1], "activate") != 0)
                return COMMAND_USAGE;
        if (strcmp(what, "normal") == 0)
                outcome = OUTCOME_NORMAL;
        else if (strcmp(what, "no-change") == 0)
                outcome = OUTCOME_NO_CHANGE;
        else if (strcmp(what, "change-then-fail") == 0)
                outcome = OUTCOME_CHANGE_THEN_FAIL;
        else if (strcmp(what, "change-then-busy") == 0)
                outcome = OUTCOME_CHANGE_THEN_BUSY;
        else if (strcmp(what, "degrade") == 0)
                outcome = OUTCOME_DEGRADE;
        else if (g_str_has_prefix(what, "version=") &&
                 version_parse(what + strlen("version="), &version) >= 0)
                outcome = OUTCOME_VERSION;
        else
                return COMMAND_USAGE;
        machine_lock(machine);
        faults = faults_find(machine, line, reply);
        if (faults) {
                faults->outcome = outcome;
                faults->outcome_version = version;
        }
        machine_unlock(machine);
        return faults ? COMMAND_OK : COMMAND_REFUSED;
}

static CommandResult hang_set(Machine *machine, const CommandLine *line, bool hangs) {
        const char *what = line->n_words > 1 ? line->words[1] : NULL;

        if (what && strcmp(what, "activate") != 0 && strcmp(what, "read") != 0)
                return COMMAND_USAGE;
        machine_lock(machine);
        if (!what || strcmp(what, "activate") == 0)
                machine->firmware->timing.hang_activate = hangs;
        if (!what || strcmp(what, "read") == 0)
                machine->firmware->timing.hang_read = hangs;
        machine->driver->revision++; /* whoever hangs shall look again */
        machine_unlock(machine);
        return COMMAND_OK;
}

static CommandResult run_hang(Machine *machine, const CommandLine *line, GString *reply) {
        return hang_set(machine, line, true);
}

static CommandResult run_release(Machine *machine, const CommandLine *line, GString *reply) {
        return hang_set(machine, line, false);
}

static CommandResult run_oops_switch(Machine *machine, const CommandLine *line, GString *reply) {
        bool on = strcmp(line->words[1], "on") == 0;

        if (!on && strcmp(line->words[1], "off") != 0)
                return COMMAND_USAGE;
        machine_lock(machine);
        machine->driver->oopses = on;
        machine_unlock(machine);
        return COMMAND_OK;
}

static CommandResult run_lost_prime(Machine *machine, const CommandLine *line, GString *reply) {
        uint64_t times;

        if (number_parse(line->words[1], UINT32_MAX, &times) < 0)
                return COMMAND_USAGE;
        machine_lock(machine);
        machine->driver->lost_primes = times;
        machine_unlock(machine);
        return COMMAND_OK;
}

static CommandResult run_lose_tree(Machine *machine, const CommandLine *line, GString *reply) {
        const char *how_many = line->n_words > 2 ? line->words[2] : "all";
        bool possible;
        uint64_t n = FOR_EVER;

        if (strcmp(line->words[1], "next") != 0 ||
            (strcmp(how_many, "all") != 0 && number_parse(how_many, UINT32_MAX, &n) < 0))
                return COMMAND_USAGE;
        machine_lock(machine);
        possible = driver_loses_trees(machine->driver);
        if (possible)
                machine->driver->lose_tree = n;
        machine_unlock(machine);
        if (possible)
                return COMMAND_OK;
        g_string_printf(reply, "this driver version never loses its tree");
        return COMMAND_REFUSED;
}

static CommandResult run_errno(Machine *machine, const CommandLine *line, GString *reply) {
        FileOperation operation = file_operation_parse(line->words[1]);
        SysfsAttribute attribute = sysfs_attribute_find(line->words[2]);
        bool none = strcmp(line->words[3], "none") == 0;
        int error = none ? 0 : errno_parse(line->words[3]);
        uint64_t times;

        if (operation < 0 || attribute < 0 || error < 0 || command_times(line, &times) < 0)
                return COMMAND_USAGE;
        machine_lock(machine);
        machine->faults->errors[operation][attribute].error = error;
        machine->faults->errors[operation][attribute].left = none ? 0 : times;
        machine_unlock(machine);
        return COMMAND_OK;
}

/* --image= as a GUID, which need not exist: guid or NULL for all. Returns 0 or -EINVAL. */
static int image_option(const CommandLine *line, char buffer[static GUID_STRING_SIZE],
                        const char **ret_guid) {
        const char *image = command_option(line, "image");

        if (image && image_name_parse(image, buffer) < 0)
                return -EINVAL;
        *ret_guid = image ? buffer : NULL;
        return 0;
}

/* The bytes an attribute shall show; *ret_bytes is NULL for "its own". Returns 0 or -EINVAL. */
static int raw_bytes(const CommandLine *line, GBytes **ret_bytes) {
        const char *size = command_option(line, "size"), *text = line->n_words > 2 ? line->words[2] : NULL;
        GByteArray *decoded;
        uint64_t length;

        *ret_bytes = NULL;
        if (text && strcmp(text, "none") == 0)
                return size ? -EINVAL : 0;
        if (!text == !size || (size && number_parse(size, RAW_SIZE_MAX, &length) < 0))
                return -EINVAL;
        if (size) {
                char *filling = g_malloc(length + 1);

                memset(filling, 'A', length);
                *ret_bytes = g_bytes_new_take(filling, length);
                return 0;
        }
        decoded = escapes_decode(text);
        if (!decoded)
                return -EINVAL;
        *ret_bytes = g_byte_array_free_to_bytes(decoded);
        return 0;
}

static CommandResult run_raw(Machine *machine, const CommandLine *line, GString *reply) {
        SysfsAttribute attribute = sysfs_attribute_find(line->words[1]);
        g_autoptr(GBytes) bytes = NULL;
        char buffer[GUID_STRING_SIZE];
        const char *guid;

        if (attribute < 0 || image_option(line, buffer, &guid) < 0 || raw_bytes(line, &bytes) < 0)
                return COMMAND_USAGE;
        machine_lock(machine);
        file_faults_set_raw(machine->faults, guid, attribute, bytes);
        machine_unlock(machine);
        return COMMAND_OK;
}

static CommandResult run_missing(Machine *machine, const CommandLine *line, GString *reply) {
        SysfsAttribute attribute = sysfs_attribute_find(line->words[1]);
        bool yes = strcmp(line->words[2], "yes") == 0;
        char buffer[GUID_STRING_SIZE];
        const char *guid;

        if (attribute < 0 || image_option(line, buffer, &guid) < 0 ||
            (!yes && strcmp(line->words[2], "no") != 0))
                return COMMAND_USAGE;
        machine_lock(machine);
        file_faults_set_missing(machine->faults, guid, attribute, yes);
        machine_unlock(machine);
        return COMMAND_OK;
}

const Command fault_commands[] = {
        { "fail", "prime|activate|cancel|info|inventory CODE|none [--times=N] [--image=IMAGE]",
          "firmware answers CODE (AUTH_ERROR, BUSY, WRONG_STATE, ... or -12)", 2, 2, "times image",
          run_fail },
        { "busy", "prime|activate N [--image=IMAGE]", "the next N calls are answered BUSY", 2, 2, "image",
          run_busy },
        { "call-again", "prime|activate N [--image=IMAGE]", "the next N calls are answered call-again", 2, 2,
          "image", run_call_again },
        { "never", "prime|activate [--image=IMAGE]", "call-again for ever, until call-again ... 0", 1, 1,
          "image", run_never },
        { "budget", "prime|activate DURATION", "how long the driver itself goes on calling; 0: for ever", 2,
          2, "", run_budget },
        { "slow", "prime|activate|inventory|read DURATION",
          "how long a firmware call takes: inventory in a refresh, read for a pending attribute", 2, 2, "",
          run_slow },
        { "outcome",
          "activate normal|no-change|change-then-fail|change-then-busy|degrade|version=X.Y [--image=IMAGE]",
          "what ACTIVATE really does, from now on", 2, 2, "image", run_outcome },
        { "hang", "activate|read", "the ACTIVATE call, or a pending attribute's call, does not end", 1, 1,
          "", run_hang },
        { "release", "[activate|read]", "it ends", 0, 1, "", run_release },
        { "oops", "on|off",
          "where the driver takes the kernel down (v1, v1nv) the writer never returns; or gets an errno", 1,
          1, "", run_oops_switch },
        { "lost-prime", "N",
          "the next N runs end with ECANCELED although PRIME succeeded; the image stays primed", 1, 1, "",
          run_lost_prime },
        { "lose-tree", "next [all|N]",
          "the next success loses all or N directories (v2s to nv3), until another success or bind", 1, 2,
          "", run_lose_tree },
        { "errno", "open|read|write ATTRIBUTE ERRNO|none [--times=N]",
          "the operation fails at the file, unseen by the driver", 3, 3, "times", run_errno },
        { "raw", "ATTRIBUTE BYTES|none|--size=N [--image=IMAGE]",
          "reads give these bytes (C escapes) or N bytes of filling", 1, 2, "size image", run_raw },
        { "missing", "ATTRIBUTE yes|no [--image=IMAGE]", "the file is not there", 2, 2, "image",
          run_missing },
        { NULL },
};
