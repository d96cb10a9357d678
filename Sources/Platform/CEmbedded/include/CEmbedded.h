// Files that travel inside the binary, so that one file is the whole installation.
// Each has a start and a length in bytes; a new one is two lines here and one in embedded.c.
#pragma once
#include <stddef.h>

#define EMBEDDED(name) extern const unsigned char sj_##name[]; extern const size_t sj_##name##_length

EMBEDDED(working_days_csv);
EMBEDDED(classification_2017_csv);
EMBEDDED(divisions_2018_csv);
EMBEDDED(divisions_2023_csv);
