/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fields of log entries. */

#include "daemon/log-fields.h"

LogFields *image_fields(const Image *image) {
        LogFields *fields = log_add(NULL, LFA_FIELD_GUID, image->values.guid);

        return log_add(fields, LFA_FIELD_IMAGE, image_display_name(image));
}

LogFields *guid_fields(Manager *manager, const char *guid) {
        return *guid ? image_fields(images_remember(manager, guid)) : NULL;
}

LogFields *job_fields(const Job *job) {
        LogFields *fields = log_add_u64(guid_fields(job->manager, job->guid), LFA_FIELD_JOB, job->id);

        fields = log_add(fields, LFA_FIELD_FROM, job->from);
        return log_add(fields, LFA_FIELD_TO, job->to);
}

LogFields *add_requester(LogFields *fields, const Requester *requester) {
        fields = log_add_u64(fields, LFA_FIELD_UID, requester->uid);
        if (requester->pid > 0)
                fields = log_add_u64(fields, LFA_FIELD_PID, requester->pid);
        fields = log_add(fields, LFA_FIELD_UNIT, requester->unit);
        if (requester->logged_in)
                fields = log_add_u64(fields, LFA_FIELD_LOGIN_UID, requester->login_uid);
        return fields;
}
