/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What only shows when all files were read: what is missing, and what contradicts something else. */

#include "core/config.h"
#include "util/macros.h"

/* How many sections a message names at most. */
#define CONFIG_LISTED_MAX 8

/* Checks the whole, completes the images with their aliases and fills by_guid. Adds to problems. */
void config_check(Config *config, GPtrArray *problems);

/* config-order.c: fills config->order with what After= says. Images and aliases must be complete. Adds to
 * problems: names that fit no image or several, and circles. */
void config_check_order(Config *config, GPtrArray *problems);

/* config-policy.c: completes windows and freezes; of the images: which windows and versions their words mean. Adds to
 * problems. */
void config_check_policy(Config *config, GPtrArray *problems);

/* config-times.c: fills config->windows and config->freezes. Adds to problems. */
void config_check_windows_and_freezes(Config *config, GPtrArray *problems);

/* The setting of this key, which the section must have. */
const ConfigSetting *config_find_setting(const ConfigSection *section, const char *name);

/* What is wrong with NAME of [Image NAME], as a sentence that the caller frees, or NULL. */
char *config_check_section_name(const char *type, const char *name);

/* The same for [Watchdog NAME], which is whatever a device calls itself. */
char *config_check_watchdog_name(const char *type, const char *name);

/* config.c; does nothing once there are CONFIG_PROBLEMS_MAX. origin.file is copied. */
void config_add_problem(GPtrArray *problems, bool warning, ConfigOrigin origin, const char *format, ...)
                _printf_(4, 5);
