/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a process in lfad's sandbox can do: tries one thing after the other and says for each how it went, a line
 * "name ok" or "name ERRNO", to the file that is its argument. It does no harm where it succeeds. */

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static FILE *output;

static void say(const char *name, long result) {
        fprintf(output, "%s %s\n", name, result < 0 ? strerrorname_np(errno) : "ok");
        (void) fflush(output);
}

static void try_create(const char *name, const char *path) {
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

        say(name, fd);
        if (fd >= 0) {
                close(fd);
                (void) unlink(path);
        }
}

static void try_open(const char *name, const char *path, int flags) {
        int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK);

        say(name, fd);
        if (fd >= 0)
                close(fd);
}

static void try_socket(const char *name, int family, int type) {
        int fd = socket(family, type | SOCK_CLOEXEC, 0);

        say(name, fd);
        if (fd >= 0)
                close(fd);
}

/* In a child, which is another program if it may. */
static void try_execute(const char *name, const char *path) {
        int status;
        pid_t pid = fork();

        if (pid == 0) {
                execl(path, path, NULL);
                _exit(errno);
        }
        if (pid < 0 || waitpid(pid, &status, 0) < 0) {
                say(name, -1);
                return;
        }
        errno = WEXITSTATUS(status);
        say(name, WIFEXITED(status) && errno != 0 ? -1 : 0);
}

static void try_files(void) {
        try_create("create-etc", "/etc/lfad-probe");
        try_create("create-usr", "/usr/lfad-probe");
        try_create("create-usr-lib", "/usr/lib/lfad-probe");
        try_create("create-libexec", "/usr/libexec/lfad-probe2");
        try_create("create-boot", "/boot/lfad-probe");
        try_create("create-var", "/var/lib/lfad-probe");
        try_create("create-home", "/home/lfad-probe");
        try_create("create-dev", "/dev/lfad-probe");
        try_create("create-tmp", "/tmp/lfad-probe");
        try_create("create-own-state", "/var/lib/lfad/probe");
        try_create("create-own-run", "/run/lfad/probe");
        (void) try_open("read-root-home", "/root", O_RDONLY);
        (void) try_open("read-dev-mem", "/dev/mem", O_RDONLY);
        (void) try_open("read-kernel-log", "/dev/kmsg", O_RDONLY);
        (void) try_open("read-memory-of-1", "/proc/1/mem", O_RDONLY);
        (void) try_open("write-sysctl", "/proc/sys/kernel/core_pattern", O_WRONLY);
        (void) try_open("write-sysrq", "/proc/sysrq-trigger", O_WRONLY);
        (void) try_open("write-cgroup", "/sys/fs/cgroup/systemd/cgroup.procs", O_WRONLY);
        (void) try_open("write-activate", "/sys/firmware/lfa/6c0762a6-12f2-4b56-92cb-ba8f633606d9/activate",
                        O_WRONLY);
        try_execute("execute-shell", "/bin/sh");
        try_execute("execute-true", "/usr/bin/true");
}

static void try_sockets(void) {
        try_socket("socket-inet", AF_INET, SOCK_STREAM);
        try_socket("socket-inet6", AF_INET6, SOCK_DGRAM);
        try_socket("socket-packet", AF_PACKET, SOCK_RAW);
        try_socket("socket-vsock", AF_VSOCK, SOCK_STREAM);
        try_socket("socket-unix", AF_UNIX, SOCK_STREAM);
        try_socket("socket-netlink", AF_NETLINK, SOCK_RAW);
}

/* Arguments that would be refused by whoever may call; the filter is asked before. */
static void try_calls(void) {
        struct perf_event_attr event = { .size = sizeof(event) };
        struct rlimit limit = { 1 << 30, 1 << 30 };

        say("ptrace", ptrace(PTRACE_ATTACH, 1, NULL, NULL));
        say("process-vm-readv", syscall(SYS_process_vm_readv, 1, NULL, 0UL, NULL, 0UL, 0UL));
        say("mount", mount("none", "/tmp", "tmpfs", 0, NULL));
        say("unshare-user", unshare(CLONE_NEWUSER));
        say("unshare-mount", unshare(CLONE_NEWNS));
        say("chroot", chroot("/"));
        say("setuid", setuid(0));
        say("chown", fchownat(AT_FDCWD, "/run/lfad", 0, 0, 0));
        say("chmod-suid", fchmodat(AT_FDCWD, "/run/lfad", 04755, 0));
        say("keyctl", syscall(SYS_keyctl, 0, -3, 1));
        say("bpf", syscall(SYS_bpf, 0, NULL, 0));
        say("perf-event", syscall(SYS_perf_event_open, &event, 0, -1, -1, 0));
        say("io-uring", syscall(SYS_io_uring_setup, 0, NULL));
        say("init-module", syscall(SYS_init_module, NULL, 0UL, ""));
        say("reboot", syscall(SYS_reboot, 0, 0, 0, NULL));
        say("swapoff", syscall(SYS_swapoff, "/nowhere"));
        say("clock-settime", syscall(SYS_clock_settime, 0, NULL));
        say("sethostname", syscall(SYS_sethostname, "", 1 << 20));
        say("personality", syscall(SYS_personality, 8));
        say("nice", setpriority(PRIO_PROCESS, 0, 0));
        say("raise-limit", setrlimit(RLIMIT_NOFILE, &limit));
        say("memory-write-execute", mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
                                                    ? -1
                                                    : 0);
}

static void try_real_time(void) {
        for (int priority = 2; priority > 0; priority--) {
                const struct sched_param param = { .sched_priority = priority };

                say(priority == 1 ? "real-time-1" : "real-time-2",
                    sched_setscheduler(0, SCHED_FIFO, &param));
        }
}

int main(int argc, char **argv) {
        if (argc != 2 || !(output = fopen(argv[1], "we"))) {
                fprintf(stderr, "usage: probe FILE\n");
                return 2;
        }
        try_files();
        try_sockets();
        try_calls();
        try_real_time();
        fprintf(output, "end ok\n");
        return fclose(output) == 0 ? 0 : 1;
}
