package import Connecting
package import Kernel

/// A translation of codes: what a source writes becomes what the consumer expects.
package struct DictionaryTable: Hashable, Sendable {
  /// What becomes of a code that the dictionary does not have.
  package enum Unknown: Hashable, Sendable {
    /// The row is bad: the default, since nothing is guessed.
    case fault
    case keep
    case null
    case value(String)
  }

  package enum Found {
    case value([UInt8])
    /// The code itself.
    case same
    case null
    case fault(RowFault)
  }

  package static let most = 100_000

  package let unknown: Unknown
  private let table: ByteTable
  private let values: [[UInt8]]
  private let otherwise: [UInt8]

  /// Throws for a code that stands twice with two meanings, and for more than `most` codes.
  package init(_ codes: [(from: String, to: String)], unknown: Unknown = .fault) throws(ConnectorError) {
    guard codes.count <= Self.most else {
      throw .contract("dictionary-size", "字典超过 \(Self.most) 项。", "The dictionary has more than \(Self.most) codes.")
    }
    var seen: [String: String] = [:]
    var kept: [(String, String)] = []
    for (from, to) in codes {
      if let before = seen[from] {
        guard before == to else {
          throw .contract(
            "dictionary-twice", "字典中代码“\(from)”有两种译法。", "The dictionary gives the code “\(from)” two meanings.")
        }
        continue
      }
      seen[from] = to
      kept.append((from, to))
    }
    table = ByteTable(kept.map { Array($0.0.utf8) })
    values = kept.map { Array($0.1.utf8) }
    self.unknown = unknown
    if case .value(let text) = unknown { otherwise = Array(text.utf8) } else { otherwise = [] }
  }

  package func translate(_ code: UnsafeRawBufferPointer) -> Found {
    if let place = table.place(of: code) { return .value(values[place]) }
    switch unknown {
    case .fault: return .fault(.notInDictionary)
    case .keep: return .same
    case .null: return .null
    case .value: return .value(otherwise)
    }
  }

  /// The same for every table that translates alike: part of a schema's digest.
  package var canonicalText: String {
    let lines = zip(table.keys, values).map { from, to in
      "\(from.count):\(String(decoding: from, as: UTF8.self))\(to.count):\(String(decoding: to, as: UTF8.self))"
    }.sorted()
    let last =
      switch unknown {
      case .fault: "fault"
      case .keep: "keep"
      case .null: "null"
      case .value(let text): "value \(text)"
      }
    return lines.joined(separator: "\n") + "\nunknown \(last)\n"
  }

  /// For the pages.
  package var sentence: Text {
    let (chinese, english) =
      switch unknown {
      case .fault: ("未收录的代码使整行进入隔离区", "a code it lacks makes the row bad")
      case .keep: ("未收录的代码照原样保留", "a code it lacks stays as it is")
      case .null: ("未收录的代码置为空", "a code it lacks becomes NULL")
      case .value(let text): ("未收录的代码换成“\(text)”", "a code it lacks becomes “\(text)”")
      }
    return Text("按 \(values.count) 项代码翻译；\(chinese)。", "Translates \(values.count) codes; \(english).")
  }
}
