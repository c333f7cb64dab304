/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The one table of what firmware, or the driver for it, gives as the reason of a failed activation: the
 * return codes of the LFA firmware calls as TF-A and the driver name them, and the driver's own time-outs,
 * which have no number.
 *
 * LFA_FIRMWARE_CODE_TABLE(X) expands X(symbol, "NAME", number, retry, "what it means", "what to do") for
 * each. retry: YES, NO or PERHAPS: whether the same activation may succeed later with nobody changing
 * anything. */

#define LFA_FIRMWARE_CODE_TABLE(X)                                                                            \
        X(NOT_SUPPORTED, "LFA_NOT_SUPPORTED", -1, NO, "Firmware cannot activate this component live.",        \
          "Restart the host to make the staged firmware run.")                                                \
        X(BUSY, "LFA_BUSY", -2, YES, "Firmware is occupied with another activation.", "Ask again later.")     \
        X(AUTH_ERROR, "LFA_AUTH_ERROR", -3, NO,                                                               \
          "The staged image did not pass firmware's check of signature and rollback.",                        \
          "Stage an image that is signed for this host and not older than it allows.")                        \
        X(NO_MEMORY, "LFA_NO_MEMORY", -4, PERHAPS, "Firmware lacks memory for the activation.",               \
          "Free what uses the component, such as realms, and ask again; else restart the host.")              \
        X(CRITICAL_ERROR, "LFA_CRITICAL_ERROR", -5, NO,                                                       \
          "Firmware met an error that it cannot get over by itself.",                                         \
          "Do not trust the component: check the host, and restart it when that can be done.")                \
        X(DEVICE_ERROR, "LFA_DEVICE_ERROR", -6, PERHAPS,                                                      \
          "Something else failed in firmware, or with a code that the driver does not know.",                 \
          "Look into the logs of the firmware and the BMC before asking again.")                              \
        X(WRONG_STATE, "LFA_WRONG_STATE", -7, PERHAPS,                                                        \
          "For firmware the image is not pending, or another one has begun, or something in use forbids it.", \
          "See with 'lfactl refresh' what is pending, end what uses the component, and ask again.")           \
        X(INVALID_PARAMETERS, "LFA_INVALID_PARAMETERS", -8, NO,                                               \
          "Firmware does not accept how it was asked: another image has begun, or all CPUs must stop.",       \
          "Set force_cpu_rendezvous to 1; if that was so, activate or cancel the image that has begun.")      \
        X(COMPONENT_WRONG_STATE, "LFA_COMPONENT_WRONG_STATE", -9, PERHAPS,                                    \
          "The image was not prepared any more when it was to be activated; it may have been already.",       \
          "See which version runs; if it is the old one, ask again with nothing else at work.")               \
        X(INVALID_ADDRESS, "LFA_INVALID_ADDRESS", -10, NO,                                                    \
          "Firmware does not accept the place where the image or its entry lies.",                            \
          "Stage the image again; if that does not help, report it to the firmware's vendor.")                \
        X(ACTIVATION_FAILED, "LFA_ACTIVATION_FAILED", -11, NO,                                                \
          "The platform or the component refused; it may not work any more.",                                 \
          "Check what depends on the component, and restart the host if it does not work.")                   \
        X(PRIME_TIMED_OUT, "PRIME_TIMED_OUT", 0, PERHAPS,                                                     \
          "Firmware did not finish preparing the image within the driver's time.",                            \
          "Look into the logs of the firmware and the BMC before asking again.")                              \
        X(ACTIVATE_TIMED_OUT, "ACTIVATE_TIMED_OUT", 0, PERHAPS,                                               \
          "Firmware did not finish the activation within the driver's time, which prints LFA_DEVICE_ERROR.",  \
          "Check which firmware runs, and the logs of the firmware and the BMC, before asking again.")

/* FirmwareCode: FIRMWARE_CODE_NONE = 0 (not known), then one value a row. Strings and the rest:
 * src/core/firmware-codes.h. */
#define LFA_FIRMWARE_CODE_ENUM_ROW_(symbol, name, number, retry, meaning, advice) FIRMWARE_CODE_##symbol,
typedef enum FirmwareCode {
        FIRMWARE_CODE_NONE,
        LFA_FIRMWARE_CODE_TABLE(LFA_FIRMWARE_CODE_ENUM_ROW_) _FIRMWARE_CODE_MAX,
} FirmwareCode;
