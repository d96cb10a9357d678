import Foundation
import Kernel
import Storage
import StoragePostgres

/// Puts a backup in place: into an empty data folder and an empty database, or not at all.
///
/// What is being written is called `….partial` until it is whole; what an interrupted restore left under that name is
/// removed by the next.
struct Restore {
  let settings: Settings
  let folder: String
  let manifest: Manifest

  static func run(from folder: String, to settings: Settings) async throws -> Backup.Report {
    let restore = Restore(settings: settings, folder: folder, manifest: try Manifest(checking: folder))
    try await restore.requireRoom()
    try restore.write()
    return Backup.Report(files: restore.manifest.files.map { ($0.name, $0.size) }, folder: folder)
  }

  private var keys: String { settings.data + "/keys" }
  private var attachments: String { settings.attachments }
  private var partials: [String] {
    [keys + ".partial", attachments + ".partial"] + (settings.sqlitePath.map { [$0 + ".partial"] } ?? [])
  }

  /// Refused where anything stands that would mix with what is restored.
  private func requireRoom() async throws {
    let engine: Engine = settings.sqlitePath == nil ? .postgres : .sqlite
    guard manifest.engine == engine else {
      throw Refusal(
        .invalid, "restore.engine",
        manifest.engine == .postgres
          ? Text(
            "这份备份来自 PostgreSQL，请把 database 设为 PostgreSQL 的地址。",
            "This backup was made of PostgreSQL; set database to one.")
          : Text(
            "这份备份来自 SQLite，请把 database 设为 sqlite:路径。", "This backup was made of SQLite; set database to sqlite:PATH."))
    }
    if Files.stand(settings.data) {
      guard FileManager.default.fileExists(atPath: settings.data + "/.") else {
        throw Files.trouble(ENOTDIR, settings.data + "/keys")
      }
      // Of a disk mounted there, and of a restore that was interrupted.
      let passed = Set(["lost+found"] + partials.map { ($0 as NSString).lastPathComponent })
      try refuse(try Files.names(in: settings.data).filter { !passed.contains($0) }.map { settings.data + "/" + $0 })
    }
    if let path = settings.sqlitePath {
      // SQLite would take an old log that lies beside a database for the database's own.
      try refuse(["", "-wal", "-shm", "-journal"].map { path + $0 }.filter(Files.stand))
    } else {
      let database = try PostgresDatabase(settings.database, connections: 2)
      let tables = try await database.read { tx in
        try tx.rows(
          """
          SELECT n.nspname || '.' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND n.nspname <> 'information_schema'
            AND substr(n.nspname, 1, 3) <> 'pg_'
          ORDER BY 1 LIMIT 5
          """
        ).map { try $0.text("name") }
      }
      await database.close()
      try refuse(tables)
    }
  }

  private func refuse(_ found: [String]) throws {
    guard !found.isEmpty else { return }
    let named = found.prefix(5)
    throw Refusal(
      .conflict, "restore.occupied",
      Text(
        "恢复只写入空的数据目录和空的数据库，已有：\(named.joined(separator: "、"))。未恢复任何内容。",
        "A restore goes into an empty data folder and an empty database, and there is: \(named.joined(separator: ", ")). Nothing was restored."
      ))
  }

  private func write() throws {
    for partial in partials { try Files.remove(partial) }
    do {
      try Files.makeFolder(settings.data)
      // The keys first: they are small, and with them in place nothing but a rename follows the database.
      try Files.makeFolder(keys + ".partial")
      for (prefix, place) in [("keys/", keys), ("attachments/", attachments)] {
        for file in manifest.files where file.name.hasPrefix(prefix) {
          let path = place + ".partial/" + file.name.dropFirst(prefix.count)
          try Files.makeFolder(Files.folder(of: path))
          try Files.copy(folder + "/" + file.name, to: path)
        }
      }
      try Files.flush(keys + ".partial")
      if Files.stand(attachments + ".partial") { try Files.flush(attachments + ".partial") }
      try writeDatabase()
    } catch {
      for partial in partials { try? Files.remove(partial) }
      throw error
    }
    if Files.stand(attachments + ".partial") { try Files.move(attachments + ".partial", to: attachments) }
    try Files.move(keys + ".partial", to: keys)
  }

  private func writeDatabase() throws {
    let copy = folder + "/" + Manifest.database(of: manifest.engine)
    guard let path = settings.sqlitePath else {
      return try PostgresTool.run(
        "pg_restore", ["--no-owner", "--exit-on-error", "--single-transaction", copy], on: settings.database)
    }
    try Files.makeFolder(Files.folder(of: path))
    try Files.copy(copy, to: path + ".partial")
    try Files.move(path + ".partial", to: path)
  }
}
