import Connecting
import Foundation
import JSONBytes
import Kernel
import NationalCrypto
import Remote
import TestKit
import Testing

@testable import ConnectorMessages

/// What `docs/messages.md` shows is what happens.
@Suite struct `The documented exchange` {
  private struct Request {
    var method: String
    var target: String
    var signature: String
    var body: String
    var answer: String
  }

  /// Each request of the exchange with its answer, as the page has them.
  private static func requests() throws -> [Request] {
    let page = try String(contentsOfFile: MessageReceiver.documents + "/messages.md", encoding: .utf8)
    let exchange = try #require(page.components(separatedBy: "## A whole exchange").last)
    let blocks = exchange.components(separatedBy: "```").enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
    var requests: [Request] = []
    for text in blocks.flatMap({
      $0.components(separatedBy: "\n\nPOST ").joined(separator: "\n\n\0POST ")
        .components(separatedBy: "\n\nGET ").joined(separator: "\n\n\0GET ").components(separatedBy: "\0")
    }) {
      let halves = text.trimmingCharacters(in: .newlines).components(separatedBy: "→ 200 ")
      let parts = halves[0].components(separatedBy: "\n\n")
      let head = parts[0].split(separator: "\n").map(String.init)
      let line = head[0].split(separator: " ").map(String.init)
      try #require(halves.count == 2 && line.count == 2 && head.count == 2)
      requests.append(
        Request(
          method: line[0], target: line[1], signature: head[1], body: parts.count > 1 ? parts[1] : "",
          answer: halves[1]))
    }
    return requests
  }

  @Test func `comes to what the page says, by the example`() throws {
    let secret = "0123456789abcdef"
    let receiver = try MessageReceiver(secret: secret)
    let (requests, client) = (try Self.requests(), WebClient())
    #expect(requests.map(\.method) == ["GET", "POST", "POST", "POST", "POST", "POST", "GET", "GET"])
    for request in requests {
      let signed = request.method == "GET" ? "GET " + request.target : request.body
      let signature = HMAC.authenticate(Array(signed.utf8), key: Array(secret.utf8)).hex
      #expect(request.signature == "Sanjiang-Signature: hmac-sm3=" + signature)
      let address = try RemoteAddress(receiver.base + request.target)
      let answer =
        request.method == "GET"
        ? try client.get(address, headers: [request.signature])
        : try client.post(address, headers: [request.signature], body: Array(request.body.utf8))
      #expect(answer.status == 200)
      let (found, said) = (
        try JSONSerialization.jsonObject(with: Data(answer.body)) as? NSDictionary,
        try JSONSerialization.jsonObject(with: Data(request.answer.utf8)) as? NSDictionary
      )
      #expect(found != nil && found == said, "\(request.target)")
    }
    // It is an offset of ours, and we go on behind it.
    var target = SentRows.target(receiver.base)
    target.secret = Array(secret.utf8)
    let columns: [WritePlan.Column] = [
      .init("id", .integer), .init("name", .text, length: 60), .init("capital", .decimal(precision: 18, scale: 2)),
      .init("born", .date),
    ]
    let writer = try MessagesConnector(target).openWriter(
      SentRows.plan("person", stream: "G-2026-0017", run: "d-0010", fence: 42, columns: columns))
    defer { writer.close() }
    #expect(try writer.open() == StoredOffset(fence: 41, run: "d-0009", batch: 1, state: "…"))
    #expect(try writer.batches(1...1).map(\.delivered) == [2])
    let back = try writer.readBack(1...1)
    let rows = RowBatch()
    #expect(try back.read(into: rows) == .rows && rows.rowCount == 2)
    #expect(rows.fields(0)[1] == .value(Array("马海云".utf8)) && rows.fields(1)[1] == .null)
  }
}
