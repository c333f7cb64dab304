/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel's random boot id, without its dashes. */

#include "util/boot-id.h"
#include "util/file-io.h"
#include "util/guid.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define BOOT_ID_PATH "/proc/sys/kernel/random/boot_id"

int boot_id_read(char ret[static BOOT_ID_SIZE]) {
        char text[GUID_STRING_SIZE + 1]; /* and the line end */
        ssize_t size = file_read(AT_FDCWD, BOOT_ID_PATH, text, sizeof(text));
        char *end = ret;

        if (size < 0)
                return (int) size;
        text[strcspn(text, "\n")] = 0;
        if (!guid_is_valid(text)) /* the same form */
                return -EBADMSG;
        for (const char *c = text; *c; c++)
                if (*c != '-')
                        *end++ = *c;
        *end = 0;
        return 0;
}
