#include "CEmbedded.h"

// #embed is C23; the compiler of Swift 6.3 has it in every dialect and says so.
#pragma clang diagnostic ignored "-Wc23-extensions"

#define LENGTH(name) const size_t sj_##name##_length = sizeof(sj_##name##_bytes)

const unsigned char sj_working_days_csv_bytes[] = {
#embed "files/working-days.csv"
};
LENGTH(working_days_csv);

const unsigned char sj_classification_2017_csv_bytes[] = {
#embed "files/classification-2017.csv"
};
LENGTH(classification_2017_csv);

const unsigned char sj_divisions_2018_csv_bytes[] = {
#embed "files/divisions-2018.csv"
};
LENGTH(divisions_2018_csv);

const unsigned char sj_divisions_2023_csv_bytes[] = {
#embed "files/divisions-2023.csv"
};
LENGTH(divisions_2023_csv);

const unsigned char sj_divisions_succession_csv_bytes[] = {
#embed "files/divisions-succession.csv"
};
LENGTH(divisions_succession_csv);

const unsigned char sj_rules_2017_csv_bytes[] = {
#embed "files/law/rules-2017.csv"
};
LENGTH(rules_2017_csv);

const unsigned char sj_rules_2025_csv_bytes[] = {
#embed "files/law/rules-2025.csv"
};
LENGTH(rules_2025_csv);

const unsigned char sj_code_lists_csv_bytes[] = {
#embed "files/code-lists.csv"
};
LENGTH(code_lists_csv);

const unsigned char sj_organisations_qinghai_csv_bytes[] = {
#embed "files/organisations-qinghai.csv"
};
LENGTH(organisations_qinghai_csv);

const unsigned char sj_site_css_bytes[] = {
#embed "files/site.css"
};
LENGTH(site_css);

const unsigned char sj_site_js_bytes[] = {
#embed "files/site.js"
};
LENGTH(site_js);

const unsigned char sj_icon_svg_bytes[] = {
#embed "files/icon.svg"
};
LENGTH(icon_svg);

const unsigned char sj_han_txt_bytes[] = {
#embed "files/han.txt"
};
LENGTH(han_txt);

const unsigned char sj_moving_in_bjxc_json_bytes[] = {
#embed "files/moving-in/bjxc.json"
};
LENGTH(moving_in_bjxc_json);

const unsigned char sj_moving_in_dsg_json_bytes[] = {
#embed "files/moving-in/dsg.json"
};
LENGTH(moving_in_dsg_json);
