// Files that travel inside the binary, so that one file is the whole installation.
// Each has a start and a length in bytes: a new one is one line here and four in embedded.c (`sj_` is put before the name).
// The start is a function, because Swift cannot import an array whose length the header does not say.
#pragma once
#include <stddef.h>

#define EMBEDDED(name) \
  extern const unsigned char sj_##name##_bytes[]; \
  extern const size_t sj_##name##_length; \
  static inline const unsigned char *_Nonnull sj_##name(void) { return sj_##name##_bytes; }

EMBEDDED(working_days_csv)
EMBEDDED(classification_2017_csv)
EMBEDDED(divisions_2018_csv)
EMBEDDED(divisions_2023_csv)
EMBEDDED(divisions_succession_csv)
EMBEDDED(rules_2017_csv)
EMBEDDED(rules_2025_csv)
EMBEDDED(code_lists_csv)
EMBEDDED(organisations_qinghai_csv)
EMBEDDED(site_css)
EMBEDDED(site_js)
EMBEDDED(icon_svg)
EMBEDDED(han_txt)
EMBEDDED(moving_in_bjxc_json)
EMBEDDED(moving_in_dsg_json)
