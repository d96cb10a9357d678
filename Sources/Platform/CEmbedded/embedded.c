#include "CEmbedded.h"

#define EMBED(name) const size_t sj_##name##_length = sizeof(sj_##name)

const unsigned char sj_working_days_csv[] = {
#embed "files/working-days.csv"
};
EMBED(working_days_csv);

const unsigned char sj_classification_2017_csv[] = {
#embed "files/classification-2017.csv"
};
EMBED(classification_2017_csv);

const unsigned char sj_divisions_2018_csv[] = {
#embed "files/divisions-2018.csv"
};
EMBED(divisions_2018_csv);

const unsigned char sj_divisions_2023_csv[] = {
#embed "files/divisions-2023.csv"
};
EMBED(divisions_2023_csv);
