#include "CStripes.h"

// SM3's compression, written once over a word type: `uint32_t` for one message, a vector of eight for eight messages.

typedef uint32_t lanes __attribute__((vector_size(32)));
typedef unsigned char bytes32 __attribute__((vector_size(32)));

#define ROL(x, n) (((x) << (n)) | ((x) >> (32 - (n))))
// X ^ (X <<< 9) ^ (X <<< 17) and X ^ (X <<< 15) ^ (X <<< 23) of the standard: their last turns are eight bits further than
// the first, and eight bits are one move of bytes where any other turn of a vector is three operations.
#define P0(x) ((x) ^ ROL((x) ^ ROL(x, 8), 9))
#define P1(x) ((x) ^ ROL((x) ^ ROL(x, 8), 15))
#define FF0(a, b, c) ((a) ^ (b) ^ (c))
#define FF1(a, b, c) (((a) & (b)) | (((a) | (b)) & (c)))
#define GG1(e, f, g) ((((f) ^ (g)) & (e)) ^ (g))

static const uint32_t initial[8] = {0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600,
                                    0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e};

// T(j) <<< j of the standard, for j = 0 … 63.
static const uint32_t constants[64] = {
    0x79cc4519, 0xf3988a32, 0xe7311465, 0xce6228cb, 0x9cc45197, 0x3988a32f, 0x7311465e, 0xe6228cbc,
    0xcc451979, 0x988a32f3, 0x311465e7, 0x6228cbce, 0xc451979c, 0x88a32f39, 0x11465e73, 0x228cbce6,
    0x9d8a7a87, 0x3b14f50f, 0x7629ea1e, 0xec53d43c, 0xd8a7a879, 0xb14f50f3, 0x629ea1e7, 0xc53d43ce,
    0x8a7a879d, 0x14f50f3b, 0x29ea1e76, 0x53d43cec, 0xa7a879d8, 0x4f50f3b1, 0x9ea1e762, 0x3d43cec5,
    0x7a879d8a, 0xf50f3b14, 0xea1e7629, 0xd43cec53, 0xa879d8a7, 0x50f3b14f, 0xa1e7629e, 0x43cec53d,
    0x879d8a7a, 0x0f3b14f5, 0x1e7629ea, 0x3cec53d4, 0x79d8a7a8, 0xf3b14f50, 0xe7629ea1, 0xcec53d43,
    0x9d8a7a87, 0x3b14f50f, 0x7629ea1e, 0xec53d43c, 0xd8a7a879, 0xb14f50f3, 0x629ea1e7, 0xc53d43ce,
    0x8a7a879d, 0x14f50f3b, 0x29ea1e76, 0x53d43cec, 0xa7a879d8, 0x4f50f3b1, 0x9ea1e762, 0x3d43cec5};

#define ROUND(j, FF, GG)                                                                                               \
  do {                                                                                                                 \
    a12 = ROL(A, 12);                                                                                                  \
    ss1 = a12 + E + constants[j];                                                                                      \
    ss1 = ROL(ss1, 7);                                                                                                 \
    tt1 = FF(A, B, C) + D + (ss1 ^ a12) + (w[j] ^ w[(j) + 4]);                                                         \
    tt2 = GG(E, F, G) + H + ss1 + w[j];                                                                                \
    D = C; C = ROL(B, 9); B = A; A = tt1; H = G; G = ROL(F, 19); F = E; E = P0(tt2);                                   \
  } while (0)

#define COMPRESS(WORD, s, w)                                                                                           \
  do {                                                                                                                 \
    for (int i = 16; i < 68; i++) {                                                                                    \
      WORD t = w[i - 16] ^ w[i - 9] ^ ROL(w[i - 3], 15);                                                               \
      w[i] = P1(t) ^ ROL(w[i - 13], 7) ^ w[i - 6];                                                                     \
    }                                                                                                                  \
    WORD A = s[0], B = s[1], C = s[2], D = s[3], E = s[4], F = s[5], G = s[6], H = s[7], a12, ss1, tt1, tt2;           \
    _Pragma("clang loop unroll_count(8)") for (int j = 0; j < 16; j++) ROUND(j, FF0, FF0);                                                                   \
    _Pragma("clang loop unroll_count(8)") for (int j = 16; j < 64; j++) ROUND(j, FF1, GG1);                                                                  \
    s[0] ^= A; s[1] ^= B; s[2] ^= C; s[3] ^= D; s[4] ^= E; s[5] ^= F; s[6] ^= G; s[7] ^= H;                            \
  } while (0)

// Eight words of eight messages, turned so that each vector holds one word of every message.
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#define TURN(r)                                                                                                        \
  do {                                                                                                                 \
    lanes p[8], q[8];                                                                                                  \
    for (int i = 0; i < 8; i += 2) {                                                                                   \
      p[i] = SHUFFLE(r[i], r[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);                                                        \
      p[i + 1] = SHUFFLE(r[i], r[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);                                                  \
    }                                                                                                                  \
    for (int i = 0; i < 8; i += 4)                                                                                     \
      for (int j = 0; j < 2; j++) {                                                                                    \
        q[i + 2 * j] = SHUFFLE(p[i + j], p[i + j + 2], 0, 1, 8, 9, 4, 5, 12, 13);                                      \
        q[i + 2 * j + 1] = SHUFFLE(p[i + j], p[i + j + 2], 2, 3, 10, 11, 6, 7, 14, 15);                                \
      }                                                                                                                \
    for (int i = 0; i < 4; i++) {                                                                                      \
      r[i] = SHUFFLE(q[i], q[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);                                                        \
      r[i + 4] = SHUFFLE(q[i], q[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);                                                  \
    }                                                                                                                  \
  } while (0)

#define SWAP_BYTES(x)                                                                                                  \
  ((lanes)SHUFFLE((bytes32)(x), (bytes32)(x), 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12, 19, 18, 17, 16,    \
                  23, 22, 21, 20, 27, 26, 25, 24, 31, 30, 29, 28))

#define EIGHT(NAME, ATTRIBUTE)                                                                                         \
  ATTRIBUTE static void NAME(uint32_t state[64], const unsigned char *at, size_t stride, size_t blocks) {              \
    lanes s[8];                                                                                                        \
    memcpy(s, state, sizeof s);                                                                                        \
    for (size_t b = 0; b < blocks; b++, at += 64) {                                                                    \
      lanes w[68];                                                                                                     \
      for (int half = 0; half < 2; half++) {                                                                           \
        lanes r[8];                                                                                                    \
        for (int lane = 0; lane < 8; lane++) memcpy(&r[lane], at + lane * stride + half * 32, 32);                     \
        TURN(r);                                                                                                       \
        for (int i = 0; i < 8; i++) w[half * 8 + i] = SWAP_BYTES(r[i]);                                                \
      }                                                                                                                \
      COMPRESS(lanes, s, w);                                                                                           \
    }                                                                                                                  \
    memcpy(state, s, sizeof s);                                                                                        \
  }

EIGHT(eight_portable, )
#if defined(__x86_64__)
EIGHT(eight_avx2, __attribute__((target("avx2"))))
EIGHT(eight_avx512, __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw"))))
#endif

static void one_block(uint32_t s[8], const unsigned char *at) {
  uint32_t w[68];
  for (int i = 0; i < 16; i++) {
    memcpy(&w[i], at + i * 4, 4);
    w[i] = __builtin_bswap32(w[i]);
  }
  COMPRESS(uint32_t, s, w);
}

// The rest of a message of `count` bytes of which `done` (whole blocks) are in `s` already.
static void finish(uint32_t s[8], const unsigned char *bytes, size_t done, size_t count, unsigned char *digest) {
  for (; count - done >= 64; done += 64) one_block(s, bytes + done);
  unsigned char last[128] = {0};
  size_t rest = count - done, padded = rest < 56 ? 64 : 128;
  if (rest > 0) memcpy(last, bytes + done, rest);
  last[rest] = 0x80;
  uint64_t bits = __builtin_bswap64((uint64_t)count * 8);
  memcpy(last + padded - 8, &bits, 8);
  for (size_t block = 0; block < padded; block += 64) one_block(s, last + block);
  for (int i = 0; i < 8; i++) {
    uint32_t word = __builtin_bswap32(s[i]);
    memcpy(digest + i * 4, &word, 4);
  }
}

void sj_sm3(const void *bytes, size_t count, unsigned char digest[32]) {
  uint32_t s[8];
  memcpy(s, initial, sizeof s);
  finish(s, bytes, 0, count, digest);
}

void sj_sm3_stripes(const void *bytes, size_t count, unsigned char digests[256]) {
  const unsigned char *start = bytes;
  size_t stride = (count + 511) / 512 * 64;
  // What every stripe has in whole blocks goes through the lanes, the rest one after another.
  size_t shortest = stride * 7 < count ? (count - stride * 7) / 64 * 64 : 0;
  uint32_t state[64];
  for (int i = 0; i < 64; i++) state[i] = initial[i / 8];
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512vl"))
    eight_avx512(state, start, stride, shortest / 64);
  else if (__builtin_cpu_supports("avx2"))
    eight_avx2(state, start, stride, shortest / 64);
  else
#endif
    eight_portable(state, start, stride, shortest / 64);
  for (size_t lane = 0; lane < 8; lane++) {
    uint32_t s[8];
    for (int i = 0; i < 8; i++) s[i] = state[i * 8 + lane];
    size_t from = stride * lane < count ? stride * lane : count;
    size_t length = count - from < stride ? count - from : stride;
    finish(s, start + from, shortest, length, digests + lane * 32);
  }
}
