/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The entries of the a{sv} that ends lfad's methods, each only when it was given on the command line. */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

/* value NULL, 0 or false: not given, nothing is appended. Each returns 0 or a negative errno. */
int call_option_string(sd_bus_message *call, const char *key, const char *value);
int call_option_u32(sd_bus_message *call, const char *key, uint32_t value);
int call_option_u64(sd_bus_message *call, const char *key, uint64_t value);
/* values: NULL-terminated; none: not given */
int call_option_strings(sd_bus_message *call, const char *key, char **values);
int call_option_bool(sd_bus_message *call, const char *key, bool value);
