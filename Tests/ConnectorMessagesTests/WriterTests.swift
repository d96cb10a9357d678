import Connecting
import Foundation
import JSONBytes
import Kernel
import NationalCrypto
import Remote
import TestKit
import Testing

@testable import ConnectorMessages
@testable import ConnectorSQLite

@Suite struct `Messages sent` {
  @Test func `have one spelling for each type, as it is documented`() throws {
    let columns: [WritePlan.Column] = [
      .init("文", .text), .init("i", .integer), .init("d", .decimal(precision: 38, scale: 2)), .init("f", .double),
      .init("b", .boolean), .init("day", .date), .init("at", .timestamp), .init("x", .bytes),
    ]
    let changes = MessageChanges(SentRows.plan(columns: columns))
    let rows = RowBatch()
    let canonical = CanonicalText(zone: 0)
    for texts in [
      [
        "a\"\\\n\u{1}\u{7F}青𠀀", "-9223372036854775808", "999999999999999999999999999999999999.10", "1e-7", "true",
        "1899-12-31", "0001-01-02 00:00:00.000001", "\0\u{1}\n",
      ], ["", "0", "-0.50", "0", "false", "9999-12-31", "2026-08-22 01:30:00", ""],
    ] {
      rows.beginRow(fields: 8)
      for (text, column) in zip(texts, columns) {
        Array(text.utf8).withUnsafeBytes { canonical.append($0, as: column.type, to: rows) }
      }
      rows.endRow()
    }
    rows.beginRow(fields: 8)
    for _ in columns { rows.appendNull() }
    rows.endRow()
    for index in 0..<rows.rowCount { try changes.put(rows.row(index)) }
    let lines = String(decoding: changes.bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    #expect(
      lines == [
        #"{"put":{"文":"a\"\\\n\u0001"# + "\u{7F}"
          + #"青𠀀","i":-9223372036854775808,"d":"999999999999999999999999999999999999.10","f":1e-07,"b":true,"#
          + #""day":"1899-12-31","at":"0001-01-02T00:00:00.000001Z","x":"AAEK"}}"#,
        #"{"put":{"文":"","i":0,"d":"-0.50","f":0.0,"b":false,"day":"9999-12-31","at":"2026-08-22T01:30:00.000000Z","x":""}}"#,
        #"{"put":{"文":null,"i":null,"d":null,"f":null,"b":null,"day":null,"at":null,"x":null}}"#,
      ])
    // And are read back to the same bytes.
    let back = WrittenLinesReader(SentRows.plan(columns: columns), changes.bytes, batch: 9)
    let found = RowBatch()
    #expect(try back.read(into: found) == .rows && found.rowCount == 3)
    for index in 0..<3 { #expect(found.fields(index).dropLast() == rows.fields(index)[...]) }
    #expect(try back.read(into: found) == .end)
  }

  @Test func `put, delete, flag and empty in their order, and what a whole run did not put goes at its end`() throws {
    let receiver = try MessageReceiver()
    let writer = try SentRows.writer(receiver.base)
    #expect(try writer.open() == nil)
    try writer.begin(.whole(goesOn: false))
    // Nothing was before: nothing is out of date.
    #expect(try writer.markStale(SentRows.keys([9]), batch: 1, at: Instant(milliseconds: 0)) == 0)
    _ = try writer.write(SentRows.rows([(1, "a"), (2, nil), (3, ""), (4, "d")]), batch: 1, mode: .append)
    // Nothing leaves before the commit.
    #expect(try SentRows.held(receiver).isEmpty)
    try writer.commit(SentRows.record(1, 4), state: "one", durable: false)
    #expect(try SentRows.held(receiver) == ["1 a", "2 -", "3", "4 d"])
    try writer.complete()
    try writer.commit(nil, state: "whole", durable: true)
    #expect(try SentRows.readBack(writer, 1...1) == ["1 a 1", "2 - 1", "3  1", "4 d 1"])
    writer.close()

    let again = try SentRows.writer(receiver.base, SentRows.plan(run: "r2", fence: 2))
    #expect(try again.open() == StoredOffset(fence: 1, run: "r1", batch: 1, state: "whole"))
    try again.begin(.changes)
    _ = try again.write(SentRows.rows([(1, "改")]), batch: 2, mode: .merge(rewriteFrom: 0, ownFrom: 2))
    let twice = try again.write(
      SentRows.rows([(5, "e"), (1, "x")]), batch: 2, mode: .merge(rewriteFrom: 0, ownFrom: 2))
    #expect(twice.written == [0] && twice.duplicates == [1])
    #expect(try again.markStale(SentRows.keys([4]), batch: 2, at: Instant(milliseconds: 0)) == 1)
    // What this run wrote itself stays.
    #expect(
      try again.deleteKeys(SentRows.keys([1, 2]), writtenBefore: 2, at: Instant(milliseconds: 0)) == 1)
    try again.complete()
    try again.commit(SentRows.record(2, 2, run: "r2"), state: "two", durable: true)
    #expect(try SentRows.held(receiver) == ["1 改", "3", "4 d 2", "5 e"])
    #expect(try again.countStale(1...2) == 1)
    // Messages of the run before are not asked for any more, and were let go.
    let numbers = try SentRows.rows(receiver, "SELECT min(number), max(number) FROM sj_message")[0]
    #expect(numbers == ["6", "7"])
    again.close()

    let full = try SentRows.writer(receiver.base, SentRows.plan(run: "r3", fence: 3))
    _ = try full.open()
    try full.begin(.whole(goesOn: false))
    _ = try full.write(SentRows.rows([(7, "g")]), batch: 3, mode: .append)
    _ = try full.markStale(SentRows.keys([3]), batch: 3, at: Instant(milliseconds: 0))
    try full.commit(SentRows.record(3, 1, run: "r3"), state: "s", durable: false)
    #expect(try SentRows.held(receiver).count == 5)
    try full.complete()
    try full.commit(nil, state: "three", durable: true)
    // A flagged row stays, as its source's is only bad.
    #expect(try SentRows.held(receiver) == ["3 3", "7 g"])
    _ = try full.deleteAll(at: nil)
    _ = try full.write(SentRows.rows([(8, "h")]), batch: 4, mode: .upsert)
    try full.commit(SentRows.record(4, 1), state: "four", durable: true)
    #expect(try SentRows.held(receiver) == ["8 h"])
    full.close()
  }

  @Test func `of changes give back what the last write put, and gather commits in one batch`() throws {
    let receiver = try MessageReceiver()
    let writer = try SentRows.writer(receiver.base)
    _ = try writer.open()
    for (round, rows) in [[(Int64(1), "a"), (2, "b")], [(2, "c"), (3, "d")]].enumerated() {
      _ = try writer.deleteKeys(SentRows.keys([7]), writtenBefore: .max, at: Instant(milliseconds: 0))
      _ = try writer.write(SentRows.rows(rows), batch: 1, mode: round == 0 ? .insert : .upsert)
      let reader = try writer.written()
      let found = RowBatch()
      #expect(try reader.read(into: found) == .rows && found.rowCount == 2)
      reader.close()
      try writer.commit(SentRows.record(1, 2 * (round + 1)), state: "\(round)", durable: false)
    }
    #expect(try writer.batches(1...1).map(\.delivered) == [4])
    #expect(try SentRows.held(receiver) == ["1 a", "2 c", "3 d"])
    // Nobody reads changes back: only the last message is kept.
    #expect(try SentRows.rows(receiver, "SELECT count(*) FROM sj_message")[0][0] == "1")
    _ = try writer.write(SentRows.rows([(4, "e")]), batch: 2, mode: .upsert)
    _ = try writer.deleteOlder(than: 2, at: Instant(milliseconds: 0))
    try writer.commit(SentRows.record(2, 1), state: "2", durable: true)
    #expect(try SentRows.held(receiver) == ["4 e"])
    #expect(throws: ConnectorError.self) { try writer.current(SentRows.keys([1])) }
    writer.close()
  }

  @Test func `that come again are answered as before and done once`() throws {
    let receiver = try MessageReceiver()
    let plan = SentRows.plan()
    let client = MessageClient(SentRows.target(receiver.base), RemoteCancellation(), plan)
    let changes = MessageChanges(plan)
    var offset = MessageOffset(fence: 1)
    offset.number = 1
    let take = Message(.take, plan, offset, changes)
    try client.send(take)
    try client.send(take)
    let row = SentRows.rows([(1, "a")])
    try withExtendedLifetime(row) { try changes.put(row.row(0)) }
    offset.number = 2
    let first = Message(.rows, plan, offset, changes, batch: 1)
    try client.send(first)
    // Whether it was done again would show.
    _ = try SentRows.rows(receiver, "UPDATE t SET v = 'ours' WHERE k = 1")
    try client.send(first)
    #expect(try SentRows.held(receiver) == ["1 ours"])
    #expect(try client.offset().offset?.number == 2 && client.offset().rows == 1)
    // Another message of the same number, and one that leaves a number out.
    for number in [2, 4] {
      offset.number = number
      #expect { try client.send(Message(.rows, plan, offset, changes, batch: 1)) } throws: {
        ($0 as? ConnectorError)?.code == "messages.out-of-step" && ($0 as? ConnectorError)?.kind == .retryable
      }
    }
    // One that was changed on its way: the receiver takes nothing of it.
    offset.number = 3
    let message = Message(.rows, plan, offset, changes, batch: 1)
    var body = message.body
    body[body.count - 5] ^= 1
    let web = WebClient()
    let headers = [
      "Sanjiang-Signature: hmac-sm3=" + HMAC.authenticate(body, key: Array(MessageReceiver.secret.utf8)).hex
    ]
    let address = try RemoteAddress(receiver.base + "/t")
    #expect(try web.post(address, headers: headers, body: body).status == 400)
    // And one that nobody signed.
    #expect(try web.post(address, headers: [], body: message.body).status == 401)
    #expect(try web.get(address.adding([("stream", "s")]), headers: []).status == 401)
    #expect(try client.offset().offset?.number == 2)
  }

  @Test func `are only taken from who holds the stream, whoever opens first`() throws {
    let receiver = try MessageReceiver()
    let old = try SentRows.writer(receiver.base)
    _ = try old.open()
    _ = try old.write(SentRows.rows([(1, "a")]), batch: 1, mode: .append)
    try old.commit(SentRows.record(1, 1), state: "s", durable: true)
    _ = try old.write(SentRows.rows([(2, "b")]), batch: 2, mode: .append)
    let new = try SentRows.writer(receiver.base, SentRows.plan(fence: 2))
    _ = try new.open()
    #expect { try old.commit(SentRows.record(2, 1), state: "t", durable: true) } throws: {
      ($0 as? ConnectorError) == .takenOver
    }
    #expect(try SentRows.held(receiver) == ["1 a"])
    let other = try SentRows.writer(receiver.base, SentRows.plan(stream: "another", fence: 9))
    #expect { try other.open() } throws: { ($0 as? ConnectorError)?.code == "contract.target-taken" }
    // Several who open at once: each is the next one or is told that there is another.
    let errors = Monitor<[ConnectorError]>([])
    DispatchQueue.concurrentPerform(iterations: 6) { index in
      do {
        let writer = try SentRows.writer(receiver.base, SentRows.plan(fence: Int64(3 + index)))
        _ = try writer.open()
        writer.close()
      } catch { errors.change { $0.append(error as! ConnectorError) } }
    }
    #expect(errors.change { $0 }.allSatisfy { $0 == .takenOver })
    #expect(try SentRows.rows(receiver, "SELECT fence FROM sj_stream")[0][0] == "8")
  }

  @Test func `of a run that is given up stay, and the receiver is told`() throws {
    let receiver = try MessageReceiver()
    let writer = try SentRows.writer(receiver.base)
    _ = try writer.open()
    try writer.begin(.whole(goesOn: false))
    _ = try writer.write(SentRows.rows([(1, "a")]), batch: 1, mode: .append)
    try writer.commit(SentRows.record(1, 1), state: "s", durable: true)
    _ = try writer.write(SentRows.rows([(2, "b")]), batch: 2, mode: .append)
    try writer.giveUp()
    #expect(try SentRows.held(receiver) == ["1 a"])
    let last = try SentRows.rows(
      receiver, "SELECT CAST(body AS TEXT) FROM sj_message ORDER BY number DESC LIMIT 1")[0][0]
    #expect(last?.contains("\"kind\":\"abandon\"") == true && last?.hasSuffix("}\n") == true)
    writer.close()
  }
}
