/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The message of a udev monitor: a header (libudev's, in use since 2010) and NAME=value strings. */

#include "sim/uevent.h"

#include "util/macros.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define UDEV_GROUP 2
#define MONITOR_MAGIC 0xfeedcafeU

typedef struct MonitorHeader {
        char prefix[8];
        uint32_t magic;
        uint32_t header_size;
        uint32_t properties_offset, properties_size;
        uint32_t subsystem_hash, devtype_hash;
        uint32_t tag_bloom_high, tag_bloom_low;
} MonitorHeader;

struct UeventSender {
        int fd;
        uint64_t sequence;
};

int uevent_sender_new(UeventSender **ret_sender) {
        struct sockaddr_nl address = { .nl_family = AF_NETLINK };
        _cleanup_close_ int fd = -EBADF;

        fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
        if (fd < 0 || bind(fd, (struct sockaddr *) &address, sizeof(address)) < 0)
                return -errno;
        *ret_sender = g_new0(UeventSender, 1);
        (*ret_sender)->fd = steal_fd(&fd);
        return 0;
}

UeventSender *uevent_sender_free(UeventSender *sender) {
        if (!sender)
                return NULL;
        safe_close(sender->fd);
        g_free(sender);
        return NULL;
}

uint32_t uevent_subsystem_hash(const char *subsystem) {
        const uint32_t multiplier = 0x5bd1e995;
        size_t left = strlen(subsystem);
        uint32_t hash = (uint32_t) left;
        const unsigned char *at = (const unsigned char *) subsystem;

        for (; left >= 4; left -= 4, at += 4) {
                uint32_t word = at[0] | (uint32_t) at[1] << 8 | (uint32_t) at[2] << 16 |
                                (uint32_t) at[3] << 24;

                word *= multiplier;
                word ^= word >> 24;
                word *= multiplier;
                hash = hash * multiplier ^ word;
        }
        for (size_t i = left; i > 0; i--)
                hash ^= (uint32_t) at[i - 1] << (8 * (i - 1));
        if (left > 0)
                hash *= multiplier;
        hash ^= hash >> 13;
        hash *= multiplier;
        return hash ^ hash >> 15;
}

static void property_add(GByteArray *message, const char *name, const char *value) {
        g_byte_array_append(message, (const uint8_t *) name, (guint) strlen(name));
        g_byte_array_append(message, (const uint8_t *) "=", 1);
        g_byte_array_append(message, (const uint8_t *) value, (guint) strlen(value) + 1);
}

static GByteArray *properties_new(const UeventDevice *device, const char *action, bool has_driver,
                                  uint64_t sequence) {
        const DriverTraits *traits = device->traits;
        bool bare = traits->device_suffix && !device->suffix;
        g_autofree char *path = device->suffix ? g_strconcat(traits->device_path, "-", device->suffix, NULL)
                                               : g_strdup(traits->device_path);
        const char *modalias = bare ? traits->device_bare_modalias : traits->device_modalias;
        GByteArray *properties = g_byte_array_new();
        char number[sizeof("18446744073709551615")];

        snprintf(number, sizeof(number), "%llu", (unsigned long long) sequence);
        property_add(properties, "ACTION", action);
        property_add(properties, "DEVPATH", path);
        property_add(properties, "SUBSYSTEM", traits->device_subsystem);
        if (has_driver)
                property_add(properties, "DRIVER", traits->device_driver);
        if (modalias)
                property_add(properties, "MODALIAS", modalias);
        property_add(properties, "SEQNUM", number);
        return properties;
}

int uevent_send(UeventSender *sender, const UeventDevice *device, const char *action, bool has_driver) {
        struct sockaddr_nl group = { .nl_family = AF_NETLINK, .nl_groups = UDEV_GROUP };
        g_autoptr(GByteArray) properties = properties_new(device, action, has_driver, ++sender->sequence);
        MonitorHeader header = {
                .prefix = "libudev",
                .magic = htonl(MONITOR_MAGIC),
                .header_size = sizeof(header),
                .properties_offset = sizeof(header),
                .properties_size = properties->len,
                .subsystem_hash = htonl(uevent_subsystem_hash(device->traits->device_subsystem)),
        };
        struct iovec parts[] = {
                { .iov_base = &header, .iov_len = sizeof(header) },
                { .iov_base = properties->data, .iov_len = properties->len },
        };
        struct msghdr message = {
                .msg_name = &group,
                .msg_namelen = sizeof(group),
                .msg_iov = parts,
                .msg_iovlen = G_N_ELEMENTS(parts),
        };

        if (sendmsg(sender->fd, &message, 0) < 0 && errno != ECONNREFUSED)
                return -errno;
        return 0;
}
