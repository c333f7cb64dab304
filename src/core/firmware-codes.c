/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The catalogue of firmware's reasons, expanded. */

#include "core/firmware-codes.h"

#include <string.h>

typedef struct CodeRow {
        const char *name;
        int number; /* 0: not from firmware */
        FirmwareRetry retry;
        const char *meaning, *advice;
} CodeRow;

#define CODE_ROW(symbol, name, number, retry, meaning, advice)                                              \
        { name, number, FIRMWARE_RETRY_##retry, meaning, advice },
static const CodeRow rows[_FIRMWARE_CODE_MAX] = { { "", 0, FIRMWARE_RETRY_PERHAPS, "", "" },
                                                  LFA_FIRMWARE_CODE_TABLE(CODE_ROW) };

const char *firmware_code_to_string(FirmwareCode code) {
        return rows[code].name;
}

FirmwareCode firmware_code_from_string(const char *name) {
        for (int i = 1; i < _FIRMWARE_CODE_MAX; i++)
                if (strcmp(rows[i].name, name) == 0)
                        return (FirmwareCode) i;
        return FIRMWARE_CODE_NONE;
}

FirmwareCode firmware_code_from_number(int number) {
        for (int i = 1; i < _FIRMWARE_CODE_MAX; i++)
                if (number != 0 && rows[i].number == number)
                        return (FirmwareCode) i;
        return FIRMWARE_CODE_NONE;
}

const char *firmware_code_meaning(FirmwareCode code) {
        return rows[code].meaning;
}

const char *firmware_code_advice(FirmwareCode code) {
        return rows[code].advice;
}

FirmwareRetry firmware_code_retry(FirmwareCode code) {
        return rows[code].retry;
}
