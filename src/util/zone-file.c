/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looks into files of the tz database. GLib complains aloud about one that is no zone, and believes what one says of its own
 * size, so that it crashes on one that was cut off. So they are looked through before it sees them. */

#include "util/zone-file.h"
#include "util/macros.h"

#include <fcntl.h>
#include <glib.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ZONE_FOLDER "/usr/share/zoneinfo"

/* The largest of the database have less than 4 KiB. */
#define SIZE_MAX_BYTES (256 * 1024)

/* tzfile(5): what a header counts, in its order. */
typedef struct Counts {
        uint32_t utc, standard, leaps, times, types, chars;
} Counts;

#define HEADER_SIZE 44
#define COUNTS_OFFSET 20
#define TYPE_SIZE 6

/* The part of a file that is not looked through yet. */
typedef struct Rest {
        const uint8_t *data;
        size_t size;
} Rest;

static bool take(Rest *rest, size_t size, const uint8_t **ret) {
        if (size > rest->size)
                return false;
        *ret = rest->data;
        rest->data += size;
        rest->size -= size;
        return true;
}

static bool take_header(Rest *rest, uint8_t *ret_version, Counts *ret) {
        uint32_t counts[6];
        const uint8_t *header;

        if (!take(rest, HEADER_SIZE, &header) || memcmp(header, "TZif", 4) != 0)
                return false;
        memcpy(counts, header + COUNTS_OFFSET, sizeof(counts));
        for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
                counts[i] = GUINT32_FROM_BE(counts[i]);
                if (counts[i] > SIZE_MAX_BYTES)
                        return false;
        }
        *ret = (Counts){ counts[0], counts[1], counts[2], counts[3], counts[4], counts[5] };
        *ret_version = header[4];
        return true;
}

/* What refers to something must find it. */
static bool refers_well(const Counts *counts, const uint8_t *indices, const uint8_t *types,
                        const uint8_t *chars) {
        for (uint32_t i = 0; i < counts->times; i++)
                if (indices[i] >= counts->types)
                        return false;
        for (uint32_t i = 0; i < counts->types; i++)
                if (types[(size_t) i * TYPE_SIZE + 5] >= counts->chars)
                        return false;
        return counts->types > 0 && counts->chars > 0 && chars[counts->chars - 1] == 0;
}

/* is_used: GLib looks at it. */
static bool take_body(Rest *rest, const Counts *counts, size_t time_size, bool is_used) {
        const uint8_t *times, *indices, *types, *chars, *others;

        return take(rest, counts->times * time_size, &times) && take(rest, counts->times, &indices) &&
               take(rest, (size_t) counts->types * TYPE_SIZE, &types) && take(rest, counts->chars, &chars) &&
               take(rest, counts->leaps * (time_size + 4) + counts->standard + counts->utc, &others) &&
               (!is_used || refers_well(counts, indices, types, chars));
}

/* The rule for later years, between two line breaks. */
static bool is_footer(const Rest *rest) {
        return rest->size >= 2 && rest->data[0] == '\n' && rest->data[rest->size - 1] == '\n';
}

bool zone_data_is_sound(const void *data, size_t size) {
        Rest rest = { data, size };
        uint8_t version;
        Counts counts;

        if (!take_header(&rest, &version, &counts) || !take_body(&rest, &counts, 4, version == 0))
                return false;
        if (version == 0)
                return true;
        return take_header(&rest, &version, &counts) && take_body(&rest, &counts, 8, true) &&
               is_footer(&rest);
}

bool zone_file_is_sound(const char *path) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        g_autofree void *data = NULL;
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > SIZE_MAX_BYTES)
                return false;
        data = g_malloc((size_t) st.st_size + 1);
        return read(fd, data, (size_t) st.st_size) == st.st_size &&
               zone_data_is_sound(data, (size_t) st.st_size);
}

bool zone_file_is_there(const char *path) {
        return access(path, F_OK) == 0;
}

bool zone_file_exists(const char *name) {
        g_autofree char *path = g_build_filename(ZONE_FOLDER, name, NULL);

        return zone_file_is_sound(path);
}
