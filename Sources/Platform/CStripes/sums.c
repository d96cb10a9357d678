#include "CStripes.h"
#include <stdlib.h>

// SipHash-2-4-128 of eight values at once, one in each lane of a vector: the rows of a batch are summed eight by eight,
// column after column, so that the lanes' values are of one kind and seldom differ much in length.

typedef uint64_t lanes __attribute__((vector_size(64)));
typedef int64_t signed_lanes __attribute__((vector_size(64)));

enum { LANES = 8 };

#define ALL(x) ((lanes){(x), (x), (x), (x), (x), (x), (x), (x)})
#define ROTL(x, b) (((x) << (b)) | ((x) >> (64 - (b))))
#define SIPROUND                                                                                                       \
  do {                                                                                                                 \
    v0 += v1; v1 = ROTL(v1, 13); v1 ^= v0; v0 = ROTL(v0, 32);                                                          \
    v2 += v3; v3 = ROTL(v3, 16); v3 ^= v2;                                                                             \
    v0 += v3; v3 = ROTL(v3, 21); v3 ^= v0;                                                                             \
    v2 += v1; v1 = ROTL(v1, 17); v1 ^= v2; v2 = ROTL(v2, 32);                                                          \
  } while (0)

#define BEGIN(key)                                                                                                     \
  lanes v0 = ALL(0x736f6d6570736575ULL ^ (key).k0), v1 = ALL(0x646f72616e646f6dULL ^ (key).k1 ^ 0xee);                 \
  lanes v2 = ALL(0x6c7967656e657261ULL ^ (key).k0), v3 = ALL(0x7465646279746573ULL ^ (key).k1)

#define ABSORB(m)                                                                                                      \
  do {                                                                                                                 \
    v3 ^= (m); SIPROUND; SIPROUND; v0 ^= (m);                                                                          \
  } while (0)

#define FINISH(low, high)                                                                                              \
  do {                                                                                                                 \
    v2 ^= ALL(0xee); SIPROUND; SIPROUND; SIPROUND; SIPROUND;                                                           \
    low = v0 ^ v1 ^ v2 ^ v3;                                                                                           \
    v1 ^= ALL(0xdd); SIPROUND; SIPROUND; SIPROUND; SIPROUND;                                                           \
    high = v0 ^ v1 ^ v2 ^ v3;                                                                                          \
  } while (0)

// Sums of 128 bits, lane by lane.
typedef struct {
  lanes low, high;
} lane_sums;

#define ADD(sum, l, h)                                                                                                 \
  do {                                                                                                                 \
    (sum)->low += (l);                                                                                                 \
    (sum)->high += (h) - (lanes)((sum)->low < (l));                                                                    \
  } while (0)

static inline int32_t length_at(const unsigned char *at) {
  uint32_t header;
  memcpy(&header, at, 4);
  return (int32_t)__builtin_bswap32(header);
}

static inline uint64_t word_at(const unsigned char *at) {
  uint64_t word;
  memcpy(&word, at, 8);
  return word;
}

// Lanes of eight words, each from an address of its own.
#define WORDS(a, o)                                                                                                    \
  ((lanes){word_at(a[0] + (o)), word_at(a[1] + (o)), word_at(a[2] + (o)), word_at(a[3] + (o)), word_at(a[4] + (o)),    \
           word_at(a[5] + (o)), word_at(a[6] + (o)), word_at(a[7] + (o))})

// One column of eight rows, whose bytes may be read up to eight behind their end; moves `at` behind the values.
#define EIGHT_ROWS(NAME, ATTRIBUTE)                                                                                    \
  ATTRIBUTE static inline __attribute__((always_inline)) void NAME##_column(                                           \
      const unsigned char *at[LANES], sj_hash_key key, lanes *low, lanes *high, lane_sums *sum, lanes *nulls) {        \
    int32_t counts[LANES], most = -1, least = INT32_MAX;                                                               \
    _Pragma("clang loop unroll(full)") for (int lane = 0; lane < LANES; lane++) {                                      \
      counts[lane] = length_at(at[lane]);                                                                              \
      most = counts[lane] > most ? counts[lane] : most;                                                                \
      least = counts[lane] < least ? counts[lane] : least;                                                             \
      at[lane] += 4;                                                                                                   \
    }                                                                                                                  \
    BEGIN(key);                                                                                                        \
    int32_t done = 0;                                                                                                  \
    for (; done + 8 <= least; done += 8) {                                                                             \
      lanes m = WORDS(at, done);                                                                                       \
      ABSORB(m);                                                                                                       \
    }                                                                                                                  \
    lanes l, h;                                                                                                        \
    if (most == least && least >= 0) {                                                                                 \
      /* All of one length, as numbers and dates always are: nothing to tell apart. */                                 \
      lanes m = ALL((uint64_t)least << 56);                                                                            \
      if (done < least) {                                                                                              \
        lanes rest = WORDS(at, done);                                                                                  \
        m |= rest & ALL((1ULL << (least & 7) * 8) - 1);                                                                \
      }                                                                                                                \
      ABSORB(m);                                                                                                       \
      FINISH(l, h);                                                                                                    \
      ADD(sum, l, h);                                                                                                  \
      _Pragma("clang loop unroll(full)") for (int lane = 0; lane < LANES; lane++) at[lane] += least;                   \
    } else {                                                                                                           \
      uint64_t bytes[LANES];                                                                                           \
      for (int lane = 0; lane < LANES; lane++) bytes[lane] = counts[lane] < 0 ? 0 : (uint64_t)counts[lane];            \
      lanes length = {bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]};                 \
      lanes rest = (ALL(1) << ((length & 7) * 8)) - 1, end = length << 56;                                             \
      for (; done <= most || done == 0; done += 8) {                                                                   \
        /* A lane whose value has ended reads its start again and is then left as it was. */                           \
        lanes is_active = (lanes)((signed_lanes)length > (signed_lanes)ALL((uint64_t)(done - 1)));                     \
        lanes is_whole = (lanes)((signed_lanes)length > (signed_lanes)ALL((uint64_t)(done + 7)));                      \
        const unsigned char *from[LANES];                                                                              \
        for (int lane = 0; lane < LANES; lane++) from[lane] = at[lane] + (counts[lane] >= done ? done : 0);            \
        lanes m = WORDS(from, 0);                                                                                      \
        m = (m & (rest | is_whole)) | (end & ~is_whole);                                                               \
        lanes o0 = v0, o1 = v1, o2 = v2, o3 = v3;                                                                      \
        ABSORB(m);                                                                                                     \
        v0 = (v0 & is_active) | (o0 & ~is_active);                                                                     \
        v1 = (v1 & is_active) | (o1 & ~is_active);                                                                     \
        v2 = (v2 & is_active) | (o2 & ~is_active);                                                                     \
        v3 = (v3 & is_active) | (o3 & ~is_active);                                                                     \
      }                                                                                                                \
      FINISH(l, h);                                                                                                    \
      if (least < 0) {                                                                                                 \
        lanes is_null = {-(uint64_t)(counts[0] < 0), -(uint64_t)(counts[1] < 0), -(uint64_t)(counts[2] < 0),           \
                         -(uint64_t)(counts[3] < 0), -(uint64_t)(counts[4] < 0), -(uint64_t)(counts[5] < 0),           \
                         -(uint64_t)(counts[6] < 0), -(uint64_t)(counts[7] < 0)};                                      \
        lanes added_low = l & ~is_null, added_high = h & ~is_null;                                                     \
        ADD(sum, added_low, added_high);                                                                               \
        *nulls -= is_null;                                                                                             \
        l |= is_null;                                                                                                  \
        h |= is_null;                                                                                                  \
      } else {                                                                                                         \
        ADD(sum, l, h);                                                                                                \
      }                                                                                                                \
      for (int lane = 0; lane < LANES; lane++) at[lane] += bytes[lane];                                                \
    }                                                                                                                  \
    *low = l;                                                                                                          \
    *high = h;                                                                                                         \
  }                                                                                                                    \
                                                                                                                       \
  ATTRIBUTE static void NAME(const unsigned char *at[LANES], size_t columns, sj_hash_key column_key,                   \
                             sj_hash_key row_key, lane_sums *sums, lanes *nulls, lane_sums *total) {                   \
    BEGIN(row_key);                                                                                                    \
    for (size_t column = 0; column < columns; column++) {                                                              \
      lanes low, high;                                                                                                 \
      NAME##_column(at, column_key, &low, &high, &sums[column], &nulls[column]);                                       \
      ABSORB(low);                                                                                                     \
      ABSORB(high);                                                                                                    \
    }                                                                                                                  \
    lanes end = ALL((uint64_t)(columns * 16) << 56), low, high;                                                        \
    ABSORB(end);                                                                                                       \
    FINISH(low, high);                                                                                                 \
    ADD(total, low, high);                                                                                             \
  }

EIGHT_ROWS(eight_portable, )
#if defined(__x86_64__)
EIGHT_ROWS(eight_avx2, __attribute__((target("avx2"))))
EIGHT_ROWS(eight_avx512, __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw"))))
#endif

typedef void (*eight_rows)(const unsigned char *[LANES], size_t, sj_hash_key, sj_hash_key, lane_sums *,
                           lanes *, lane_sums *);

static eight_rows fastest(void) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw"))
    return eight_avx512;
  if (__builtin_cpu_supports("avx2")) return eight_avx2;
#endif
  return eight_portable;
}

static void add(sj_hash128 *sum, uint64_t low, uint64_t high) {
  sum->low += low;
  sum->high += high + (sum->low < low);
}

static void one_row(const unsigned char *at, size_t columns, sj_hash_key column_key, sj_hash_key row_key,
                    sj_hash128 *hashes, sj_hash128 *sums, size_t *nulls, sj_hash128 *total) {
  for (size_t column = 0; column < columns; column++) {
    int32_t count = length_at(at);
    at += 4;
    if (count < 0) {
      nulls[column]++;
      hashes[column] = (sj_hash128){~0ULL, ~0ULL};
    } else {
      hashes[column] = sj_siphash128(at, (size_t)count, column_key);
      add(&sums[column], hashes[column].low, hashes[column].high);
      at += count;
    }
  }
  sj_hash128 row = sj_siphash128(hashes, columns * 16, row_key);
  add(total, row.low, row.high);
}

static void sum_rows(const void *base, const intptr_t *starts, const int32_t *chosen, size_t rows, size_t batch_rows,
                     size_t columns, sj_hash_key column_key, sj_hash_key row_key, sj_hash128 *sums, size_t *nulls,
                     sj_hash128 *total, sj_hash128 *each) {
  // Per column eight lanes of sums and of NULLs; the last row's column hashes, for rows that go one by one.
  size_t room = (columns + 1) * sizeof(lane_sums) + columns * sizeof(lanes) + columns * sizeof(sj_hash128);
  lane_sums *lane_sum = aligned_alloc(64, (room + 63) / 64 * 64);
  if (lane_sum == NULL) abort();
  memset(lane_sum, 0, room);
  lanes *lane_nulls = (lanes *)(lane_sum + columns + 1);
  sj_hash128 *hashes = (sj_hash128 *)(lane_nulls + columns);
  const unsigned char *start = base, *limit = start + starts[batch_rows];
  eight_rows eight = fastest();
  size_t row = 0;
  while (row < rows) {
    const unsigned char *at[LANES];
    size_t last = rows - row < LANES ? 0 : chosen ? (size_t)chosen[row + LANES - 1] : row + LANES - 1;
    // Reading eight bytes at a value's end must stay inside the batch.
    if (rows - row >= LANES && limit - (start + starts[last + 1]) >= 8) {
      for (size_t lane = 0; lane < LANES; lane++)
        at[lane] = start + starts[chosen ? (size_t)chosen[row + lane] : row + lane] + 2;
      eight(at, columns, column_key, row_key, lane_sum, lane_nulls, lane_sum + columns);
      if (each != NULL) {
        // Begun at nothing, a lane's sum is its one row's hash.
        for (size_t lane = 0; lane < LANES; lane++) {
          each[row + lane] = (sj_hash128){lane_sum[columns].low[lane], lane_sum[columns].high[lane]};
          add(total, each[row + lane].low, each[row + lane].high);
        }
        memset(lane_sum + columns, 0, sizeof(lane_sums));
      }
      row += LANES;
    } else {
      sj_hash128 hash = {0, 0};
      one_row(start + starts[chosen ? (size_t)chosen[row] : row] + 2, columns, column_key, row_key, hashes, sums,
              nulls, &hash);
      add(total, hash.low, hash.high);
      if (each != NULL) each[row] = hash;
      row++;
    }
  }
  for (size_t column = 0; column <= columns; column++)
    for (size_t lane = 0; lane < LANES; lane++) {
      add(column < columns ? &sums[column] : total, lane_sum[column].low[lane], lane_sum[column].high[lane]);
      if (column < columns) nulls[column] += lane_nulls[column][lane];
    }
  free(lane_sum);
}

void sj_row_sums(const void *base, const intptr_t *starts, const int32_t *chosen, size_t rows, size_t batch_rows,
                 size_t columns, sj_hash_key column_key, sj_hash_key row_key, sj_hash128 *sums,
                 size_t *nulls, sj_hash128 *total) {
  sum_rows(base, starts, chosen, rows, batch_rows, columns, column_key, row_key, sums, nulls, total, NULL);
}

void sj_row_hashes(const void *base, const intptr_t *starts, size_t rows, size_t columns, sj_hash_key column_key,
                   sj_hash_key row_key, sj_hash128 *each, sj_hash128 *total) {
  size_t room = columns * (sizeof(sj_hash128) + sizeof(size_t));
  sj_hash128 *sums = calloc(1, room > 0 ? room : 1);
  if (sums == NULL) abort();
  sum_rows(base, starts, NULL, rows, rows, columns, column_key, row_key, sums, (size_t *)(sums + columns), total, each);
  free(sums);
}
