/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Every name that lfad and its clients must agree on: the bus name, object paths, interfaces, polkit
 * actions. org.arm.LFA1 keeps these for its whole life; a change that breaks a client becomes org.arm.LFA2.
 */

#define LFA_BUS_NAME "org.arm.LFA1"

#define LFA_MANAGER_PATH "/org/arm/LFA1"
#define LFA_IMAGE_PATH "/org/arm/LFA1/image" /* /<guid with '-' as '_'> */
#define LFA_JOB_PATH "/org/arm/LFA1/job"     /* /<job id, decimal> */

#define LFA_MANAGER_INTERFACE "org.arm.LFA1.Manager"
#define LFA_IMAGE_INTERFACE "org.arm.LFA1.Image"
#define LFA_JOB_INTERFACE "org.arm.LFA1.Job"

#define LFA_ERROR_PREFIX "org.arm.LFA1.Error."

#define LFA_ACTION_ACTIVATE "org.arm.LFA1.activate"
#define LFA_ACTION_CANCEL "org.arm.LFA1.cancel"
#define LFA_ACTION_CONFIGURE "org.arm.LFA1.configure"
#define LFA_ACTION_INHIBIT "org.arm.LFA1.inhibit"
#define LFA_ACTION_HOLD "org.arm.LFA1.hold"
#define LFA_ACTION_OVERRIDE_POLICY "org.arm.LFA1.override-policy"
#define LFA_ACTION_REFRESH "org.arm.LFA1.refresh"
