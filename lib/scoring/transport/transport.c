/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/transport/transport.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/text.h"
#include "lib/scoring/transport/transport_headers.h"

struct xpl_transport {
    CURLM *multi;
    uint32_t n_slots;
    uint64_t sent, received;
    struct xpl_slot slots[];
};

/* ---- callbacks of curl ---- */

static size_t take_answer(char *data, size_t size, size_t n, void *arg)
{
    struct xpl_slot *slot = arg;

    if (slot->piece && slot->answer.length >= slot->piece) {
        slot->paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    slot->news = true;
    return xpl_buf_append(&slot->answer, data, size * n) ? size * n : 0;
}

static unsigned port_of(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return ntohs(((const struct sockaddr_in *)(const void *)address)->sin_port);
    return address->sa_family == AF_INET6 ? ntohs(((const struct sockaddr_in6 *)(const void *)address)->sin6_port) : 0;
}

/* The empty line behind a head that is not only an interim one. */
static bool ends_head(struct xpl_slot *slot, const char *data, size_t length)
{
    long status = 0;

    if (length > 2 || (*data != '\r' && *data != '\n'))
        return false;
    curl_easy_getinfo(slot->handle, CURLINFO_RESPONSE_CODE, &status);
    return status >= 200;
}

/* curl stores every header of an answer: an endless head is cut off here. */
static size_t take_header(char *data, size_t size, size_t n, void *arg)
{
    struct xpl_slot *slot = arg;

    slot->header_bytes += size * n;
    if (size * n > 0 && ends_head(slot, data, size * n))
        slot->has_head = slot->news = true;
    return slot->header_bytes <= XPL_MAX_ANSWER_HEADERS ? size * n : 0;
}

static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct xpl_slot *slot = arg;
    int fd;

    if (purpose != CURLSOCKTYPE_IPCXN ||
        !xpl_address_allowed(slot->endpoint->policy, slot->host, port_of(&address->addr), &address->addr)) {
        slot->refused = true;
        return CURL_SOCKET_BAD;
    }
    slot->opened = true;
    fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static size_t give_body(char *out, size_t size, size_t n, void *arg)
{
    struct xpl_slot *slot = arg;

    return slot->source.read ? slot->source.read(slot->source.context, out, size * n) : CURL_READFUNC_ABORT;
}

/* When a connection that was kept turns out to be closed, the request is sent again from its beginning. */
static int rewind_body(void *arg, curl_off_t offset, int origin)
{
    struct xpl_slot *slot = arg;

    if (!slot->source.read || offset != 0 || origin != SEEK_SET)
        return CURL_SEEKFUNC_CANTSEEK;
    slot->source.rewind(slot->source.context);
    return CURL_SEEKFUNC_OK;
}

/* ---- making slots ---- */

/* "host:port", and the host without the brackets of an IPv6 address. */
static enum xpl_status name_host(struct xpl_slot *slot, const char *host, const char *port, struct xpl_error *err)
{
    size_t length = strlen(host), size = length + strlen(port) + 2;

    slot->host = *host == '[' && length > 2 ? strndup(host + 1, length - 2) : strdup(host);
    slot->host_port = malloc(size);
    if (!slot->host || !slot->host_port)
        return xpl_no_memory(err);
    snprintf(slot->host_port, size, "%s:%s", host, port);
    return XPL_OK;
}

/* One reading of the address for the policy and for curl: two parsers could disagree about the host. */
static enum xpl_status read_url(struct xpl_slot *slot, const char *text, struct xpl_error *err)
{
    char *host = NULL, *port = NULL;
    enum xpl_status st;

    if (!(slot->url = curl_url()))
        return xpl_no_memory(err);
    if (curl_url_set(slot->url, CURLUPART_URL, text, CURLU_DISALLOW_USER) ||
        curl_url_get(slot->url, CURLUPART_HOST, &host, 0) ||
        curl_url_get(slot->url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT))
        st = xpl_fail(err, XPL_MODEL_UNREACHABLE, "the scoring address is not a usable http or https URL");
    else
        st = name_host(slot, host, port, err);
    curl_free(host);
    curl_free(port);
    return st;
}

/* The library copies it. */
static void use_pem(CURL *h, CURLoption option, const char *pem)
{
    struct curl_blob blob = {.data = (void *)(uintptr_t)pem, .len = pem ? strlen(pem) : 0, .flags = CURL_BLOB_COPY};

    if (pem)
        curl_easy_setopt(h, option, &blob);
}

static void sign_requests(CURL *h, const struct xpl_endpoint *endpoint)
{
    char scope[128];

    snprintf(scope, sizeof scope, "aws:amz:%.60s:%.40s", endpoint->aws_region, endpoint->aws_service);
    curl_easy_setopt(h, CURLOPT_AWS_SIGV4, scope);
}

static void set_options(struct xpl_slot *slot, const struct xpl_endpoint *endpoint,
                        const struct xpl_call_options *options)
{
    CURL *h = slot->handle;

    curl_easy_setopt(h, CURLOPT_CURLU, slot->url);
    curl_easy_setopt(h, CURLOPT_HTTPHEADER, slot->headers);
    curl_easy_setopt(h, CURLOPT_USERAGENT, "explaind/" EXPLAIND_VERSION);
    curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, take_answer);
    curl_easy_setopt(h, CURLOPT_WRITEDATA, slot);
    curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(h, CURLOPT_HEADERDATA, slot);
    curl_easy_setopt(h, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(h, CURLOPT_OPENSOCKETDATA, slot);
    curl_easy_setopt(h, CURLOPT_PRIVATE, slot);
    curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(h, CURLOPT_PROXY, "");
    curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(h, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(h, CURLOPT_QUICK_EXIT, 1L); /* a name server that does not answer holds nobody up at the end */
    curl_easy_setopt(h, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, (long)options->connect_timeout_ms);
    curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, (long)options->call_timeout_ms);
    if (endpoint->username) {
        if (!endpoint->aws_region)
            curl_easy_setopt(h, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        curl_easy_setopt(h, CURLOPT_USERNAME, endpoint->username);
        curl_easy_setopt(h, CURLOPT_PASSWORD, endpoint->password ? endpoint->password : "");
    }
    if (endpoint->aws_region)
        sign_requests(h, endpoint);
    use_pem(h, CURLOPT_CAINFO_BLOB, endpoint->ca_pem);
    use_pem(h, CURLOPT_SSLCERT_BLOB, endpoint->certificate_pem);
    use_pem(h, CURLOPT_SSLKEY_BLOB, endpoint->key_pem);
    if (slot->posts)
        curl_easy_setopt(h, CURLOPT_POST, 1L);
    curl_easy_setopt(h, CURLOPT_READFUNCTION, give_body);
    curl_easy_setopt(h, CURLOPT_READDATA, slot);
    curl_easy_setopt(h, CURLOPT_SEEKFUNCTION, rewind_body);
    curl_easy_setopt(h, CURLOPT_SEEKDATA, slot);
}

static enum xpl_status make_slot(struct xpl_slot *slot, const struct xpl_endpoint *endpoint,
                                 const struct xpl_call_options *options, bool posts, struct xpl_error *err)
{
    static const struct xpl_media json = {.content_type = "application/json", .accept = "application/json"};
    enum xpl_status st;

    slot->endpoint = endpoint;
    slot->posts = posts;
    xpl_buf_init(&slot->answer, options->max_answer_bytes);
    slot->handle = curl_easy_init();
    if (!slot->handle)
        return xpl_no_memory(err);
    if ((st = read_url(slot, endpoint->url, err)) || (st = xpl_slot_add_headers(slot, endpoint, options, &json, err)))
        return st;
    set_options(slot, endpoint, options);
    return XPL_OK;
}

enum xpl_status xpl_transport_new(const struct xpl_endpoint *endpoint, const struct xpl_call_options *options,
                                  uint32_t in_flight, bool posts, struct xpl_transport **ret, struct xpl_error *err)
{
    uint32_t n = in_flight < XPL_MAX_IN_FLIGHT ? in_flight : XPL_MAX_IN_FLIGHT;
    struct xpl_transport *transport = calloc(1, sizeof *transport + n * sizeof *transport->slots);
    enum xpl_status st;

    if (!transport)
        return xpl_no_memory(err);
    transport->n_slots = n;
    st = (transport->multi = curl_multi_init()) ? XPL_OK : xpl_no_memory(err);
    for (uint32_t i = 0; !st && i < n; i++)
        st = make_slot(&transport->slots[i], endpoint, options, posts, err);
    if (st) {
        xpl_transport_free(transport);
        return st;
    }
    curl_multi_setopt(transport->multi, CURLMOPT_MAXCONNECTS, (long)n);
    *ret = transport;
    return XPL_OK;
}

void xpl_transport_free(struct xpl_transport *transport)
{
    if (!transport)
        return;
    xpl_transport_abort(transport);
    for (uint32_t i = 0; i < transport->n_slots; i++) {
        struct xpl_slot *slot = &transport->slots[i];

        curl_easy_cleanup(slot->handle);
        curl_slist_free_all(slot->headers);
        curl_url_cleanup(slot->url);
        free(slot->host);
        free(slot->host_port);
        xpl_buf_release(&slot->answer);
        free(slot->body);
    }
    curl_multi_cleanup(transport->multi);
    free(transport);
}

struct xpl_slot *xpl_transport_slot(struct xpl_transport *transport, uint32_t index)
{
    return index < transport->n_slots ? &transport->slots[index] : NULL;
}

const char *xpl_transport_host(const struct xpl_transport *transport)
{
    return transport->slots[0].host_port;
}

/* ---- requests ---- */

char *xpl_transport_body(struct xpl_slot *slot, size_t size)
{
    if (size <= slot->body_size)
        return slot->body;
    free(slot->body);
    slot->body = malloc(size);
    slot->body_size = slot->body ? size : 0;
    return slot->body;
}

/* NULL: it is read. */
static const char *whole_body(const struct xpl_slot *slot)
{
    if (slot->source.read)
        return NULL;
    return slot->borrowed ? slot->borrowed : slot->body;
}

enum xpl_status xpl_transport_start(struct xpl_transport *transport, struct xpl_slot *slot, size_t body_length,
                                    uint64_t number, struct xpl_error *err)
{
    xpl_buf_clear(&slot->answer);
    slot->answer.failed = false;
    slot->header_bytes = 0;
    slot->refused = slot->opened = slot->has_head = slot->news = slot->paused = slot->whole = false;
    xpl_slot_number_headers(slot, number);
    if (slot->posts) {
        curl_easy_setopt(slot->handle, CURLOPT_POSTFIELDS, whole_body(slot));
        curl_easy_setopt(slot->handle, CURLOPT_POSTFIELDSIZE_LARGE,
                         body_length == SIZE_MAX ? (curl_off_t)-1 : (curl_off_t)body_length);
    }
    if (curl_multi_add_handle(transport->multi, slot->handle) != CURLM_OK)
        return xpl_fail(err, XPL_INTERNAL, "a scoring call could not be started");
    slot->active = true;
    return XPL_OK;
}

void xpl_transport_go_on(struct xpl_slot *slot)
{
    if (slot->paused) {
        slot->paused = false;
        curl_easy_pause(slot->handle, CURLPAUSE_CONT); /* hands over what it held back */
    }
}

static bool has_news(const struct xpl_transport *transport)
{
    for (uint32_t i = 0; i < transport->n_slots; i++)
        if (transport->slots[i].piece && transport->slots[i].news)
            return true;
    return false;
}

static void count_bytes(struct xpl_transport *transport, struct xpl_slot *slot)
{
    curl_off_t up = 0, down = 0;

    curl_easy_getinfo(slot->handle, CURLINFO_SIZE_UPLOAD_T, &up);
    curl_easy_getinfo(slot->handle, CURLINFO_SIZE_DOWNLOAD_T, &down);
    transport->sent += (uint64_t)up;
    transport->received += (uint64_t)down;
}

/* A header that is no number, or is there without a need, leaves all of the answer to be text. */
static void read_answer_head(struct xpl_slot *slot)
{
    struct curl_header *header;
    int64_t length = 0;

    if (curl_easy_header(slot->handle, "Inference-Header-Content-Length", 0, CURLH_HEADER, -1, &header) == CURLHE_OK)
        xpl_parse_int(header->value, 0, (int64_t)slot->answer.max, &length);
    slot->answer_head = (size_t)length;
}

/* The next request that ended, if any. */
static struct xpl_slot *take_ended(struct xpl_transport *transport, CURLcode *ret_code)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(transport->multi, &left))) {
        struct xpl_slot *slot = NULL;

        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)(void *)&slot);
        *ret_code = message->data.result;
        curl_multi_remove_handle(transport->multi, slot->handle);
        slot->active = false;
        return slot;
    }
    return NULL;
}

enum xpl_status xpl_transport_poll(struct xpl_transport *transport, int timeout_ms, struct xpl_slot **ret_slot,
                                   enum xpl_outcome *ret_outcome, int64_t *ret_retry_after_ms, struct xpl_error *err)
{
    CURLcode code = CURLE_OK;
    int running;

    *ret_retry_after_ms = 0;
    *ret_slot = take_ended(transport, &code);
    if (!*ret_slot) {
        if (curl_multi_perform(transport->multi, &running) != CURLM_OK)
            return xpl_fail(err, XPL_INTERNAL, "the HTTP client failed");
        *ret_slot = take_ended(transport, &code);
    }
    if (!*ret_slot && !has_news(transport)) {
        curl_multi_poll(transport->multi, NULL, 0, timeout_ms, NULL);
        curl_multi_perform(transport->multi, &running);
        *ret_slot = take_ended(transport, &code);
    }
    if (!*ret_slot)
        return XPL_OK;
    count_bytes(transport, *ret_slot);
    read_answer_head(*ret_slot);
    (*ret_slot)->whole = code == CURLE_OK;
    *ret_outcome = xpl_outcome_judge(*ret_slot, code, ret_retry_after_ms, err);
    return XPL_OK;
}

void xpl_transport_abort(struct xpl_transport *transport)
{
    for (uint32_t i = 0; i < transport->n_slots; i++) {
        struct xpl_slot *slot = &transport->slots[i];

        if (slot->active)
            curl_multi_remove_handle(transport->multi, slot->handle);
        slot->active = false;
    }
}

void xpl_transport_bytes(const struct xpl_transport *transport, uint64_t *ret_sent, uint64_t *ret_received)
{
    *ret_sent = transport->sent;
    *ret_received = transport->received;
}
