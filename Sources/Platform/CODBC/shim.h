#pragma once
#include <sql.h>
#include <sqlext.h>
#include <sqlucode.h>

/// Options are handed over as pointers that point nowhere; Swift has no such cast.
static inline SQLRETURN sj_odbc_connection(SQLHDBC connection, SQLINTEGER name, SQLULEN value) {
  return SQLSetConnectAttr(connection, name, (SQLPOINTER)value, SQL_IS_UINTEGER);
}

static inline SQLRETURN sj_odbc_statement(SQLHSTMT statement, SQLINTEGER name, SQLULEN value) {
  return SQLSetStmtAttr(statement, name, (SQLPOINTER)value, SQL_IS_UINTEGER);
}

static inline SQLRETURN sj_odbc_statement_place(SQLHSTMT statement, SQLINTEGER name, SQLPOINTER place) {
  return SQLSetStmtAttr(statement, name, place, SQL_IS_POINTER);
}
