/* SPDX-License-Identifier: Apache-2.0 */
#include "api/scoring/credential_rules.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api/json_spec.h"

enum kind {
    KIND_SECRET,      /* is used by itself, or with its other half */
    KIND_PART,        /* goes with others */
    KIND_CERTIFICATE, /* PEM */
    KIND_AUTHORITY,   /* PEM that says who is trusted, not who asks */
    KIND_KEY
};

static const struct {
    const char *name, *needs[2];
    enum kind kind;
} members[] = {
    {"url", {NULL}, KIND_PART},
    {"auth_url", {NULL}, KIND_PART},
    {"username", {NULL}, KIND_SECRET},
    {"password", {"username"}, KIND_SECRET},
    {"token", {NULL}, KIND_SECRET},
    {"apikey", {NULL}, KIND_SECRET},
    {"access_key_id", {"secret_access_key"}, KIND_SECRET},
    {"secret_access_key", {"access_key_id"}, KIND_SECRET},
    {"region", {NULL}, KIND_PART},
    {"aws_service", {NULL}, KIND_PART},
    {"ca_certificate", {NULL}, KIND_AUTHORITY},
    {"client_certificate", {"client_key"}, KIND_CERTIFICATE},
    {"client_key", {"client_certificate"}, KIND_KEY},
};
#define N_MEMBERS (sizeof members / sizeof *members)

/* Of IBM's payloads: they say where something is, or are for engines that are not asked here. */
static const char *const of_ibm[] = {"instance_id", "auth_type",     "auth_provider", "wml_location",
                                     "version",     "uid",           "client_id",     "subscription_id",
                                     "tenant",      "client_secret", "workspaces",    NULL};

static enum xpl_status refuse(struct xpl_error *err, const char *holder, const char *name, const char *why)
{
    char field[XPL_ERROR_FIELD_MAX];

    snprintf(field, sizeof field, "%s.%.80s", holder, name);
    return xpl_fail_field(err, XPL_BAD_FIELD, field, "%s", why);
}

bool xpl_is_header_text(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || (unsigned char)*text == 0x7f)
            return false;
    return true;
}

/* ---- credentials ---- */

static bool is_given(const json_t *credentials, const char *name)
{
    const char *text = json_string_value(json_object_get(credentials, name));

    return text && *text;
}

/* Somewhere "-----BEGIN …LABEL-----", a line break, and an end. */
static bool is_pem(const char *text, const char *label)
{
    for (const char *at = text; (at = strstr(at, "-----BEGIN ")); at++) {
        size_t line = strcspn(at, "\r\n"), length = strlen(label);

        if (at[line] && line > length && memcmp(at + line - length, label, length) == 0 &&
            strstr(at + line, "-----END "))
            return true;
    }
    return false;
}

static enum xpl_status check_text(const char *name, enum kind kind, const char *text, struct xpl_error *err)
{
    switch (kind) {
    case KIND_CERTIFICATE:
    case KIND_AUTHORITY:
        return is_pem(text, "CERTIFICATE-----")
                   ? XPL_OK
                   : refuse(err, "credentials", name,
                            "must be PEM: -----BEGIN CERTIFICATE-----, lines of base64, -----END CERTIFICATE-----");
    case KIND_KEY:
        return is_pem(text, "PRIVATE KEY-----")
                   ? XPL_OK
                   : refuse(err, "credentials", name,
                            "must be PEM: -----BEGIN PRIVATE KEY-----, lines of base64, -----END PRIVATE KEY-----");
    case KIND_SECRET:
    case KIND_PART:
        break;
    }
    return xpl_is_header_text(text)
               ? XPL_OK
               : refuse(err, "credentials", name, "must not hold a line break or another control character");
}

static enum xpl_status check_needs(const json_t *credentials, const char *name, const char *const needs[2],
                                   struct xpl_error *err)
{
    for (int i = 0; i < 2 && needs[i]; i++) {
        char why[128];

        snprintf(why, sizeof why, "is missing: %s is not used without it", name);
        if (!is_given(credentials, needs[i]))
            return refuse(err, "credentials", needs[i], why);
    }
    return XPL_OK;
}

static enum xpl_status check_members(const json_t *credentials, bool *ret_any, struct xpl_error *err)
{
    enum xpl_status st = XPL_OK;

    *ret_any = false;
    for (size_t i = 0; !st && i < N_MEMBERS; i++) {
        const json_t *value = json_object_get(credentials, members[i].name);

        if (value && !json_is_null(value) && !json_is_string(value))
            return refuse(err, "credentials", members[i].name, "must be a string");
        if (!is_given(credentials, members[i].name))
            continue;
        *ret_any = *ret_any || (members[i].kind != KIND_PART && members[i].kind != KIND_AUTHORITY);
        if (!(st = check_text(members[i].name, members[i].kind, json_string_value(value), err)))
            st = check_needs(credentials, members[i].name, members[i].needs, err);
    }
    return st;
}

static bool is_known(const char *name)
{
    for (size_t i = 0; i < N_MEMBERS; i++)
        if (strcmp(members[i].name, name) == 0)
            return true;
    for (const char *const *known = of_ibm; *known; known++)
        if (strcmp(*known, name) == 0)
            return true;
    return false;
}

/* Text under a name that sounds like a secret. */
static bool is_secret(const char *name, const json_t *value)
{
    static const char *const words[] = {"token", "bearer", "key", "secret", "passw", "auth", "credential"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (json_string_length(value) > 0 && strcasestr(name, words[i]))
            return true;
    return false;
}

/* Without one that is used, a secret of another name was meant to be; what else is there is kept. */
static enum xpl_status check_credentials(const json_t *credentials, struct xpl_error *err)
{
    enum xpl_status st;
    const char *name;
    json_t *value;
    bool any;

    if ((st = check_members(credentials, &any, err)) || any)
        return st;
    json_object_foreach((json_t *)(uintptr_t)credentials, name, value)
    {
        if (!is_known(name) && is_secret(name, value))
            return refuse(err, "credentials", name,
                          "is not used: credentials are username and password, token, apikey, access_key_id with "
                          "secret_access_key, client_certificate with client_key; other headers belong in "
                          "request_headers");
    }
    return XPL_OK;
}

/* ---- request headers ---- */

/* Headers that every request has already, made from what it is. */
static const char *reserved(const char *name)
{
    static const struct {
        const char *name, *why;
    } headers[] = {
        {"Content-Type", "is made for every request: the setting asset_properties.explaind.content_type of the"
                         " subscription says what the model takes"},
        {"Content-Length", "is made for every request from its length"},
        {"Transfer-Encoding", "is made for every request: its length is always told"},
        {"Host", "is made from the scoring url: put the name there"},
    };

    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        if (strcasecmp(headers[i].name, name) == 0)
            return headers[i].why;
    return NULL;
}

/* What is sent anyway: clients of the original say it. */
static bool is_json_type(const char *name, const char *value)
{
    static const char type[] = "application/json";

    return strcasecmp(name, "Content-Type") == 0 && value && strncasecmp(value, type, strlen(type)) == 0;
}

static enum xpl_status check_headers(const json_t *headers, struct xpl_error *err)
{
    const char *name, *why;
    json_t *value;

    if (json_object_size(headers) > XPL_MAX_REQUEST_HEADERS)
        return xpl_fail_field(err, XPL_BAD_FIELD, "request_headers", "must be at most %d headers",
                              XPL_MAX_REQUEST_HEADERS);
    json_object_foreach((json_t *)(uintptr_t)headers, name, value)
    {
        if (!*name || strpbrk(name, ": ") || !xpl_is_header_text(name))
            return xpl_fail_field(err, XPL_BAD_FIELD, "request_headers", "\"%.40s\" is not the name of a header", name);
        if ((why = reserved(name)) && !is_json_type(name, json_string_value(value)))
            return refuse(err, "request_headers", name, why);
        if (!json_is_string(value) || !xpl_is_header_text(json_string_value(value)))
            return refuse(err, "request_headers", name, "must be a string without control characters");
    }
    return XPL_OK;
}

enum xpl_status xpl_credential_rules_check(const json_t *holder, struct xpl_error *err)
{
    enum xpl_status st = check_credentials(json_object_get(holder, "credentials"), err);

    return st ? st : check_headers(json_object_get(holder, "request_headers"), err);
}
