/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lfa-sim: main, the command line and its help. */

#include "config.h"
#include "sim/control.h"
#include "sim/ctl.h"
#include "sim/serve.h"
#include "sim/sim-clock.h"
#include "util/macros.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
        EXIT_USAGE = 2,
};

static const char help_head[] =
                "lfa-sim - a simulated kernel driver and firmware for Arm Live Firmware Activation\n"
                "\n"
                "Shows /sys/firmware/lfa as one of the published driver versions would, with firmware behind it\n"
                "that does, or fails to do, what it is told. Needs root and /dev/fuse, and no Arm machine.\n"
                "\n"
                "  lfa-sim run [OPTIONS] -- COMMAND...     run COMMAND in a private mount namespace with the simulation\n"
                "                                          mounted in it; exits as COMMAND does. LFA_SIM_CONTROL is set\n"
                "                                          for it, so that `lfa-sim ctl` inside finds the simulator\n"
                "  lfa-sim mount [OPTIONS]                 mount and serve in the foreground until SIGTERM, SIGINT or quit\n"
                "  lfa-sim ctl [--control=PATH] COMMAND... tell a running simulator; exit status 0 done, 1 refused,\n"
                "                                          2 wrong use. The socket is --control=, else $LFA_SIM_CONTROL,\n"
                "                                          else " CONTROL_DEFAULT_PATH "\n"
                "  lfa-sim profiles                        list driver versions and firmware models\n"
                "  lfa-sim --help | --version\n"
                "\n"
                "Options of run and mount:\n"
                "  --profile=NAME      the driver version (default nvnew)\n"
                "  --firmware=NAME     the firmware model (default versioned)\n"
                "  --mountpoint=PATH   what is covered (default /sys/firmware); its other entries stay visible.\n"
                "                      /sys/firmware of PID 1's mount namespace is refused\n"
                "  --kernel-log=PATH   show the kernel's log, as /dev/kmsg is, instead of this file; it is also\n"
                "                      .kmsg in the mountpoint, unlisted (default with run: /dev/kmsg, if there)\n"
                "  --sysfs=DIR         make DIR a stand-in for /sys: the simulation as its firmware folder, and what this\n"
                "                      driver version registers elsewhere (for lfad --sysfs=DIR)\n"
                "  --control=PATH      the control socket (default " CONTROL_DEFAULT_PATH
                "; with run a private one)\n"
                "  --ready-fd=N        write one byte to descriptor N when everything serves (READY=1 is sent, too)\n"
                "  --no-uevents        send no netlink events; else udev monitors in this network namespace get them\n"
                "  --device-suffix=N   the number behind the device's name in events (v3 and later); none: a bus that\n"
                "                      gives no number, and another modalias\n"
                "  --speed=N           simulated time passes N times as fast as real time (0.001 to 100000, default 1)\n"
                "  --unbound           the device is there, the driver is not bound to it\n"
                "\n"
                "An IMAGE is an alias (bl31, bl32, bl33, rmm, sp1, sp2, scp) or a GUID; a DURATION is 250us, 10ms, 8s, 1min.\n"
                "Commands of ctl:\n";

static const char help_tail[] =
                "\n"
                "Try it:\n"
                "  lfa-sim run -- sh -c 'lfa-sim ctl stage rmm 1.3\n"
                "      cd /sys/firmware/lfa/6c0762a6-12f2-4b56-92cb-ba8f633606d9\n"
                "      cat activation_pending pending_version; echo 1 > activate; cat current_version'\n";

static int print_help(void) {
        g_autofree char *commands = control_usage();

        printf("%s%s%s", help_head, commands, help_tail);
        return EXIT_SUCCESS;
}

static int print_profiles(void) {
        const DriverTraits *traits;
        const FirmwareModel *model;

        printf("Driver profiles:\n");
        for (size_t i = 0; (traits = driver_traits_at(i)); i++)
                printf("  %-10s %s\n", traits->name, traits->description);
        printf("Firmware models:\n");
        for (size_t i = 0; (model = firmware_model_at(i)); i++)
                printf("  %-10s %s\n", model->name, model->description);
        return EXIT_SUCCESS;
}

static int usage(const char *message) {
        fprintf(stderr, "lfa-sim: %s; see lfa-sim --help\n", message);
        return EXIT_USAGE;
}

enum {
        OPTION_PROFILE = 256,
        OPTION_FIRMWARE,
        OPTION_MOUNTPOINT,
        OPTION_KERNEL_LOG,
        OPTION_SYSFS,
        OPTION_CONTROL,
        OPTION_READY_FD,
        OPTION_NO_UEVENTS,
        OPTION_UNBOUND,
        OPTION_SPEED,
        OPTION_DEVICE_SUFFIX,
};

static const struct option serve_options[] = {
        { "profile", required_argument, NULL, OPTION_PROFILE },
        { "firmware", required_argument, NULL, OPTION_FIRMWARE },
        { "mountpoint", required_argument, NULL, OPTION_MOUNTPOINT },
        { "kernel-log", required_argument, NULL, OPTION_KERNEL_LOG },
        { "sysfs", required_argument, NULL, OPTION_SYSFS },
        { "control", required_argument, NULL, OPTION_CONTROL },
        { "ready-fd", required_argument, NULL, OPTION_READY_FD },
        { "no-uevents", no_argument, NULL, OPTION_NO_UEVENTS },
        { "device-suffix", required_argument, NULL, OPTION_DEVICE_SUFFIX },
        { "speed", required_argument, NULL, OPTION_SPEED },
        { "unbound", no_argument, NULL, OPTION_UNBOUND },
        { NULL },
};

/* The command and whatever else this program starts shall not hold the descriptor open. */
static int ready_fd_parse(const char *text) {
        char *end;
        long fd = strtol(text, &end, 10);

        if (end == text || *end || fd < 0 || fd > INT32_MAX || fcntl((int) fd, F_SETFD, FD_CLOEXEC) < 0)
                return -EINVAL;
        return (int) fd;
}

/* Returns what is wrong, or NULL. */
static const char *serve_option(ServeOptions *options, int option, const char *value) {
        switch (option) {
        case OPTION_PROFILE:
                options->traits = driver_traits_find(value);
                return options->traits ? NULL : "no such profile";
        case OPTION_FIRMWARE:
                options->model = firmware_model_find(value);
                return options->model ? NULL : "no such firmware model";
        case OPTION_MOUNTPOINT:
                options->mountpoint = value;
                return NULL;
        case OPTION_KERNEL_LOG:
                options->kernel_log = value;
                return NULL;
        case OPTION_SYSFS:
                options->sysfs = value;
                return NULL;
        case OPTION_CONTROL:
                options->control = value;
                return NULL;
        case OPTION_READY_FD:
                options->ready_fd = ready_fd_parse(value);
                return options->ready_fd >= 0 ? NULL : "--ready-fd= is not an open descriptor";
        case OPTION_NO_UEVENTS:
                options->no_uevents = true;
                return NULL;
        case OPTION_DEVICE_SUFFIX:
                options->device_suffix = value;
                return *value && strspn(value, "0123456789") != strlen(value) && strcmp(value, "none") != 0
                                       ? "--device-suffix= is a number or none"
                                       : NULL;
        case OPTION_SPEED:
                return speed_parse(value, &options->speed) < 0 ? "--speed= is a number from 0.001 to 100000"
                                                               : NULL;
        case OPTION_UNBOUND:
                options->unbound = true;
                return NULL;
        default:
                return "wrong option";
        }
}

/* argv[0] is the verb. */
static int run_serve(int argc, char **argv, bool with_command) {
        ServeOptions options = {
                .traits = driver_traits_find("nvnew"),
                .model = firmware_model_find("versioned"),
                .mountpoint = "/sys/firmware",
                .ready_fd = -EBADF,
                .speed = 1,
        };
        int option;

        while ((option = getopt_long(argc, argv, "+", serve_options, NULL)) >= 0) {
                const char *wrong = serve_option(&options, option, optarg);

                if (wrong)
                        return usage(wrong);
        }
        if (with_command && optind == argc)
                return usage("run needs a command");
        if (!with_command && optind < argc)
                return usage("mount takes no arguments");
        options.command = with_command ? argv + optind : NULL;
        return serve(&options);
}

static int run_ctl(int argc, char **argv) {
        static const struct option ctl_options[] = {
                { "control", required_argument, NULL, OPTION_CONTROL },
                { NULL },
        };
        const char *path = getenv("LFA_SIM_CONTROL");
        int option;

        while ((option = getopt_long(argc, argv, "+", ctl_options, NULL)) >= 0) {
                if (option != OPTION_CONTROL)
                        return usage("wrong option");
                path = optarg;
        }
        if (optind == argc)
                return usage("ctl needs a command");
        return ctl_run(path && *path ? path : CONTROL_DEFAULT_PATH, argv + optind);
}

int main(int argc, char **argv) {
        const char *verb = argc > 1 ? argv[1] : "";

        if (strcmp(verb, "--help") == 0 || strcmp(verb, "-h") == 0 || strcmp(verb, "help") == 0)
                return print_help();
        if (strcmp(verb, "--version") == 0) {
                printf("lfa-sim %s\n", LFAD_VERSION);
                return EXIT_SUCCESS;
        }
        if (strcmp(verb, "profiles") == 0 && argc == 2)
                return print_profiles();
        if (strcmp(verb, "mount") == 0 || strcmp(verb, "run") == 0)
                return run_serve(argc - 1, argv + 1, strcmp(verb, "run") == 0);
        if (strcmp(verb, "ctl") == 0)
                return run_ctl(argc - 1, argv + 1);
        return usage(argc > 1 ? "no such verb" : "what shall be done?");
}
