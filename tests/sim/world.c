/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Virtual time around the driver model. */

#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

World *world_new(const char *profile, const char *model) {
        World *world = g_new0(World, 1);

        world->now = 1000000;
        world->firmware = firmware_new(firmware_model_find(model));
        world->driver = driver_new(driver_traits_find(profile), world->firmware);
        assert_int_equal(driver_bind(world->driver, world->now), 0);
        return world;
}

World *world_free(World *world) {
        if (!world)
                return NULL;
        driver_free(world->driver);
        firmware_free(world->firmware);
        g_free(world);
        return NULL;
}

FirmwareComponent *world_component(World *world, const char *guid) {
        FirmwareComponent *component = firmware_find(world->firmware, guid);

        assert_non_null(component);
        return component;
}

DriverImage *world_image(World *world, const char *guid) {
        DriverImage *image = driver_find(world->driver, guid);

        assert_non_null(image);
        return image;
}

void world_offer(World *world, const char *guid, uint64_t version) {
        firmware_stage(world->firmware, world_component(world, guid), version);
        assert_string_equal(world_read(world, guid, ATTRIBUTE_ACTIVATION_PENDING, NULL), "1");
}

ssize_t world_drive(World *world, DriverCall *call) {
        for (;;) {
                Step step;

                driver_tick(world->driver, world->now);
                step = driver_call_step(call, world->now);
                world->n_steps++;
                driver_tick(world->driver, world->now);
                if (step.kind == STEP_DONE)
                        return step.result;
                assert_int_not_equal(step.kind, STEP_WAIT);
                world->now += step.usec;
        }
}

ssize_t world_write(World *world, const char *guid, SysfsAttribute attribute, const char *data) {
        g_autoptr(DriverCall) call = driver_call_write(world->driver, world_image(world, guid), attribute,
                                                       data, strlen(data), world->now);

        return world_drive(world, call);
}

DriverCall *world_start(World *world, const char *guid) {
        return driver_call_write(world->driver, world_image(world, guid), ATTRIBUTE_ACTIVATE, "1", 1,
                                 world->now);
}

ssize_t world_activate(World *world, const char *guid) {
        ssize_t r = world_write(world, guid, ATTRIBUTE_ACTIVATE, "1");

        driver_tick(world->driver, world->now);
        return r;
}

const char *world_read(World *world, const char *guid, SysfsAttribute attribute, int *ret_errno) {
        g_autoptr(DriverCall) call = driver_call_read(world->driver, world_image(world, guid), attribute);
        ssize_t r = world_drive(world, call);
        const char *text;
        size_t size;

        if (r < 0) {
                if (ret_errno)
                        *ret_errno = (int) -r;
                return NULL;
        }
        text = driver_call_text(call, &size);
        assert_int_equal(size, r);
        assert_int_equal(text[size - 1], '\n');
        assert_null(memchr(text, '\n', size - 1));
        g_strlcpy(world->text, text, MIN(size, sizeof(world->text)));
        return world->text;
}

void world_pass(World *world, uint64_t usec) {
        uint64_t end = world->now + usec;

        while (world->now < end) {
                uint64_t due;

                driver_tick(world->driver, world->now);
                due = driver_next_due(world->driver);
                /* What is overdue waits for somebody; nobody else acts here, so looking again is enough. */
                world->now = MIN(MAX(due, world->now + 1), end);
        }
        driver_tick(world->driver, world->now);
}

char *world_events(World *world) {
        GString *actions = g_string_new(NULL);
        DriverEvent *event;

        while ((event = g_queue_pop_head(world->driver->events))) {
                g_string_append_printf(actions, "%s%s", actions->len > 0 ? " " : "", event->action);
                g_free(event);
        }
        return g_string_free(actions, FALSE);
}

unsigned world_logged(const World *world, const char *text) {
        unsigned n = 0;

        for (const GList *item = world->driver->log->head; item; item = item->next)
                n += strstr(((const DriverLogLine *) item->data)->text, text) ? 1 : 0;
        return n;
}
