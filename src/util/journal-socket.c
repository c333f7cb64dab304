/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Entries to journald by its native protocol, which is one datagram each.
 *
 * sd_journal_sendv(3) speaks the same protocol, but has no way not to wait: with a journald that is stopped or hangs it
 * blocks, for ever, as soon as as many entries wait as net.unix.max_dgram_qlen says (seen with libsystemd 252: after 11
 * entries where that is 10; systemd sets 512). Here the kernel ends the waiting (SO_SNDTIMEO, socket(7)). */

#include "util/journal-socket.h"
#include "util/macros.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

/* Long enough for a journald that is only slow, short enough for whoever waits for lfad. */
#define PATIENCE_USEC (100 * USEC_PER_MSEC)

int journal_socket_open(void) {
        const struct timeval patience = { .tv_usec = PATIENCE_USEC };
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0)
                return -errno;
        return steal_fd(&fd);
}

/* By its name each time: journald may be started anew. */
int journal_socket_send(int fd, const char *path, const char *entry, size_t size, bool patient) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        if (strlen(path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        strcpy(address.sun_path, path);
        if (sendto(fd, entry, size, MSG_NOSIGNAL | (patient ? 0 : MSG_DONTWAIT),
                   (const struct sockaddr *) &address, sizeof(address)) < 0)
                return -errno;
        return 0;
}
