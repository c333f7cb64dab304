/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LFA_TEST_CONTROL_H
#define LFA_TEST_CONTROL_H

/* /sys/kernel/lfa-test: what a test tells firmware and driver, and what it asks of them. */

int control_init(void);
void control_exit(void);

#endif
