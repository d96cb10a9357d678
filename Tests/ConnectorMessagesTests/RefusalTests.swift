import Connecting
import Foundation
import Kernel
import TestKit
import Testing

@testable import ConnectorMessages

@Suite struct `Receivers of messages that refuse or misbehave` {
  private static let secrets = [MessageReceiver.secret, "a very secret token", "secret words"]

  /// What a commit comes to when this message of it is spoiled, tried for a second.
  private func error(_ trouble: MessageProxy.Trouble, _ which: String) throws -> (ConnectorError?, [String]) {
    let receiver = try MessageReceiver()
    let proxy = try MessageProxy.before(receiver, trouble, which)
    var target = SentRows.target(proxy.base)
    target.patience = .seconds(1)
    let writer = try MessagesConnector(target).openWriter(SentRows.plan())
    defer { writer.close() }
    _ = try writer.open()
    _ = try writer.write(SentRows.rows([(1, "青海1"), (2, "b")]), batch: 1, mode: .append)
    do throws(ConnectorError) {
      try writer.commit(SentRows.record(1, 2), state: "s", durable: true)
    } catch {
      for text in [error.message.chinese, error.message.english, error.code] {
        #expect(!Self.secrets.contains { text.contains($0) }, "\(text)")
      }
      return (error, try SentRows.held(receiver))
    }
    return (nil, try SentRows.held(receiver))
  }

  @Test(arguments: [
    (MessageProxy.Trouble.status500, "messages.status", ConnectorError.Kind.retryable),
    (.status429, "messages.busy", .retryable), (.redirect, "messages.redirect", .permanent),
    (.page, "messages.answer", .permanent), (.list, "messages.answer", .permanent),
    (.torn, "messages.answer", .permanent), (.huge, "remote.too-large", .permanent),
    (.digest, "messages.readback", .data), (.rows, "messages.readback", .data),
    (.cutBefore, "remote.cut", .retryable), (.cutAfter, "remote.cut", .retryable), (.half, "remote.cut", .retryable),
  ])
  func `each have a clear error that tells no secret`(
    trouble: MessageProxy.Trouble, code: String, kind: ConnectorError.Kind
  ) throws {
    // From the second message on: the first takes the stream.
    let (error, held) = try error(trouble, "2+")
    #expect(error?.code == code && error?.kind == kind, "\(String(describing: error))")
    // What arrived is there as a whole, or nothing is.
    let arrives = [MessageProxy.Trouble.digest, .rows, .cutAfter].contains(trouble)
    #expect(held == (arrives ? ["1 青海1", "2 b"] : []))
  }

  @Test(arguments: [MessageProxy.Trouble.status500, .status429, .cutBefore, .cutAfter, .half])
  func `for a moment are asked again, and each row is there once`(trouble: MessageProxy.Trouble) throws {
    let receiver = try MessageReceiver()
    let proxy = try MessageProxy.before(receiver, trouble, "*2")
    let writer = try SentRows.writer(proxy.base)
    defer { writer.close() }
    _ = try writer.open()
    for batch in 1...4 {
      _ = try writer.write(SentRows.rows([(Int64(batch), "v")]), batch: Int64(batch), mode: .append)
      try writer.commit(SentRows.record(Int64(batch), 1), state: "\(batch)", durable: true)
    }
    #expect(try SentRows.held(receiver) == ["1 v", "2 v", "3 v", "4 v"])
    #expect(try SentRows.rows(receiver, "SELECT number FROM sj_stream")[0][0] == "5")
    #expect(try SentRows.readBack(writer, 1...4) == ["1 v 1", "2 v 2", "3 v 3", "4 v 4"])
  }

  @Test func `that are in trouble for good are given up in time, and nothing is lost`() throws {
    for (trouble, code) in [(MessageProxy.Trouble.status500, "messages.status"), (.status429, "messages.busy")] {
      let receiver = try MessageReceiver()
      let proxy = try MessageProxy.before(receiver, trouble, "*1")
      var target = SentRows.target(proxy.base)
      target.patience = .milliseconds(700)
      let start = ContinuousClock.now
      #expect { _ = try MessagesConnector(target).openWriter(SentRows.plan()).open() } throws: {
        ($0 as? ConnectorError)?.code == code && ($0 as? ConnectorError)?.kind == .retryable
      }
      #expect(ContinuousClock.now - start < .seconds(5))
      // It took nothing; without the trouble it goes on.
      #expect(try SentRows.writer(receiver.base).open() == nil)
    }
  }

  @Test func `say which: the table, the length, the secret, the columns`() throws {
    let receiver = try MessageReceiver(["--table", "t", "--most-kib", "2"])
    func code(_ body: () throws -> Void) -> String {
      do {
        try body()
        return "nothing"
      } catch {
        let error = error as? ConnectorError
        for text in [error?.message.chinese ?? "", error?.message.english ?? ""] {
          #expect(!Self.secrets.contains { text.contains($0) }, "\(text)")
        }
        return error?.code ?? "\(String(describing: error))"
      }
    }
    #expect(
      code { _ = try SentRows.writer(receiver.base, SentRows.plan("other")).open() } == "contract.table-missing")
    let other = MessagesConnector(SentRows.target(receiver.base, secret: "another secret, long enough"))
    #expect(code { _ = try other.openWriter(SentRows.plan()).open() } == "messages.denied")
    #expect(code { _ = try other.probe() } == "messages.denied")
    let writer = try SentRows.writer(receiver.base)
    _ = try writer.open()
    let long = (0..<200).map { (Int64($0), "abcdefghij" as String?) }
    _ = try writer.write(SentRows.rows(long), batch: 1, mode: .append)
    #expect(
      code { try writer.commit(SentRows.record(1, 200), state: "s", durable: true) } == "messages.too-large")
    writer.rollback()
    #expect(try SentRows.held(receiver).isEmpty)
    let columns = SentRows.columns + [.init("w", .integer)]
    #expect(
      code { _ = try SentRows.writer(receiver.base, SentRows.plan(fence: 2, columns: columns)).open() }
        == "contract.shape")
    // What was refused took nothing: the lower fence still writes.
    _ = try writer.write(SentRows.rows([(1, "a")]), batch: 1, mode: .append)
    try writer.commit(SentRows.record(1, 1), state: "s", durable: true)
    #expect(try SentRows.held(receiver) == ["1 a"])
    // Nobody is there.
    receiver.kill()
    #expect(code { try writer.commit(nil, state: "t", durable: true) } == "remote.connect")
    try receiver.start()
    writer.rollback()
    try writer.commit(nil, state: "t", durable: true)
    writer.close()
  }

  @Test(arguments: [MessageProxy.Trouble.lost, .altered])
  func `that do not give a message back as it was have no rows of it`(trouble: MessageProxy.Trouble) throws {
    let receiver = try MessageReceiver()
    let proxy = try MessageProxy.before(receiver, trouble, "99")
    let writer = try SentRows.writer(proxy.base)
    defer { writer.close() }
    _ = try writer.open()
    _ = try writer.write(SentRows.rows([(1, "青海1")]), batch: 1, mode: .append)
    try writer.commit(SentRows.record(1, 1), state: "s", durable: true)
    #expect(try SentRows.readBack(writer, 1...1).isEmpty)
    #expect(try writer.batches(1...1).count == 1)
  }

  @Test func `that keep another offset than they were given are a breach of contract`() throws {
    let receiver = try MessageReceiver()
    let writer = try SentRows.writer(receiver.base)
    _ = try writer.open()
    writer.close()
    _ = try SentRows.rows(receiver, "UPDATE sj_stream SET offset = '{\"number\": 1}'")
    #expect { _ = try SentRows.writer(receiver.base).open() } throws: {
      ($0 as? ConnectorError)?.code == "contract.state"
    }
  }

  @Test func `are waited for no longer once the run is interrupted`() throws {
    let receiver = try MessageReceiver()
    receiver.kill()
    var target = SentRows.target(receiver.base)
    target.patience = .seconds(60)
    let writer = try MessagesConnector(target).openWriter(SentRows.plan())
    let interrupt = writer.interrupter
    let start = ContinuousClock.now
    Thread.detachNewThread {
      usleep(300_000)
      interrupt()
    }
    #expect { _ = try writer.open() } throws: { ($0 as? ConnectorError)?.kind == .retryable }
    #expect(ContinuousClock.now - start < .seconds(10))
  }

  @Test func `are only written to, and say so`() throws {
    let connector = MessagesConnector(SentRows.target("http://127.0.0.1:9"))
    let table = TableName("t")
    let plan = ReadPlan(table: table, columns: [.init("k", .integer)], key: [0])
    let asked: [() throws -> Void] = [
      { _ = try connector.tables() }, { _ = try connector.describe(table) }, { _ = try connector.survey() },
      { _ = try connector.peek(table, plan.columns, rows: 1, within: .seconds(1)) },
      { _ = try connector.examine(table, columns: [], cursor: nil, within: .seconds(1)) },
      { _ = try connector.openReader(plan) },
    ]
    for ask in asked {
      #expect(throws: ConnectorError.self) { try ask() }
      #expect { try ask() } throws: { ($0 as? ConnectorError)?.code == "contract.write-only" }
    }
    for name in ["a/b", ".", "", "a\u{1}"] {
      #expect { _ = try connector.openWriter(SentRows.plan(name)) } throws: {
        ($0 as? ConnectorError)?.code == "contract.table-name"
      }
    }
    var marks = SentRows.plan()
    marks.marksDeletes = true
    #expect { _ = try connector.openWriter(marks).open() } throws: {
      ($0 as? ConnectorError)?.code == "contract.no-marks"
    }
  }

  @Test func `are filled in by a grammar that says what is wrong`() throws {
    let kind = MessagesConnector.kind
    #expect(kind.guarantee.writes && kind.guarantee.receivesChanges && !kind.guarantee.merges)
    let good = ["address": "https://data.example.gov.cn/m", "secret": "0123456789abcdef"]
    #expect(kind.check(good).isEmpty)
    #expect(try kind.open(good).guarantee.largestBatch == 64 << 10)
    #expect(try kind.open(good.merging(["size": "1024"]) { $1 }).guarantee.largestBatch == 256 << 10)
    for (setting, value) in [
      ("address", "http://data.example.gov.cn"), ("address", "sftp://a/b"), ("address", "https://a/b?c=d"),
      ("address", ""), ("secret", "too short"), ("headers", "no colon"), ("size", "8"), ("size", "1e9"),
    ] {
      let wrong = good.merging([setting: value]) { $1 }
      #expect(kind.check(wrong).map(\.setting) == [setting])
      #expect { _ = try kind.open(wrong) } throws: { ($0 as? ConnectorError)?.code == "messages.\(setting)" }
    }
    #expect(kind.settings.filter(\.isSecret).map(\.name) == ["secret", "headers"])
  }

  @Test func `answer a probe`() throws {
    let receiver = try MessageReceiver()
    let probe = try MessagesConnector.kind.open(receiver.settings).probe()
    #expect(probe.product == "sanjiang-messages/1" && !probe.isReadOnly)
  }
}
