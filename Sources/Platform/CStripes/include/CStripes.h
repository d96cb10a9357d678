#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

/// SM3 (GB/T 32905-2016) of eight equal stripes of a stretch of memory at once, one in each lane of a vector register:
/// three times as fast as one after another, which is what keeps a digest of every delivered byte affordable.
///
/// A stripe is ceil(count / 512) * 64 bytes; the last ones are shorter or empty. `digests` gets eight of 32 bytes.
void sj_sm3_stripes(const void *bytes, size_t count, unsigned char digests[256]);

/// SM3 of one stretch of memory.
void sj_sm3(const void *bytes, size_t count, unsigned char digest[32]);

typedef struct {
  uint64_t low, high;
} sj_hash128;

typedef struct {
  uint64_t k0, k1;
} sj_hash_key;

#define SJ_ROTL(x, b) (uint64_t)(((x) << (b)) | ((x) >> (64 - (b))))
#define SJ_SIPROUND                                                                                                    \
  do {                                                                                                                 \
    v0 += v1; v1 = SJ_ROTL(v1, 13); v1 ^= v0; v0 = SJ_ROTL(v0, 32);                                                    \
    v2 += v3; v3 = SJ_ROTL(v3, 16); v3 ^= v2;                                                                          \
    v0 += v3; v3 = SJ_ROTL(v3, 21); v3 ^= v0;                                                                          \
    v2 += v1; v1 = SJ_ROTL(v1, 17); v1 ^= v2; v2 = SJ_ROTL(v2, 32);                                                    \
  } while (0)

/// SipHash-2-4 with 128 bits of result (Aumasson, Bernstein). Little-endian, as its authors' reference.
static inline sj_hash128 sj_siphash128(const void *bytes, size_t count, sj_hash_key key) {
  const unsigned char *at = (const unsigned char *)bytes;
  const unsigned char *end = at + (count & ~(size_t)7);
  uint64_t v0 = 0x736f6d6570736575ULL ^ key.k0, v1 = 0x646f72616e646f6dULL ^ key.k1 ^ 0xee;
  uint64_t v2 = 0x6c7967656e657261ULL ^ key.k0, v3 = 0x7465646279746573ULL ^ key.k1;
  uint64_t m;
  for (; at != end; at += 8) {
    memcpy(&m, at, 8);
    v3 ^= m; SJ_SIPROUND; SJ_SIPROUND; v0 ^= m;
  }
  m = (uint64_t)count << 56;
  switch (count & 7) {
  case 7: m |= (uint64_t)at[6] << 48; /* fall through */
  case 6: m |= (uint64_t)at[5] << 40; /* fall through */
  case 5: m |= (uint64_t)at[4] << 32; /* fall through */
  case 4: m |= (uint64_t)at[3] << 24; /* fall through */
  case 3: m |= (uint64_t)at[2] << 16; /* fall through */
  case 2: m |= (uint64_t)at[1] << 8;  /* fall through */
  case 1: m |= (uint64_t)at[0];
  }
  v3 ^= m; SJ_SIPROUND; SJ_SIPROUND; v0 ^= m;
  v2 ^= 0xee; SJ_SIPROUND; SJ_SIPROUND; SJ_SIPROUND; SJ_SIPROUND;
  sj_hash128 result;
  result.low = v0 ^ v1 ^ v2 ^ v3;
  v1 ^= 0xdd; SJ_SIPROUND; SJ_SIPROUND; SJ_SIPROUND; SJ_SIPROUND;
  result.high = v0 ^ v1 ^ v2 ^ v3;
  return result;
}

/// Adds to order-independent sums over `rows` rows, mod 2^128: to `sums[c]` the keyed hash of column c's value where it is
/// not NULL (`nulls[c]` counts the others), to `total` the keyed hash of each row's column hashes (all ones for a NULL).
/// The hash is `sj_siphash128`, computed for eight rows at once: two to four times as fast.
///
/// A row is PostgreSQL's binary COPY form; row r starts at `base + starts[r]`, or at `base + starts[chosen[r]]` where
/// `chosen` (ascending) is given. `base` holds `starts[batch_rows]` bytes, and no more is read.
void sj_row_sums(const void *base, const intptr_t *starts, const int32_t *chosen, size_t rows, size_t batch_rows,
                 size_t columns, sj_hash_key column_key, sj_hash_key row_key, sj_hash128 *sums, size_t *nulls, sj_hash128 *total);

/// The hash of each row by itself that `sj_row_sums` adds to `total`: `each` gets as many as the batch has rows.
void sj_row_hashes(const void *base, const intptr_t *starts, size_t rows, size_t columns, sj_hash_key column_key,
                   sj_hash_key row_key, sj_hash128 *each, sj_hash128 *total);

/// Gives freed memory back to the system. Each delivery has threads of its own, and glibc keeps what a thread freed in
/// that thread's arena: a worker that runs for months would hold the page caches of all of them.
static inline void sj_return_memory(void) {
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
}
