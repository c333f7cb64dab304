/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For programs under valgrind 3.19, which does not know openat2(2) and says ENOSYS: preloaded, this makes of it the
 * openat(2) that it is where no link leads out of the folder. The only such call that lfad makes is for reading
 * its configuration below --config-root, which tests alone use. */

#include <dlfcn.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <sys/syscall.h>

long syscall(long number, ...);

long syscall(long number, ...) {
        static long (*next)(long number, ...);
        va_list list;
        long arguments[6];

        va_start(list, number);
        for (int i = 0; i < 6; i++)
                arguments[i] = va_arg(list, long);
        va_end(list);
        if (number == SYS_openat2) {
                const struct open_how *how = (const struct open_how *) arguments[2];

                return openat((int) arguments[0], (const char *) arguments[1], (int) how->flags);
        }
        if (!next)
                next = (long (*)(long, ...)) dlsym(RTLD_NEXT, "syscall");
        return next(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
                    arguments[5]);
}
