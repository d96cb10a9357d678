import ArgumentParser
import Foundation
import Kernel
import Storage

struct MigrateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "migrate", abstract: "Bring the database's tables up to this version.")

  @OptionGroup var options: NodeOptions

  func run() async throws {
    let settings = try options.settings()
    // A wrong folder would otherwise get a database without keys, and look like a node.
    _ = try NodeKeys.load(from: settings.data)
    try settings.requireDatabase()
    let database = try Node.openDatabase(settings)
    let done = try await database.migrate(Node.migrations)
    await database.close()
    Terminal.print(done.isEmpty ? Terminal.language("已是最新。", "Up to date.") : done.joined(separator: "\n"))
  }
}

struct BackupCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup", abstract: "Copy the node, as of one moment, into a new folder while it runs.")

  @OptionGroup var options: NodeOptions
  @Argument(help: "The folder to make.") var folder: String

  func run() async throws {
    let report = try Backup.make(of: try options.settings(), at: folder, clock: .system)
    let bytes = report.files.reduce(0) { $0 + $1.bytes }
    Terminal.print(
      Terminal.language(
        "备份完成：\(report.folder)，\(report.files.count) 个文件，\(bytes) 字节。其中有本节点的密钥，请像密钥一样保管。",
        "Backup done: \(report.folder), \(report.files.count) files, \(bytes) bytes. It holds the node's keys: keep it as you keep them."
      ))
  }
}

struct RestoreCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore", abstract: "Put a backup into an empty data folder and database.")

  @OptionGroup var options: NodeOptions
  @Argument(help: "The backup's folder.") var folder: String

  func run() async throws {
    let report = try await Restore.run(from: folder, to: try options.settings())
    Terminal.print(
      Terminal.language(
        "已恢复 \(report.files.count) 个文件，各与清单相符。请接着运行 sanjiang audit verify。",
        "Restored \(report.files.count) files, each as the manifest says. Now run sanjiang audit verify."))
  }
}
