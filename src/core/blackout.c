/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The arithmetic of blackouts. */

#include "core/blackout.h"

/* By how much the sampler was late, counted from begin_usec at the earliest; the next step starts now. */
static uint64_t advance(BlackoutMeter *meter, uint64_t step_usec, uint64_t begin_usec, uint64_t now_usec) {
        uint64_t due = meter->last_usec + step_usec;
        uint64_t from = due > begin_usec ? due : begin_usec;

        meter->last_usec = now_usec;
        return now_usec > from ? now_usec - from : 0;
}

void blackout_meter_init(BlackoutMeter *meter, uint64_t step_usec, uint64_t now_usec) {
        *meter = (BlackoutMeter){ .step_usec = step_usec,
                                  .last_usec = now_usec,
                                  .result = { .floor_usec = step_usec } };
}

void blackout_meter_calibrate(BlackoutMeter *meter, uint64_t slept_usec, uint64_t now_usec) {
        uint64_t late = advance(meter, slept_usec, 0, now_usec);

        if (late > meter->result.floor_usec)
                meter->result.floor_usec = late;
}

void blackout_meter_skip(BlackoutMeter *meter, uint64_t now_usec) {
        meter->last_usec = now_usec;
}

void blackout_meter_take(BlackoutMeter *meter, uint64_t begin_usec, uint64_t now_usec) {
        uint64_t late = advance(meter, meter->step_usec, begin_usec, now_usec);

        meter->result.measured = true;
        if (late <= meter->result.floor_usec)
                return;
        meter->result.count++;
        meter->result.sum_usec += late;
        if (late > meter->result.usec)
                meter->result.usec = late;
}
