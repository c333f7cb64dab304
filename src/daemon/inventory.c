/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the driver shows, in the runtime folder: it says nothing of another boot. That folder is in memory, so that
 * replacing the file waits for no disk. */

#include "daemon/inventory.h"
#include "core/enum-names.h"
#include "core/profile.h"
#include "util/boot-id.h"
#include "util/file-io.h"
#include "util/json.h"
#include "util/log.h"
#include "util/macros.h"

#include <fcntl.h>

#define FILE_NAME "inventory.json"
/* More images than any firmware has; a longer list is left out. */
#define IMAGES_MAX 256
#define FILE_SIZE_MAX (IMAGES_MAX * GUID_STRING_SIZE + 1024)

static int compare_guids(const void *a, const void *b) {
        return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* Separated by blanks. */
static char *list_present(const Manager *manager) {
        g_autoptr(GPtrArray) guids = g_ptr_array_new();
        GHashTableIter iterator;
        void *value;

        g_hash_table_iter_init(&iterator, manager->images);
        while (g_hash_table_iter_next(&iterator, NULL, &value))
                if (((const Image *) value)->present)
                        g_ptr_array_add(guids, ((Image *) value)->values.guid);
        if (guids->len > IMAGES_MAX)
                return g_strdup("");
        g_ptr_array_sort(guids, compare_guids);
        g_ptr_array_add(guids, NULL);
        return g_strjoinv(" ", (char **) guids->pdata);
}

static char *describe(const Manager *manager) {
        _cleanup_json_ json_object *object = json_object_new_object();
        g_autofree char *guids = list_present(manager);
        char boot_id[BOOT_ID_SIZE] = "";

        (void) boot_id_read(boot_id);
        json_add_string(object, "boot-id", boot_id);
        json_add_u64(object, "tree", manager->tree_id);
        json_add_string(object, "profile", driver_profile_to_string(manager->profile));
        json_add_string(object, "guids", guids);
        return g_strdup(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));
}

void inventory_save(Manager *manager) {
        g_autofree char *text = NULL;
        _cleanup_close_ int folder_fd = -EBADF;
        int r;

        if (manager->tree_id == 0)
                return;
        text = describe(manager);
        if (g_strcmp0(text, manager->inventory_saved) == 0)
                return;
        folder_fd = open(manager->settings->runtime_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        r = folder_fd < 0 ? -errno : file_replace(folder_fd, FILE_NAME, text, strlen(text), 0644);
        if (r < 0) {
                log_error_errno(r, "Cannot write %s/%s", manager->settings->runtime_folder, FILE_NAME);
                return;
        }
        g_free(manager->inventory_saved);
        manager->inventory_saved = g_steal_pointer(&text);
}

static void expect(Manager *manager, uint64_t tree_id, DriverProfile profile, const char *guids) {
        g_auto(GStrv) list = g_strsplit(guids, " ", IMAGES_MAX);

        manager->tree_id = tree_id;
        manager->profile_of_tree = profile; /* published once a reading shows that very tree */
        manager->profile_evidence = profile_evidence_of(profile);
        for (char **guid = list; *guid; guid++)
                if (guid_is_valid(*guid))
                        images_remember(manager, *guid)->seen_tree = tree_id;
}

void inventory_load(Manager *manager) {
        g_autofree char *path = g_build_filename(manager->settings->runtime_folder, FILE_NAME, NULL);
        g_autofree char *text = g_malloc(FILE_SIZE_MAX);
        _cleanup_json_ json_object *object = NULL;
        char boot_id[BOOT_ID_SIZE] = "";
        const char *boot, *profile, *guids = "";
        ssize_t size = file_read(AT_FDCWD, path, text, FILE_SIZE_MAX);
        uint64_t tree_id;

        if (size < 0 || boot_id_read(boot_id) < 0)
                return;
        object = json_parse_line(text, (size_t) size);
        if (!object || json_get_string(object, "boot-id", &boot) < 0 || strcmp(boot, boot_id) != 0 ||
            json_get_u64(object, "tree", &tree_id) < 0 || tree_id == 0 ||
            json_get_string(object, "profile", &profile) < 0 || driver_profile_from_string(profile) < 0)
                return;
        (void) json_get_string(object, "guids", &guids);
        expect(manager, tree_id, driver_profile_from_string(profile), guids);
}
