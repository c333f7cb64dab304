/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The manager's warnings on the bus. */

#include "bus/warnings.h"

int warnings_append(sd_bus_message *reply, const Manager *manager) {
        int r = sd_bus_message_open_container(reply, 'a', "(ss)");

        for (unsigned i = 0; r >= 0 && i < manager->warnings->len; i++) {
                const Warning *warning = manager->warnings->pdata[i];

                r = sd_bus_message_append(reply, "(ss)", warning_code_to_string(warning->code),
                                          warning->text);
        }
        return r < 0 ? r : sd_bus_message_close_container(reply);
}
