#pragma once
#include <mysql.h>
#include <mariadb_rpl.h>
#include <zlib.h>

/// Whether the server takes many rows of parameters in one message (MariaDB 10.2 and later, no other product). The
/// library's own question is variadic, which Swift does not import.
static inline int sj_mysql_takes_arrays(MYSQL *mysql) {
  unsigned int capabilities = 0;
  if (mariadb_get_infov(mysql, MARIADB_CONNECTION_EXTENDED_SERVER_CAPABILITIES, &capabilities)) return 0;
  return (capabilities & (unsigned int)(MARIADB_CLIENT_STMT_BULK_OPERATIONS >> 32)) != 0;
}

/// Adds one attribute by which the server's administrator recognises the session; variadic in the library.
static inline int sj_mysql_attribute(MYSQL *mysql, const char *name, const char *value) {
  return mysql_optionsv(mysql, MYSQL_OPT_CONNECT_ATTR_ADD, (void *)name, (void *)value);
}

static inline int sj_mysql_refuse_init(void **state, const char *name, void *data) { (void)name; (void)data; *state = 0; return 1; }
static inline int sj_mysql_refuse_read(void *state, char *buffer, unsigned int size) { (void)state; (void)buffer; (void)size; return -1; }
static inline void sj_mysql_refuse_end(void *state) { (void)state; }
static inline int sj_mysql_refuse_error(void *state, char *message, unsigned int size) {
  (void)state;
  if (size > 0) message[0] = 0;
  return 2000;
}

/// A server may ask its client for any file, whatever the statement was. None is ever opened.
static inline void sj_mysql_refuse_files(MYSQL *mysql) {
  unsigned int off = 0;
  mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &off);
  mysql_set_local_infile_handler(
      mysql, sj_mysql_refuse_init, sj_mysql_refuse_read, sj_mysql_refuse_end, sj_mysql_refuse_error, 0);
}

/// Options of a reader of the server's log; variadic in the library. They answer 0 when all went well.
static inline int sj_mysql_log_file(MARIADB_RPL *log, const char *name, size_t length) {
  return mariadb_rpl_optionsv(log, MARIADB_RPL_FILENAME, name, length);
}
static inline int sj_mysql_log_start(MARIADB_RPL *log, unsigned long position) {
  return mariadb_rpl_optionsv(log, MARIADB_RPL_START, position);
}
static inline int sj_mysql_log_option(MARIADB_RPL *log, enum mariadb_rpl_option option, unsigned int value) {
  return mariadb_rpl_optionsv(log, option, value);
}
static inline MARIADB_RPL *sj_mysql_log(MYSQL *mysql) { return mariadb_rpl_init(mysql); }
