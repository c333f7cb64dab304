/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Moments and timestamps: what is taken is a time that is written as it can be read again. */

#include "core/moment.h"
#include "core/timestamp.h"
#include "fuzz.h"
#include "time-input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        TimeInput input = time_input_read(data, size);
        g_autofree char *why = NULL, *written = NULL;
        uint64_t usec = 7, again;
        int r = moment_parse(input.text, input.zone, input.usec, &usec, &why);

        MUST(r == 0 || r == -EINVAL);
        MUST((r < 0) == (why && *why));
        MUST(r == 0 || usec == 7);
        if (r < 0)
                must_be_text(why, 300);
        written = timestamp_format(usec, NULL);
        if (r == 0 && usec < UINT64_C(7258118400) * USEC_PER_SEC) {
                MUST(timestamp_parse(written, input.zone, &again, &why) == 0);
                MUST(again == usec - usec % USEC_PER_SEC);
        }
        time_input_release(&input);
        return 0;
}
