import NationalCrypto
import ArgumentParser
import Audit
import Foundation
import Kernel
import Logging
import Storage
import Web

struct AuditCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit", abstract: "The append-only log.", subcommands: [Verify.self, Erase.self])

  struct Verify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Recompute every record, the tree and every signed checkpoint.")

    @OptionGroup var options: NodeOptions
    @Flag(help: "Print one JSON object.") var json = false
    @Option(help: "A signed checkpoint's text that was kept elsewhere: shows whether the log was cut back since.")
    var checkpoint: String?
    @Flag(help: "First give the records that wait their leaves, as a running node does by itself.") var sequence = false

    func run() async throws {
      let settings = try options.settings()
      let witness = try checkpoint.map { path in
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
          throw Refusal.invalid(
            "usage.checkpoint", "checkpoint", Text("读不到文件 \(path)。", "Cannot read the file \(path)."))
        }
        return text
      }
      let keys = try NodeKeys.load(from: settings.data)
      try settings.requireDatabase()
      let database = try Node.openDatabase(settings, connections: 2)
      if sequence {
        let sequencer = Sequencer(
          database: database, signer: keys.signer, clock: .system, logger: Logger(label: "sanjiang.audit"))
        try await sequencer.sequenceAll()
      }
      let verifier = AuditVerifier(database: database, key: keys.signer.publicKey)
      let result = try await verifier.verify(witness: witness, at: Clock.system.now()) { count in
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
          ("waiting", JSON(result.waiting)),
          ("oldestWaiting", result.oldestWaiting.map { .string($0.description) } ?? .null),
          ("erased", JSON(result.erased)), ("checkpoints", JSON(result.checkpoints)),
          ("root", result.root.map { .string($0.hex) } ?? .null),
          ("faults", .array(result.faults.map { .string($0.english) })),
        ])
        return
      }
      let t = Terminal.language
      Terminal.progress("", final: false)
      var beside: [String] = []
      if result.waiting > 0 {
        beside.append(t("  另有 \(result.waiting) 条待入树。", "  \(result.waiting) records more wait for their leaf."))
      }
      if result.erased > 0 {
        beside.append(
          t(
            "  \(result.erased) 条记录的内容已删除，只剩摘要。",
            "  The content of \(result.erased) records was erased; their digests stay."))
      }
      if result.holds {
        Terminal.print(
          t(
            "日志完整：\(result.leaves) 条记录，\(result.checkpoints) 个签名检查点，根 \(result.root?.hex.prefix(16) ?? "")…",
            "The log holds: \(result.leaves) records, \(result.checkpoints) signed checkpoints, root \(result.root?.hex.prefix(16) ?? "")…"
          ))
        beside.forEach(Terminal.print)
        return
      }
      Terminal.error(t("日志不完整：", "The log does not hold:"))
      for fault in result.faults { Terminal.error("  " + t(fault)) }
      beside.forEach(Terminal.error)
    }
  }

  struct Erase: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Take names and details out of one record for good, where the law asks for it.",
      discussion: "The record stays provable, and the log says that its content was erased, when and why.")

    @OptionGroup var options: NodeOptions
    @Argument(help: "The record's id, as its page shows it.") var record: String
    @Option(help: "Why, 4 to 200 characters; kept for ever, so without what is erased.") var reason: String

    func run() async throws {
      guard let id = AuditRecordID(record) else {
        throw Refusal.invalid(
          "usage.record", "record",
          Text("“\(record)” 不是记录的编号；应为 UUID。", "“\(record)” is not a record's id: a UUID."))
      }
      let node = try await Node.open(try options.settings())
      let (now, why) = (node.clock.now(), reason)
      do {
        try await node.database.write { tx in
          try AuditErasure.erase(id, reason: why, by: .system(), at: now, in: tx)
        }
      } catch {
        await node.close()
        throw error
      }
      await node.close()
      Terminal.print(
        Terminal.language(
          "已删除记录 \(record) 的内容，并已记入日志。", "The content of record \(record) is erased, and the log says so."))
    }
  }
}
