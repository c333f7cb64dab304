/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Between the files of the gates only. */

#include "core/gates.h"
#include "util/macros.h"

/* Answers; texts are cut at the end of their room. */
GateVerdict gate_allow(void);
GateVerdict _printf_(1, 2) gate_allow_since(const char *format, ...);
GateVerdict _printf_(2, 3) gate_deny(ErrorId error, const char *format, ...);
GateVerdict _printf_(3, 4) gate_wait_for(ErrorId error, uint64_t retry_at_usec, const char *format, ...);
GateVerdict _printf_(3, 4) gate_defer(ErrorId error, uint64_t not_before_usec, const char *format, ...);

/* The text has words from files in it and may be cut in the middle of a character, which no bus would take. */
void gate_end_text_at_character(char *text);

/* Each gate is a function of the facts. */
GateVerdict gate_config(const GateFacts *facts);
GateVerdict gate_state(const GateFacts *facts);
GateVerdict gate_driver(const GateFacts *facts);
GateVerdict gate_image(const GateFacts *facts);
GateVerdict gate_version(const GateFacts *facts);
GateVerdict gate_quarantine(const GateFacts *facts);
GateVerdict gate_settle(const GateFacts *facts);
GateVerdict gate_repeat(const GateFacts *facts);
GateVerdict gate_kernel_auto(const GateFacts *facts);
GateVerdict gate_settings(const GateFacts *facts);
GateVerdict gate_hold(const GateFacts *facts);
GateVerdict gate_freeze(const GateFacts *facts);
GateVerdict gate_window(const GateFacts *facts);
GateVerdict gate_slot(const GateFacts *facts);
GateVerdict gate_interval(const GateFacts *facts);
GateVerdict gate_clock(const GateFacts *facts);
GateVerdict gate_inhibitor(const GateFacts *facts);
GateVerdict gate_order(const GateFacts *facts);
GateVerdict gate_system(const GateFacts *facts);
GateVerdict gate_watchdog(const GateFacts *facts);
