/* sealed.c - seams that go nowhere. */
#include "core/world/sealed.h"

#include <stdio.h>

/* --- time --- */

static struct sealed_world *of_clock(struct clock *clock) {
    return (struct sealed_world *)((char *)clock - offsetof(struct sealed_world, clock));
}

static struct utc utc_now(struct clock *clock) {
    return of_clock(clock)->utc;
}

static struct mono mono_now(struct clock *clock) {
    return of_clock(clock)->mono;
}

static void boot_id(struct clock *clock, char out[static CLOCK_BOOT_MAX]) {
    (void)clock;
    snprintf(out, CLOCK_BOOT_MAX, "sealed");
}

static void sleep_for(struct clock *clock, struct span span) {
    sealed_world_advance(of_clock(clock), span);
}

static const struct clock_ops CLOCK_OPS = {utc_now, mono_now, boot_id, sleep_for};

/* --- disk --- */

static enum err_code sealed(struct err *err) {
    return err_set(err, ERR_IO, "this disk is sealed");
}

static enum err_code open_file(struct disk *disk, const char *name, unsigned flags,
                               struct disk_file *out, struct err *err) {
    (void)disk, (void)name, (void)flags, (void)out;
    return sealed(err);
}

static void close_file(struct disk *disk, struct disk_file file) {
    (void)disk, (void)file;
}

static enum err_code size_of(struct disk *disk, struct disk_file file, uint64_t *out,
                             struct err *err) {
    (void)disk, (void)file, (void)out;
    return sealed(err);
}

static enum err_code read_at(struct disk *disk, struct disk_file file, void *bytes, size_t n,
                             uint64_t offset, size_t *got, struct err *err) {
    (void)disk, (void)file, (void)bytes, (void)n, (void)offset, (void)got;
    return sealed(err);
}

static enum err_code write_at(struct disk *disk, struct disk_file file, const void *bytes, size_t n,
                              uint64_t offset, struct err *err) {
    (void)disk, (void)file, (void)bytes, (void)n, (void)offset;
    return sealed(err);
}

static enum err_code truncate_file(struct disk *disk, struct disk_file file, uint64_t size,
                                   struct err *err) {
    (void)disk, (void)file, (void)size;
    return sealed(err);
}

static enum err_code sync_file(struct disk *disk, struct disk_file file, struct err *err) {
    (void)disk, (void)file;
    return sealed(err);
}

static enum err_code two_names(struct disk *disk, const char *from, const char *to,
                               struct err *err) {
    (void)disk, (void)from, (void)to;
    return sealed(err);
}

static enum err_code one_name(struct disk *disk, const char *name, struct err *err) {
    (void)disk, (void)name;
    return sealed(err);
}

static enum err_code list(struct disk *disk, const char *folder, disk_visit *visit, void *context,
                          struct err *err) {
    (void)disk, (void)folder, (void)visit, (void)context;
    return sealed(err);
}

static enum err_code lock(struct disk *disk, const char *name, struct disk_file *out,
                          struct err *err) {
    (void)disk, (void)name, (void)out;
    return sealed(err);
}

static const struct disk_ops DISK_OPS = {
    .open = open_file,
    .close = close_file,
    .size = size_of,
    .read_at = read_at,
    .write_at = write_at,
    .truncate = truncate_file,
    .sync = sync_file,
    .rename = two_names,
    .remove = one_name,
    .link = two_names,
    .sync_dir = one_name,
    .make_dir = one_name,
    .list = list,
    .lock = lock,
};

/* --- all else --- */

static enum err_code perform(struct http *http, const struct http_request *request,
                             struct span deadline, struct http_response *response,
                             struct err *err) {
    (void)http, (void)request, (void)deadline, (void)response;
    return err_set(err, ERR_NOT_SENT, "this network is sealed");
}

static const struct http_ops HTTP_OPS = {.perform = perform};

static enum err_code fill(struct entropy *entropy, void *bytes, size_t n, struct err *err) {
    (void)entropy, (void)bytes, (void)n;
    return err_set(err, ERR_IO, "this entropy is sealed");
}

static const struct entropy_ops ENTROPY_OPS = {fill};

static enum host_wish poll_host(struct host *host) {
    (void)host;
    return HOST_NONE;
}

static const struct host_ops HOST_OPS = {poll_host};

void sealed_world_init(struct sealed_world *sealed, struct utc utc, struct mono mono) {
    *sealed = (struct sealed_world){.clock = {&CLOCK_OPS},
                                    .utc = utc,
                                    .mono = mono,
                                    .disk = {&DISK_OPS},
                                    .http = {&HTTP_OPS},
                                    .entropy = {&ENTROPY_OPS},
                                    .host = {&HOST_OPS}};
    sealed->world = (struct world){.clock = &sealed->clock,
                                   .disk = &sealed->disk,
                                   .http = &sealed->http,
                                   .entropy = &sealed->entropy,
                                   .host = &sealed->host};
}

void sealed_world_advance(struct sealed_world *sealed, struct span span) {
    sealed->utc = utc_add(sealed->utc, span);
    sealed->mono = mono_add(sealed->mono, span);
}
