/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Enumerations as strings: one table each, both directions. */

#include <errno.h>
#include <stddef.h>
#include <string.h>

/* Defines PREFIX_to_string(value), NULL outside the table, and PREFIX_from_string(text), -EINVAL when
 * unknown. table is an array of strings indexed by the enumeration's values. */
#define DEFINE_STRING_TABLE(prefix, type, table)                                                            \
        const char *prefix##_to_string(type value) {                                                        \
                if ((int) value < 0 || (size_t) value >= sizeof(table) / sizeof(table[0]))                  \
                        return NULL;                                                                        \
                return table[value];                                                                        \
        }                                                                                                   \
        type prefix##_from_string(const char *text) {                                                       \
                if (text)                                                                                   \
                        for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)                       \
                                if (strcmp(table[i], text) == 0)                                            \
                                        return (type) i;                                                    \
                return (type) -EINVAL;                                                                      \
        }
