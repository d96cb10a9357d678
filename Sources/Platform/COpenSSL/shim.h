// OpenSSL 3 as Swift can use it: what is variadic, a composed macro or keeps pointers is wrapped here.
#pragma once
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/param_build.h>
#include <openssl/rand.h>
#include <string.h>

static const char sj_sm2_id[] = "1234567812345678";

// A key pair from its private scalar (32 bytes) and public point (65 bytes, 04‖x‖y); private may be NULL.
static inline EVP_PKEY *sj_sm2_key(const unsigned char *private_key, const unsigned char *public_key) {
  EVP_PKEY *key = NULL;
  EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "SM2", NULL);
  OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
  BIGNUM *scalar = private_key ? BN_bin2bn(private_key, 32, NULL) : NULL;
  OSSL_PARAM *params = NULL;
  if (context && builder && OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "SM2", 0) &&
      (!scalar || OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, scalar)) &&
      OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, public_key, 65) &&
      (params = OSSL_PARAM_BLD_to_param(builder)) && EVP_PKEY_fromdata_init(context) > 0) {
    if (EVP_PKEY_fromdata(context, &key, scalar ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params) <= 0) key = NULL;
  }
  // Not every version checks that the point lies on the curve.
  if (key) {
    EVP_PKEY_CTX *check = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    int good = check && (scalar ? EVP_PKEY_pairwise_check(check) : EVP_PKEY_public_check(check)) == 1;
    EVP_PKEY_CTX_free(check);
    if (!good) { EVP_PKEY_free(key); key = NULL; }
  }
  OSSL_PARAM_free(params);
  BN_clear_free(scalar);
  OSSL_PARAM_BLD_free(builder);
  EVP_PKEY_CTX_free(context);
  ERR_clear_error();
  return key;
}

static inline EVP_PKEY *sj_sm2_generate(void) {
  EVP_PKEY *key = NULL;
  EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "SM2", NULL);
  if (context && EVP_PKEY_keygen_init(context) > 0) EVP_PKEY_generate(context, &key);
  EVP_PKEY_CTX_free(context);
  return key;
}

static inline int sj_sm2_private(EVP_PKEY *key, unsigned char out[32]) {
  BIGNUM *scalar = NULL;
  int good = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &scalar) == 1 && BN_bn2binpad(scalar, out, 32) == 32;
  BN_clear_free(scalar);
  return good;
}

static inline int sj_sm2_public(EVP_PKEY *key, unsigned char out[65]) {
  BIGNUM *x = NULL, *y = NULL;
  int good = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_X, &x) == 1 &&
             EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_Y, &y) == 1 && BN_bn2binpad(x, out + 1, 32) == 32 &&
             BN_bn2binpad(y, out + 33, 32) == 32;
  out[0] = 4;
  BN_free(x);
  BN_free(y);
  return good;
}

// A context for signing or verifying that always carries an id: without one OpenSSL takes the empty id. It is set after
// the start and before the first byte, which every OpenSSL 3 takes; among the start's own parameters some refuse it.
static inline EVP_MD_CTX *sj_sm2_context(EVP_PKEY *key, int sign, const unsigned char *id, size_t id_length) {
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  EVP_PKEY_CTX *inner = NULL;
  int good = context && (sign ? EVP_DigestSignInit_ex(context, &inner, "SM3", NULL, NULL, key, NULL)
                              : EVP_DigestVerifyInit_ex(context, &inner, "SM3", NULL, NULL, key, NULL)) == 1;
  if (!good || EVP_PKEY_CTX_set1_id(inner, id, (int)id_length) <= 0) {
    EVP_MD_CTX_free(context);
    context = NULL;
  }
  return context;
}

// Returns the signature's length (DER), or 0.
static inline size_t sj_sm2_sign(EVP_PKEY *key, const unsigned char *message, size_t length, unsigned char out[80]) {
  EVP_MD_CTX *context = sj_sm2_context(key, 1, (const unsigned char *)sj_sm2_id, 16);
  size_t written = 80;
  int good = context && EVP_DigestSign(context, out, &written, message, length) == 1;
  EVP_MD_CTX_free(context);
  ERR_clear_error();
  return good ? written : 0;
}

static inline int sj_sm2_verify(EVP_PKEY *key, const unsigned char *id, size_t id_length, const unsigned char *message,
                                size_t length, const unsigned char *signature, size_t signature_length) {
  EVP_MD_CTX *context = sj_sm2_context(key, 0, id, id_length);
  int good = context && EVP_DigestVerify(context, signature, signature_length, message, length) == 1;
  EVP_MD_CTX_free(context);
  ERR_clear_error();
  return good;
}

static inline int sj_sm2_crypt(EVP_PKEY *key, int encrypt, const unsigned char *in, size_t length, unsigned char *out,
                               size_t *written) {
  EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
  int good = context && (encrypt ? EVP_PKEY_encrypt_init(context) : EVP_PKEY_decrypt_init(context)) > 0 &&
             (encrypt ? EVP_PKEY_encrypt(context, out, written, in, length)
                      : EVP_PKEY_decrypt(context, out, written, in, length)) > 0;
  EVP_PKEY_CTX_free(context);
  ERR_clear_error();
  return good;
}

// HMAC in one call, by digest name.
static inline int sj_hmac(const char *digest, const unsigned char *key, size_t key_length, const unsigned char *data,
                          size_t length, unsigned char *out, size_t room, size_t *written) {
  return EVP_Q_mac(NULL, "HMAC", NULL, digest, NULL, key, key_length, data, length, out, room, written) != NULL;
}

static inline int sj_hkdf_sm3(const unsigned char *key, size_t key_length, const unsigned char *salt, size_t salt_length,
                              const unsigned char *info, size_t info_length, unsigned char *out, size_t length) {
  EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
  EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
  OSSL_PARAM params[5] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SM3", 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)key, key_length),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)salt, salt_length),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)info, info_length),
      OSSL_PARAM_construct_end(),
  };
  int good = context && EVP_KDF_derive(context, out, length, params) == 1;
  EVP_KDF_CTX_free(context);
  EVP_KDF_free(kdf);
  return good;
}

// SM4 in CTR mode: the same call encrypts and decrypts.
static inline int sj_sm4_ctr(const unsigned char key[16], const unsigned char iv[16], const unsigned char *in, size_t length,
                             unsigned char *out) {
  EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
  int written = 0;
  int good = context && EVP_EncryptInit_ex(context, EVP_sm4_ctr(), NULL, key, iv) == 1 &&
             EVP_EncryptUpdate(context, out, &written, in, (int)length) == 1 && (size_t)written == length;
  EVP_CIPHER_CTX_free(context);
  return good;
}

// One block of SM4, for the standard's vectors.
static inline int sj_sm4_block(const unsigned char key[16], int encrypt, const unsigned char in[16], unsigned char out[16]) {
  EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
  int written = 0;
  int good = context && EVP_CipherInit_ex(context, EVP_sm4_ecb(), NULL, key, NULL, encrypt) == 1 &&
             EVP_CIPHER_CTX_set_padding(context, 0) == 1 && EVP_CipherUpdate(context, out, &written, in, 16) == 1;
  EVP_CIPHER_CTX_free(context);
  return good && written == 16;
}

// A cipher that encrypts block by block, by its name; NULL where OpenSSL lacks it.
static inline EVP_CIPHER_CTX *sj_block_cipher(const char *name, const unsigned char *key) {
  EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, name, NULL);
  EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
  if (!cipher || !context || EVP_EncryptInit_ex(context, cipher, NULL, key, NULL) != 1 ||
      EVP_CIPHER_CTX_set_padding(context, 0) != 1) {
    EVP_CIPHER_CTX_free(context);
    context = NULL;
  }
  EVP_CIPHER_free(cipher);
  return context;
}

static inline int sj_encrypt_block(EVP_CIPHER_CTX *context, unsigned char block[16]) {
  int written = 0;
  return EVP_EncryptUpdate(context, block, &written, block, 16) == 1 && written == 16;
}
