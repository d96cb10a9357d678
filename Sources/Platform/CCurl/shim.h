#pragma once
#include <curl/curl.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

// Swift calls no function of a variable number of arguments: one for each kind of option.

static inline CURLcode sj_curl_number(CURL *curl, CURLoption option, long value) {
  return curl_easy_setopt(curl, option, value);
}

static inline CURLcode sj_curl_offset(CURL *curl, CURLoption option, curl_off_t value) {
  return curl_easy_setopt(curl, option, value);
}

/// Copied by libcurl; NULL takes the option back.
static inline CURLcode sj_curl_text(CURL *curl, CURLoption option, const char *value) {
  return curl_easy_setopt(curl, option, value);
}

static inline CURLcode sj_curl_list(CURL *curl, CURLoption option, struct curl_slist *value) {
  return curl_easy_setopt(curl, option, value);
}

typedef size_t (*sj_curl_transfer)(char *bytes, size_t size, size_t count, void *owner);
typedef int (*sj_curl_progress)(void *owner, curl_off_t, curl_off_t, curl_off_t, curl_off_t);

/// One owner for all four callbacks.
static inline void sj_curl_callbacks(
    CURL *curl, void *owner, sj_curl_transfer write, sj_curl_transfer header, sj_curl_transfer read,
    sj_curl_progress progress) {
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, write);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, owner);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, owner);
  curl_easy_setopt(curl, CURLOPT_READFUNCTION, read);
  curl_easy_setopt(curl, CURLOPT_READDATA, owner);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, owner);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
}

static inline long sj_curl_status(CURL *curl) {
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  return status;
}

/// Seconds since 1970, or -1.
static inline curl_off_t sj_curl_filetime(CURL *curl) {
  curl_off_t time = -1;
  curl_easy_getinfo(curl, CURLINFO_FILETIME_T, &time);
  return time;
}

/// A file that lies in memory only, for what a library wants to read by a path.
static inline int sj_memory_file(void) {
  return (int)syscall(SYS_memfd_create, "sanjiang", 1U /* MFD_CLOEXEC */);
}

/// A file without a name in that folder, or -1.
static inline int sj_nameless_file(const char *folder) {
  return open(folder, 020000000 | 0200000 /* O_TMPFILE */ | O_RDWR | O_CLOEXEC, 0600);
}
