// SPDX-License-Identifier: GPL-2.0-only
/* One image's directory and its eleven files. */

#include "driver.h"

#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#define to_image(object) container_of(object, struct image, kobj)

static const struct {
        const char *guid, *name;
} names[] = {
        { "47d4086d-4cfe-9846-9b95-2950cbbd5a00", "TF-A BL31 runtime" },
        { "d6d0eea7-fcea-d54b-9782-9934f234b6e4", "BL33 non-secure payload" },
        { "6c0762a6-12f2-4b56-92cb-ba8f633606d9", "TF-RMM" },
};

const char *image_name(const struct image *image) {
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (strcmp(names[i].guid, image->guid) == 0)
                        return names[i].name;
        return image->guid;
}

static ssize_t print_version(char *buffer, u64 version) {
        return sysfs_emit(buffer, "%u.%u\n", upper_32_bits(version), lower_32_bits(version));
}

static ssize_t name_show(struct kobject *object, struct kobj_attribute *attribute, char *buffer) {
        return sysfs_emit(buffer, "%s\n", image_name(to_image(object)));
}

static ssize_t activation_capable_show(struct kobject *object, struct kobj_attribute *attribute,
                                       char *buffer) {
        return sysfs_emit(buffer, "%d\n", to_image(object)->capable);
}

static ssize_t may_reset_cpu_show(struct kobject *object, struct kobj_attribute *attribute, char *buffer) {
        return sysfs_emit(buffer, "%d\n", to_image(object)->may_reset);
}

static ssize_t cpu_rendezvous_show(struct kobject *object, struct kobj_attribute *attribute, char *buffer) {
        return sysfs_emit(buffer, "%d\n", !to_image(object)->rendezvous_optional);
}

static ssize_t current_version_show(struct kobject *object, struct kobj_attribute *attribute, char *buffer) {
        return print_version(buffer, to_image(object)->current_version);
}

/* Asks firmware, and keeps what it says. */
static ssize_t activation_pending_show(struct kobject *object, struct kobj_attribute *attribute,
                                       char *buffer) {
        struct image *image = to_image(object);
        struct firmware_component component;
        ssize_t r = -ENOENT;

        down_read(&inventory_lock);
        if (image->id >= 0) {
                if (firmware_get_inventory(image->id, &component) == LFA_SUCCESS)
                        image->pending = component.pending;
                r = sysfs_emit(buffer, "%d\n", image->pending);
        }
        up_read(&inventory_lock);
        return r;
}

/* Asks firmware, too, but goes by what the last reading of activation_pending has kept. */
static ssize_t pending_version_show(struct kobject *object, struct kobj_attribute *attribute, char *buffer) {
        struct image *image = to_image(object);
        struct firmware_component component;
        bool known;

        down_read(&inventory_lock);
        known = image->id >= 0 && firmware_get_inventory(image->id, &component) == LFA_SUCCESS &&
                component.pending_version != 0 && image->pending;
        up_read(&inventory_lock);
        return known ? print_version(buffer, component.pending_version) : sysfs_emit(buffer, "N/A\n");
}

static ssize_t force_cpu_rendezvous_show(struct kobject *object, struct kobj_attribute *attribute,
                                         char *buffer) {
        return sysfs_emit(buffer, "%d\n", to_image(object)->force_rendezvous);
}

static ssize_t force_cpu_rendezvous_store(struct kobject *object, struct kobj_attribute *attribute,
                                          const char *buffer, size_t size) {
        int r = kstrtobool(buffer, &to_image(object)->force_rendezvous);

        return r < 0 ? r : size;
}

static ssize_t auto_activate_show(struct kobject *object, struct kobj_attribute *attribute, char *buffer) {
        return sysfs_emit(buffer, "%d\n", to_image(object)->auto_activate);
}

static ssize_t auto_activate_store(struct kobject *object, struct kobj_attribute *attribute,
                                   const char *buffer, size_t size) {
        int r = kstrtobool(buffer, &to_image(object)->auto_activate);

        return r < 0 ? r : size;
}

static ssize_t activate_store(struct kobject *object, struct kobj_attribute *attribute, const char *buffer,
                              size_t size) {
        int r = driver_activate(to_image(object));

        return r < 0 ? r : size;
}

static ssize_t cancel_store(struct kobject *object, struct kobj_attribute *attribute, const char *buffer,
                            size_t size) {
        struct image *image = to_image(object);
        ssize_t r = -ENOENT;

        down_read(&inventory_lock);
        if (image->id >= 0)
                r = driver_cancel(image) == LFA_SUCCESS ? size : -EINVAL;
        up_read(&inventory_lock);
        return r;
}

static struct kobj_attribute name_attribute = __ATTR_RO(name);
static struct kobj_attribute activation_capable_attribute = __ATTR_RO(activation_capable);
static struct kobj_attribute activation_pending_attribute = __ATTR_RO(activation_pending);
static struct kobj_attribute may_reset_cpu_attribute = __ATTR_RO(may_reset_cpu);
static struct kobj_attribute cpu_rendezvous_attribute = __ATTR_RO(cpu_rendezvous);
static struct kobj_attribute current_version_attribute = __ATTR_RO(current_version);
static struct kobj_attribute pending_version_attribute = __ATTR_RO(pending_version);
static struct kobj_attribute force_cpu_rendezvous_attribute = __ATTR_RW(force_cpu_rendezvous);
static struct kobj_attribute auto_activate_attribute = __ATTR_RW(auto_activate);
static struct kobj_attribute activate_attribute = __ATTR_WO(activate);
static struct kobj_attribute cancel_attribute = __ATTR_WO(cancel);

static struct attribute *image_attrs[] = {
        &name_attribute.attr,
        &activation_capable_attribute.attr,
        &activation_pending_attribute.attr,
        &may_reset_cpu_attribute.attr,
        &cpu_rendezvous_attribute.attr,
        &current_version_attribute.attr,
        &pending_version_attribute.attr,
        &force_cpu_rendezvous_attribute.attr,
        &auto_activate_attribute.attr,
        &activate_attribute.attr,
        &cancel_attribute.attr,
        NULL,
};
ATTRIBUTE_GROUPS(image);

static void image_release(struct kobject *object) {
        kfree(to_image(object));
}

static struct kobj_type image_type = {
        .release = image_release,
        .sysfs_ops = &kobj_sysfs_ops,
        .default_groups = image_groups,
};

void image_store_inventory(struct image *image, const struct firmware_component *component, int id) {
        image->id = id;
        image->capable = true;
        image->pending = component->pending;
        image->may_reset = component->may_reset;
        image->rendezvous_optional = component->rendezvous_optional;
        image->current_version = component->current_version;
}

/* The flags that go with "no such image" happen to mean that a rendezvous is optional. */
void image_invalidate(struct image *image) {
        image->id = -1;
        image->capable = image->pending = image->may_reset = false;
        image->rendezvous_optional = true;
        image->current_version = 0;
}

int image_add(struct kset *tree, const struct firmware_component *component, int id) {
        struct image *image = kzalloc(sizeof(*image), GFP_KERNEL);
        int r;

        if (!image)
                return -ENOMEM;
        strscpy(image->guid, component->guid, sizeof(image->guid));
        image->force_rendezvous = true;
        image_store_inventory(image, component, id);
        image->kobj.kset = tree;
        r = kobject_init_and_add(&image->kobj, &image_type, NULL, "%s", image->guid);
        if (r < 0)
                kobject_put(&image->kobj);
        else
                list_add_tail(&image->node, &images);
        return r;
}
