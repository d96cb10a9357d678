import Connecting
import JSONBytes
import Kernel

/// JSON as it is put down, a member a line as far as that helps a reader.
struct ManifestText {
  private(set) var text = ""
  private var isFirst = true
  private var depth = 0

  mutating func object(_ body: (inout ManifestText) -> Void) {
    text += "{"
    isFirst = true
    depth += 1
    body(&self)
    depth -= 1
    text += depth == 0 ? "\n}" : "}"
    isFirst = false
  }

  mutating func array<T>(_ items: [T], _ body: (T, inout ManifestText) -> Void) {
    text += "["
    for (index, item) in items.enumerated() {
      if index > 0 { text += "," }
      if item is Int || item is String { if index > 0 { text += " " } } else { text += "\n  " }
      isFirst = true
      body(item, &self)
    }
    text += "]"
    isFirst = false
  }

  mutating func name(_ name: String) {
    if !isFirst { text += "," }
    if depth == 1 { text += "\n" } else if !isFirst { text += " " }
    isFirst = false
    value(name)
    text += ": "
  }

  mutating func member(_ name: String, _ value: String) {
    self.name(name)
    self.value(value)
  }

  mutating func member(_ name: String, _ value: Int) {
    self.name(name)
    self.value(value)
  }

  mutating func member(_ name: String, _ value: Bool) {
    self.name(name)
    text += value ? "true" : "false"
  }

  mutating func value(_ number: Int) { text += String(number) }

  mutating func value(_ string: String) {
    text += "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      default:
        if scalar.value < 0x20 {
          text += "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
        } else {
          text.unicodeScalars.append(scalar)
        }
      }
    }
    text += "\""
  }
}

extension JSONTree {
  var instant: Instant? { string.flatMap { Instant($0) } }
}

// The records of committed batches, which every manifest has.

extension BatchRecord {
  static func put(_ batches: [BatchRecord], _ out: inout ManifestText) {
    out.name("batches")
    out.array(batches) { batch, out in
      out.object { out in
        out.member("batch", Int(batch.batch))
        out.member("run", batch.run)
        out.member("rows", batch.delivered)
        out.member("quarantined", batch.quarantined)
        out.member("bytes", batch.bytes)
        out.member("digest", batch.digest)
      }
    }
  }

  static func batches(_ tree: JSONTree) -> [BatchRecord]? {
    guard let batches = tree["batches"]?.array else { return nil }
    var read: [BatchRecord] = []
    for batch in batches {
      guard let number = batch["batch"]?.int, let run = batch["run"]?.string, let rows = batch["rows"]?.int,
        let quarantined = batch["quarantined"]?.int, let bytes = batch["bytes"]?.int,
        let digest = batch["digest"]?.string
      else { return nil }
      read.append(
        BatchRecord(
          batch: Int64(number), run: run, delivered: rows, quarantined: quarantined, bytes: bytes, digest: digest))
    }
    return read
  }
}
