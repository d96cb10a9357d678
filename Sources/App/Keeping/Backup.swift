import Foundation
import Kernel
import NationalCrypto
import Storage
import StorageSQLite

/// A copy of a node as of one moment: a folder with the database, the keys and a manifest with each file's SM3.
///
/// The folder appears under its name only when it is complete: it is written beside as `….partial`, every file is
/// flushed, then it is renamed.
struct Backup {
  static let manifestName = "manifest.txt"
  static let formatLine = "sanjiang backup 1"

  struct Report {
    var files: [(name: String, bytes: Int)] = []
    var folder: String
  }

  /// Makes a backup while the node runs. Refused when the target exists.
  static func make(of settings: Settings, at folder: String, clock: Clock) throws -> Report {
    let manager = FileManager.default
    guard !manager.fileExists(atPath: folder) else {
      throw Refusal(
        .conflict, "backup.exists", Text("\(folder) 已存在，请换一个名字。", "\(folder) exists already; choose another name."))
    }
    let partial = folder + ".partial"
    try? manager.removeItem(atPath: partial)
    try manager.createDirectory(
      atPath: partial, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    var report = Report(folder: folder)
    do {
      try copyDatabase(of: settings, into: partial)
      let keys = settings.data + "/keys"
      if manager.fileExists(atPath: keys) { try manager.copyItem(atPath: keys, toPath: partial + "/keys") }
      var lines = [
        formatLine, "made \(clock.now())", "engine \(settings.database.hasPrefix("sqlite:") ? "sqlite" : "postgres")",
      ]
      for name in try files(below: partial) {
        let (digest, size) = try digest(of: partial + "/" + name)
        lines.append("\(digest) \(size) \(name)")
        report.files.append((name, size))
        try flush(partial + "/" + name)
      }
      try Data((lines.joined(separator: "\n") + "\n").utf8).write(
        to: URL(fileURLWithPath: partial + "/" + manifestName))
      try flush(partial + "/" + manifestName)
      try flush(partial)
      try manager.moveItem(atPath: partial, toPath: folder)
      try flush(
        (folder as NSString).deletingLastPathComponent.isEmpty ? "." : (folder as NSString).deletingLastPathComponent)
    } catch {
      try? manager.removeItem(atPath: partial)
      throw error
    }
    return report
  }

  /// Checks every file against the manifest and puts it in place. Refused when the node already has data.
  static func restore(from folder: String, to settings: Settings) throws -> Report {
    let listed = try check(folder)
    let manager = FileManager.default
    try manager.createDirectory(
      atPath: settings.data, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    if manager.fileExists(atPath: settings.data + "/keys") {
      throw Refusal(
        .conflict, "restore.occupied",
        Text(
          "\(settings.data) 里已有密钥，恢复只写入空的数据目录。",
          "\(settings.data) has keys already; a restore goes into an empty data folder."))
    }
    try restoreDatabase(from: folder, to: settings)
    if manager.fileExists(atPath: folder + "/keys") {
      try manager.copyItem(atPath: folder + "/keys", toPath: settings.data + "/keys")
    }
    return Report(files: listed, folder: folder)
  }

  /// Every file of the manifest present, of its size and digest, and none beside.
  static func check(_ folder: String) throws -> [(name: String, bytes: Int)] {
    guard let text = try? String(contentsOfFile: folder + "/" + manifestName, encoding: .utf8),
      text.hasPrefix(formatLine + "\n")
    else {
      throw Refusal(.invalid, "restore.manifest", Text("\(folder) 不是完整的备份。", "\(folder) is not a complete backup."))
    }
    var listed: [(name: String, bytes: Int)] = []
    for line in text.split(separator: "\n").dropFirst(3) {
      let parts = line.split(separator: " ", maxSplits: 2)
      guard parts.count == 3, let size = Int(parts[1]), !parts[2].contains("..") else {
        throw Refusal(.invalid, "restore.manifest", Text("清单有误：\(line)", "The manifest has a wrong line: \(line)"))
      }
      let name = String(parts[2])
      guard let found = try? digest(of: folder + "/" + name), found.digest == parts[0], found.size == size else {
        throw Refusal(
          .invalid, "restore.damaged",
          Text("文件 \(name) 缺失或已损坏，未恢复任何内容。", "File \(name) is missing or damaged; nothing was restored."))
      }
      listed.append((name, size))
    }
    return listed
  }

  // MARK: - The database

  private static func copyDatabase(of settings: Settings, into folder: String) throws {
    if let path = settings.sqlitePath {
      let database = try SQLiteDatabase(path: path, readers: 1)
      try database.copy(to: folder + "/database.sqlite")
      chmod(folder + "/database.sqlite", 0o600)
    } else {
      try run(
        "pg_dump", ["--format=custom", "--no-owner", "--file=\(folder)/database.dump", "--dbname=\(settings.database)"])
    }
  }

  private static func restoreDatabase(from folder: String, to settings: Settings) throws {
    let manager = FileManager.default
    if let path = settings.sqlitePath {
      guard !manager.fileExists(atPath: path) else {
        throw Refusal(
          .conflict, "restore.occupied", Text("\(path) 已存在，未恢复任何内容。", "\(path) exists already; nothing was restored."))
      }
      guard manager.fileExists(atPath: folder + "/database.sqlite") else {
        throw Refusal(.invalid, "restore.engine", Text("这份备份来自 PostgreSQL。", "This backup was made of PostgreSQL."))
      }
      try manager.copyItem(atPath: folder + "/database.sqlite", toPath: path + ".partial")
      try flush(path + ".partial")
      try manager.moveItem(atPath: path + ".partial", toPath: path)
    } else {
      guard manager.fileExists(atPath: folder + "/database.dump") else {
        throw Refusal(.invalid, "restore.engine", Text("这份备份来自 SQLite。", "This backup was made of SQLite."))
      }
      try run(
        "pg_restore",
        [
          "--no-owner", "--exit-on-error", "--single-transaction", "--dbname=\(settings.database)",
          "\(folder)/database.dump",
        ])
    }
  }

  private static func run(_ tool: String, _ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [tool] + arguments
    let complaints = Pipe()
    process.standardError = complaints
    try process.run()
    let said = String(decoding: complaints.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      let line = said.split(separator: "\n").first.map(String.init) ?? "\(process.terminationStatus)"
      throw Refusal(.unavailable, "backup.\(tool)", Text("\(tool) 失败：\(line)", "\(tool) failed: \(line)"))
    }
  }

  // MARK: - Files

  private static func files(below folder: String) throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: folder).sorted().filter { name in
      var isFolder: ObjCBool = false
      return FileManager.default.fileExists(atPath: folder + "/" + name, isDirectory: &isFolder) && !isFolder.boolValue
    }
  }

  private static func digest(of path: String) throws -> (digest: String, size: Int) {
    let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
    defer { try? file.close() }
    var hash = SM3()
    var size = 0
    while let chunk = try file.read(upToCount: 1 << 20), !chunk.isEmpty {
      chunk.withUnsafeBytes { hash.update($0) }
      size += chunk.count
    }
    return (hash.finish().hex, size)
  }

  private static func flush(_ path: String) throws {
    let descriptor = open(path, O_RDONLY)
    guard descriptor >= 0 else {
      throw Refusal(.unavailable, "backup.flush", Text("无法写入 \(path)。", "Cannot write \(path)."))
    }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else {
      throw Refusal(.unavailable, "backup.flush", Text("\(path) 未能写入磁盘。", "\(path) could not be flushed to disk."))
    }
  }
}

extension Settings {
  /// The file of a `sqlite:PATH` address; nil for PostgreSQL.
  var sqlitePath: String? { database.hasPrefix("sqlite:") ? String(database.dropFirst("sqlite:".count)) : nil }
}
