import Foundation
import Kernel
import NationalCrypto
import Storage

/// What a backup is made of: each file's SM3 and size, and a closing line, so that one that was cut off is known for what it
/// is. It guards against accidents, not against somebody who writes another.
struct Manifest {
  static let fileName = "manifest.txt"
  static let keys = ["keys/node.key", "keys/audit.key", "keys/origin"]

  struct File: Equatable {
    var name: String
    var digest: String
    var size: Int
  }

  var engine: Engine
  var files: [File]

  /// The copied database's name in a backup.
  static func database(of engine: Engine) -> String { engine == .sqlite ? "database.sqlite" : "database.dump" }

  /// Of everything below a folder.
  init(of folder: String, engine: Engine) throws {
    self.engine = engine
    files = try Files.below(folder).map { name in
      let (digest, size) = try Files.digest(of: folder + "/" + name)
      return File(name: name, digest: digest, size: size)
    }
  }

  func text(madeAt now: Instant) -> String {
    let lines =
      ["sanjiang backup 2", "made \(now)", "engine \(engine.rawValue)"]
      + files.map { "\($0.digest) \($0.size) \($0.name)" }
    let body = lines.joined(separator: "\n") + "\n"
    return body + "end \(files.count) \(SM3.hash(Array(body.utf8)).hex)\n"
  }

  /// Reads a backup's manifest and checks the backup against it: nothing cut off, every file there and as it was, the
  /// database and the keys among them, and nothing beside.
  init(checking folder: String) throws {
    guard let text = try? String(contentsOfFile: folder + "/" + Self.fileName, encoding: .utf8) else {
      throw Self.incomplete("\(folder) 里没有清单 \(Self.fileName)", "\(folder) has no \(Self.fileName)")
    }
    try self.init(text: text)
    let missing = (Self.keys + [Self.database(of: engine)]).filter { name in !files.contains { $0.name == name } }
    guard missing.isEmpty else {
      throw Self.incomplete(
        "清单里没有 \(missing.joined(separator: "、"))", "its manifest lacks \(missing.joined(separator: ", "))")
    }
    for file in files {
      let path = folder + "/" + file.name
      guard Files.isRegular(path) else {
        throw Self.damaged("文件 \(file.name) 不在", "File \(file.name) is not there")
      }
      let (digest, size) = try Files.digest(of: path)
      guard digest == file.digest, size == file.size else {
        throw Self.damaged("文件 \(file.name) 与清单不符", "File \(file.name) is not as the manifest says")
      }
    }
    let listed = Set(files.map(\.name) + [Self.fileName])
    let strangers = try Files.below(folder).filter { !listed.contains($0) }
    guard strangers.isEmpty else {
      let named = strangers.prefix(5)
      throw Self.damaged(
        "备份里有清单之外的文件：\(named.joined(separator: "、"))",
        "The backup holds files that the manifest does not list: \(named.joined(separator: ", "))")
    }
  }

  init(text: String) throws {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    // The first form had no closing line; its backups are still whole when what they must hold is listed.
    let isClosed = lines.first == "sanjiang backup 2"
    guard isClosed || lines.first == "sanjiang backup 1" else {
      throw Self.incomplete("清单的第一行不认识", "the first line of its manifest is not one we know")
    }
    guard lines.removeLast().isEmpty, lines.count >= 3 else {
      throw Self.incomplete("清单被截断", "its manifest was cut off")
    }
    if isClosed {
      let closing = lines.removeLast()
      let body = lines.joined(separator: "\n") + "\n"
      guard closing == "end \(lines.count - 3) \(SM3.hash(Array(body.utf8)).hex)" else {
        throw Self.incomplete(
          "清单被截断或改动：末行与前面的内容不符", "its manifest was cut off or changed: the closing line does not fit")
      }
    }
    guard lines.count >= 3, lines[2].hasPrefix("engine "), let engine = Engine(rawValue: String(lines[2].dropFirst(7)))
    else {
      throw Self.incomplete("清单没有说明数据库种类", "its manifest does not say which kind of database it holds")
    }
    self.engine = engine
    files = try lines.dropFirst(3).map { line in
      let parts = line.split(separator: " ", maxSplits: 2).map(String.init)
      guard parts.count == 3, let size = Int(parts[1]), Self.isInside(parts[2]) else {
        throw Self.incomplete("清单有误：\(line)", "its manifest has a wrong line: \(line)")
      }
      return File(name: parts[2], digest: parts[0], size: size)
    }
    guard Set(files.map(\.name)).count == files.count else {
      throw Self.incomplete("清单里有重复的文件", "its manifest lists a file twice")
    }
  }

  /// Whether a name stays below the folder that it is read from.
  private static func isInside(_ name: String) -> Bool {
    name.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { !["", ".", ".."].contains($0) }
  }

  private static func incomplete(_ chinese: String, _ english: String) -> Refusal {
    Refusal(
      .invalid, "restore.manifest",
      Text("这不是完整的备份：\(chinese)。未恢复任何内容。", "This is no complete backup: \(english). Nothing was restored."))
  }

  private static func damaged(_ chinese: String, _ english: String) -> Refusal {
    Refusal(.invalid, "restore.damaged", Text("\(chinese)。未恢复任何内容。", "\(english). Nothing was restored."))
  }
}
