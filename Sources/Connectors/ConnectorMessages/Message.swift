import Connecting
import JSONBytes
import NationalCrypto

enum MessageFormat {
  static let name = "sanjiang-messages/1"
  /// Of one message; beyond it neither side's memory is to be relied on.
  static let longest = 128 << 20
}

/// One commit on its way: the envelope's line, then a line for each change.
struct Message {
  enum Kind: String {
    /// The stream is taken under a fence; says what the table's columns are.
    case take
    /// A run begins.
    case begin
    /// Changes, or a place in the source's log alone.
    case rows
    /// A run is complete, with what it changed last.
    case end
    /// A run will not be completed.
    case abandon
  }

  let kind: Kind
  let number: Int
  let puts: Int
  /// SM3 of the lines behind the first, hexadecimal.
  let digest: String
  let body: [UInt8]

  /// `offset` as it shall be kept with the message. `batch`: of its rows, 0 where it has none.
  init(
    _ kind: Kind, _ plan: WritePlan, _ offset: MessageOffset, _ changes: MessageChanges, batch: Int64 = 0,
    record: MessageBatch? = nil
  ) {
    self.kind = kind
    number = offset.number
    puts = changes.puts
    digest = SM3.hash(changes.bytes).hex
    var text = ObjectText()
    text.put("format", MessageFormat.name)
    text.put("id", SecureRandom.bytes(16).hex)
    text.put("table", plan.table.name)
    text.put("stream", plan.stream)
    text.put("number", number)
    text.put("fence", Int(plan.fence))
    text.put("run", plan.run)
    text.put("kind", kind.rawValue)
    if kind == .begin { text.put("whole", offset.begun?.isWhole ?? false) }
    if kind == .take {
      text.put("columns", list: plan.columns.map { Self.text($0) })
      text.put("key", list: plan.key.map { ObjectText.quoted(plan.columns[$0].name) })
    }
    text.put("batch", Int(batch))
    text.put("lines", changes.count)
    text.put("puts", changes.puts)
    text.put("deletes", changes.deletes)
    text.put("stale", changes.stale)
    text.put("sm3", digest)
    text.put("keep", offset.keep)
    if let record { text.put("record", object: record.text) }
    text.put("offset", object: offset.text)
    body = Array(text.text.utf8) + [UInt8(ascii: "\n")] + changes.bytes
  }

  private static func text(_ column: WritePlan.Column) -> String {
    var text = ObjectText()
    text.put("name", column.name)
    text.put("type", column.type.description)
    if let length = column.length { text.put("length", length) }
    return text.text
  }

  /// Where the lines behind the envelope begin, in a body that is, byte by byte, this stream's message of that number; nil
  /// for any other.
  static func lines(of body: [UInt8], number: Int, stream: String) -> Int? {
    guard let end = body.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
    return body.withUnsafeBytes { bytes in
      guard let envelope = JSONTree(UnsafeRawBufferPointer(rebasing: bytes[..<end])),
        envelope["number"]?.int == number, envelope["stream"]?.string == stream,
        envelope["sm3"]?.string == SM3.hash(UnsafeRawBufferPointer(rebasing: bytes[(end + 1)...])).hex
      else { return nil }
      return end + 1
    }
  }
}
