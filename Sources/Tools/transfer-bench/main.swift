// Measures the engine. Not part of the product.
//
//   transfer-bench postgres [ROWS]      PostgreSQL → PostgreSQL beside `psql COPY TO | psql COPY FROM`
//   transfer-bench mariadb [ROWS]       MariaDB → MariaDB beside `SELECT | LOAD DATA LOCAL`
//   transfer-bench reshaped [ROWS]      the same with a filter, expressions, tokens and rules on the way
//   transfer-bench sqlite [ROWS]        SQLite → SQLite beside ATTACH + INSERT SELECT
//   transfer-bench files [ROWS]         PostgreSQL → CSV and JSON lines beside `psql \copy`
//   transfer-bench odbc [ROWS]          PostgreSQL through its own client and through psqlodbc: reading and writing alone
//   transfer-bench reconcile [ROWS]     comparing both sides of a delivery: equal, with 1,000 differences, all different
//   transfer-bench changes [SECONDS]    following a source's changes, and draining a backlog of them
//   transfer-bench split [ROWS] [KIB]   a table by one, two and four workers, far from its databases and near them
//   transfer-bench exchange ROWS RUNS PEERS [SLOW]   the engine beside sling, pgloader, dlt and psql (see ExchangeBench.swift)

let arguments = Array(CommandLine.arguments.dropFirst())
switch arguments.first {
case "postgres": try await PostgresBench(rows: arguments.dropFirst().first.flatMap { Int($0) } ?? 1_000_000).run()
case "mariadb": try await MariaDBBench(rows: arguments.dropFirst().first.flatMap { Int($0) } ?? 1_000_000).run()
case "reshaped":
  try await PostgresBench(rows: arguments.dropFirst().first.flatMap { Int($0) } ?? 1_000_000, reshaped: true).run()
case "sqlite": try await SQLiteBench(rows: arguments.dropFirst().first.flatMap { Int($0) } ?? 1_000_000).run()
case "files": try await FilesBench(rows: arguments.dropFirst().first.flatMap { Int($0) } ?? 1_000_000).run()
case "odbc": try await ODBCBench(rows: arguments.dropFirst().first.flatMap { Int($0) } ?? 200_000).run()
case "reconcile": try await ReconcileBench(rows: arguments.dropFirst().first.flatMap { Int($0) } ?? 1_000_000).run()
case "changes": try await ChangeBench(seconds: arguments.dropFirst().first.flatMap { Int($0) } ?? 20).run()
case "split":
  let numbers = arguments.dropFirst().compactMap { Int($0) }
  try await SplitBench(rows: numbers.first ?? 1_000_000, batchKiB: numbers.dropFirst().first ?? 256).run()
case "split-run": try await SplitRun.run(Array(arguments.dropFirst()))
case "split-part": try await SplitRun.part(Array(arguments.dropFirst()))
case "exchange": try await ExchangeBench(Array(arguments.dropFirst())).run()
case "one": try await OneDelivery.run(Array(arguments.dropFirst()))
case "sample": try Sample.write(Int(arguments[1]) ?? 1, to: arguments[2])
default:
  print(
    "usage: transfer-bench postgres | reshaped | mariadb | sqlite | files | odbc | reconcile | split [ROWS], or changes [SECONDS]"
  )
}
