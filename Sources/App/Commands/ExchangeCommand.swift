import Transfer
import ArgumentParser
import Exchange
import Jobs
import Kernel
import Sharing
import Storage
import Web

struct ExchangeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "exchange", abstract: "Deliveries under grants.", subcommands: [Run.self])

  struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Carry out one grant now: everything the first time, then what changed.")

    @OptionGroup var options: NodeOptions
    @Option(help: "The grant's id.") var grant: String
    @Flag(help: "Print one JSON object.") var json = false

    func run() async throws {
      guard let id = GrantID(grant) else {
        throw Refusal.invalid("exchange.run", "grant", Text("这不是授权的编号。", "This is not a grant's id."))
      }
      let node = try await Node.open(try options.settings())
      let delivery = try await node.deliverNow(id)
      await node.database.close()
      if json {
        Terminal.printJSON(delivery.json)
      } else {
        Terminal.print(Terminal.language(delivery.summary))
      }
      if delivery.state != .delivered { throw ExitCode(1) }
    }
  }
}

extension Node {
  /// Queues a delivery and carries it out here, with a lease like any worker's, so that two can never run at once.
  func deliverNow(_ id: GrantID) async throws -> DeliveryRecord {
    try await sharing.guardGrant(id)
    let asked = try await exchange.queue(id, trigger: "command", by: .system())
    let runner = runner()
    while true {
      _ = try await runner.drain()
      let found = try await database.read { try DeliveryStore.find(asked.id, in: $0) }
      guard let found else { throw Refusal.notFound(Text("交换任务", "delivery")) }
      if !found.state.isOpen { return found }
      // Another worker has it, or it waits for its next try.
      try await Task.sleep(for: .milliseconds(200))
    }
  }
}

extension DeliveryRecord {
  var json: [(String, JSON)] {
    [
      ("delivery", .string(id.text)), ("state", .string(state.rawValue)), ("mode", .string(mode.rawValue)),
      ("read", JSON(read)), ("delivered", JSON(delivered)), ("unchanged", JSON(unchanged)),
      ("quarantined", JSON(quarantined)), ("stale", JSON(stale)), ("bytes", JSON(bytes)),
      ("receiptsAgree", agrees.map { .bool($0) } ?? .null), ("reason", reason.map { .string($0.english) } ?? .null),
    ]
  }

  var summary: Text {
    if let reason {
      return Text("\(state.title.chinese)：\(reason.chinese)", "\(state.title.english): \(reason.english)")
    }
    return Text(
      "\(state.title.chinese)：读 \(read) 行，送达 \(delivered) 行，未变 \(unchanged) 行，隔离 \(quarantined) 行；双方回执\(agrees == true ? "一致" : "不一致")。",
      "\(state.title.english): \(read) rows read, \(delivered) delivered, \(unchanged) unchanged, \(quarantined) quarantined; the receipts \(agrees == true ? "agree" : "differ")."
    )
  }
}
