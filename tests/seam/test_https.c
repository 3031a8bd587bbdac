/* test_https.c - libcurl's TLS as the HTTP seam sets it up, against a server with certificates made here.
 *
 * An authority of our own signs what the case needs: the right name, a wrong one, an expired one. The seam
 * trusts it through ca_file, which works for loopback alone. */
#include "core/live/clock_system.h"
#include "core/live/http_curl.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <gnutls/x509.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FAR_FUTURE ((time_t)4102444800) /* 2100-01-01 */
#define LONG_PAST ((time_t)1000000000)  /* 2001-09-09 */

/* --- certificates --- */

struct pair {
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t crt;
};

struct wish { /* of a certificate */
    const char *dns;
    bool has_loopback; /* 127.0.0.1 as a name */
    bool is_expired;
};

#define MUST(call) cr_assert_eq((call), 0, "%s", #call)

static void name_it(gnutls_x509_crt_t crt, const struct wish *wish) {
    static const unsigned char loopback[4] = {127, 0, 0, 1};
    if (wish->dns != NULL) {
        MUST(gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, wish->dns,
                                                  (unsigned)strlen(wish->dns), GNUTLS_FSAN_APPEND));
    }
    if (wish->has_loopback) {
        MUST(gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, loopback,
                                                  sizeof loopback, GNUTLS_FSAN_APPEND));
    }
}

/* Signed by issuer, or (NULL) an authority that signs itself. */
static struct pair make_pair(const struct pair *issuer, const struct wish *wish) {
    static const unsigned char serial[1] = {7};
    struct pair pair;
    bool is_authority = issuer == NULL;
    const char *name = is_authority ? "an authority" : "a server";
    MUST(gnutls_x509_privkey_init(&pair.key));
    MUST(gnutls_x509_privkey_generate(pair.key, GNUTLS_PK_ECDSA,
                                      GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0));
    MUST(gnutls_x509_crt_init(&pair.crt));
    MUST(gnutls_x509_crt_set_version(pair.crt, 3));
    MUST(gnutls_x509_crt_set_serial(pair.crt, serial, sizeof serial));
    MUST(gnutls_x509_crt_set_dn_by_oid(pair.crt, GNUTLS_OID_X520_COMMON_NAME, 0, name,
                                       (unsigned)strlen(name)));
    MUST(gnutls_x509_crt_set_key(pair.crt, pair.key));
    MUST(gnutls_x509_crt_set_activation_time(pair.crt, LONG_PAST - 1000));
    MUST(gnutls_x509_crt_set_expiration_time(pair.crt, wish->is_expired ? LONG_PAST : FAR_FUTURE));
    MUST(gnutls_x509_crt_set_basic_constraints(pair.crt, is_authority, -1));
    MUST(gnutls_x509_crt_set_key_usage(pair.crt, is_authority ? GNUTLS_KEY_KEY_CERT_SIGN
                                                              : GNUTLS_KEY_DIGITAL_SIGNATURE));
    name_it(pair.crt, wish);
    const struct pair *signer = is_authority ? &pair : issuer;
    MUST(gnutls_x509_crt_sign2(pair.crt, signer->crt, signer->key, GNUTLS_DIG_SHA256, 0));
    return pair;
}

static void pair_release(struct pair *pair) {
    gnutls_x509_crt_deinit(pair->crt);
    gnutls_x509_privkey_deinit(pair->key);
}

/* --- the stand: authority, server, client --- */

struct stand {
    char ca_file[40];
    gnutls_datum_t key, crt;
    struct MHD_Daemon *daemon;
    uint16_t port;
    atomic_int connections, closed, requests;
    struct clock_system *clock;
    struct http_curl *curl;
    struct http_response response;
    struct err err;
};

static void on_connection(void *context, struct MHD_Connection *connection, void **socket,
                          enum MHD_ConnectionNotificationCode what) {
    struct stand *stand = context;
    (void)connection;
    (void)socket;
    atomic_fetch_add(what == MHD_CONNECTION_NOTIFY_STARTED ? &stand->connections : &stand->closed,
                     1);
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *bytes,
                                  size_t *n, void **begun) {
    struct stand *stand = context;
    (void)url;
    (void)method;
    (void)version;
    (void)bytes;
    if (*begun == NULL || *n > 0) {
        *begun = stand;
        *n = 0;
        return MHD_YES;
    }
    atomic_fetch_add(&stand->requests, 1);
    struct MHD_Response *answer =
        MHD_create_response_from_buffer(5, (void *)(uintptr_t) "hello", MHD_RESPMEM_PERSISTENT);
    enum MHD_Result result = MHD_queue_response(connection, 200, answer);
    MHD_destroy_response(answer);
    return result;
}

static void start_server(struct stand *stand, bool is_tls, const char *priorities) {
    struct sockaddr_in self = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_KEY, 0, stand->key.data},
        {MHD_OPTION_HTTPS_MEM_CERT, 0, stand->crt.data},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)priorities},
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
    stand->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | (is_tls ? MHD_USE_TLS : 0U), 0, NULL, NULL, on_request,
        stand, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&self, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, stand, MHD_OPTION_ARRAY, is_tls ? tls : none, MHD_OPTION_END);
    cr_assert_not_null(stand->daemon, "this libmicrohttpd must speak TLS");
    stand->port = MHD_get_daemon_info(stand->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

static void write_authority(struct stand *stand, const struct pair *authority) {
    gnutls_datum_t pem;
    strcpy(stand->ca_file, "/tmp/seatrial-https-XXXXXX");
    int fd = mkstemp(stand->ca_file);
    MUST(gnutls_x509_crt_export2(authority->crt, GNUTLS_X509_FMT_PEM, &pem));
    cr_assert(fd >= 0 && write(fd, pem.data, pem.size) == (ssize_t)pem.size);
    (void)close(fd);
    gnutls_free(pem.data);
}

/* A client of `url` ("https://127.0.0.1"; the port is added) that trusts ca_file alone; NULL: the
 * system's authorities. */
static void connect_to(struct stand *stand, const char *url, const char *ca_file) {
    char whole[64];
    (void)snprintf(whole, sizeof whole, "%s:%u", url, stand->port);
    http_curl_destroy(stand->curl);
    struct http_curl_options options = {.trading_url = whole,
                                        .data_url = whole,
                                        .clock = clock_system_seam(stand->clock),
                                        .ca_file = ca_file};
    cr_assert_eq(http_curl_create(&options, &stand->curl, &stand->err), ERR_OK, "%s",
                 stand->err.text);
}

static void begin(struct stand *stand, const struct wish *wish, const char *priorities) {
    (void)signal(SIGPIPE, SIG_IGN);
    *stand = (struct stand){.port = 0};
    struct pair authority = make_pair(NULL, &(struct wish){.is_expired = false});
    struct pair server = make_pair(&authority, wish);
    MUST(gnutls_x509_privkey_export2(server.key, GNUTLS_X509_FMT_PEM, &stand->key));
    MUST(gnutls_x509_crt_export2(server.crt, GNUTLS_X509_FMT_PEM, &stand->crt));
    write_authority(stand, &authority);
    pair_release(&server);
    pair_release(&authority);
    cr_assert_eq(clock_system_create(&stand->clock, NULL), ERR_OK);
    start_server(stand, true, priorities);
    connect_to(stand, "https://127.0.0.1", stand->ca_file);
}

static void end(struct stand *stand) {
    http_curl_destroy(stand->curl);
    MHD_stop_daemon(stand->daemon);
    http_response_release(&stand->response);
    clock_system_destroy(stand->clock);
    gnutls_free(stand->key.data);
    gnutls_free(stand->crt.data);
    (void)unlink(stand->ca_file);
}

static const struct wish right = {.dns = "localhost", .has_loopback = true};

static enum err_code ask(struct stand *stand, const char *method) {
    static const struct http_header secret = {"APCA-API-SECRET-KEY", "planted-secret"};
    bool is_change = strcmp(method, "GET") != 0;
    struct http_request request = {.method = method,
                                   .path = "/v2/orders",
                                   .query = "",
                                   .headers = &secret,
                                   .header_count = 1,
                                   .body = is_change ? "{}" : "",
                                   .body_len = is_change ? 2 : 0,
                                   .is_change = is_change};
    return http_perform(http_curl_seam(stand->curl), &request, SPAN_S(10), &stand->response,
                        &stand->err);
}

/* The exchange fails before a byte of the request leaves. */
static void assert_refused(struct stand *stand, const char *words) {
    cr_assert_eq(ask(stand, "POST"), ERR_NOT_SENT, "%s", stand->err.text);
    cr_assert_not_null(strstr(stand->err.text, words), "'%s' is not in: %s", words,
                       stand->err.text);
    cr_assert_null(strstr(stand->err.text, "planted-secret"));
    cr_assert_eq(atomic_load(&stand->requests), 0);
}

/* --- claims --- */

Test(https, a_server_with_the_right_name_of_a_trusted_authority_answers) {
    struct stand stand;
    begin(&stand, &right, "NORMAL");
    cr_assert_eq(ask(&stand, "GET"), ERR_OK, "%s", stand.err.text);
    cr_assert_eq(stand.response.status, 200);
    cr_assert_str_eq(text_get(&stand.response.body), "hello");
    connect_to(&stand, "https://localhost", stand.ca_file);
    cr_assert_eq(ask(&stand, "GET"), ERR_OK, "by its other name: %s", stand.err.text);
    end(&stand);
}

Test(https, gets_share_a_connection_and_each_change_has_its_own) {
    struct stand stand;
    begin(&stand, &right, "NORMAL");
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(ask(&stand, "GET"), ERR_OK, "%s", stand.err.text);
    }
    cr_assert_eq(atomic_load(&stand.connections), 1);
    cr_assert_eq(ask(&stand, "POST"), ERR_OK, "%s", stand.err.text);
    cr_assert_eq(ask(&stand, "DELETE"), ERR_OK, "%s", stand.err.text);
    cr_assert_eq(atomic_load(&stand.connections), 3);
    cr_assert_eq(ask(&stand, "GET"), ERR_OK, "%s", stand.err.text);
    cr_assert_eq(atomic_load(&stand.connections), 3, "the first one is still there");
    cr_assert_eq(atomic_load(&stand.requests), 6);
    for (int i = 0; i < 200 && atomic_load(&stand.closed) < 2; i++) {
        usleep(10000);
    }
    cr_assert_eq(atomic_load(&stand.closed), 2, "a change's connection closes behind it");
    end(&stand);
}

Test(https, a_wrong_name_is_refused) {
    struct stand stand;
    begin(&stand, &(struct wish){.dns = "paper-api.alpaca.markets"}, "NORMAL");
    assert_refused(&stand, "no alternative certificate subject name matches");
    end(&stand);
}

Test(https, a_name_that_only_begins_right_is_refused) {
    struct stand stand;
    begin(&stand, &(struct wish){.dns = "localhost.example", .has_loopback = true}, "NORMAL");
    connect_to(&stand, "https://localhost", stand.ca_file);
    assert_refused(&stand, "no alternative certificate subject name matches");
    end(&stand);
}

Test(https, an_expired_certificate_is_refused) {
    struct stand stand;
    begin(&stand, &(struct wish){.has_loopback = true, .is_expired = true}, "NORMAL");
    assert_refused(&stand, "certificate has expired");
    end(&stand);
}

Test(https, an_unknown_authority_is_refused) {
    struct stand stand;
    struct stand other;
    begin(&stand, &right, "NORMAL");
    begin(&other, &right, "NORMAL");
    connect_to(&stand, "https://127.0.0.1", other.ca_file); /* of the same name, with another key */
    assert_refused(&stand, "");
    connect_to(&stand, "https://127.0.0.1", NULL);
    assert_refused(&stand, "certificate");
    connect_to(&stand, "https://127.0.0.1", stand.ca_file);
    cr_assert_eq(ask(&stand, "POST"), ERR_OK, "and only that was wrong: %s", stand.err.text);
    end(&other);
    end(&stand);
}

Test(https, an_authority_that_cannot_be_read_is_nobody) {
    struct stand stand;
    begin(&stand, &right, "NORMAL");
    connect_to(&stand, "https://127.0.0.1", "/nonexistent/authority.pem");
    assert_refused(&stand, "certificate");
    end(&stand);
}

Test(https, a_server_that_speaks_nothing_newer_than_tls_1_1_is_refused) {
    struct stand stand;
    begin(&stand, &right, "NORMAL:-VERS-ALL:+VERS-TLS1.1:+VERS-TLS1.0");
    assert_refused(&stand, "");
    end(&stand);
    begin(&stand, &right, "NORMAL:-VERS-ALL:+VERS-TLS1.2");
    cr_assert_eq(ask(&stand, "GET"), ERR_OK, "%s", stand.err.text);
    end(&stand);
}

Test(https, plain_http_and_tls_do_not_meet) {
    struct stand stand;
    begin(&stand, &right, "NORMAL");
    connect_to(&stand, "http://127.0.0.1", NULL);
    cr_assert_eq(ask(&stand, "GET"), ERR_UNKNOWN, "bytes went out, no answer: %s", stand.err.text);
    cr_assert_eq(atomic_load(&stand.requests), 0);
    MHD_stop_daemon(stand.daemon);
    start_server(&stand, false, NULL);
    connect_to(&stand, "https://127.0.0.1", stand.ca_file);
    assert_refused(&stand, "");
    end(&stand);
}

Test(https, an_authority_of_our_own_is_for_loopback_alone) {
    static const char live[] = "https://paper-api.alpaca.markets";
    static const char local[] = "https://127.0.0.1:1";
    const char *const pairs[][2] = {{live, live}, {live, local}, {local, live}, {local, local}};
    for (size_t i = 0; i < 4; i++) {
        struct http_curl_options options = {
            .trading_url = pairs[i][0], .data_url = pairs[i][1], .ca_file = "/tmp/authority.pem"};
        struct http_curl *curl = NULL;
        cr_assert_eq(http_curl_create(&options, &curl, NULL), i == 3 ? ERR_OK : ERR_CONFIG, "%s %s",
                     pairs[i][0], pairs[i][1]);
        http_curl_destroy(curl);
    }
}
