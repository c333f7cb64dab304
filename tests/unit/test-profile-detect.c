/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Telling the versions of the driver apart by what they leave in sysfs. */

#include "core/enum-names.h"
#include "fake-sysfs.h"
#include "kernel/profile-detect.h"
#include "util/macros.h"

#define DRIVER_V1NV "bus/platform/drivers/ARM_LFA"
#define DEVICE_V2 "devices/faux/arm-lfa"
#define DRIVER_V3 "bus/arm_smccc/drivers/lfa_fw"

static DriverProfile detect(const TempFolder *sysfs, const char *const *guids) {
        _cleanup_close_ int tree_fd = fake_tree_fd(sysfs);
        g_autoptr(GPtrArray) array = g_ptr_array_new();

        for (size_t i = 0; guids[i]; i++)
                g_ptr_array_add(array, (char *) guids[i]);
        return profile_detect(sysfs->path, tree_fd, array);
}

static const char *const one_image[] = { GUID_RMM, NULL };

static void each_version_is_told_by_its_evidence(void **state) {
        static const struct {
                const char *title;
                FakeLayout layout;
                const char *name, *pending_version; /* NULL: as the layout has it */
                const char *folder;                 /* elsewhere in sysfs */
                DriverProfile profile;
        } rows[] = {
                { "rfc1", FAKE_RFC1, NULL, NULL, NULL, PROFILE_RFC1 },
                { "rfc2 and nvrfc", FAKE_RFC2, NULL, NULL, NULL, PROFILE_RFC2 },
                { "v1", FAKE_V1, NULL, "3273.57\n", NULL, PROFILE_V1 },
                { "v1nv", FAKE_V1, "\xff\x01\n", "3273.57\n", DRIVER_V1NV, PROFILE_V1NV },
                { "v1nv whose rubbish looks like v2s", FAKE_V1, NULL, "N/A\n", DRIVER_V1NV, PROFILE_V1NV },
                { "v2s", FAKE_V1, NULL, "N/A\n", NULL, PROFILE_V2S },
                { "v2s whose image is pending", FAKE_V1, "\n", "1.3\n", NULL, PROFILE_V2S },
                { "v1 by its names", FAKE_V1, "(unknown)\n", "3273.57\n", NULL, PROFILE_V1 },
                { "v2", FAKE_V2, NULL, NULL, DEVICE_V2, PROFILE_V2 },
                { "v2 with a name as v3", FAKE_V2, "\n", NULL, DEVICE_V2, PROFILE_V2 },
                { "v3", FAKE_V2, "\n", NULL, DRIVER_V3, PROFILE_V3 },
                { "nv3", FAKE_V2, GUID_RMM "\n", NULL, DRIVER_V3, PROFILE_NV3 },
                { "v3 or later, known names only", FAKE_V2, NULL, NULL, DRIVER_V3, PROFILE_V3 },
                { "a later one, on no bus that is known", FAKE_V2, "\n", NULL, NULL, PROFILE_UNKNOWN },
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                TempFolder *sysfs = temp_folder_new();
                DriverProfile profile;

                fake_image(sysfs, GUID_RMM, rows[i].layout);
                if (rows[i].name)
                        fake_attribute(sysfs, GUID_RMM, "name", rows[i].name);
                if (rows[i].pending_version)
                        fake_attribute(sysfs, GUID_RMM, "pending_version", rows[i].pending_version);
                if (rows[i].folder)
                        fake_folder(sysfs, rows[i].folder);
                profile = detect(sysfs, one_image);
                if (profile != rows[i].profile)
                        fail_msg("%s: taken for %s", rows[i].title, driver_profile_to_string(profile));
                temp_folder_free(sysfs);
        }
}

static void a_driver_that_fits_no_description_is_unknown(void **state) {
        static const char *const essential[] = { "activate", "activation_pending" };
        static const char *const none[] = { NULL };

        fake_folder(*state, "firmware/lfa");
        assert_int_equal(detect(*state, none), PROFILE_UNKNOWN);
        for (size_t i = 0; i < G_N_ELEMENTS(essential); i++) {
                fake_image(*state, GUID_RMM, FAKE_V2);
                fake_attribute(*state, GUID_RMM, essential[i], NULL);
                assert_int_equal(detect(*state, one_image), PROFILE_UNKNOWN);
        }
}

static void directories_that_have_lost_their_files_are_passed_over(void **state) {
        static const char *const guids[] = { GUID_BL31, GUID_BL33, GUID_RMM, NULL };

        fake_folder(*state, "firmware/lfa/" GUID_BL31);
        fake_image(*state, GUID_RMM, FAKE_V1); /* and BL33 is gone altogether */
        fake_attribute(*state, GUID_RMM, "pending_version", "N/A\n");
        assert_int_equal(detect(*state, guids), PROFILE_V2S);
}

static void one_image_without_a_kernel_name_tells_v3_from_nv3(void **state) {
        static const char *const guids[] = { GUID_RMM, GUID_NAMELESS, NULL };

        fake_folder(*state, DRIVER_V3);
        fake_image(*state, GUID_RMM, FAKE_V2);
        fake_image(*state, GUID_NAMELESS, FAKE_V2);
        fake_attribute(*state, GUID_NAMELESS, "name", GUID_NAMELESS "\n");
        assert_int_equal(detect(*state, guids), PROFILE_NV3);
        fake_attribute(*state, GUID_NAMELESS, "name", "\n");
        assert_int_equal(detect(*state, guids), PROFILE_V3);
        fake_attribute(*state, GUID_NAMELESS, "name",
                       GUID_BL31 "\n"); /* another image's GUID is no evidence */
        assert_int_equal(detect(*state, guids), PROFILE_V3);
}

static void one_version_that_is_left_out_tells_v2s_from_v1(void **state) {
        static const char *const guids[] = { GUID_BL31, GUID_RMM, NULL };

        fake_image(*state, GUID_BL31, FAKE_V1);
        fake_attribute(*state, GUID_BL31, "pending_version", "1.3\n"); /* it is pending */
        fake_image(*state, GUID_RMM, FAKE_V1);
        fake_attribute(*state, GUID_RMM, "pending_version", "N/A\n");
        assert_int_equal(detect(*state, guids), PROFILE_V2S);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_version_is_told_by_its_evidence),
                unit_test_with_folder(a_driver_that_fits_no_description_is_unknown),
                unit_test_with_folder(directories_that_have_lost_their_files_are_passed_over),
                unit_test_with_folder(one_version_that_is_left_out_tells_v2s_from_v1),
                unit_test_with_folder(one_image_without_a_kernel_name_tells_v3_from_nv3),
        };

        return cmocka_run_group_tests_name("profile-detect", tests, NULL, NULL);
}
