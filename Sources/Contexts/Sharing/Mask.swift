package import Catalog
import Connecting
package import Kernel
package import Reshaping

/// What the consumer sees instead of a value (脱敏). Part of the grant, carried out on the provider's side.
package enum Mask: Hashable, Sendable {
  case none
  case keepHeadTail(Int, Int)
  /// HMAC-SM3 under a key of this grant alone: equal values stay equal, nothing else can be told.
  case pseudonym
  /// Tokens of the same form, and generalisation of dates, places and numbers.
  case reshaped(ValueMask)

  /// `none`, `keep(6,4)`, `pseudonym`, or a value mask's own text (`token mobile`); `init(_:)` reads it back.
  package var encoded: String {
    switch self {
    case .none: "none"
    case .keepHeadTail(let head, let tail): "keep(\(head),\(tail))"
    case .pseudonym: "pseudonym"
    case .reshaped(let mask): mask.canonicalText
    }
  }

  package init?(_ text: String) {
    switch text {
    case "none": self = .none
    case "pseudonym": self = .pseudonym
    default:
      if let mask = ValueMask(canonicalText: text) {
        self = .reshaped(mask)
        return
      }
      guard text.hasPrefix("keep("), text.hasSuffix(")") else { return nil }
      let numbers = text.dropFirst(5).dropLast().split(separator: ",").map { Int($0) }
      guard numbers.count == 2, let head = numbers[0], let tail = numbers[1], (0...20).contains(head),
        (0...20).contains(tail),
        head + tail > 0
      else { return nil }
      self = .keepHeadTail(head, tail)
    }
  }

  package var title: Text {
    switch self {
    case .none: Text("原样", "As it is")
    case .keepHeadTail(1, 0): Text("只保留第 1 位", "Only the first character kept")
    case .keepHeadTail(let head, 0): Text("只保留前 \(head) 位", "Only the first \(head) kept")
    case .keepHeadTail(0, 1): Text("只保留最后 1 位", "Only the last character kept")
    case .keepHeadTail(0, let tail): Text("只保留后 \(tail) 位", "Only the last \(tail) kept")
    case .keepHeadTail(let head, let tail):
      Text("保留前 \(head) 位和后 \(tail) 位", "First \(head) and last \(tail) kept")
    case .pseudonym: Text("假名（SM3）", "Pseudonym (SM3)")
    case .reshaped(let mask): mask.title
    }
  }

  /// Why an item cannot be delivered so; nil when it can.
  func fault(for item: Item, isKey: Bool) -> Text? {
    let name = item.name
    switch self {
    case .none, .pseudonym: return nil
    case .keepHeadTail:
      if item.type != .text {
        return Text("“\(name)”不是文本，不能保留首尾。", "“\(name)” is not text; head and tail cannot be kept.")
      }
      return isKey ? Self.loses(name) : nil
    case .reshaped(let mask):
      guard let facts = item.type.flatMap({ mask.facts(for: $0, length: item.length) }) else {
        return Text(
          "“\(name)”的类型不能这样交付：\(mask.title.chinese)。",
          "The type of “\(name)” cannot be delivered so: \(mask.title.english).")
      }
      return isKey && !facts.keepsJoins ? Self.loses(name) : nil
    }
  }

  private static func loses(_ name: String) -> Text {
    Text(
      "主键“\(name)”这样处理后会重复，请改用假名或保形替换。",
      "The key “\(name)” would no longer be unique; use a pseudonym or a token.")
  }

  /// What the forms offer for an item, the likeliest first.
  package static func offered(for item: Item, isKey: Bool, on today: CalendarDate) -> [Mask] {
    let all: [Mask]
    switch item.type {
    case .text?:
      all =
        [.none] + token(of: item.semantic) + [
          .keepHeadTail(6, 4), .keepHeadTail(3, 4), .keepHeadTail(1, 0), .pseudonym,
        ]
        + [.reshaped(.token(.text)), .reshaped(.token(.digits))]
        + [.prefecture, .county].map { .reshaped(.place($0)) }
        + [.prefecture, .county, .township].map { .reshaped(.address($0)) } + [.reshaped(.cut(4))]
    case .date?, .timestamp?:
      all =
        [.none, .pseudonym] + ValueMask.Period.allCases.map { .reshaped(.period($0)) }
        + [5, 10].map { .reshaped(.ageBand(width: $0, on: today)) }
    case .integer?, .decimal?:
      all =
        [.none, .pseudonym] + [1, 3, 4].map { .reshaped(.rounded($0)) }
        + [.reshaped(.band([0, 10_000, 100_000, 1_000_000, 10_000_000]))]
    default: all = [.none, .pseudonym]
    }
    return all.filter { $0.fault(for: item, isKey: isKey) == nil }
  }

  private static func token(of semantic: String?) -> [Mask] {
    semantic.flatMap(ValueMask.Token.init(rawValue:)).map { [.reshaped(.token($0))] } ?? []
  }
}
