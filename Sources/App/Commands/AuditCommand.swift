import NationalCrypto
import ArgumentParser
import Audit
import Foundation
import Kernel
import Storage
import Web

struct AuditCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit", abstract: "The append-only log.", subcommands: [Verify.self])

  struct Verify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Recompute every record, the tree and every signed checkpoint.")

    @OptionGroup var options: NodeOptions
    @Flag(help: "Print one JSON object.") var json = false
    @Option(help: "A signed checkpoint's text that was kept elsewhere: shows whether the log was cut back since.")
    var checkpoint: String?

    func run() async throws {
      let settings = try options.settings()
      let witness = try checkpoint.map { path in
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
          throw Refusal.invalid(
            "audit.checkpoint", "checkpoint", Text("读不到文件 \(path)。", "Cannot read the file \(path)."))
        }
        return text
      }
      let keys = try NodeKeys.load(from: settings.data)
      let database = try Node.openDatabase(settings, connections: 2)
      let result = try await AuditVerifier(database: database, key: keys.signer.publicKey).verify(witness: witness) {
        count in
        Terminal.progress(Terminal.language("已验证 \(count) 条…", "\(count) records verified …"))
      }
      await database.close()
      report(result)
      if !result.holds { throw ExitCode(1) }
    }

    private func report(_ result: AuditVerifier.Result) {
      if json {
        Terminal.printJSON([
          ("holds", .bool(result.holds)), ("records", JSON(result.records)), ("leaves", JSON(result.leaves)),
          ("waiting", JSON(result.waiting)), ("erased", JSON(result.erased)), ("checkpoints", JSON(result.checkpoints)),
          ("root", result.root.map { .string($0.hex) } ?? .null),
          ("faults", .array(result.faults.map { .string($0.english) })),
        ])
        return
      }
      let t = Terminal.language
      Terminal.progress("", final: false)
      if result.holds {
        Terminal.print(
          t(
            "日志完整：\(result.leaves) 条记录，\(result.checkpoints) 个签名检查点，根 \(result.root?.hex.prefix(16) ?? "")…",
            "The log holds: \(result.leaves) records, \(result.checkpoints) signed checkpoints, root \(result.root?.hex.prefix(16) ?? "")…"
          ))
        return
      }
      Terminal.error(t("日志不完整：", "The log does not hold:"))
      for fault in result.faults { Terminal.error("  " + t(fault)) }
    }
  }
}
