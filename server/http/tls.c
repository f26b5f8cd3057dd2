/* SPDX-License-Identifier: Apache-2.0 */
#include "server/http/tls.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>
#include <time.h>

#include "server/data_dir.h"

#define VALID_DAYS 3650
#define MAX_PEM    16384

static enum xpl_status from_file(struct xpl_arena *arena, const char *path, const char *key, const char **ret,
                                 struct xpl_error *err)
{
    *ret = xpl_read_file(arena, path);
    return *ret ? XPL_OK : xpl_fail_field(err, XPL_BAD_FIELD, key, "%.200s: %s", path, strerror(errno));
}

/* ---- a self-signed pair ---- */

static int describe(gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key)
{
    static const unsigned char loopback4[] = {127, 0, 0, 1};
    static const unsigned char loopback6[16] = {[15] = 1};
    unsigned char serial[16];
    time_t now = time(NULL);
    int rc = 0;

    xpl_random(serial, sizeof serial);
    serial[0] &= 0x7f;
    rc |= gnutls_x509_crt_set_version(certificate, 3);
    rc |= gnutls_x509_crt_set_serial(certificate, serial, sizeof serial);
    rc |= gnutls_x509_crt_set_activation_time(certificate, now - 3600);
    rc |= gnutls_x509_crt_set_expiration_time(certificate, now + (time_t)VALID_DAYS * 86400);
    rc |= gnutls_x509_crt_set_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, "explaind", 8);
    rc |= gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_DNSNAME, "localhost", 9, GNUTLS_FSAN_SET);
    rc |= gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_IPADDRESS, loopback4, sizeof loopback4,
                                               GNUTLS_FSAN_APPEND);
    rc |= gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_IPADDRESS, loopback6, sizeof loopback6,
                                               GNUTLS_FSAN_APPEND);
    rc |= gnutls_x509_crt_set_key(certificate, key);
    return rc;
}

static int make(gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key, char *ret_certificate, char *ret_key)
{
    size_t certificate_size = MAX_PEM, key_size = MAX_PEM;
    unsigned bits = GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1);
    int rc = gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA, bits, 0);

    if (rc == 0)
        rc = describe(certificate, key);
    if (rc == 0)
        rc = gnutls_x509_crt_sign2(certificate, certificate, key, GNUTLS_DIG_SHA256, 0);
    if (rc == 0)
        rc = gnutls_x509_crt_export(certificate, GNUTLS_X509_FMT_PEM, ret_certificate, &certificate_size);
    if (rc == 0)
        rc = gnutls_x509_privkey_export(key, GNUTLS_X509_FMT_PEM, ret_key, &key_size);
    return rc;
}

static enum xpl_status generate(char *certificate, char *key, struct xpl_error *err)
{
    gnutls_x509_crt_t crt = NULL;
    gnutls_x509_privkey_t private_key = NULL;
    int rc = gnutls_x509_crt_init(&crt);

    if (rc == 0)
        rc = gnutls_x509_privkey_init(&private_key);
    if (rc == 0)
        rc = make(crt, private_key, certificate, key);
    if (crt)
        gnutls_x509_crt_deinit(crt);
    if (private_key)
        gnutls_x509_privkey_deinit(private_key);
    return rc == 0 ? XPL_OK : xpl_fail(err, XPL_INTERNAL, "no TLS certificate could be made: %s", gnutls_strerror(rc));
}

static enum xpl_status self_signed(struct xpl_arena *arena, const char *data_dir, struct xpl_tls *ret,
                                   struct xpl_error *err)
{
    const char *certificate_path = xpl_arena_printf(arena, "%s/tls-cert.pem", data_dir);
    const char *key_path = xpl_arena_printf(arena, "%s/tls-key.pem", data_dir);
    char *certificate, *key;
    enum xpl_status st;

    if (!certificate_path || !key_path)
        return xpl_no_memory(err);
    ret->certificate = xpl_read_file(arena, certificate_path);
    ret->key = xpl_read_file(arena, key_path);
    if (ret->certificate && ret->key && *ret->certificate && *ret->key)
        return XPL_OK;
    certificate = xpl_arena_alloc(arena, MAX_PEM);
    key = xpl_arena_alloc(arena, MAX_PEM);
    if (!certificate || !key)
        return xpl_no_memory(err);
    if ((st = generate(certificate, key, err)) ||
        (st = xpl_write_private(arena, key_path, 0600, key, strlen(key), err)) ||
        (st = xpl_write_private(arena, certificate_path, 0600, certificate, strlen(certificate), err)))
        return st;
    *ret = (struct xpl_tls){certificate, key};
    return XPL_OK;
}

/* ---- configured files ---- */

static enum xpl_status check_pair(const struct xpl_tls *tls, struct xpl_error *err)
{
    gnutls_datum_t certificate = {(unsigned char *)(uintptr_t)tls->certificate, (unsigned)strlen(tls->certificate)};
    gnutls_datum_t key = {(unsigned char *)(uintptr_t)tls->key, (unsigned)strlen(tls->key)};
    gnutls_certificate_credentials_t credentials = NULL;
    int rc = gnutls_certificate_allocate_credentials(&credentials);

    if (rc == 0)
        rc = gnutls_certificate_set_x509_key_mem(credentials, &certificate, &key, GNUTLS_X509_FMT_PEM);
    if (credentials)
        gnutls_certificate_free_credentials(credentials);
    return rc >= 0 ? XPL_OK
                   : xpl_fail_field(err, XPL_BAD_FIELD, "tls.certificate", "certificate and key cannot be used: %s",
                                    gnutls_strerror(rc));
}

enum xpl_status xpl_tls_configured(struct xpl_arena *arena, const struct xpl_settings *settings, struct xpl_tls *ret,
                                   struct xpl_error *err)
{
    enum xpl_status st;

    *ret = (struct xpl_tls){0};
    if (!*settings->tls_certificate && !*settings->tls_key)
        return XPL_OK;
    if (!*settings->tls_certificate || !*settings->tls_key)
        return xpl_fail_field(err, XPL_BAD_FIELD, "tls.key", "tls.certificate and tls.key are needed together");
    if ((st = from_file(arena, settings->tls_certificate, "tls.certificate", &ret->certificate, err)) ||
        (st = from_file(arena, settings->tls_key, "tls.key", &ret->key, err)))
        return st;
    return check_pair(ret, err);
}

enum xpl_status xpl_tls_load(struct xpl_arena *arena, const struct xpl_settings *settings, const char *data_dir,
                             struct xpl_tls *ret, struct xpl_error *err)
{
    enum xpl_status st = xpl_tls_configured(arena, settings, ret, err);

    return st || ret->certificate ? st : self_signed(arena, data_dir, ret, err);
}
