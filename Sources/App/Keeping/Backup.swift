import Attachments
import Foundation
import Kernel
import Storage
import StorageSQLite

/// A copy of a node as of one moment: a folder with the database, the keys and a manifest with each file's SM3.
///
/// The folder appears under its name only when it is complete: it is written beside as `….partial`, every file is
/// flushed, then it is renamed.
struct Backup {
  struct Report {
    var files: [(name: String, bytes: Int)]
    var folder: String
  }

  /// Makes a backup while the node runs. Refused when the target exists, or where there is no node.
  static func make(of settings: Settings, at given: String, clock: Clock) throws -> Report {
    // The name with a slash behind is the same folder's, and its `.partial` must not stand inside.
    var folder = given
    while folder.count > 1, folder.hasSuffix("/") { folder.removeLast() }
    guard !folder.isEmpty, !Files.stand(folder) else {
      throw Refusal(
        .conflict, "backup.exists", Text("\(folder) 已存在，请换一个名字。", "\(folder) exists already; choose another name."))
    }
    _ = try NodeKeys.load(from: settings.data)
    let partial = folder + ".partial"
    let lock = try claim(partial)
    defer { close(lock) }
    // What the database's copy names stays until it is copied too.
    let attachments = AttachmentFolder(settings.attachments)
    let hold = try attachments.hold(isExclusive: false)
    defer { if let hold { close(hold) } }
    do {
      let engine = try copyDatabase(of: settings, into: partial)
      try Files.makeFolder(partial + "/keys")
      let keys = settings.data + "/keys/"
      for name in try Files.below(keys) where !name.hasSuffix(".partial") {
        try Files.makeFolder(Files.folder(of: partial + "/keys/" + name))
        try Files.copy(keys + name, to: partial + "/keys/" + name)
      }
      for name in try Files.below(attachments.path) where !name.hasPrefix("incoming/") {
        try Files.makeFolder(Files.folder(of: partial + "/attachments/" + name))
        try Files.copy(attachments.path + "/" + name, to: partial + "/attachments/" + name)
      }
      let manifest = try Manifest(of: partial, engine: engine)
      for file in manifest.files { try Files.flush(partial + "/" + file.name) }
      try Files.flush(partial + "/keys")
      try Files.write(manifest.text(madeAt: clock.now()), to: partial + "/" + Manifest.fileName)
      try Files.flush(partial)
      try Files.move(partial, to: folder)
      return Report(files: manifest.files.map { ($0.name, $0.size) }, folder: folder)
    } catch {
      try? Files.remove(partial)
      throw error
    }
  }

  /// Makes the folder that is written into and holds it by a lock, which ends with the process. What an interrupted backup
  /// left there is removed; anything else is somebody's.
  private static func claim(_ partial: String) throws -> Int32 {
    if Files.stand(partial) {
      let database = Manifest.database(of: .sqlite)
      let ours: Set<String> = [
        database, database + "-wal", database + "-shm", database + "-journal", Manifest.database(of: .postgres), "keys",
        "attachments",
        Manifest.fileName,
      ]
      let strangers = Files.isFolder(partial) ? try Files.names(in: partial).filter { !ours.contains($0) } : [partial]
      guard strangers.isEmpty else {
        throw Refusal(
          .conflict, "backup.partial",
          Text(
            "\(partial) 已存在，且不是中断的备份留下的（\(strangers[0])）。请移走它，或换一个名字。",
            "\(partial) exists, and not as an interrupted backup left it (\(strangers[0])). Move it away or choose another name."
          ))
      }
      close(try hold(partial))
      try Files.remove(partial)
    }
    try Files.makeFolder(Files.folder(of: partial))
    guard mkdir(partial, 0o700) == 0 else { throw Files.trouble(errno, partial) }
    return try hold(partial)
  }

  private static func hold(_ partial: String) throws -> Int32 {
    let descriptor = open(partial, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Files.trouble(errno, partial) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      throw Refusal(
        .conflict, "backup.running",
        Text("另一个备份正在写 \(partial)。", "Another backup is writing \(partial) at the moment."))
    }
    return descriptor
  }

  private static func copyDatabase(of settings: Settings, into folder: String) throws -> Engine {
    guard let path = settings.sqlitePath else {
      try PostgresTool.run(
        "pg_dump",
        ["--format=custom", "--no-owner", "--file=\(folder)/\(Manifest.database(of: .postgres))"],
        on: settings.database)
      return .postgres
    }
    try settings.requireDatabase()
    let database = try SQLiteDatabase(path: path, readers: 1)
    let copy = folder + "/" + Manifest.database(of: .sqlite)
    try database.copy(to: copy)
    chmod(copy, 0o600)
    return .sqlite
  }
}

extension Settings {
  /// Where the bytes of attachments lie.
  var attachments: String { data + "/attachments" }

  /// The file of a `sqlite:PATH` address; nil for PostgreSQL.
  var sqlitePath: String? { database.hasPrefix("sqlite:") ? String(database.dropFirst("sqlite:".count)) : nil }

  /// SQLite makes the file that it does not find: a wrong path would be an empty node.
  func requireDatabase() throws {
    guard let path = sqlitePath, !FileManager.default.fileExists(atPath: path) else { return }
    throw Refusal(
      .notFound, "node.database",
      Text(
        "没有数据库 \(path)。请检查 --data 与 --database；新节点请先运行 sanjiang init。",
        "There is no database \(path). Check --data and --database; for a new node run sanjiang init first."))
  }
}
