import Transfer
import ArgumentParser
import Audit
import Exchange
import Foundation
import Jobs
import Kernel
import Sharing
import Storage
import UnixSignals
import Web

struct ExchangeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "exchange", abstract: "Deliveries under grants.", subcommands: [Run.self])

  struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Carry out one grant now: everything the first time, then what changed.")

    @OptionGroup var options: NodeOptions
    @Option(help: "The grant's id.") var grant: String
    @Flag(help: "Bring everything anew, also what was deleted in the source.") var full = false
    @Flag(help: "Print one JSON object.") var json = false

    func run() async throws {
      guard let id = GrantID(grant) else {
        throw Refusal.invalid(
          "usage.grant", "grant",
          Text(
            "--grant “\(grant)” 不是授权的编号；应为 UUID，见授权页面的网址。",
            "--grant “\(grant)” is not a grant's id: a UUID, as in the address of the grant's page."))
      }
      let node = try await Node.open(try options.settings())
      let delivery: DeliveryRecord
      do {
        let owner = Node.worker()
        let watch = await node.handBackWhenToldToStop(owner)
        defer { watch.cancel() }
        let meter = Meter()
        delivery = try await node.deliverNow(
          id, isFull: full, owner: owner, show: { Terminal.progress(Terminal.language(meter.line(of: $0))) }
        ) { Terminal.error(Terminal.language($0)) }
        Terminal.progress("")
      } catch {
        await node.close()
        throw error
      }
      await node.close()
      if json {
        Terminal.printJSON(delivery.json)
      } else {
        Terminal.print(Terminal.language(delivery.summary))
      }
      if delivery.state != .delivered { throw ExitCode(1) }
    }
  }
}

/// How fast a delivery goes, for a line on the terminal.
struct Meter: Sendable {
  private let start = ContinuousClock.now

  func line(of progress: DeliveryProgress, at now: ContinuousClock.Instant = .now) -> Text {
    let seconds = max(0.001, Double((now - start).inMilliseconds) / 1000)
    let rate = grouped(Int(Double(progress.read) / seconds))
    let (read, delivered, bad) = (grouped(progress.read), grouped(progress.delivered), grouped(progress.quarantined))
    return Text(
      "已读 \(read) 行，送达 \(delivered)，隔离 \(bad)，每秒 \(rate) 行",
      "\(read) rows read, \(delivered) delivered, \(bad) quarantined, \(rate) rows/s")
  }
}

extension Node {
  /// From now on SIGTERM and SIGINT end this process after it has handed back what `owner` holds, so that the next run need not
  /// wait for the lease to run out. What was committed stays, as after a kill; a second signal ends it at once.
  func handBackWhenToldToStop(_ owner: String) async -> Task<Void, Never> {
    let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
    return Task {
      var isFirst = true
      for await _ in signals {
        guard isFirst else { exit(1) }
        isFirst = false
        Task { await handBack(owner) }
      }
    }
  }

  private func handBack(_ owner: String) async {
    let now = clock.now()
    do {
      try await sequencer.sequenceAll()
      try await database.write { tx in
        for job in try JobQueue.list(state: .running, limit: 1000, in: tx) where job.leaseOwner == owner {
          try JobQueue.handBack(job, at: now, in: tx)
        }
      }
      Terminal.error(
        Terminal.language(
          "已中断，任务已交还：已提交的部分保留，下次运行从那里继续。",
          "Interrupted, and the delivery was handed back: what was committed stays, and the next run goes on from there."
        ))
    } catch {
      Terminal.error(
        Terminal.language(
          "已中断，但任务未能交还：\(error)。下次运行会等到租期届满。",
          "Interrupted, and the delivery could not be handed back: \(error). The next run waits until its lease has run out."
        ))
    }
    exit(1)
  }

  /// Queues a delivery and carries it out here, with a lease like any worker's, so that two can never run at once.
  func deliverNow(
    _ id: GrantID, isFull: Bool = false, owner: String = Self.worker(),
    show: @escaping @Sendable (DeliveryProgress) -> Void = { _ in }, waiting: (Text) -> Void = { _ in }
  ) async throws -> DeliveryRecord {
    try await sharing.guardGrant(id)
    var asked = try await exchange.queue(id, trigger: "command", isFull: isFull, by: .system())
    let runner = runner(.both, owner: owner, show: show)
    var said: Text?
    while true {
      _ = try await runner.drain()
      let open = asked.id
      let (found, job) = try await database.read { tx in
        (try DeliveryStore.find(open, in: tx), try Self.job(of: open, in: tx))
      }
      guard let found else { throw Refusal.notFound(Text("交换任务", "delivery")) }
      if !found.state.isOpen {
        guard isFull, found.mode != .full else { return found }
        // Another one was under way when a full one was asked for.
        asked = try await exchange.queue(id, trigger: "command", isFull: true, by: .system())
        continue
      }
      // Another worker has it, or it waits for its next try.
      if let text = job.flatMap({ Self.waiting($0, at: clock.now()) }), text != said {
        said = text
        waiting(text)
      }
      try await Task.sleep(for: .milliseconds(200))
    }
  }

  private static func job(of id: DeliveryID, in tx: any Transaction) throws -> Job? {
    for kind in [Exchange.job, Exchange.follow] {
      for state in [Job.State.running, .queued] {
        let open = try JobQueue.list(state: state, kind: kind, limit: 1000, in: tx)
        if let job = open.first(where: { $0.payload == id.text }) { return job }
      }
    }
    return nil
  }

  /// Who has the delivery, and until when a wait for it can last. A worker that lives renews its lease before that.
  private static func waiting(_ job: Job, at now: Instant) -> Text? {
    if job.state == .running, let owner = job.leaseOwner, let until = job.leaseUntil {
      return Text(
        "正由另一个进程（\(owner)）办理，等它完成；它若已中断，到 \(until)（UTC）由这里接手。",
        "Another process (\(owner)) has this delivery, waiting for it; if it is lost, this one takes over at \(until) (UTC)."
      )
    }
    guard job.runAt > now else { return nil }
    return Text("等到 \(job.runAt)（UTC）再试。", "Waiting until \(job.runAt) (UTC) for the next try.")
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
