/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A driver's tree made of plain files. */

#include "fake-sysfs.h"

#include <fcntl.h>
#include <unistd.h>

static const struct {
        const char *name, *content;
        FakeLayout since;
} attributes[] = {
        { "name", "TF-RMM\n", FAKE_RFC1 },
        { "activation_capable", "1\n", FAKE_RFC1 },
        { "activation_pending", "1\n", FAKE_RFC1 },
        { "may_reset_cpu", "0\n", FAKE_RFC1 },
        { "cpu_rendezvous", "1\n", FAKE_RFC1 },
        { "activate", "", FAKE_RFC1 },
        { "cancel", "", FAKE_RFC1 },
        { "force_cpu_rendezvous", "1\n", FAKE_RFC2 },
        { "current_version", "1.0\n", FAKE_V1 },
        { "pending_version", "1.1\n", FAKE_V1 },
        { "auto_activate", "0\n", FAKE_V2 },
};

static char *attribute_path(const char *guid, const char *attribute) {
        return g_strdup_printf("firmware/lfa/%s/%s", guid, attribute);
}

void fake_attribute_bytes(const TempFolder *sysfs, const char *guid, const char *attribute, const void *data,
                          size_t size) {
        g_autofree char *path = attribute_path(guid, attribute);

        temp_write(sysfs, path, data, size);
}

void fake_attribute(const TempFolder *sysfs, const char *guid, const char *attribute, const char *content) {
        g_autofree char *path = attribute_path(guid, attribute);

        if (content)
                temp_write_text(sysfs, path, content);
        else
                assert_int_equal(unlinkat(sysfs->fd, path, 0), 0);
}

void fake_image(const TempFolder *sysfs, const char *guid, FakeLayout layout) {
        for (size_t i = 0; i < G_N_ELEMENTS(attributes); i++)
                if (attributes[i].since <= layout)
                        fake_attribute(sysfs, guid, attributes[i].name, attributes[i].content);
}

void fake_image_stale(const TempFolder *sysfs, const char *guid) {
        fake_attribute(sysfs, guid, "activation_capable", "0\n");
        fake_attribute(sysfs, guid, "activation_pending", "0\n");
        fake_attribute(sysfs, guid, "may_reset_cpu", "0\n");
        fake_attribute(sysfs, guid, "cpu_rendezvous", "0\n");
        fake_attribute(sysfs, guid, "current_version", "0.0\n");
        fake_attribute(sysfs, guid, "pending_version", "N/A\n");
}

void fake_folder(const TempFolder *sysfs, const char *path) {
        g_autofree char *full = temp_path(sysfs, path);

        assert_int_equal(g_mkdir_with_parents(full, 0755), 0);
}

int fake_tree_fd(const TempFolder *sysfs) {
        int fd = openat(sysfs->fd, "firmware/lfa", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        assert_true(fd >= 0);
        return fd;
}
