/* host.h - the seam to whoever runs the process. */
#ifndef CORE_WORLD_HOST_H
#define CORE_WORLD_HOST_H

enum host_wish {
    HOST_NONE,
    HOST_TERMINATE, /* SIGTERM, SIGINT: finish the tick, cancel entries, leave protection, save */
    HOST_RELOAD,    /* SIGHUP, another key file: re-read configuration and credentials */
};

struct host;

struct host_ops {
    enum host_wish (*poll)(struct host *host);
};

struct host {
    const struct host_ops *ops;
};

/* The oldest wish not yet told, without waiting. HOST_TERMINATE repeats until obeyed. */
static inline enum host_wish host_poll(struct host *host) {
    return host->ops->poll(host);
}

#endif
